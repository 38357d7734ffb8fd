/** Measures the time of reports and aggregation. */

import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { connect } from '../../../database/connect.ts';
import { sumDay } from '../../../desk/aggregates/sum-day.ts';
import { HOUR_MS } from '../../../platform/duration.ts';
import type { Served } from '../../postgres/served.ts';
import { type Figure, figureOf } from '../figures.ts';
import { spreadOf } from '../turns.ts';
import { type KnownIds, type MeasuredReport, reportsOf, trafficOf } from './measured-reports.ts';
import type { Day } from './rows.ts';

const WARM_TURNS = 7;
const SUM_TURNS = 5;
const SUM_LIMIT_MS = 60_000;

const SPOKEN: Readonly<Record<MeasuredReport['kind'], string>> = {
  summary: 'summary',
  list: 'list',
  lookUp: 'look-up',
  completeness: 'completeness',
  longCompleteness: 'completeness',
};

/** Measures the first call of each report, then warm calls. */
export async function measureReports(served: Served, now: number, tell: (line: string) => void): Promise<Figure[]> {
  const reports = reportsOf(served.url, now, await anyPerson(served.pool));
  const cold: Figure[] = [];
  tell('reports: first calls');
  for (const { kind, name, ask } of reports) {
    const { ms, found } = await timed(ask);
    cold.push({
      kind: 'cold',
      name: `${SPOKEN[kind]}, ${name}`,
      value: ms,
      detail: `${found} found`,
    });
  }
  tell('reports: warm calls');
  const warm: Figure[] = [];
  for (const report of reports) warm.push(await warmFigure(report));
  return [...warm, ...cold];
}

async function warmFigure({ kind, name, ask }: MeasuredReport): Promise<Figure> {
  const times: number[] = [];
  let found = 0;
  for (let turn = 0; turn <= WARM_TURNS; turn++) {
    const one = await timed(ask);
    // The first call after other reports does not count.
    if (turn > 0) times.push(one.ms);
    found = one.found;
  }
  const figure = figureOf(kind, times);
  return { ...figure, name, detail: `${found} found, ${figure.detail}` };
}

/** Compares the same summary over quiet and busy days, alternating. */
export async function measureTraffic(served: Served, now: number, days: readonly Day[]): Promise<Figure> {
  const { quiet, busy } = trafficOf(served.url, now, days);
  const ratios: number[] = [];
  for (let turn = 0; turn <= WARM_TURNS; turn++) {
    const few = await timed(quiet);
    const many = await timed(busy);
    if (turn > 0) ratios.push(many.ms / few.ms);
  }
  return figureOf('traffic', ratios);
}

/** The median time in milliseconds to aggregate the last hour of a whole day again, the most expensive hour. */
export async function sumHourMs(served: Served, { from }: Day): Promise<number> {
  const hour = new Date(from + 23 * HOUR_MS);
  const times: number[] = [];
  for (let turn = 0; turn <= SUM_TURNS; turn++) {
    const { rows } = await served.pool.query<{ marks: number }>(
      'update dirty_hours set marks = marks + 1 where hour = $1 returning marks',
      [hour.toISOString()],
    );
    const dirty = { day: hour.toISOString().slice(0, 10), hours: [{ hour, marks: rows[0]?.marks ?? 1 }] };
    const { ms } = await timed(async () => {
      await sumDay(connect(served.url, SUM_LIMIT_MS).db, dirty, new Date(hour.getTime() + HOUR_MS));
      return 1;
    });
    if (turn > 0) times.push(ms);
  }
  return spreadOf(times).median;
}

async function timed(work: () => Promise<number>): Promise<{ ms: number; found: number }> {
  const started = performance.now();
  const found = await work();
  return { ms: performance.now() - started, found };
}

/** A person from some months ago, so that a look-up reads old rows. */
async function anyPerson(pool: pg.Pool): Promise<KnownIds> {
  const { rows } = await pool.query<KnownIds>(`
    select id, support_code as "supportCode", correlation_id as "correlationId", email, (
      select object_id from attempts as later where oid_key <> '' and later.occurred_at >= attempts.occurred_at order by occurred_at limit 1
    ) as "objectId"
    from attempts where outcome = 'block' and occurred_at < now() - interval '100 days'
    order by occurred_at desc limit 1`);
  const [known] = rows;
  if (known === undefined) throw new Error('No attempt is old enough. Fill an empty database with this command.');
  return known;
}
