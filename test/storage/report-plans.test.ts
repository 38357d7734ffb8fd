/**
 * The cost of reports, measured by query plans and not by a clock. For any number of attempts, a look-up reads an index
 * and the rows that it returns, and a summary reads the aggregates and the attempts since the last run.
 */

import { type SQL, sql } from 'drizzle-orm';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { createMonths } from '../../src/database/partitions.ts';
import { runQuery } from '../../src/database/run-query.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import type { DeskEnv } from '../../src/desk/env.ts';
import { readiness } from '../../src/desk/health/database-state.ts';
import { findAttempt, listAttempts } from '../../src/desk/reports/queries/attempts.ts';
import { callerCounts } from '../../src/desk/reports/queries/caller-counts.ts';
import { completenessCounts } from '../../src/desk/reports/queries/completeness-counts.ts';
import { findPerson } from '../../src/desk/reports/queries/find-person.ts';
import { personChanges } from '../../src/desk/reports/queries/person-changes.ts';
import { summary } from '../../src/desk/reports/queries/summary-counts.ts';
import { rolesHistory } from '../../src/desk/reports/queries/timeline.ts';
import { attemptsQuestion, personQuestion } from '../../src/desk/reports/questions.ts';
import { callersRange, completenessRange, summaryRange } from '../../src/desk/reports/range.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { memoryKv } from '../support/memory-kv.ts';
import { ownDatabase } from '../support/own-database.ts';

const ROWS = 20_000;
const DAYS = 45;
/** Maximum of rows that a look-up may read, far below {@link ROWS}. */
const FEW = 2_500;

const { db, rows, url } = ownDatabase({ isFilledOnce: true });
const config = () => readConfig({ DATABASE_URL: url() });
const now = Date.now();
const from = new Date(now - DAYS * DAY_MS).toISOString();

afterEach(() => vi.restoreAllMocks());

/** Attempts of a thousand people in 45 days, summed except for the last day. Filled once: that takes seconds. */
beforeAll(async () => {
  const days = Array.from({ length: DAYS + 1 }, (_, day) => new Date(now - day * DAY_MS));
  await createMonths(db(), days);
  await db().execute(fill(0, ROWS));
  await sumDue(db, new Date(now - DAY_MS));
  await db().execute(sql`analyze`);
});

const fill = (first: number, end: number): SQL => sql`
  insert into attempts (id, occurred_at, step, outcome, status, duration_ms, client_id, object_id, email, rule,
    oid_key, idp_key, email_key, other_keys, support_code, correlation_id, reason, url_step)
  select gen_random_uuid(), ${new Date(now).toISOString()}::timestamptz - interval '1 day' * ${DAYS} * (1 - i::float8 / ${ROWS}),
    'PreTokenIssuance', 'continue', 200, 5, 'client' || i % 5, p, p || '@example.com', case when i % 50 = 0 then 'rule' else '' end,
    'oid:' || lpad(p, 32, '0')::uuid, 'idp:google.com:' || p, 'email:' || p || '@example.com',
    case when i % 50 = 0 then array['idp:other.com:' || p, 'name:+1' || lpad(p, 9, '0')] else '{}' end,
    case when i % 40 = 0 then 'CODE' || i else '' end, case when i % 3 = 0 then 'correlation' || i else '' end,
    case when i % 5000 = 0 then 'unknown-step' else '' end, case when i % 6000 = 0 then 'PreTokenIssuance' else '' end
  from (select i, (i * 7 % 1000)::text as p from generate_series(${first}::int, ${end}::int - 1) as i) as numbered`;

interface Statement {
  query: string;
  params: string[];
}

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Node[];
}

