/** A dump restored into another Postgres: rows and progress name transactions that this one will only see in years. */
import { createMonths } from '../../../src/attempts/partitions.ts';
import { connect } from '../../../src/database/connect.ts';
import { rebuild } from '../../../src/summaries/rebuild.ts';
import { sum } from '../../../src/summaries/sum.ts';
import { type Finding, finding } from './finding.ts';
import { madeUpAttempts } from './made-up.ts';
import { insertQuery } from './open-transaction.ts';
import type { Served } from './served.ts';

const REQUEST_LIMIT_MS = 60_000;

/** Makes the database look restored, rebuilds, and goes on. */
export async function runRestored(served: Served): Promise<Finding[]> {
  const db = () => connect(served.url, REQUEST_LIMIT_MS).db;
  const now = new Date();
  await createMonths(db(), [now, new Date(now.getTime() - 86_400_000)]);
  const write = () => served.pool.query(insertQuery(madeUpAttempts(300, now)));
  const totals = async () => {
    const { rows } = await served.pool.query<{ plain: string; counted: string }>(
      'select (select count(*) from attempts) as plain, (select coalesce(sum(attempts), 0) from hourly_counts) as counted',
    );
    return `${rows[0]?.counted} of ${rows[0]?.plain}`;
  };
  await write();
  await served.pool.query(`update attempts set written_in = '900000000000'`);
  await served.pool.query(`update summing_progress set summed_before = '800000000000'`);
  await write();

  const before = await totals();
  const stopped = await sum(db());
  const untouched = before === (await totals());
  const { attempts } = await rebuild(db);
  const rebuilt = await totals();
  await write();
  await sum(db());
  const after = await totals();
  const isWhole = (text: string) => /^(\d+) of \1$/.test(text);
  return [
    finding('restored: sums stop, and add nothing', stopped.stopped && stopped.summed === 0 && untouched, before),
    finding('restored: the rebuild counts every row', isWhole(rebuilt) && rebuilt.startsWith(`${attempts} `), rebuilt),
    finding('restored: sums go on from there', isWhole(after) && after !== rebuilt, after),
  ];
}
