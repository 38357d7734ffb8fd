/** What the database holds when everything has run, against what was written and against plain counts. */
import { type Finding, finding } from './finding.ts';
import type { Served } from './served.ts';
import type { Tally } from './tally.ts';

const DAY_MS = 86_400_000;

/** `past` lies in the month that retention was to drop, and `dropped` says whether it did. */
export async function leftBehind(served: Served, tally: Tally, past: Date, dropped: boolean): Promise<Finding[]> {
  const one = async (query: string, values: unknown[] = []): Promise<number> =>
    Number((await served.pool.query<{ n: string }>(query, values)).rows[0]?.n);
  const dimensions = `date_trunc('hour', occurred_at, 'UTC') as hour, channel, step, outcome, rule, client_id, issuer`;
  const beginning = new Date(past.getTime() + 100 * DAY_MS);
  const recent = [beginning];
  const plain = await one('select count(*) as n from attempts where occurred_at >= $1', recent);
  const late = await one('select sum(attempts) as n from hourly_counts where hour < $1', recent);
  const differences = (sums: string, plainly: string) =>
    one(
      `select count(*) as n from (${sums}) s full join (${plainly}) p using (hour, channel, step, outcome, rule, client_id, issuer)
      where s.n is distinct from p.n`,
      recent,
    );
  const wrongCounts = await differences(
    'select hour, channel, step, outcome, rule, client_id, issuer, attempts as n from hourly_counts where hour >= $1',
    `select ${dimensions}, count(*) as n from attempts where occurred_at >= $1 group by 1, 2, 3, 4, 5, 6, 7`,
  );
  const wrongDurations = await differences(
    `select hour, channel, step, outcome, rule, client_id, issuer, sum(attempts) as n from hourly_durations
     where hour >= $1 group by 1, 2, 3, 4, 5, 6, 7`,
    `select ${dimensions}, count(*) as n from attempts where occurred_at >= $1 group by 1, 2, 3, 4, 5, 6, 7`,
  );
  const wrongPeople = await one(
    `select count(*) as n from (select hour, client_id, object_id, 1 as s from hourly_people where hour >= $1) s
     full join (select distinct date_trunc('hour', occurred_at, 'UTC') as hour, client_id, object_id, 1 as p
       from attempts where occurred_at >= $1 and step = 'PreTokenIssuance') p using (hour, client_id, object_id)
     where s is null or p is null`,
    recent,
  );
  const { written, lateWritten } = tally;
  return [
    finding('every attempt written is one row', plain === written.size, `${written.size} written, ${plain} rows`),
    finding('every row is summed once, in every dimension', wrongCounts === 0, `${wrongCounts} sums differ`),
    finding('so are durations', wrongDurations === 0, `${wrongDurations} sums differ`),
    finding('people of the token step, by hour', wrongPeople === 0, `${wrongPeople} differ`),
    finding('a month past retention was dropped while it was written to', dropped, dropped ? 'dropped' : 'still there'),
    finding(
      'each of its rows was summed before',
      late === lateWritten.size,
      `${lateWritten.size} written, ${late} in sums`,
    ),
  ];
}
