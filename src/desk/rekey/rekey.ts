/**
 * Moves records whose key in Workers KV is not a digest under the newest `EMAIL_KEY`: those of an earlier version,
 * which stored person keys in plain, and those under an earlier line. KV shows a change up to a minute late, and not
 * everywhere at once. Three rules keep every record readable at each moment:
 *
 * - Nothing is moved before the gate has the newest key (`confirmKey`).
 * - One walk over all records copies. A later one, when KV shows the copies everywhere, deletes the originals.
 * - The copy that was changed last counts, for calls and here. A copy made from an old read is corrected before its
 *   original is deleted, and a removal is a value until then.
 *
 * Walks repeat until one finds nothing. Each part can be repeated, and ticks may overlap.
 */
import { digestPlace, isDigested, keyIdIn, keyIn, PERSON_PREFIX, withKey } from '../../entitlements/record-keys.ts';
import { type Copy, newestCopy, REMOVAL_TTL_SECONDS } from '../../entitlements/stored-record.ts';
import { keyIdOf } from '../../platform/digest.ts';
import { type KvResult, withKvTimeout, write } from '../../platform/kv.ts';
import { log } from '../../platform/log.ts';
import { newWalk, type RekeyState, readState, type Walk, writeState } from './state.ts';

type Kv = Pick<KVNamespace, 'get' | 'put' | 'delete' | 'list'>;

/** Above KV's "60 seconds or more", and the time in which a deployment replaces every isolate. */
const SPREAD_MS = 4 * 60_000;
/** Finds records that were put under a plain key by hand. */
const REPEAT_AFTER_MS = 24 * 3_600_000;
const LIMITS = {
  /** An invocation has 1,000 (https://developers.cloudflare.com/kv/platform/limits/). */
  operations: 700,
  /** The most names that KV lists at once. */
  listed: 1_000,
  /** A job of the schedule has 15 s. An operation that begins in time may take 2 s. */
  runMs: 8_000,
};
export type RekeyLimits = typeof LIMITS;
/** Copies that are moved at a time, and the most operations that they take: two reads, then a write for each. */
const AT_ONCE = 25;
const OPERATIONS_AT_ONCE = 2 + AT_ONCE;

/** Whether {@link rekey} has something to do at `now` (milliseconds since 1970). Rejects when KV does. */
export const isRekeyDue = async (kv: Kv, secrets: readonly string[], now: number): Promise<boolean> =>
  (await dueState(kv, secrets, now)) !== undefined;

async function dueState(kv: Kv, [newest]: readonly string[], now: number): Promise<RekeyState | undefined> {
  const state = newest === undefined ? undefined : await readState(kv);
  if (newest === undefined || state === undefined || state.walk.notBefore > now) return undefined;
  return state.keyId === (await keyIdOf(newest)) ? state : undefined;
}

/** One tick at `now`. Rejects when KV fails; the next tick continues. */
export async function rekey(kv: Kv, secrets: readonly string[], now: number, limits = LIMITS): Promise<void> {
  const state = await dueState(kv, secrets, now);
  if (state === undefined) return;
  const { moved, walk, isWhole } = await walkOn(kv, secrets, state, limits);
  const ended = { ...state, moved: state.moved + moved, walk };
  await writeState(kv, isWhole ? following(ended, now) : ended);
}

/** The state after a whole walk. */
function following(state: RekeyState, now: number): RekeyState {
  const { step, found, stuck, foreign } = state.walk;
  const counted = { ...state, stuck, foreign };
  if (step === 'delete') return { ...counted, walk: newWalk('copy', now + SPREAD_MS) };
  if (found > 0) return { ...counted, done: false, walk: newWalk('delete', now + SPREAD_MS) };
  if (!state.done) log('person-records-rekeyed', { moved: state.moved, stuck, foreign });
  return { ...counted, done: true, walk: newWalk('copy', now + REPEAT_AFTER_MS) };
}

