/** Counts what an erasure would erase. */
import { sql } from 'drizzle-orm';
import { attempts } from '../../../database/schema.ts';
import { configOf } from '../../../platform/config.ts';
import { type KvResult, withKvTimeout } from '../../../platform/kv.ts';
import type { DeskEnv } from '../../env.ts';
import type { AnswerOf } from '../../http/operation.ts';
import { isAccountOf, isUserOf } from '../../users/merge.ts';
import type { previewAnswer } from '../admin-answers.ts';
import { type Records, readPerson } from '../person-records.ts';
import { askPostgres } from './ask-postgres.ts';
import { ERASURE_LIMITS } from './blind-levels.ts';
import { findErasedPerson, hasKey, keysAsRows, keysOfPerson, keysOfRecords } from './erased-person.ts';
import { lettersOfPerson } from './letters-of-person.ts';

export type ErasurePreview = AnswerOf<typeof previewAnswer>;

/** Counts what `erasePerson` would erase. Throws DatabaseUnavailable. */
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
  for (const key of keysOfRecords(keys)) {
    const read = await readPerson(kept, key);
    if (!read.ok) return read;
    if (read.value !== undefined) records += 1;
  }
  const letters = await withKvTimeout(() => lettersOfPerson(env.GATEHOUSE, keys), ERASURE_LIMITS.lettersMs);
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

const day = sql.raw(`(occurred_at at time zone 'UTC')::date`);
