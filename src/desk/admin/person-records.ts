/**
 * Reads, saves and removes entitlements in Workers KV for administrators. Every KV operation has a timeout.
 * Every change is in the audit log before it is in KV.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Change } from '../../attempts/attempt.ts';
import { MAX_CHARS, truncate } from '../../attempts/text-limits.ts';
import { digestPlace, isDigested, keyIdIn, placesOf, plainPlace, unwrapped } from '../../entitlements/record-keys.ts';
import {
  type Copy,
  type Entitlements,
  newestCopy,
  REMOVAL_TTL_SECONDS,
  type Removal,
} from '../../entitlements/stored-record.ts';
import { type KvRefusal, type KvResult, readMany, write } from '../../platform/kv.ts';
import type { EntitlementsInput } from './record-input.ts';

/** Limit for logging and showing a value that is not a valid record. */
const MAX_UNREADABLE_CHARS = 2_000;

/** A record under its person key. `unreadable`: the truncated text of a value that is not a valid record. */
export type StoredPerson =
  | { readonly key: string; readonly record: Entitlements }
  | { readonly key: string; readonly record: undefined; readonly unreadable: string };

/** `begun`: the change is in the audit log and, after a KV timeout, may be in force. Otherwise nothing has changed. */
export type PersonRefusal = {
  readonly ok: false;
  readonly reason: KvRefusal['reason'] | 'not-logged';
  readonly begun: boolean;
};

/** Writes a change to the audit log. Returns false when neither the queue nor the database accepts it. */
export type LogChange = (change: Change) => Promise<boolean>;

/** The author of a change. `now`: milliseconds since 1970. */
export interface Author {
  readonly by: string;
  readonly now: number;
  readonly logChange: LogChange;
}

/** Where records are stored. */
export interface Records {
  readonly kv: KVNamespace;
  /** The lines of `EMAIL_KEY`, the newest first. */
  readonly emailKeys: readonly string[];
  /**
   * The newest line that the gate in front of this desk has. Undefined when it has none: it reads person keys in plain.
   */
  readonly gateKey: string | undefined;
}

interface Stored {
  /** All KV keys under which the record may be. */
  readonly places: readonly string[];
  /** Those of them that have a value. */
  readonly held: readonly string[];
  readonly person: StoredPerson | undefined;
}

/** Reads a record; undefined when KV has none. */
export async function readPerson(records: Records, key: string): Promise<KvResult<StoredPerson | undefined>> {
  const read = await readAll(records, key);
  return read.ok ? { ok: true, value: read.value.person } : read;
}

async function readAll({ kv, emailKeys }: Records, key: string): Promise<KvResult<Stored>> {
  const places = await placesOf(emailKeys, key);
  const read = await readMany(kv, places);
  if (!read.ok) return read;
  const held = places.filter((place) => typeof read.value.get(place) === 'string');
  const newest = newestCopy(places, read.value);
  return { ok: true, value: { places, held, person: newest && storedPersonOf(key, newest) } };
}

export interface SavedPerson {
  readonly record: Entitlements;
  /** False when the stored record is equal: `updatedAt` stays and nothing is logged. */
  readonly changed: boolean;
}

/**
 * Replaces the record of a person by `input`.
 *
 * The audit log is written before KV, so every change in force is in the log. With KV first, a retry after a failed log
 * write would find no difference and log nothing. The log can have an extra row for a change that KV refused: the
 * caller gets an error, and a retry logs the change again.
 *
 * An equal record (an import that runs twice) is not logged and keeps `updatedAt`. It is still written, because the
 * read from KV can be a minute old.
 */
export async function savePerson(
  records: Records,
  key: string,
  input: EntitlementsInput,
  author: Author,
): Promise<KvResult<SavedPerson, PersonRefusal>> {
  const read = await readAll(records, key);
  if (!read.ok) return { ...read, begun: false };
  const { held, person: before } = read.value;
  const changed = before?.record === undefined || !isEqual(before.record, input);
  const stamp = changed
    ? { updatedAt: new Date(author.now).toISOString(), updatedBy: author.by }
    : { updatedAt: before.record.updatedAt, updatedBy: before.record.updatedBy };
  const record: Entitlements = { v: 1, ...input, ...stamp };
  if (changed && !(await author.logChange(changeOf(key, before, record, author)))) {
    return { ok: false, reason: 'not-logged', begun: false };
  }
  const written = await writeAll(records, [await placeToWrite(records, key), ...held], kvValueOf(key, record));
  return written.ok ? { ok: true, value: { record, changed } } : { ...written, begun: changed };
}

