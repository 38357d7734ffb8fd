/**
 * Reads, lists, saves and removes entitlements in Workers KV for administrators. Every KV operation has a timeout.
 * Every change is in the audit log before it is in KV.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Change } from '../../attempts/attempt.ts';
import { MAX_CHARS, truncate } from '../../attempts/text-limits.ts';
import { PERSON_PREFIX } from '../../entitlements/look-up.ts';
import { type Entitlements, readEntitlements } from '../../entitlements/stored-record.ts';
import { type KvRefusal, type KvResult, withKvTimeout, write } from '../../platform/kv.ts';
import type { EntitlementsInput } from './record-input.ts';

/** Limit for logging and showing a value that is not a valid record. */
const MAX_UNREADABLE_CHARS = 2_000;
/** Maximum number of keys in one bulk read of KV. */
export const MAX_PEOPLE_A_PAGE = 100;

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

/** Reads a record; undefined when KV has none. */
export async function readPerson(kv: KVNamespace, key: string): Promise<KvResult<StoredPerson | undefined>> {
  const got = await withKvTimeout(() => kv.get(PERSON_PREFIX + key));
  if (!got.ok) return got;
  return { ok: true, value: got.value === null ? undefined : personOf(key, got.value) };
}

export interface PeoplePage {
  readonly people: readonly StoredPerson[];
  /** The KV cursor; absent on the last page. */
  readonly next?: string;
}

/** Lists people in the order of their keys, with one list and one bulk read. */
export async function listPeople(
  kv: KVNamespace,
  limit: number,
  cursor: string | undefined,
): Promise<KvResult<PeoplePage>> {
  const listed = await withKvTimeout(() => kv.list({ prefix: PERSON_PREFIX, limit, cursor: cursor ?? null }));
  if (!listed.ok) return listed;
  const names = listed.value.keys.map(({ name }) => name);
  const next = listed.value.list_complete ? {} : { next: listed.value.cursor };
  if (names.length === 0) return { ok: true, value: { people: [], ...next } };
  // Read as text, because one value that is not JSON fails a whole bulk read of type JSON.
  const read = await withKvTimeout(() => kv.get(names));
  if (!read.ok) return read;
  const people = names.flatMap((name) => {
    const text = read.value.get(name);
    return typeof text === 'string' ? [personOf(name.slice(PERSON_PREFIX.length), text)] : [];
  });
  return { ok: true, value: { people, ...next } };
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
  kv: KVNamespace,
  key: string,
  input: EntitlementsInput,
  author: Author,
): Promise<KvResult<SavedPerson, PersonRefusal>> {
  const read = await readPerson(kv, key);
  if (!read.ok) return { ...read, begun: false };
  const before = read.value;
  const changed = before?.record === undefined || !isEqual(before.record, input);
  const stamp = changed
    ? { updatedAt: new Date(author.now).toISOString(), updatedBy: author.by }
    : { updatedAt: before.record.updatedAt, updatedBy: before.record.updatedBy };
  const record: Entitlements = { v: 1, ...input, ...stamp };
  if (changed && !(await author.logChange(changeOf(key, before, record, author)))) {
    return { ok: false, reason: 'not-logged', begun: false };
  }
  const written = await write(() => kv.put(PERSON_PREFIX + key, JSON.stringify(record)));
  return written.ok ? { ok: true, value: { record, changed } } : { ...written, begun: changed };
}

/**
 * Removes the record of a person, after logging it as {@link savePerson} does. Returns false when KV shows no record.
 * It then deletes nothing, because a record that KV does not show yet would go unlogged.
 */
export async function removePerson(
  kv: KVNamespace,
  key: string,
  author: Author,
): Promise<KvResult<boolean, PersonRefusal>> {
  const read = await readPerson(kv, key);
  if (!read.ok) return { ...read, begun: false };
  if (read.value === undefined) return { ok: true, value: false };
  if (!(await author.logChange(changeOf(key, read.value, undefined, author)))) {
    return { ok: false, reason: 'not-logged', begun: false };
  }
  const deleted = await write(() => kv.delete(PERSON_PREFIX + key));
  return deleted.ok ? { ok: true, value: true } : { ...deleted, begun: true };
}

function personOf(key: string, text: string): StoredPerson {
  const record = readEntitlements(text);
  if (record !== undefined) return { key, record };
  return { key, record, unreadable: truncate(text, MAX_UNREADABLE_CHARS) };
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
