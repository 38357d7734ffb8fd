/**
 * What an administrator does to entitlements in Workers KV: read, list, save, remove. Every operation on KV has its own
 * limit, and every change is in the log before it is in KV.
 */
import { v7 as uuidv7 } from 'uuid';
import type { Change } from '../../attempts/attempt.ts';
import { MAX_CHARS, truncate } from '../../attempts/text-limits.ts';
import { PERSON_PREFIX } from '../../entitlements/look-up.ts';
import { type Entitlements, readEntitlements } from '../../entitlements/stored-record.ts';
import { type KvRefusal, type KvResult, withKvTimeout, write } from '../../platform/kv.ts';
import type { EntitlementsInput } from './record-input.ts';

/** A value that is no record of ours is logged and shown up to here. */
const MAX_UNREADABLE_CHARS = 2_000;
/** One bulk read of KV takes so many keys. */
export const MAX_PEOPLE_A_PAGE = 100;

/** A record under its person key; `unreadable` is the raw text of a value that is no record of ours, cut. */
export type StoredPerson =
  | { readonly key: string; readonly record: Entitlements }
  | { readonly key: string; readonly record: undefined; readonly unreadable: string };

/** `begun`: the change is in the log, and where KV was late it may even be in force. Otherwise nothing has changed. */
export type PersonRefusal = {
  readonly ok: false;
  readonly reason: KvRefusal['reason'] | 'not-logged';
  readonly begun: boolean;
};

/** Hands a change to the log; false when it could be kept nowhere. */
export type LogChange = (change: Change) => Promise<boolean>;

/** Who changes, when (milliseconds since 1970), and where it is logged. */
export interface Author {
  readonly by: string;
  readonly now: number;
  readonly logChange: LogChange;
}

/** What KV holds under a key; undefined when it holds nothing. */
export async function readPerson(kv: KVNamespace, key: string): Promise<KvResult<StoredPerson | undefined>> {
  const got = await withKvTimeout(() => kv.get(PERSON_PREFIX + key));
  if (!got.ok) return got;
  return { ok: true, value: got.value === null ? undefined : personOf(key, got.value) };
}

export interface PeoplePage {
  readonly people: readonly StoredPerson[];
  /** KV's own cursor; absent on the last page. */
  readonly next?: string;
}

/** A page of people in the order of their keys: one list and one bulk read. */
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
  // As text: one value that is not JSON fails a whole typed bulk read.
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
  /** False when the person had exactly this already: `updatedAt` stays and nothing is logged. */
  readonly changed: boolean;
}

/**
 * Makes `input` all that we hold about a person.
 *
 * The log is written first. Were KV first, a call whose change could not be logged would leave the record changed, and the
 * same call again would find nothing to change and so log nothing: a change nobody can see. This way round a change that is
 * in force is always in the log; what the log may hold too many is a change that KV then refused (the caller is told so,
 * and the call made again logs it again).
 *
 * What changes nothing (an import run twice) is not logged and keeps `updatedAt`, but it is still written: KV may have shown
 * a copy that is a minute old, and what an administrator orders must be in force afterwards in any case.
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
  const changed = before?.record === undefined || !holdsTheSame(before.record, input);
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
 * Removes what we hold about a person; false when that was nothing (then nothing is logged, and nothing deleted: a record
 * that KV does not show yet would go unlogged). Logged first, see {@link savePerson}.
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

/** As the log can keep it: somebody may have written texts by hand that Postgres does not take. */
const asJson = (value: unknown): Change['before'] =>
  JSON.parse(JSON.stringify(value), (_name, member: unknown) =>
    typeof member === 'string' ? truncate(member, MAX_CHARS.message) : member,
  );

/** The order of names in a list counts (it is the order in the claim), the order of members does not. */
function holdsTheSame(record: Entitlements, input: EntitlementsInput): boolean {
  const { roles, groups, attributes, applications } = record;
  return canonical({ roles, groups, attributes, applications }) === canonical(input);
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
