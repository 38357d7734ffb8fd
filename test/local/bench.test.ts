/** `npm run bench` still runs, and prints no figure that is not true. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkText } from '../../src/desk/policies/check.ts';
import { MAX_DOCUMENT_BYTES } from '../../src/desk/policies/policy-document.ts';
import { exitCodeOf, type Figure, figureRow } from '../../src/local/bench/figures.ts';
import { largestPolicy } from '../../src/local/bench/kv-values.ts';
import { callMany } from '../../src/local/bench/load-calls.ts';
import { DAYS, daysUntil, QUIET } from '../../src/local/bench/reports/rows.ts';
import { main as reports } from '../../src/local/bench/reports/run.ts';
import { main, measure } from '../../src/local/bench/run.ts';
import { EXPECTED } from '../../src/local/bench/sign-in.ts';

const silent = { stdout: { write: () => true }, stderr: { write: () => true } };

it('measures calls, starts, memory and the bundle, each in every Worker that it has', async () => {
  const effort = { callTurns: 2, callsATurn: 20, warmUpCalls: 20, startTurns: 1, memoryTurns: 1 };
  const figures = await measure({ connections: 4 }, effort, silent);
  for (const { value } of figures) expect(value).toSatisfy(Number.isFinite);
  expect(figures.map(({ kind }) => kind)).toEqual([
    'callTwin',
    'callBuiltIn',
    'callStored',
    'startTwin',
    'startPad',
    'start',
    'startStored',
    'startEntries',
    'memory',
    'bundle',
  ]);
}, 120_000);

it('the policy whose memory is measured is as large as saving accepts', () => {
  const text = JSON.stringify(largestPolicy());
  expect(checkText(text, 'extension_Roles')).toMatchObject({ ok: true });
  expect(text.length).toBeGreaterThan(0.98 * MAX_DOCUMENT_BYTES);
});

it.each([
  ['of another status', 500, JSON.stringify(EXPECTED)],
  ['without the roles', 200, JSON.stringify({ ...EXPECTED, extension_Roles: '' })],
  ['that is no JSON', 200, 'Continue'],
])('a reply %s stops the run', async (_, status, body) => {
  let left = 5;
  const server = createServer((_, response) => {
    left -= 1;
    if (left > 0) response.end(JSON.stringify(EXPECTED));
    else response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(callMany(url, 4, 2)).resolves.toBeUndefined();
  await expect(callMany(url, 20, 2)).rejects.toThrow(`not the expected one, but ${status} ${body}`);
  server.close();
});

it('a figure over its budget is exit code 1, a noise control that is off is 3, and older bundles have no budget', () => {
  const figure = (kind: Figure['kind'], value: number, older = false): Figure => ({ kind, value, detail: '', older });
  const quiet = [
    figure('callTwin', 1.02),
    figure('callBuiltIn', 1.15),
    figure('startPad', 9),
    figure('bundle', 999, true),
  ];
  const over = [...quiet, figure('callStored', 1.26)];
  const noisy = [...over, figure('startTwin', 0.96)];
  expect([quiet, over, noisy].map(exitCodeOf)).toEqual([0, 1, 3]);
  const verdicts = figureRow(noisy)
    .split('\n')
    .map((line) => line.slice(0, 9).trim());
  expect(verdicts).toEqual(['', 'quiet', 'ok', '', '', 'over', 'too noisy']);
});

it.each([[['--only', 'speed']], [['--connections', '0']], [['--fast']]])('%s is refused', async (args) => {
  expect(await main(args, silent)).toBe(2);
});

it('the program explains itself', () => {
  const script = join(import.meta.dirname, '../../src/local/bench/run.ts');
  const { status, stdout } = spawnSync(process.execPath, [script, '--help'], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, expect.stringContaining('--against <file>')]);
});

it.each([
  [[]],
  [['--database-url', 'nonsense']],
  [['--database-url', 'postgres://a:b@127.0.0.1:9/c', '--attempts', '10']],
  [['--database-url', 'postgres://a:b@127.0.0.1:9/c', '--quick']],
])('reports %s is refused', async (args) => {
  expect(await reports(args, silent)).toBe(2);
});

it('reports of a Postgres that does not answer have no figures', async () => {
  const said: string[] = [];
  const io = { ...silent, stderr: { write: (text: string) => said.push(text) > 0 } };
  expect(await reports(['--database-url', 'postgres://a:b@127.0.0.1:9/c'], io)).toBe(1);
  expect(said.join()).toContain('This Postgres cannot be used');
});

it('the made-up days of reports hold as many attempts as were asked for, of which quiet days have a tenth', () => {
  const end = Date.UTC(2026, 10, 21, 12);
  const days = daysUntil(end, 1_000_000);
  expect(days).toHaveLength(DAYS);
  expect(days.every(({ to }, at) => to === (days[at + 1]?.from ?? end))).toBe(true);
  expect(days.reduce((sum, { attempts }) => sum + attempts, 0)).toBeCloseTo(1_000_000, -3);
  const [quiet, busy] = [QUIET.firstDay, QUIET.firstDay + QUIET.days].map((day) => days[day]?.attempts ?? 0);
  expect((busy ?? 0) / (quiet ?? 1)).toBeCloseTo(10, 0);
});
