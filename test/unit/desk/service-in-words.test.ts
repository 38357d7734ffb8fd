/** The sentences that answer "Were we slow or down then?". */
import { expect, it } from 'vitest';
import { serviceInWords } from '../../../src/desk/reports/service-in-words.ts';

type Known = Parameters<typeof serviceInWords>[0];
const of = (attempts: number) => ({ attempts, byOutcome: {} });
const refusal = (reason: string, calls: number, route = 'connector') => ({
  ...{ route, reason, name: '', calls },
  ...{ first: '2026-11-21T08:00:00Z', last: '2026-11-21T08:00:00Z' },
});
const FINE: Known = {
  totals: { attempts: 200, byStep: {}, byOutcome: { continue: 200, error: 0 } },
  durationMs: { p50: 4, p95: 20, p99: 4_999 },
  byChannel: [{ channel: 'user-flow', ...of(200) }],
  byReason: [],
  byDegraded: [],
  refusedCalls: [],
};
const errors = (error: number) => ({ totals: { ...FINE.totals, byOutcome: { error } } });
const took = (p50: number, p95: number, p99: number) => ({ durationMs: { p50, p95, p99 } });
const SPEED = 'half of the calls were answered within 4 ms, 95 % within 20 ms and 99 % within';

it.each<[string, Partial<Known>, string]>([
  [
    'neither',
    {},
    `Not slow: ${SPEED} 4999 ms. Microsoft waits 5 seconds. Not failing: 0 of 200 calls failed. A call that did not reach Gatehouse is in no number.`,
  ],
  [
    'slow answers, and how many',
    took(4, 20, 5_000),
    `Slow: ${SPEED} 5000 ms. Microsoft waits 5 seconds, so for 1 % of`,
  ],
  ['slow answers of one call in twenty', took(4, 5_000, 5_000), 'so for 5 % of the calls or more'],
  ['slow answers of every second call', took(5_000, 5_000, 5_000), 'so for half of the calls or more'],
  [
    'the longer time that Microsoft waits for custom policies',
    { ...took(4, 20, 9_999), byChannel: [{ channel: 'custom-policy', ...of(200) }] },
    `Not slow: ${SPEED} 9999 ms. Microsoft waits 10 seconds.`,
  ],
  [
    'failures of Gatehouse',
    {
      ...errors(3),
      byReason: [
        { reason: 'deadline', ...of(2) },
        { reason: 'not-json', ...of(1) },
      ],
    },
    ' Failing: 3 of 200 calls failed (deadline 2, not-json 1).',
  ],
  [
    'failures for a reason that this version does not know',
    { ...errors(1), byReason: [{ reason: 'constructor', ...of(1) }] },
    ' Failing: 1 of 200 calls failed (constructor 1).',
  ],
  [
    'calls that failed for other reasons',
    { ...errors(1), byReason: [{ reason: 'not-json', ...of(1) }] },
    ' Not failing: 1 of 200 calls failed (not-json 1).',
  ],
  [
    'parts behind Gatehouse that did not work',
    { byDegraded: [{ degraded: 'kv-unavailable', ...of(3) }] },
    ' Failing: 0 of 200 calls failed, and a part behind Gatehouse did not work in 3 (kv-unavailable 3).',
  ],
  [
    'refused calls of connectors, and no others',
    { refusedCalls: [refusal('wrong-credential', 2), refusal('wrong-credential', 3), refusal('x', 1, 'admin')] },
    ' Calls of connectors were refused: wrong-credential 5.',
  ],
  [
    'what is unknown when no call is recorded',
    { totals: { ...FINE.totals, attempts: 0 }, durationMs: { p50: null, p95: null, p99: null }, byChannel: [] },
    'Whether Gatehouse was slow or failed is unknown: no such call is recorded. A call that',
  ],
])('the words about the service say %s', (_, changed, words) => {
  expect(serviceInWords({ ...FINE, ...changed })).toContain(words);
});

it('the words about the service say nothing of durations and reasons that a summary leaves out', () => {
  const { byReason: _, byDegraded: __, ...without } = FINE;
  expect(serviceInWords({ ...without, ...errors(3), durationMs: { p50: null, p95: null, p99: null } })).toBe(
    '3 of 200 calls failed. include=facets adds the reasons. A call that did not reach Gatehouse is in no number.',
  );
});
