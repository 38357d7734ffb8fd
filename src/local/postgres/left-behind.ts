/** Compares the database after a run with the written attempts and with plain counts. */
import { type Finding, finding } from './finding.ts';
import { findWrong } from './invariants.ts';
import type { Served } from './served.ts';
import type { WriteTally } from './write-tally.ts';

/** Retention should have dropped the attempts before `from`; `dropped` is whether it did. */
export async function leftBehind(served: Served, tally: WriteTally, from: Date, dropped: boolean): Promise<Finding[]> {
  const one = async (query: string, values: unknown[] = []): Promise<number> =>
    Number((await served.pool.query<{ n: string }>(query, values)).rows[0]?.n);
  const plain = await one('select count(*) as n from attempts where occurred_at >= $1', [from]);
  const late = await one('select sum(attempts) as n from hourly_totals where dims = 0 and hour < $1', [from]);
  const lateDays = await one('select sum(attempts) as n from daily_counts where dims = 7 and day < $1', [from]);
  // Aggregates of the dropped month have no attempts to compare with.
  for (const table of ['daily_counts', 'daily_durations', 'daily_facets', 'daily_shadow', 'people_days'])
    await served.pool.query(`delete from ${table} where day < $1`, [from]);
  await served.pool.query('delete from hourly_totals where hour < $1', [from]);
  const wrong = Object.entries(await findWrong(served.pool));
  const differing = wrong.filter(([, rows]) => rows !== 0).map(([name, rows]) => `${name}: ${rows} rows differ`);
  const { written, lateWritten } = tally;
  return [
    finding('each written attempt is one row', plain === written.size, `${written.size} written, ${plain} rows`),
    finding(
      'aggregates, visits and people equal plain counts',
      differing.length === 0,
      differing.join('; ') || `${wrong.length} compared`,
    ),
    finding(
      'a month past retention was dropped while it was written to',
      dropped,
      dropped ? 'dropped' : 'still exists',
    ),
    finding(
      'each of its rows was aggregated before',
      late === lateWritten.size && lateDays === late,
      `${lateWritten.size} written, ${late} in hours, ${lateDays} in days`,
    ),
  ];
}
