/** Compares inserts into two copies of `attempts`: with marks and later indexes, and as in the schema before them. */
import { performance } from 'node:perf_hooks';
import { sql } from 'drizzle-orm';
import { connect } from '../../../database/connect.ts';
import { attempts } from '../../../database/schema.ts';
import type { Served } from '../../postgres/served.ts';
import { type Figure, figureOf } from '../figures.ts';
import { inTurns, ratios } from '../turns.ts';

const TURNS = 60;
const BATCH = 100;
/** The rows before the measurement, so that the indexes are as deep as those of a month. */
const FIRST_ROWS = 200_000;
const LIMIT_MS = 60_000;
const COPIES = { before: 'bench_before', after: 'bench_after' } as const;
/** The indexes of the migration that added the marks. */
const LATER = ['attempts_rule', 'attempts_outcome', 'attempts_reason', 'attempts_degraded'];

export async function measureInsert({ pool, url }: Served): Promise<Figure> {
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes where tablename = 'attempts'`,
  );
  const { rows: marks } = await pool.query<{ hour: Date; marks: number; summed: number }>('select * from dirty_hours');
  try {
    for (const copy of Object.values(COPIES)) {
      await pool.query(`drop table if exists ${copy}`);
      await pool.query(`create table ${copy} (like attempts including defaults)`);
      await pool.query(`insert into ${copy} select * from attempts order by occurred_at desc limit ${FIRST_ROWS}`);
      for (const { name, definition } of indexes) {
        if (copy === COPIES.before && LATER.includes(name)) continue;
        await pool.query(definition.replace(name, `${copy}_${name}`).replace(/ ON (ONLY )?\S+/, ` ON ${copy}`));
      }
    }
    // The earlier schema used this column to keep hourly aggregates exact.
    await pool.query(`alter table ${COPIES.before} add column written_in xid8 not null default pg_current_xact_id()`);
    await pool.query(`create index ${COPIES.before}_written_in on ${COPIES.before} (written_in)`);
    await pool.query(`create trigger marked after insert on ${COPIES.after} referencing new table as changed
      for each statement execute function mark_dirty_hours()`);
    const { db } = connect(url, LIMIT_MS);
    const some = await db.select().from(attempts).orderBy(sql`occurred_at desc`).limit(BATCH);
    const insertInto = (copy: string) => async () => {
      const rows = some.map((row) => ({ ...row, id: crypto.randomUUID() }));
      const one = connect(url, LIMIT_MS);
      const { sql: text, params } = one.db.insert(attempts).values(rows).onConflictDoNothing().toSQL();
      const started = performance.now();
      await one.sql.query(text.replace('"attempts"', copy), params);
      return performance.now() - started;
    };
    const [before, after] = [COPIES.before, COPIES.after].map((copy) => ({
      measure: insertInto(copy),
      values: [] as number[],
    }));
    if (before === undefined || after === undefined) throw new Error('There are two copies.');
    await inTurns([before, after], TURNS, () => undefined);
    return figureOf('insert', ratios(after.values, before.values));
  } finally {
    for (const copy of Object.values(COPIES)) await pool.query(`drop table if exists ${copy}`);
    // The trigger of the copy marked hours of `attempts`, which did not change.
    for (const { hour, marks: before, summed } of marks)
      await pool.query('update dirty_hours set marks = $2, summed = $3 where hour = $1', [hour, before, summed]);
  }
}
