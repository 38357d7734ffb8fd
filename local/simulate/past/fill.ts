/** `npm run simulate -- --days N`: hands the attempts of past days to the consumer's own write function, oldest first. */
import { SingleBar } from 'cli-progress';
import { and, gte, inArray, lte, sql } from 'drizzle-orm';
import type { Attempt } from '../../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../../src/attempts/bounds.ts';
import { writeMessages } from '../../../src/attempts/store.ts';
import type { Config } from '../../../src/config.ts';
import { connect } from '../../../src/database/connect.ts';
import { attempts } from '../../../src/database/schema.ts';
import { attemptsOf } from './attempts.ts';
import { DAY_MS, visitsOfDay } from './calendar.ts';

/** A statement takes 65,535 parameters, and an attempt has some forty. */
const BATCH = 500;
const WRITE_LIMIT_MS = 60_000;

export interface Past {
  readonly people: number;
  readonly seed: number;
  readonly days: number;
  /** Milliseconds since 1970: nothing later is written. */
  readonly nowMs: number;
  /** Aborted by Ctrl-C: what is written stays. */
  readonly stop: AbortSignal;
}

export interface Filled {
  /** Rows that were not there before. */
  readonly written: number;
  /** Attempts of an earlier run with the same seed. */
  readonly already: number;
  readonly from: Date;
  /** Every attempt before this instant is written. */
  readonly to: Date;
}

/** Rejects when the database does, in which case running it again goes on where it ended. */
export async function fillPast(config: Config, { people, seed, days, nowMs, stop }: Past): Promise<Filled> {
  const today = Math.floor(nowMs / DAY_MS);
  const first = today - days;
  let [written, already] = [0, 0];
  let doneMs = first * DAY_MS;
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: 'Filling {bar} {percentage}%, {attempts} attempts, {eta_formatted} left',
        hideCursor: true,
      })
    : undefined;
  bar?.start(nowMs - doneMs, 0, { attempts: 0 });
  try {
    for (let day = first; day <= today && !stop.aborted; day += 1) {
      const ofDay = await attemptsOfDay(config, { people, seed, nowMs, stop }, day);
      for (let start = 0; start < ofDay.length && !stop.aborted; start += BATCH) {
        const batch = ofDay.slice(start, start + BATCH);
        const known = await countKnown(config, batch);
        await write(config, batch);
        written += batch.length - known;
        already += known;
        doneMs = occurredAtOf(batch.at(-1)?.id ?? '');
        bar?.update(doneMs - first * DAY_MS, { attempts: written + already });
      }
      if (!stop.aborted) doneMs = Math.min((day + 1) * DAY_MS, nowMs);
    }
  } finally {
    bar?.stop();
  }
  return { written, already, from: new Date(first * DAY_MS), to: new Date(doneMs) };
}

/** Those of visits that began on that day (in whole days since 1970), oldest first. */
export async function attemptsOfDay(config: Config, past: Omit<Past, 'days'>, day: number): Promise<Attempt[]> {
  const { people, seed, nowMs, stop } = past;
  const all: Attempt[] = [];
  for (const visit of visitsOfDay(seed, people, day)) {
    if (stop.aborted) return [];
    all.push(...(await attemptsOf(visit, seed, config, nowMs)));
  }
  return all.sort((a, b) => occurredAtOf(a.id) - occurredAtOf(b.id));
}

async function write(config: Config, batch: readonly Attempt[]): Promise<void> {
  const { refused } = await writeMessages(config, batch, WRITE_LIMIT_MS);
  const [one] = refused;
  if (one !== undefined) throw new Error(`The database refused ${refused.length} attempts: ${one.reason}.`);
}

/** How many of a batch are there from an earlier run. By time first, which is what the primary key begins with. */
async function countKnown({ DATABASE_URL }: Config, batch: readonly Attempt[]): Promise<number> {
  const ids = batch.map(({ id }) => id);
  const times = ids.map(occurredAtOf);
  const { db } = connect(DATABASE_URL, WRITE_LIMIT_MS);
  const [row] = await db
    .select({ known: sql<number>`count(*)::int` })
    .from(attempts)
    .where(
      and(
        gte(attempts.occurredAt, new Date(Math.min(...times))),
        lte(attempts.occurredAt, new Date(Math.max(...times))),
        inArray(attempts.id, ids),
      ),
    );
  return row?.known ?? 0;
}
