/**
 * Erases a person, or counts what would be erased. Postgres remembers the keys first, so that a message that arrives
 * meanwhile is blinded. Attempts come last: they lead from the asked key to the person's other keys, so that a request
 * that failed or ran out of time can be repeated. Two requests at once are harmless.
 */
import { eq, type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { attempts, changes } from '../../../database/schema.ts';
import { USERS_ALONE, USERS_SHARED } from '../../../database/users-lock.ts';
import { configOf } from '../../../platform/config.ts';
import { type KvResult, withKvTimeout } from '../../../platform/kv.ts';
import { isNameKey } from '../../../sign-in/search-keys.ts';
import { markDue } from '../../aggregates/due.ts';
import { isSignInStepSql, JOURNEY_HOURS } from '../../aggregates/sign-ins.ts';
import { removeDeadLetter } from '../../consume/dead-letters.ts';
import type { DeskEnv } from '../../env.ts';
import { blindAttempts, blindChange, blindChanges, NOTED_KEYS, noteAttempts } from '../../erasure/blinding.ts';
import { digestOfKey, ONE_AT_A_TIME, pseudonymSecret, WAIT_FOR_WRITERS } from '../../erasure/erased-keys.ts';
import type { AnswerOf } from '../../http/operation.ts';
import {
  attemptsWithKeys,
  isAccountOf,
  isUserOf,
  mergeAccounts,
  mergeUsers,
  removeAccounts,
  removeNamed,
  removeUsers,
} from '../../users/merge.ts';
import type { previewAnswer } from '../admin-answers.ts';
import { type Author, type PersonRefusal, type Records, readPerson, removePerson } from '../person-records.ts';
import { type AskPostgres, askPostgres } from './ask-postgres.ts';
import { type ErasedPerson, findErasedPerson, hasKey, keysOfPerson } from './erased-person.ts';
import { type LettersOfPerson, lettersOfPerson } from './letters-of-person.ts';
import {
  countsByKind,
  type DayRange,
  ERASURE_SUBJECT,
  type ErasureDone,
  type ErasureProof,
  remainsAfter,
} from './proof.ts';

const LIMITS = {
  /** Attempts of one statement, which takes about a second at most. */
  rowsAtOnce: 1_000,
  /** Then a request ends after the statement that runs. */
  rowsMs: 15_000,
  /** To read, or to delete, dead letters. */
  lettersMs: 10_000,
};
export type ErasureLimits = typeof LIMITS;

export type ErasurePreview = AnswerOf<typeof previewAnswer>;

/** Counts what {@link erasePerson} would erase. Throws DatabaseUnavailable. */
export async function previewErasure(
  env: DeskEnv,
  kept: Records,
  spellings: readonly string[],
): Promise<KvResult<ErasurePreview>> {
  const ask = askPostgres(configOf(env).DATABASE_URL);
  const person = await findErasedPerson(ask, spellings);
  const keys = keysOfPerson(person);
  const { rows } = await ask((db) =>
    db.execute<{
      found: number;
      from: string | null;
      to: string | null;
      changes: number;
      users: number;
      accounts: number;
    }>(sql`
      select count(*)::int as found, min(${day})::text as from, max(${day})::text as to,
        (select count(*)::int from changes where subject in ${keys}) as changes,
        (select count(*)::int from users where ${isUserOf(keysAsRows(keys))}) as users,
        (select count(*)::int from accounts where ${isAccountOf(keysAsRows(keys))}) as accounts
      from ${attempts} where ${hasKey(keys)}`),
  );
  const [counted] = rows;
  let records = 0;
  for (const key of recordKeys(keys)) {
    const read = await readPerson(kept, key);
    if (!read.ok) return read;
    if (read.value !== undefined) records += 1;
  }
  const letters = await withKvTimeout(() => lettersOfPerson(env.GATEHOUSE, keys), LIMITS.lettersMs);
  if (!letters.ok) return letters;
  const days = counted?.from && counted.to ? { days: { from: counted.from, to: counted.to } } : {};
  return {
    ok: true,
    value: {
      keys,
      notFollowed: person.notFollowed,
      accounts: person.accounts,
      tables: {
        attempts: { found: counted?.found ?? 0, ...days },
        changes: { found: counted?.changes ?? 0 },
        users: { found: counted?.users ?? 0 },
        accounts: { found: counted?.accounts ?? 0 },
      },
      records: { found: records },
      deadLetters: { found: letters.value.ids.length, unreadable: letters.value.unreadable },
    },
  };
}

export const isAnythingFound = ({ tables, records, deadLetters }: ErasurePreview): boolean =>
  Object.values(tables).some(({ found }) => found > 0) || records.found + deadLetters.found > 0;

/** The asked key is an address or a name that several accounts have used. Nothing was erased. */
interface SharedAddress {
  readonly ok: false;
  readonly reason: 'shared-address';
  readonly accounts: number;
}

/**
 * Erases everything of calls until now. The author logs the removal of records. `shared`: also under an address or a
 * name that several accounts have used. Throws DatabaseUnavailable; what was done stays done.
 */
export async function erasePerson(
  env: DeskEnv,
  kept: Records,
  spellings: readonly string[],
  author: Author,
  shared: boolean,
  limits: ErasureLimits = LIMITS,
): Promise<KvResult<ErasureProof, PersonRefusal | SharedAddress>> {
  const config = configOf(env);
  const ask = askPostgres(config.DATABASE_URL);
  const person = await findErasedPerson(ask, spellings);
  if (!person.isFollowed && person.accounts > 1 && !shared)
    return { ok: false, reason: 'shared-address', accounts: person.accounts };
  const keys = keysOfPerson(person);
  const digests = new Map(await Promise.all(keys.map(async (key) => [key, await digestOfKey(config, key)] as const)));
  const erasedAt = new Date(author.now);
  const id = uuidv7({ msecs: author.now });
  const proofOf = (finished: boolean, done: Partial<ErasureDone>): ErasureProof => ({
    id,
    erasedAt: erasedAt.toISOString(),
    finished,
    ...nothingDone(person),
    ...done,
    remains: remainsAfter(config, erasedAt),
  });

  const save = async (finished: boolean, done: Partial<ErasureDone>): Promise<ErasureProof> => {
    const proof = proofOf(finished, done);
    await ask((db) => db.update(changes).set({ after: proof }).where(eq(changes.id, id)));
    return proof;
  };

  await begin(ask, digests, proofOf(false, {}), author.by);
  await ask((db) => db.execute(WAIT_FOR_WRITERS));
  const { rowCount } = await ask((db) => blindChanges(db, changesOf(digests, erasedAt)), [ONE_AT_A_TIME]);
  const named = await ask(
    (db) => db.execute<{ of: string; key: string }>(removeNamed(keysAsRows(keys))),
    [ONE_AT_A_TIME, USERS_ALONE],
  );
  const removedOf = (table: string) => ({ removed: named.rows.filter((row) => row.of === table).length });
  const tables = {
    attempts: { blinded: 0 },
    changes: { blinded: rowCount },
    users: removedOf('users'),
    accounts: removedOf('accounts'),
  };
  const removed = await removeRecords(kept, recordKeys(keys), withoutNames(author, digests));
  const records = { removed: removed.count };
  if (removed.refusal !== undefined) {
    await save(false, { tables, records });
    return removed.refusal;
  }
  const letters = await removeLetters(env.GATEHOUSE, keys, author.by, limits.lettersMs);
  if (!letters.ok) {
    await save(false, { tables, records });
    return { ...letters, begun: true };
  }
  const touched = new Set(named.rows.map(({ key }) => key));
  const rows = await blindLevels(ask, person, erasedAt, await pseudonymSecret(config), limits, touched);
  const days = [...rows.days].sort();
  const proof = await save(rows.finished, {
    tables: { ...tables, attempts: { blinded: rows.blinded, ...rangeOf(days) } },
    records,
    deadLetters: { removed: letters.value.ids.length, unreadable: letters.value.unreadable },
    daysToSumAgain: days.length,
  });
  // The hours are marked in Postgres. Without this mark the schedule finds them within a day.
  await withKvTimeout(() => markDue(env.GATEHOUSE, Date.now()));
  return { ok: true, value: proof };
}

const day = sql.raw(`(occurred_at at time zone 'UTC')::date`);

/** Records are stored under these kinds of keys. */
const recordKeys = (keys: readonly string[]) => keys.filter((key) => !isNameKey(key));

const rangeOf = (days: readonly string[]): { days?: DayRange } => {
  const [from, to] = [days.at(0), days.at(-1)];
  return from === undefined || to === undefined ? {} : { days: { from, to } };
};

const nothingDone = (person: ErasedPerson): ErasureDone => ({
  keys: countsByKind(keysOfPerson(person)),
  notFollowed: countsByKind(person.notFollowed),
  tables: { attempts: { blinded: 0 }, changes: { blinded: 0 }, users: { removed: 0 }, accounts: { removed: 0 } },
  records: { removed: 0 },
  deadLetters: { removed: 0, unreadable: 0 },
  daysToSumAgain: 0,
});

/** Remembers the keys and begins the row of the audit log, both or neither. In the order of digests, for the locks. */
const begin = (ask: AskPostgres, digests: ReadonlyMap<string, string>, proof: ErasureProof, by: string) =>
  ask((db) =>
    db.execute(sql`
      with marked as (
        insert into erased_keys (digest, erased_at)
        select digest, ${proof.erasedAt}::timestamptz from jsonb_array_elements_text(${JSON.stringify([...digests.values()])}::jsonb) as digest
        group by digest order by digest
        on conflict (digest) do update set erased_at = greatest(erased_keys.erased_at, excluded.erased_at)
      )
      insert into changes (id, occurred_at, changed_by, subject, before, after)
      values (${proof.id}, ${proof.erasedAt}::timestamptz, ${by}, ${ERASURE_SUBJECT}, null, ${JSON.stringify(proof)}::jsonb)`),
  );

const changesOf = (digests: ReadonlyMap<string, string>, erasedAt: Date): SQL => sql`(
  select changes.id, named.digest from changes
  join jsonb_to_recordset(${JSON.stringify([...digests].map(([key, digest]) => ({ key, digest })))}::jsonb)
    as named (key text, digest text) on changes.subject = named.key
  where changes.occurred_at <= ${erasedAt.toISOString()}::timestamptz)`;

/** The removal of a record is logged, without the record's person and attributes. */
const withoutNames = (author: Author, digests: ReadonlyMap<string, string>): Author => ({
  ...author,
  logChange: (change) => author.logChange(blindChange(change, digests.get(change.subject) ?? '')),
});

async function removeRecords(
  kept: Records,
  keys: readonly string[],
  author: Author,
): Promise<{ readonly count: number; readonly refusal?: PersonRefusal }> {
  let count = 0;
  for (const key of keys) {
    const removed = await removePerson(kept, key, author, 'none');
    if (!removed.ok) return { count, refusal: { ...removed, begun: true } };
    if (removed.value) count += 1;
  }
  return { count };
}

const removeLetters = (
  kv: KVNamespace,
  keys: readonly string[],
  by: string,
  limitMs: number,
): Promise<KvResult<LettersOfPerson>> =>
  withKvTimeout(async () => {
    const found = await lettersOfPerson(kv, keys);
    for (const id of found.ids) await removeDeadLetter(kv, id, by);
    return found;
  }, limitMs);

const JOURNEY = sql.raw(`interval '${JOURNEY_HOURS} hours'`);

/**
 * Blinds the attempts of each level that have no key of a level before it, from the last level to the first, and with
 * them the calls of the same sign-ins that name no one. In the same transaction the rows of `users` and `accounts` that
 * follow from them go; at the end they are made again from what is left. `touched` are keys of rows that went before.
 */
async function blindLevels(
  ask: AskPostgres,
  { levels }: ErasedPerson,
  erasedAt: Date,
  secret: string,
  { rowsAtOnce, rowsMs }: ErasureLimits,
  touched: Set<string>,
): Promise<{ finished: boolean; blinded: number; days: Set<string> }> {
  const begun = Date.now();
  const days = new Set<string>();
  const own = levels.flat();
  let blinded = 0;
  let finished = false;
  const blindAll = async () => {
    for (const [index, keys] of [...levels.entries()].reverse()) {
      if (keys.length === 0) continue;
      const mine = attemptsOf(keys, levels.slice(0, index).flat(), erasedAt, rowsAtOnce);
      for (;;) {
        const rows = await ask(
          (db) => blindAttempts(db, secret),
          [ONE_AT_A_TIME, noteAttempts(mine)],
          [USERS_ALONE, removeUsers(NOTED_KEYS), removeAccounts(NOTED_KEYS)],
        );
        blinded += rows.length;
        for (const row of rows) {
          days.add(row.day);
          for (const key of row.keys) touched.add(key);
        }
        if (rows.length === 0) break;
        if (Date.now() - begun >= rowsMs) return;
      }
    }
    finished = true;
  };
  try {
    await blindAll();
  } finally {
    // Until every attempt of the person is blinded, only the rows of others are made again.
    const others = [...touched].filter((key) => !own.includes(key));
    await makeAgain(ask, finished ? [...own, ...others] : others);
  }
  return { finished, blinded, days };
}

/** At most `limit` attempts with one of `keys` and none of `before`, and as many that name no one. */
const attemptsOf = (keys: readonly string[], before: readonly string[], erasedAt: Date, limit: number): SQL => sql`(
  with own as materialized (
    select occurred_at, id, correlation_id from ${attempts}
    where ${hasKey(keys)} ${before.length === 0 ? sql`` : sql`and not ${hasKey(before)}`}
      and occurred_at <= ${erasedAt.toISOString()}::timestamptz
    limit ${limit}
  )
  select occurred_at, id from own
  union (
    select nameless.occurred_at, nameless.id from own join ${attempts} as nameless
      on nameless.correlation_id = own.correlation_id and nameless.correlation_id <> ''
    where ${isSignInStepSql('nameless')} and nameless.occurred_at between own.occurred_at - ${JOURNEY} and own.occurred_at + ${JOURNEY}
      and nameless.oid_key = '' and nameless.idp_key = '' and nameless.email_key = '' and nameless.other_keys = '{}'
    limit ${limit}
  ))`;

/** Makes the users and accounts of these keys from their attempts. */
async function makeAgain(ask: AskPostgres, keys: readonly string[]): Promise<void> {
  const named = keys.filter((key) => !isNameKey(key) && !key.startsWith('email:'));
  if (named.length === 0) return;
  const theirs = attemptsWithKeys(keysAsRows(named));
  await ask((db) => db.execute(mergeAccounts(theirs)), [USERS_SHARED, mergeUsers(theirs)]);
}

const keysAsRows = (keys: readonly string[]): SQL =>
  sql`(select each.key from jsonb_array_elements_text(${JSON.stringify(keys)}::jsonb) as each (key))`;
