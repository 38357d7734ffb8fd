/**
 * Erases a person. Postgres remembers the keys first, so that a message that arrives meanwhile is blinded. Attempts
 * come last: they lead from the asked key to the person's other keys, so that a request that failed or ran out of time
 * can be repeated. Two requests at once are harmless.
 */
import { eq, type SQL, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { changes } from '../../../database/schema.ts';
import { USERS_ALONE } from '../../../database/users-lock.ts';
import { configOf } from '../../../platform/config.ts';
import { type KvResult, withKvTimeout } from '../../../platform/kv.ts';
import { markDue } from '../../aggregates/due.ts';
import { removeDeadLetter } from '../../consume/dead-letters.ts';
import type { DeskEnv } from '../../env.ts';
import { blindChange, blindChanges } from '../../erasure/blinding.ts';
import { digestOfKey, ONE_AT_A_TIME, pseudonymSecret, WAIT_FOR_WRITERS } from '../../erasure/erased-keys.ts';
import { removeNamed } from '../../users/merge.ts';
import { type Author, type PersonRefusal, type Records, removePerson } from '../person-records.ts';
import { type AskPostgres, askPostgres } from './ask-postgres.ts';
import { blindLevels, ERASURE_LIMITS, type ErasureLimits } from './blind-levels.ts';
import { type ErasedPerson, findErasedPerson, keysAsRows, keysOfPerson, keysOfRecords } from './erased-person.ts';
import { type LettersOfPerson, lettersOfPerson } from './letters-of-person.ts';
import {
  countsByKind,
  type DayRange,
  ERASURE_SUBJECT,
  type ErasureDone,
  type ErasureProof,
  remainsAfter,
} from './proof.ts';

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
  limits: ErasureLimits = ERASURE_LIMITS,
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
  const removed = await removeRecords(kept, keysOfRecords(keys), withoutNames(author, digests));
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
