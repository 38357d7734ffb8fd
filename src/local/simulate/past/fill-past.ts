/** `npm run simulate -- --days N`: writes the attempts of past days with the consumer's own code, oldest first. */

import { and, gte, lte } from 'drizzle-orm';
import type { Message } from '../../../attempts/attempt.ts';
import { progressBar } from '../../../cli/progress-bar.ts';
import { connect } from '../../../database/connect.ts';
import { attempts } from '../../../database/schema.ts';
import { writeMessages } from '../../../desk/consume/write-messages.ts';
import type { Config } from '../../../platform/config.ts';
import { DAY_MS } from '../../../platform/duration.ts';
import { visitsOfDay } from './calendar.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import { refusedOfDay } from './refused-of-day.ts';
import { attemptsOfVisit, type PastAttempt } from './visit.ts';

/** A statement has at most 65,535 parameters; an attempt has about forty. */
const BATCH = 500;
const WRITE_LIMIT_MS = 60_000;

export interface Past {
  readonly people: number;
  readonly seed: number;
  readonly days: number;
  /** Milliseconds since 1970. Nothing later is written. */
  readonly nowMs: number;
  /** Aborted by Ctrl-C. Written attempts stay. */
  readonly stop: AbortSignal;
}

/**
 * Returns the number of new rows, the number of rows from an earlier run, and the period that is now complete. Rejects
 * when the database fails; a second run adds the rest.
 */
export async function fillPast(policy: PolicyInForce, { days, ...past }: Past) {
  const { config } = policy;
  const { nowMs, stop } = past;
  const today = Math.floor(nowMs / DAY_MS);
  const from = firstDayOf(days, nowMs);
  const before = await countBetween(config, from, nowMs);
  let given = 0;
  let to = from.getTime();
  const bar = progressBar('Filling {bar} {percentage}%, {eta_formatted} left', days + 1);
  try {
    for (let day = today - days; day <= today && !stop.aborted; day += 1) {
      const ofDay = await attemptsOfDay(policy, past, day);
      for (let start = 0; start < ofDay.length && !stop.aborted; start += BATCH) {
        const batch = ofDay.slice(start, start + BATCH);
        await write(
          config,
          batch.map(({ attempt }) => attempt),
        );
        given += batch.length;
        to = batch.at(-1)?.atMs ?? to;
      }
      if (!stop.aborted) await write(config, refusedOfDay(past, day));
      if (!stop.aborted) to = Math.min((day + 1) * DAY_MS, nowMs);
      bar.update(day - today + days + 1);
    }
  } finally {
    bar.stop();
  }
  const written = (await countBetween(config, from, nowMs)) - before;
  return { written, already: given - written, from, to: new Date(to) };
}

/** The midnight (UTC) with which a past of so many days begins. */
export const firstDayOf = (days: number, nowMs: number): Date => new Date((Math.floor(nowMs / DAY_MS) - days) * DAY_MS);

/** The attempts of visits that began on a day (whole days since 1970), oldest first; `[]` after an abort. */
export async function attemptsOfDay(
  policy: PolicyInForce,
  past: Omit<Past, 'days'>,
  day: number,
): Promise<PastAttempt[]> {
  const { people, seed, nowMs, stop } = past;
  const all: PastAttempt[] = [];
  for (const visit of visitsOfDay(seed, people, day)) {
    if (stop.aborted) return [];
    all.push(...(await attemptsOfVisit(visit, seed, policy, nowMs)));
  }
  return all.sort((a, b) => a.atMs - b.atMs);
}

async function write(config: Config, messages: readonly Message[]): Promise<void> {
  const { refused } = await writeMessages(config, messages, WRITE_LIMIT_MS);
  const [one] = refused;
  if (one !== undefined) throw new Error(`The database refused ${refused.length} messages: ${one.reason}.`);
}

/** New rows are the difference of two counts. Live calls do not count: they are later than `nowMs`. */
async function countBetween({ DATABASE_URL }: Config, from: Date, nowMs: number): Promise<number> {
  const { db } = connect(DATABASE_URL, WRITE_LIMIT_MS);
  return db.$count(attempts, and(gte(attempts.occurredAt, from), lte(attempts.occurredAt, new Date(nowMs))));
}
