/**
 * The attempts that a visit of the past left behind. Every one is made by the code that answers and remembers calls today
 * (`answer`, `attemptOf`); only the clock, the data in KV and the identifiers are of the play.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../../../src/attempts/attempt.ts';
import type { Config } from '../../../src/config.ts';
import type { Entitlements } from '../../../src/entitlements/document.ts';
import { PERSON_PREFIX } from '../../../src/entitlements/look-up.ts';
import { answer, type Call } from '../../../src/gate/answer.ts';
import { attemptOf } from '../../../src/gate/attempt.ts';
import { KvWorld } from '../../../src/gate/know.ts';
import { userFlowDoor } from '../../../src/gate/user-flow/door.ts';
import { stepNamed } from '../../../src/gate/user-flow/request.ts';
import { oidKey } from '../../../src/sign-in/event.ts';
import { within } from '../../../src/within.ts';
import { type Dice, diceFor } from '../dice.ts';
import { afterReply, correctedCall, type ScriptedCall } from '../script.ts';
import { B2C_TIMEOUT_MS } from '../target.ts';
import { DAY_MS, type Visit } from './calendar.ts';

/** The user name of the sample credential. */
const CALLER = 'Test';
/** One day in so many has an hour in which KV does not answer. */
const KV_OUTAGE_ONE_DAY_IN = 12;
/** The middle of what a call takes, and by which factor two thirds of all calls differ at most. */
const USUAL_DURATION_MS = 11;
const DURATION_SPREAD = 1.7;
const SLOW = { share: 0.012, fromMs: 120, toMs: 900 } as const;

/** Oldest first; those after `untilMs` are yet to come and left out. */
export async function attemptsOf(visit: Visit, seed: number, config: Config, untilMs: number): Promise<Attempt[]> {
  const { dice } = visit;
  const attempts: Attempt[] = [];
  let [next, ...rest] = visit.calls;
  for (let atMs = visit.atMs; next !== undefined; ) {
    const call = next;
    atMs += call.pauseMs;
    if (atMs > untilMs) break;
    // Refused before the body is read: no attempt, and B2C shows an error page.
    if (call.credential === 'wrong') break;
    const attempt = await attemptAt(atMs, call, visit, seed, config);
    attempts.push(attempt);
    if (call.twice) {
      // B2C lost the first answer on the way and tried again when its patience was over.
      atMs += B2C_TIMEOUT_MS + dice.int(5, 60);
      if (atMs <= untilMs) attempts.push(await attemptAt(atMs, call, visit, seed, config));
    }
    atMs += attempt.durationMs;
    const follows = afterReply(call, attempt.reply);
    if (follows === 'again') next = correctedCall(call, dice);
    else if (follows === 'next') [next, ...rest] = rest;
    else next = undefined;
  }
  return attempts;
}

async function attemptAt(atMs: number, scripted: ScriptedCall, visit: Visit, seed: number, config: Config) {
  const kvAnswers = !isKvOutage(seed, atMs);
  const call: Call = {
    request: new Request(`https://gatehouse.example/connectors/user-flow${scripted.path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: scripted.body,
    }),
    urlStep: stepNamed(scripted.path.slice(1)),
    caller: CALLER,
    startedAt: atMs,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    within,
  };
  const world = new KvWorld({
    kv: await kvOf(visit, atMs, kvAnswers),
    config,
    startedAt: atMs,
    deadline: Date.now() + config.DECISION_TIMEOUT_MS,
    within,
    later: () => undefined,
  });
  const answered = await answer(userFlowDoor, world, call);
  const waitedMs = kvAnswers ? 0 : config.KV_TIMEOUT_MS;
  const id = uuidv7({ msecs: atMs, random: visit.dice.bytes(16) });
  const timed = { ...answered, durationMs: waitedMs + durationMs(visit.dice) };
  return attemptOf(config, timed, userFlowDoor.recorded(answered.reached), id);
}

/** What a call asks of KV, with the records of that time: an administrator gives roles some time after the sign-up. */
async function kvOf({ person, rolesSinceMs }: Visit, atMs: number, answers: boolean): Promise<KVNamespace> {
  const held = person.roles.length > 0 && rolesSinceMs <= atMs;
  const key = PERSON_PREFIX + (await oidKey(person.objectId));
  const record: Entitlements = {
    v: 1,
    roles: [...person.roles],
    groups: [],
    attributes: {},
    applications: {},
    updatedAt: new Date(rolesSinceMs).toISOString(),
    updatedBy: 'admin',
  };
  const get = async (keys: readonly string[]) => {
    if (!answers) throw new Error('KV does not answer in this hour of the past.');
    return new Map(keys.map((asked) => [asked, held && asked === key ? JSON.stringify(record) : null]));
  };
  // A call uses nothing else of it.
  return { get } as unknown as KVNamespace;
}

/** The same hour for everybody. */
function isKvOutage(seed: number, atMs: number): boolean {
  const day = Math.floor(atMs / DAY_MS);
  const dice = diceFor('kv', seed, day);
  const hour = dice.int(6, 20);
  return dice.int(1, KV_OUTAGE_ONE_DAY_IN) === 1 && new Date(atMs).getUTCHours() === hour;
}

/** Log-normal, as response times are, with a few that waited for something. */
function durationMs(dice: Dice): number {
  if (dice.chance(SLOW.share)) return dice.int(SLOW.fromMs, SLOW.toMs);
  return Math.max(1, Math.round(USUAL_DURATION_MS * DURATION_SPREAD ** dice.normal()));
}
