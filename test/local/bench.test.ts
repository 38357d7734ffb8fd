import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
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

it('npm run bench measures calls, starts, memory and the bundle in every Worker', async () => {
  const effort = { callTurns: 2, callsATurn: 20, warmUpCalls: 20, startTurns: 1, memoryTurns: 1 };
  const figures = await measure({ connections: 4 }, effort, silent);
  for (const { value } of figures) expect(value).toSatisfy(Number.isFinite);
  expect(figures.map(({ kind }) => kind)).toEqual([
    'callTwin',
    'callBuiltIn',
    'callStored',
    'exchange',
    'startTwin',
    'startPad',
    'start',
    'startStored',
    'startEntries',
    'memory',
    'bundle',
  ]);
}, 120_000);

it('the bench measures memory with a policy close to the largest size that can be saved', () => {
  const text = JSON.stringify(largestPolicy());
  expect(checkText(text, 'extension_Roles')).toMatchObject({ ok: true });
  expect(text.length).toBeGreaterThan(0.98 * MAX_DOCUMENT_BYTES);
});

it.each([
  ['with another status', 500, JSON.stringify(EXPECTED)],
  ['without the roles', 200, JSON.stringify({ ...EXPECTED, extension_Roles: '' })],
  ['that is not JSON', 200, 'Continue'],
])('the bench fails at the first reply %s', async (_, status, body) => {
  let left = 5;
  const server = createServer((_, response) => {
    left -= 1;
    if (left > 0) response.end(JSON.stringify(EXPECTED));
    else response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(callMany(url, 4, 2)).resolves.toBeUndefined();
  await expect(callMany(url, 20, 2)).rejects.toThrow(`Unexpected reply: ${status} ${body}`);
  server.close();
});

it('the bench exits with 1 when a figure is over its budget and with 3 when a noise control fails; older bundles have no budget', () => {
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

it.each([[['--only', 'speed']], [['--connections', '0']], [['--fast']]])('npm run bench refuses %s', async (args) => {
  expect(await main(args, silent)).toBe(2);
});

it('npm run bench --help lists the options', async () => {
  const write = vi.fn(() => true);
  expect(await main(['--help'], { ...silent, stdout: { write } })).toBe(0);
  expect(write.mock.calls.join('')).toContain('--against <file>');
});

it.each([
  [[]],
  [['--database-url', 'nonsense']],
  [['--database-url', 'postgres://a:b@127.0.0.1:9/c', '--attempts', '10']],
  [['--database-url', 'postgres://a:b@127.0.0.1:9/c', '--quick']],
])('npm run bench -- reports refuses the arguments %s', async (args) => {
  expect(await reports(args, silent)).toBe(2);
});

it('npm run bench -- reports fails without figures when Postgres does not answer', async () => {
  const printed: string[] = [];
  const io = { ...silent, stderr: { write: (text: string) => printed.push(text) > 0 } };
  expect(await reports(['--database-url', 'postgres://a:b@127.0.0.1:9/c'], io)).toBe(1);
  expect(printed.join()).toContain('This Postgres cannot be used');
});

it('the generated days have the requested number of attempts, and quiet days have a tenth of a usual day', () => {
  const end = Date.UTC(2026, 10, 21, 12);
  const days = daysUntil(end, 1_000_000);
  expect(days).toHaveLength(DAYS);
  expect(days.every(({ to }, at) => to === (days[at + 1]?.from ?? end))).toBe(true);
  expect(days.reduce((sum, { attempts }) => sum + attempts, 0)).toBeCloseTo(1_000_000, -3);
  const [quiet, busy] = [QUIET.firstDay, QUIET.firstDay + QUIET.days].map((day) => days[day]?.attempts ?? 0);
  expect((busy ?? 0) / (quiet ?? 1)).toBeCloseTo(10, 0);
});
