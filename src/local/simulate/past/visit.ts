/**
 * The attempts of a past visit. Gatehouse's own code makes them; only the clock, the data in KV and the identifiers are
 * simulated.
 */

import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../../../attempts/attempt.ts';
import { B2C_TIMEOUT_MS } from '../../../cli/connector.ts';
import { DAY_MS } from '../../../platform/duration.ts';
import { TimeoutError } from '../../../platform/timeout.ts';
import { type Dice, diceFor } from '../dice.ts';
import { nextVisit, type ScriptedCall } from '../script.ts';
import type { Visit } from './calendar.ts';
import { answerTo } from './gatehouse.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** One day in twelve has three hours in which KV is unavailable. */
const KV_OUTAGE = { everyDays: 12, hours: 3 } as const;
/** The median duration, and the factor within which two thirds of all durations are. */
const USUAL_DURATION_MS = 11;
const DURATION_SPREAD = 1.7;
const SLOW = { share: 0.012, fromMs: 120, toMs: 900 } as const;

export interface PastAttempt {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly attempt: Attempt;
}

/** Oldest first, up to `untilMs`. */
export async function attemptsOfVisit(
  visit: Visit,
  seed: number,
  policy: PolicyInForce,
  untilMs: number,
): Promise<PastAttempt[]> {
  const { dice } = visit;
  const made: PastAttempt[] = [];
  let left = visit.calls;
  let atMs = visit.atMs;
  for (let [call] = left; call !== undefined; [call] = left) {
    atMs += call.pauseMs;
    // A wrong credential is refused before the body is read, so there is no attempt.
    if (atMs > untilMs || call.credential === 'wrong') break;
    const attempt = await attemptAt(atMs, call, visit, seed, policy, made);
    made.push({ atMs, attempt });
    if (call.twice) {
      // B2C did not receive the first response and retried after its timeout.
      atMs += B2C_TIMEOUT_MS + dice.int(5, 60);
      if (atMs <= untilMs) made.push({ atMs, attempt: await attemptAt(atMs, call, visit, seed, policy, made) });
    }
    atMs += attempt.durationMs;
    left = nextVisit(left, attempt.reply, dice);
  }
  return made;
}

async function attemptAt(
  atMs: number,
  { path, body }: ScriptedCall,
  visit: Visit,
  seed: number,
  { config, values }: PolicyInForce,
  before: readonly PastAttempt[],
) {
  const { person, rolesSinceMs, dice } = visit;
  const isUnavailable = isKvOutage(seed, atMs);
  // An administrator assigns roles some time after the sign-up.
  const hasRecord = person.roles.length > 0 && rolesSinceMs <= atMs;
  const record = {
    v: 1,
    roles: person.roles,
    groups: [],
    attributes: {},
    applications: {},
    updatedAt: new Date(rolesSinceMs).toISOString(),
    updatedBy: 'admin',
  };
  const held = async (key: string) => {
    if (isUnavailable) throw new TimeoutError('KV is unavailable in this past hour.');
    if (hasRecord && key === `person:oid:${person.objectId}`) return JSON.stringify(record);
    return values.get(key) ?? null;
  };
  const { attempt } = await answerTo({ path, body, atMs, held }, config);
  const id = uuidv7({ msecs: atMs, random: dice.bytes(16) });
  // Each visit has an isolate of its own, so that numbers do not depend on other visits.
  const number = { isolate: before[0]?.attempt.id ?? id, sequence: before.length + 1 };
  return attempt(id, number, (isUnavailable ? config.KV_TIMEOUT_MS : 0) + durationMs(dice));
}

/** The outage is in the same hours for all people. */
function isKvOutage(seed: number, atMs: number): boolean {
  const day = Math.floor(atMs / DAY_MS);
  const first = diceFor('kv', seed, day).int(6, 18);
  const hour = new Date(atMs).getUTCHours();
  return (day + seed) % KV_OUTAGE.everyDays === 0 && hour >= first && hour < first + KV_OUTAGE.hours;
}

/** Log-normal, as response times are, with a few slow calls. */
function durationMs(dice: Dice): number {
  if (dice.chance(SLOW.share)) return dice.int(SLOW.fromMs, SLOW.toMs);
  return Math.max(1, Math.round(USUAL_DURATION_MS * DURATION_SPREAD ** dice.normal()));
}
