/** A slow report holds a lock that blocks dropping a month. Every insert would queue behind that drop. */

import { performance } from 'node:perf_hooks';
import { connect } from '../../database/connect.ts';
import { createMonths, existingMonths, monthOf } from '../../database/partitions.ts';
import { keepRetention } from '../../database/retention.ts';
import { sumDue } from '../../desk/aggregates/sum-due.ts';
import { DAY_MS } from '../../platform/duration.ts';
import { longPast } from './concurrency.ts';
import { type Finding, finding } from './finding.ts';
import { madeUpAttempts } from './made-up.ts';
import { insertQuery } from './open-transaction.ts';
import type { Served } from './served.ts';

const REQUEST_LIMIT_MS = 60_000;
/** Retention waits 2 s for its lock, then inserts proceed. Twice that allows for a busy machine. */
const MAX_WAIT_MS = 4_000;

/** Runs retention during an open report while inserts continue, and again after the report has ended. */
export async function runSlowReport(served: Served): Promise<Finding[]> {
  const db = () => connect(served.url, REQUEST_LIMIT_MS).db;
  const now = new Date();
  const past = longPast(now);
  const isThere = async () => (await existingMonths(db())).some(({ name }) => name === monthOf(past).name);
  await createMonths(db(), [past, now, new Date(now.getTime() - DAY_MS)]);
  await served.pool.query(insertQuery(madeUpAttempts(10, past)));
  await sumDue(db, now);

  const report = await served.pool.connect();
  await report.query('begin');
  await report.query('select count(*) from attempts');
  const retention = keepRetention(db(), now, 90);
  let ended = false;
  void retention.then(() => {
    ended = true;
  });
  let slowest = 0;
  while (!ended) {
    const started = performance.now();
    await served.pool.query(insertQuery(madeUpAttempts(5, now)));
    slowest = Math.max(slowest, performance.now() - started);
  }
  const { complete, dropped } = await retention;
  const held = !complete && dropped.length === 0 && (await isThere());
  await report.query('commit');
  report.release();
  await keepRetention(db(), now, 90);
  const gone = !(await isThere());
  return [
    finding('slow report: retention gives up its lock and retries', held && gone, 'kept at first, then dropped'),
    finding(
      'slow report: inserts wait no longer than the lock',
      slowest < MAX_WAIT_MS,
      `at most ${(slowest / 1_000).toFixed(1)} s`,
    ),
  ];
}
