/** The bench must not print a figure that is not true: a call that went wrong fails the run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { measureCallCost } from '../../local/bench/call-cost.ts';
import { against, shown } from '../../local/bench/finding.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A Worker of the bench as workerd takes it, with one piece of it exchanged. */
function worker(name: string, piece = '', instead = ''): string {
  const source = readFileSync(join(import.meta.dirname, `../../local/bench/workers/${name}.ts`), 'utf8');
  expect(source).toContain(piece);
  const path = join(mkdtempSync(join(folder, `${name}-`)), 'worker.js');
  writeFileSync(path, stripTypeScriptTypes(source.replace(piece, instead)));
  return path;
}

/** A few calls; the Worker by hand plays both sides. */
const measure = (bundles: { gatehouse: string; byHand: string; stubs: string }) =>
  measureCallCost({ ...bundles, folder }, { warmUpCalls: 4, rounds: 1, callsARound: 20, progress: () => undefined });

test('a run in which every reply is right and every message arrives gives figures', async () => {
  const byHand = worker('by-hand');
  const findings = await measure({ gatehouse: byHand, byHand, stubs: worker('stubs') });
  expect(findings.map(({ what }) => what)).toHaveLength(6);
});

test('a message that the queue refuses fails the run, and what the Worker logged is told', async () => {
  const byHand = worker('by-hand');
  const stubs = worker('stubs', 'messages += 1;', "if (messages++ === 9) return new Response('', { status: 500 });");
  await expect(measure({ gatehouse: byHand, byHand, stubs })).rejects.toThrow(/attempt-not-sent/);
});

test('a message that is sent twice fails the run', async () => {
  const byHand = worker('by-hand');
  const send = 'await env.ATTEMPTS.send(attempt);';
  const twice = worker('by-hand', send, send.repeat(2));
  await expect(measure({ gatehouse: twice, byHand, stubs: worker('stubs') })).rejects.toThrow(/4 calls, but the queue/);
});

test('a reply without the roles fails the run', async () => {
  const byHand = worker('by-hand');
  const empty = worker('by-hand', "roles.join(' ')", "''");
  await expect(measure({ gatehouse: empty, byHand, stubs: worker('stubs') })).rejects.toThrow(/not the expected one/);
});

test('messages of different size fail the run, since then the two do not do the same', async () => {
  const byHand = worker('by-hand');
  const less = worker('by-hand', 'fingerprint: HEX_DIGITS_OF_A_HASH,', 'claimNames: [],');
  await expect(measure({ gatehouse: byHand, byHand: less, stubs: worker('stubs') })).rejects.toThrow(/weigh/);
});

test('a missed budget says NOT WITHIN, and one that is just met does not', () => {
  const table = shown([against('one', 1.51, 1.5, '×', '1.51 ×'), against('two', 1.5, 1.5, '×', '1.50 ×')]);
  expect(table.split('\n').map((line) => line.split(/ {2,}/).at(-1))).toEqual(['budget', 'NOT WITHIN', 'within']);
});