/** Runs a report, then has Postgres explain each of its statements. */
async function readBy(report: () => Promise<unknown>, table = 'attempts'): Promise<Node[]> {
  const sent = vi.spyOn(globalThis, 'fetch');
  await report();
  const bodies = sent.mock.calls.map(
    ([, init]) => JSON.parse(String(init?.body)) as Statement | { queries: Statement[] },
  );
  sent.mockRestore();
  const plans: Node[] = [];
  for (const { query, params } of bodies.flatMap((body) => ('queries' in body ? body.queries : [body]))) {
    const explained = await connect(url(), 60_000).sql.query(
      `explain (analyze, timing off, format json) ${query}`,
      params,
    );
    const [row] = explained as { 'QUERY PLAN': { Plan: Node }[] }[];
    plans.push(...(row?.['QUERY PLAN'].flatMap(({ Plan }) => flat(Plan)) ?? []));
  }
  return plans.filter((node) => node['Relation Name']?.startsWith(table) && node['Actual Loops'] > 0);
}

const flat = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flat)];

const rowsRead = (nodes: readonly Node[]) =>
  nodes.reduce((total, node) => {
    const aLoop =
      node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    return total + aLoop * node['Actual Loops'];
  }, 0);

const list = async (asked: object) => listAttempts(config(), await attemptsQuestion.parseAsync(asked), now);
const person = async (key: string) => findPerson(config(), await personQuestion.parseAsync({ key }), now);
const called = async (text: string) => findPerson(config(), await personQuestion.parseAsync({ text }), now);
const guid = (digits: string) => digits.padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

test('the changes of a person, and the last ones of their roles, read an index of the audit log', async () => {
  await db().execute(sql`
    insert into changes (id, occurred_at, changed_by, subject, after)
    select gen_random_uuid(), ${from}::timestamptz + i * interval '1 minute', 'admin', 'oid:' || lpad((i % 1000)::text, 32, '0')::uuid, '{}'
    from generate_series(1, ${ROWS}::int) as i`);
  await db().execute(sql`analyze changes`);
  for (const key of [`oid:${guid('7')}`, `oid:${guid('abc')}`, 'email:7@example.com']) {
    const page = await personQuestion.parseAsync({ key, limit: 5 });
    const history = () => runQuery(config(), (queries, run) => rolesHistory(queries, run, key));
    for (const report of [() => personChanges(config(), page, { key }), history]) {
      const nodes = await readBy(report, 'changes');
      expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
      expect(rowsRead(nodes)).toBeLessThan(100);
    }
    expect(rowsRead(await readBy(history))).toBeLessThan(FEW);
  }
});

test('each look-up reads an index of each month and few rows, with or without a match', async () => {
  const lookUps: Record<string, () => Promise<unknown>> = {
    'a person': () => person(`oid:${guid('7')}`),
    'a person by another identity': () => person('idp:other.com:7'),
    'a person by e-mail': () => person('email:7@example.com'),
    'an unknown person': () => person(`oid:${guid('abc')}`),
    'an unknown person by identity': () => person('idp:google.com:unknown'),
    'an unknown person by e-mail': () => person('email:unknown@example.com'),
    'an unknown digest': () => person(`sha256:${'0'.repeat(64)}`),
    'a person by telephone': () => called('+1 000 000 007'),
    'a person by an unknown telephone': () => called('+1 999 999 999'),
    'a person by an unknown GUID': () => called('019aa3f1-7c00-7abc-8def-0123456789ab'),
    'a person by an unknown user name or code': () => called('0123456789'),
    'attempts of a person': () => list({ objectId: guid('7') }),
    'attempts of an unknown person': () => list({ objectId: guid('abc') }),
    'attempts of an e-mail': () => list({ email: '7@example.com' }),
    'attempts of an unknown e-mail without other filters': () => list({ email: 'unknown@example.com' }),
    'attempts of an unknown e-mail': () => list({ email: 'unknown@example.com', outcome: 'block' }),
    'an unknown support code': () => list({ supportCode: '00000-00000' }),
    'an unknown correlation id': () => list({ correlationId: 'none' }),
    'one id': () => findAttempt(config(), anAttempt().id),
    'the last page': () => list({}),
    'a rule that never applied': () => list({ rule: 'none', from }),
    'an application that never called': () => list({ clientId: 'none', from }),
    'an issuer and a step that never occurred': () => list({ issuer: 'none.com', step: 'none', from }),
    'an outcome that never occurred': () => list({ outcome: 'block', clientId: 'client1', from }),
    'a shadow policy that never differed': () => list({ shadow: 'differs', from }),
    readiness: () => readiness(config(), 30_000),
  };
  for (const [name, report] of Object.entries(lookUps)) {
    const nodes = await readBy(report);
    expect(
      nodes.filter((node) => node['Node Type'] === 'Seq Scan' && node['Actual Rows'] > 0),
      name,
    ).toEqual([]);
    expect(rowsRead(nodes), name).toBeLessThan(FEW);
  }
});

