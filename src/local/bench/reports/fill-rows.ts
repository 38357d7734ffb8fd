/** Fills an empty database with past attempts, and makes aggregates and users of them as Gatehouse does. */
import type pg from 'pg';
import { connect, type Database } from '../../../database/connect.ts';
import { createMonths } from '../../../database/partitions.ts';
import { type SummedDays, sumDue } from '../../../desk/aggregates/sum-due.ts';
import { rebuildUsers } from '../../../desk/users/rebuild-users.ts';
import type { Served } from '../../postgres/served.ts';
import { type Day, daysUntil, LATE_DAYS, peopleOf, writeDay } from './rows.ts';

const REQUEST_LIMIT_MS = 280_000;
/** The number of days in the database when aggregation is measured with few old attempts. */
const FEW_DAYS = 4;
/** An hour is over some minutes after its end. */
const SETTLED_MS = 5 * 60_000;

export interface Filling {
  readonly attempts: number;
  readonly now: number;
  readonly tell: (line: string) => void;
  /** Runs after the first days are written and aggregated, before all others. */
  readonly whenFew: (days: readonly Day[]) => Promise<void>;
}

/** Returns the days. The current hour is not aggregated, as in a deployed Gatehouse. */
export async function fillWithRows(served: Served, { attempts, now, tell, whenFew }: Filling): Promise<Day[]> {
  const { pool } = served;
  const days = daysUntil(now, attempts);
  const people = peopleOf(attempts);
  const db = () => connect(served.url, REQUEST_LIMIT_MS).db;
  await createMonths(
    db(),
    days.map(({ from }) => new Date(from)),
  );
  const write = async (some: readonly Day[], late: boolean) => {
    for (const [at, day] of some.entries()) {
      await writeDay(pool, day, people, late);
      if (at % 50 === 49) tell(`${late ? 'late attempts' : 'attempts'}: ${at + 1} of ${some.length} days`);
    }
  };
  const few = days.slice(0, FEW_DAYS);
  await write(few, false);
  await sumAll(db, (few.at(-1)?.to ?? now) + SETTLED_MS);
  await pool.query('vacuum (analyze)');
  await whenFew(few);

  // Building an index afterwards takes a fraction of the time of updating it for each row.
  const dropped = await dropIndexes(pool);
  await write(days.slice(FEW_DAYS), false);
  tell('indexes');
  for (const definition of dropped) await pool.query(definition);
  await pool.query('vacuum (analyze) attempts');
  await sumAll(db, now, tell);
  await pool.query('vacuum (analyze)');
  await write(days.slice(-LATE_DAYS), true);
  await sumAll(db, now, tell);
  tell('users');
  await rebuildUsers(db, ({ days: done, left }) => {
    if (done % 50 === 0) tell(`users: ${done} of ${done + left} days`);
  });
  tell('vacuum');
  await pool.query('vacuum (analyze)');
  await pool.query('checkpoint').catch(() => undefined);
  return days;
}

async function sumAll(db: () => Database, now: number, tell: (line: string) => void = () => undefined) {
  const onDay = ({ days, left }: SummedDays) => {
    if (days % 25 === 0) tell(`aggregates: ${days} of ${days + left} days`);
  };
  await sumDue(db, new Date(now), { onDay });
}

/** Drops the indexes of `attempts` except the primary key, and returns the statements that create them. */
async function dropIndexes(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes where tablename = 'attempts' and indexname <> 'attempts_pk'`,
  );
  for (const { name } of rows) await pool.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition.replace(' ON ONLY ', ' ON '));
}