/** Continues a walk as far as the limits allow. It lists an unfinished page again, and skips what is done. */
async function walkOn(kv: Kv, secrets: readonly string[], { keyId, walk: from }: RekeyState, limits: RekeyLimits) {
  const until = Date.now() + limits.runMs;
  const ids = new Set(await Promise.all(secrets.map(keyIdOf)));
  let operations = limits.operations;
  let moved = 0;
  let walk: Walk = from;
  for (;;) {
    const cursor = walk.cursor ?? null;
    const page = given(await withKvTimeout(() => kv.list({ prefix: PERSON_PREFIX, limit: limits.listed, cursor })));
    operations -= 1;
    const names = page.keys.map(({ name }) => name);
    const sources = names.filter((name) => isSource(name, keyId, ids));
    for (let start = 0; start < sources.length; start += AT_ONCE) {
      if (operations < OPERATIONS_AT_ONCE || Date.now() > until) return { moved, walk, isWhole: false };
      const done = await move(kv, secrets, sources.slice(start, start + AT_ONCE), walk.step);
      operations -= done.operations;
      moved += done.moved;
      walk = { ...walk, found: walk.found + done.found, stuck: walk.stuck + done.stuck };
    }
    const foreign = names.filter((name) => isForeign(name, ids)).length;
    walk = { ...walk, foreign: walk.foreign + foreign, cursor: page.list_complete ? undefined : page.cursor };
    if (walk.cursor === undefined) return { moved, walk, isWhole: true };
    if (operations < 1 || Date.now() > until) return { moved, walk, isWhole: false };
  }
}

function isSource(name: string, keyId: string, ids: ReadonlySet<string>): boolean {
  const id = keyIdIn(name);
  if (id === undefined) return isDigested(name.slice(PERSON_PREFIX.length));
  return id !== keyId && ids.has(id);
}

function isForeign(name: string, ids: ReadonlySet<string>): boolean {
  const id = keyIdIn(name);
  return id !== undefined && !ids.has(id);
}

/** Copies at `sources`, by the place where their record should be. */
interface Group {
  readonly key: string;
  readonly sources: string[];
}

/** Copies the records at `sources`; when they are in their place and the walk deletes, deletes `sources`. */
async function move(kv: Kv, [newest = '']: readonly string[], sources: readonly string[], step: Walk['step']) {
  const values = given(await withKvTimeout(() => kv.get([...sources])));
  const groups = new Map<string, Group>();
  const counted = { operations: 2, found: 0, stuck: 0, moved: 0 };
  for (const source of sources) {
    const text = values.get(source) ?? null;
    // Listed a minute too long.
    if (text === null) continue;
    const key = keyIdIn(source) === undefined ? source.slice(PERSON_PREFIX.length) : keyIn(text);
    if (key === undefined) {
      counted.stuck += 1;
      continue;
    }
    const target = await digestPlace(newest, key);
    const group = groups.get(target) ?? { key, sources: [] };
    group.sources.push(source);
    groups.set(target, group);
  }
  if (groups.size === 0) return counted;
  const targets = given(await withKvTimeout(() => kv.get([...groups.keys()])));
  const all = new Map([...values, ...targets]);
  counted.found = groups.size;
  await Promise.all(
    [...groups].map(async ([target, { key, sources: from }]) => {
      const copy = newestCopy([target, ...from], all);
      if (copy !== undefined && copy.place !== target) {
        counted.operations += 1;
        given(await write(() => kv.put(target, withKey(key, copy), expiryOf(copy))));
      } else if (step === 'delete') {
        counted.operations += from.length;
        counted.moved += 1;
        const deleted = await Promise.all(from.map((source) => write(() => kv.delete(source))));
        for (const one of deleted) given(one);
      }
    }),
  );
  return counted;
}

const expiryOf = ({ stored }: Copy) =>
  stored !== undefined && 'removed' in stored ? { expirationTtl: REMOVAL_TTL_SECONDS } : {};

function given<Value>(result: KvResult<Value>): Value {
  if (result.ok) return result.value;
  throw new Error(`Workers KV did not move records of people (${result.reason}).`);
}