test('a summary of whole days reads only the attempts that are not summed yet', async () => {
  const range = summaryRange({ interval: 'day', from: new Date(now - DAYS * DAY_MS) }, now);
  if (typeof range === 'string') throw new Error(range);
  const [row] = await rows<{ unsummed: number }>(
    sql`select count(*)::int as unsummed from attempts, summed_until where occurred_at >= until`,
  );
  const unsummed = row?.unsummed ?? 0;
  expect(unsummed).toBeGreaterThan(100);
  // Once each for the numbers, the people, the sign-ins and the facets.
  const nodes = await readBy(() => summary(config(), range, {}, now, { ms: 20_000 }));
  expect(rowsRead(nodes)).toBe(4 * unsummed);

  await keepAttempts(db(), [anAttempt()]);
  const narrowed = await readBy(() => summary(config(), range, { clientId: 'client1' }, now, { ms: 20_000 }));
  // Numbers and people, and up to the first and last attempt of the application.
  expect(rowsRead(narrowed)).toBeGreaterThanOrEqual(2 * (unsummed + 1));
  expect(rowsRead(narrowed)).toBeLessThan(2 * (unsummed + 1) + 50);
});

test('the report on credentials reads the attempts that are not summed yet, and at most today and yesterday once for last calls', async () => {
  const range = callersRange({ from: new Date(now - DAYS * DAY_MS) }, now);
  if (typeof range === 'string') throw new Error(range);
  const [row] = await rows<{ unsummed: number; until: string }>(
    sql`select count(*)::int as unsummed, until::text from attempts, summed_until where occurred_at >= until group by until`,
  );
  const unsummed = row?.unsummed ?? 0;
  expect(unsummed).toBeGreaterThan(100);
  const ask = () => callerCounts(config(), range, now);
  expect(rowsRead(await readBy(ask))).toBe(unsummed);

  // Used long ago, and used this morning or yesterday in an hour that is summed.
  const until = new Date(row?.until ?? '');
  const old = anAttempt({ caller: 'old', callerKind: 'basic', at: new Date(now - 20 * DAY_MS) });
  const recent = anAttempt({ caller: 'recent', callerKind: 'basic', at: new Date(until.getTime() - 1) });
  await keepAttempts(db(), [old, recent]);
  await sumDue(db, new Date(now - DAY_MS));
  const { accepted, lastCalls } = await ask();
  expect(accepted.map(({ credential }) => credential)).toEqual(expect.arrayContaining(['basic:old', 'basic:recent']));
  expect(lastCalls.has('basic:old')).toBe(false);
  expect(rowsRead(await readBy(ask))).toBeLessThanOrEqual(unsummed + ROWS / DAYS);
});

test('the report on completeness reads the attempts of its range and of the day before, once', async () => {
  const range = completenessRange({ from: new Date(now - 2 * DAY_MS) }, now);
  if (typeof range === 'string') throw new Error(range);
  const env = { GATEHOUSE: memoryKv().kv } as DeskEnv;
  const nodes = await readBy(() => completenessCounts(env, config(), range, now));
  const from = new Date(range.from.getTime() - DAY_MS).toISOString();
  const [row] = await rows<{ read: number }>(
    sql`select count(*)::int as read from attempts where occurred_at >= ${from}::timestamptz`,
  );
  expect(row?.read).toBeGreaterThan(1_000);
  expect(rowsRead(nodes)).toBe(row?.read);
});