/** The KV key of a new record: the gate in front must know it. */
async function placeToWrite({ gateKey }: Records, key: string): Promise<string> {
  return gateKey === undefined || !isDigested(key) ? plainPlace(key) : digestPlace(gateKey, key);
}

const kvValueOf = (key: string, stored: Entitlements | Removal): string =>
  JSON.stringify(isDigested(key) ? { ...stored, key } : stored);

/**
 * Writes one value at several KV keys. Copies under earlier keys stay until `desk/rekey` removes them: KV may show
 * their absence a minute before the new copy.
 */
async function writeAll(
  { kv }: Records,
  places: readonly string[],
  text: string,
  options: KVNamespacePutOptions = {},
): Promise<KvResult<void>> {
  const written = await Promise.all([...new Set(places)].map((place) => write(() => kv.put(place, text, options))));
  return written.find(({ ok }) => !ok) ?? { ok: true, value: undefined };
}

/**
 * Removes the record of a person, after logging it as {@link savePerson} does. Returns false when KV shows no record.
 * It then deletes nothing, because a record that KV does not show yet would go unlogged.
 *
 * `trace`: `marker` leaves a value with the person key for a week while the record is being moved (`desk/rekey`), so
 * that the move does not bring it back; `none` leaves nothing.
 */
export async function removePerson(
  records: Records,
  key: string,
  author: Author,
  trace: 'marker' | 'none' = 'marker',
): Promise<KvResult<boolean, PersonRefusal>> {
  const read = await readAll(records, key);
  if (!read.ok) return { ...read, begun: false };
  const { places, held, person } = read.value;
  if (person === undefined) return { ok: true, value: false };
  if (!(await author.logChange(changeOf(key, person, undefined, author)))) {
    return { ok: false, reason: 'not-logged', begun: false };
  }
  const target = await placeToWrite(records, key);
  // A digest that is listed as a key (`list-people.ts`) has no other copies.
  const isBeingMoved =
    trace === 'marker' && keyIdIn(plainPlace(key)) === undefined && held.some((place) => place !== target);
  const removal: Removal = { v: 1, removed: true, updatedAt: new Date(author.now).toISOString() };
  const removed = isBeingMoved
    ? await writeAll(records, [target, ...held], kvValueOf(key, removal), { expirationTtl: REMOVAL_TTL_SECONDS })
    : await deleteAll(records, places);
  return removed.ok ? { ok: true, value: true } : { ...removed, begun: true };
}

async function deleteAll({ kv }: Records, places: readonly string[]): Promise<KvResult<void>> {
  const deleted = await Promise.all(places.map((place) => write(() => kv.delete(place))));
  return deleted.find(({ ok }) => !ok) ?? { ok: true, value: undefined };
}

/** Undefined for a removal. */
export function storedPersonOf(key: string, { stored, text }: Copy): StoredPerson | undefined {
  if (stored === undefined) return { key, record: stored, unreadable: truncate(unwrapped(text), MAX_UNREADABLE_CHARS) };
  return 'removed' in stored ? undefined : { key, record: stored };
}

function changeOf(
  key: string,
  before: StoredPerson | undefined,
  after: Entitlements | undefined,
  author: Author,
): Change {
  const was = before === undefined ? null : (before.record ?? { unreadable: before.unreadable });
  return {
    kind: 'change',
    v: 1,
    id: uuidv7(),
    changedBy: truncate(author.by, MAX_CHARS.dimension),
    subject: truncate(key, MAX_CHARS.personKey),
    before: asJson(was),
    after: asJson(after ?? null),
  };
}

/** Replaces characters that Postgres rejects. Records that were written by hand can contain them. */
const asJson = (value: unknown): Change['before'] =>
  JSON.parse(JSON.stringify(value), (_name, member: unknown) =>
    typeof member === 'string' ? truncate(member, MAX_CHARS.message) : member,
  );

/** The order of names in a list matters, since it is the order in the claim. The order of members does not. */
function isEqual(record: Entitlements, input: EntitlementsInput): boolean {
  const { roles, groups, attributes, applications } = record;
  return canonical({ roles, groups, attributes, applications }) === canonical(input);
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
