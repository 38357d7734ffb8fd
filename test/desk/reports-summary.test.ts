import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import { snapshotSummary } from '../../src/desk/reports/snapshot.ts';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { NEON_AWAY } from '../support/call.ts';
import { keep, type Problem, report, reportWith } from '../support/reports-call.ts';

afterEach(() => vi.restoreAllMocks());

const summaryOf = async (query: string): Promise<Summary> => {
  const response = await report(`/summary${query}`);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};
const iso = (ms: number) => new Date(ms).toISOString();

test('the summary counts each attempt of the range once in totals, series, groups, people and durations', async () => {
  const clientId = crypto.randomUUID();
  const issuer = `issuer-${clientId}`;
  const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS + 12 * HOUR_MS;
  const at = (ms: number) => new Date(noon + ms);
  const blocked = {
    clientId,
    issuer,
    step: 'PostFederationSignup',
    outcome: 'block',
    rule: 'no-mail',
    objectId: '',
  } as const;
  await keep(
    anAttempt({ ...blocked, at: at(0) }),
    anAttempt({ ...blocked, at: at(HOUR_MS - 1) }),
    anAttempt({ ...blocked, at: at(HOUR_MS), rule: 'closed', outcome: 'invalid' }),
    anAttempt({ clientId, at: at(2 * HOUR_MS), objectId: clientId, durationMs: 100 }),
    anAttempt({ clientId, at: at(2 * HOUR_MS + 1), objectId: clientId, durationMs: 100 }),
    anAttempt({ clientId, at: at(2 * HOUR_MS + 2), durationMs: 4_000 }),
    // Outside.
    anAttempt({ clientId, at: at(-1) }),
    anAttempt({ clientId, at: at(3 * HOUR_MS) }),
  );

  const summary = await summaryOf(
    `?clientId=${clientId}&from=${iso(noon + 60_000)}&to=${iso(noon + 2 * HOUR_MS + 60_000)}`,
  );

  const byStep = { PostFederationSignup: 0, PostAttributeCollection: 0, PreTokenIssuance: 0 };
  const byOutcome = { continue: 0, block: 0, invalid: 0, error: 0 };
  expect(summary).toMatchObject({ from: iso(noon), to: iso(noon + 3 * HOUR_MS), interval: 'hour' });
  expect(summary.totals).toEqual({
    attempts: 6,
    people: 2,
    byStep: { ...byStep, PostFederationSignup: 3, PreTokenIssuance: 3 },
    byOutcome: { ...byOutcome, continue: 3, block: 2, invalid: 1 },
  });
  expect(summary.series).toEqual([
    {
      start: iso(noon),
      attempts: 2,
      byStep: { ...byStep, PostFederationSignup: 2 },
      byOutcome: { ...byOutcome, block: 2 },
    },
    {
      start: iso(noon + HOUR_MS),
      attempts: 1,
      byStep: { ...byStep, PostFederationSignup: 1 },
      byOutcome: { ...byOutcome, invalid: 1 },
    },
    {
      start: iso(noon + 2 * HOUR_MS),
      attempts: 3,
      byStep: { ...byStep, PreTokenIssuance: 3 },
      byOutcome: { ...byOutcome, continue: 3 },
    },
  ]);
  expect(summary.topRules).toEqual([
    { rule: 'no-mail', attempts: 2 },
    { rule: 'closed', attempts: 1 },
  ]);
  expect(summary.byApplication).toEqual([
    { clientId, attempts: 6, byOutcome: { ...byOutcome, continue: 3, block: 2, invalid: 1 } },
  ]);
  expect(summary.byIssuer.map(({ issuer, attempts }) => [issuer, attempts])).toEqual([
    ['', 3],
    [issuer, 3],
  ]);
  const { p50, p95, p99 } = summary.durationMs;
  expect([p50, p95, p99].map((bound) => bound ?? 0)).toEqual([
    expect.toSatisfy((bound: number) => bound >= 3 && bound <= 4),
    ...Array(2).fill(expect.toSatisfy((bound: number) => bound >= 4_000 && bound <= 4_400)),
  ]);
});

test('the summary covers the last seven days by hour, or whole days by day, and includes intervals without attempts', async () => {
  const clientId = crypto.randomUUID();
  const byHour = await summaryOf(`?clientId=${clientId}`);
  expect(Date.parse(byHour.to) - Date.parse(byHour.from)).toBeGreaterThanOrEqual(7 * DAY_MS);
  expect(byHour.series.length).toBe((Date.parse(byHour.to) - Date.parse(byHour.from)) / HOUR_MS);
  expect(byHour.series.every(({ attempts }) => attempts === 0)).toBe(true);
  expect(byHour.totals).toMatchObject({ attempts: 0, people: 0 });
  expect(byHour.durationMs).toEqual({ p50: null, p95: null, p99: null });

  const byDay = await summaryOf('?interval=day&from=2026-01-30T23:00:00-02:00&to=2026-03-01');
  expect(byDay).toMatchObject({ from: '2026-01-31T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z', interval: 'day' });
  expect(byDay.series.map(({ start }) => start.slice(0, 10))).toHaveLength(29);
});

test.each([
  ['from=2026-10-01&to=2026-11-02', 'interval=day'],
  ['from=2025-01-01&to=2026-11-02&interval=day', '400 days'],
  ['from=2100-01-01', 'from'],
])('a summary whose range is too long or in the future (%s) is a 400 that suggests another', async (query, hint) => {
  const response = await report(`/summary?${query}`);
  expect(response.status).toBe(400);
  const { detail, errors } = await response.json<Problem>();
  expect(detail).toContain(hint);
  expect(errors).toEqual([{ path: 'from', message: detail.replace(/^from: /, '') }]);
});

test('coverage says what never reaches Gatehouse, whom "people" counts, and why "people" is left out', async () => {
  const all = await summaryOf('?clientId=unknown');
  expect(all.coverage.join(' ')).toMatch(/Wrong passwords.*silent refreshes.*never reach Gatehouse/);
  expect(all.coverage.join(' ')).toMatch(/"totals.people" counts the different accounts/);

  const filtered = await summaryOf('?outcome=block');
  expect(filtered.totals).not.toHaveProperty('people');
  expect(filtered.coverage.join(' ')).toContain('"totals.people" is left out');

  const early = await summaryOf(`?interval=day&from=${iso(Date.now() - 300 * DAY_MS)}`);
  expect(early.totals).not.toHaveProperty('people');
  expect(early.coverage.join(' ')).toMatch(/"totals.people" is left out.*known only since/);
  expect(early.coverage.join(' ')).toMatch(/Attempts before \S+ are deleted/);
});

test('a summary of an unknown step counts it under its name, and coverage says that it may be a typing error', async () => {
  const clientId = crypto.randomUUID();
  await keep(anAttempt({ clientId }), anAttempt({ clientId, step: 'OnSomething' }));
  const mistyped = await summaryOf(`?clientId=${clientId}&step=PreTokenIssuence`);
  expect(mistyped.totals.attempts).toBe(0);
  expect(mistyped.coverage[0]).toMatch(/No call has the step "PreTokenIssuence"\. .*PreTokenIssuance;.*typing errors/);
  expect((await summaryOf(`?clientId=${clientId}&step=OnSomething`)).totals.attempts).toBe(1);

  const alias = await summaryOf(`?clientId=${clientId}&step=preTokenApplicationClaims`);
  expect(alias.totals.attempts).toBe(1);
  expect(alias.coverage.join(' ')).not.toMatch(/is none of|No call has/);
});

test('the summary has the breakdowns, the period before, the days of its filters and, on request, minutes and percentiles', async () => {
  const clientId = crypto.randomUUID();
  const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS;
  const at = (ms: number) => new Date(hour + ms);
  const blocked = { clientId, outcome: 'block', rule: 'no-mail', reason: 'deadline', objectId: '' } as const;
  await keep(
    anAttempt({ clientId, issuer: 'google.com', policyVersion: 4, at: at(1_000), durationMs: 1 }),
    anAttempt({ ...blocked, locale: 'de-DE', failedRules: ['closed'], at: at(61_000), durationMs: 1 }),
    anAttempt({ clientId, at: at(-HOUR_MS) }),
  );
  const range = `from=${iso(hour)}&to=${iso(hour + HOUR_MS)}`;
  const answer = await summaryOf(`?clientId=${clientId}&${range}&include=durations,facets,minutes`);
  const none = { continue: 0, block: 0, invalid: 0, error: 0 };
  const let1 = { attempts: 1, byOutcome: { ...none, continue: 1 } };
  const block1 = { attempts: 1, byOutcome: { ...none, block: 1 } };
  expect(answer).toMatchObject({
    before: { from: iso(hour - HOUR_MS), to: iso(hour), ...let1 },
    seen: [
      { filter: 'clientId', value: clientId, first: iso(hour - HOUR_MS).slice(0, 10), last: iso(hour).slice(0, 10) },
    ],
    byChannel: [{ channel: 'user-flow', attempts: 2 }],
    byStep: [{ step: 'PreTokenIssuance', attempts: 2 }],
    byRule: [{ rule: 'no-mail', ...block1 }],
    byReason: [{ reason: 'deadline', ...block1 }],
    byCaller: [{ caller: 'Test', attempts: 2 }],
    byLanguage: [
      { language: 'de-DE', ...block1 },
      { language: 'en-US', ...let1 },
    ],
    byDegraded: [],
    byPolicyVersion: [{ policyVersion: 4, ...let1 }],
    byFailedRule: [{ rule: 'closed', ...block1 }],
    minutes: [
      { start: iso(hour), ...let1 },
      { start: iso(hour + 60_000), ...block1 },
    ],
    series: [{ start: iso(hour), durationMs: { p50: 1, p95: 1, p99: 1 } }],
  });
  expect(answer.byIssuer).toContainEqual({ issuer: 'google.com', provider: 'Google', ...let1 });

  const plain = await summaryOf(`?clientId=${clientId}&${range}`);
  for (const part of ['minutes', 'people', 'byReason']) expect(plain, part).not.toHaveProperty(part);
  expect(plain.series[0]).not.toHaveProperty('durationMs');
  expect(plain.coverage.join(' ')).toMatch(/"byReason".* left out.*include=facets/);
  const old = await summaryOf('?from=2026-01-01&to=2026-01-02&include=minutes,durations');
  expect(old).not.toHaveProperty('minutes');
  expect(old.coverage.join(' ')).toMatch(/"minutes" is left out.*Percentiles by hour are left out/);
});

test('the summary counts the distinct people of each outcome and rule on request, and says when filters forbid it', async () => {
  const rule = `rule-${crypto.randomUUID()}`;
  const one = { rule, outcome: 'block', objectId: '', emailKey: `email:${rule}@example.com` } as const;
  await keep(
    anAttempt(one),
    anAttempt(one),
    anAttempt({ ...one, emailKey: 'email:other@example.com' }),
    anAttempt({ ...one, emailKey: '' }),
  );
  const { people } = await summaryOf(`?rule=${rule}&include=people`);
  expect(people).toEqual({ byOutcome: {}, byRule: [{ rule, people: 2 }] });
  const all = await summaryOf('?include=people');
  expect(all.people?.byRule).toContainEqual({ rule, people: 2 });
  expect(all.people?.byOutcome.block).toBeGreaterThanOrEqual(2);
  expect(all.byReason).toBeDefined();
  const both = await summaryOf(`?rule=${rule}&clientId=a&include=people`);
  expect(both).not.toHaveProperty('people');
  expect(both.coverage.join(' ')).toContain('The member "people" is left out');
});

test.each(['clientId=a', 'issuer=google.com', 'rule=no-mail'])(
  'facets with the filter %s are answered for up to 7 days, and a longer range is a 400 that says so',
  async (filter) => {
    expect(await summaryOf(`?${filter}&include=facets`)).toHaveProperty('byCaller');
    expect(await summaryOf(`?${filter}&include=facets&interval=day`)).toHaveProperty('byCaller');
    const longer = `from=${iso(Date.now() - 8 * DAY_MS)}&interval=day`;
    const response = await report(`/summary?${filter}&include=facets&${longer}`);
    expect(response.status).toBe(400);
    expect((await response.json<Problem>()).detail).toMatch(/more than 7 days.*leave out include=facets/);
    expect(await summaryOf(`?${filter}&${longer}`)).not.toHaveProperty('byCaller');
    expect(await summaryOf(`?step=PreTokenIssuance&include=facets&${longer}`)).toHaveProperty('byCaller');
  },
);

test('a summary of the future has an empty period before', async () => {
  const { before } = await summaryOf(`?from=${iso(Date.now() + 30 * DAY_MS)}&to=${iso(Date.now() + 31 * DAY_MS)}`);
  expect(before).toMatchObject({ attempts: 0, to: before?.from });
});

test('a breakdown by more than 100 values has the most frequent 100, and coverage says so', async () => {
  const clientId = crypto.randomUUID();
  const languages = Array.from({ length: 102 }, (_, number) => `x-${number}`);
  await keep(...[...languages, 'x-101'].map((locale) => anAttempt({ clientId, locale })));
  const { byLanguage, totals, coverage } = await summaryOf(`?clientId=${clientId}&include=facets`);
  expect(byLanguage).toHaveLength(100);
  expect(byLanguage?.[0]).toMatchObject({ language: 'x-101', attempts: 2 });
  expect(totals.attempts).toBe(103);
  expect(coverage.join(' ')).toContain('Only the 100 most frequent values');
});

test('when counting facets times out, the summary has all other numbers, and coverage says so', async () => {
  const clientId = crypto.randomUUID();
  await keep(anAttempt({ clientId }));
  hanging((statement) => statement.includes('dense_rank'));
  const { totals, coverage, ...others } = await summaryOf(`?clientId=${clientId}&include=facets`);
  expect(totals).toMatchObject({ attempts: 1, people: 1 });
  expect(others).not.toHaveProperty('byReason');
  expect(coverage.join(' ')).toMatch(/"byReason".* are left out: counting took too long/);
}, 20_000);

test('the summary finds an application and its people by its id in any case', async () => {
  const clientId = crypto.randomUUID();
  await keep(anAttempt({ clientId }));
  expect((await summaryOf(`?clientId=${clientId.toUpperCase()}`)).totals).toMatchObject({ attempts: 1, people: 1 });
});

test('while the database fails, the summary without parameters comes from the snapshot, marked stale', async () => {
  expect((await reportWith(NEON_AWAY, '/summary')).status).toBe(503);
  await keep(anAttempt());
  await snapshotSummary(env, Date.now());

  const response = await reportWith(NEON_AWAY, '/summary?interval=hour');
  expect(response.status).toBe(200);
  const { stale, coverage, asOf, totals } = await response.json<Summary>();
  expect({ stale, first: coverage[0] }).toEqual({ stale: true, first: expect.stringContaining(asOf) });
  expect(totals.attempts).toBeGreaterThan(0);
  const file = await (await reportWith(NEON_AWAY, '/summary.csv')).text();
  expect(file.trimEnd().split('\r\n').at(-1)).toMatch(/^"?STALE/);

  for (const path of ['/summary?interval=day', '/summary?clientId=a', `/summary?from=${iso(Date.now() - HOUR_MS)}`]) {
    expect((await reportWith(NEON_AWAY, path)).status, path).toBe(503);
  }
});

test('while the database fails, a summary with a damaged or unavailable snapshot is a 503', async () => {
  await env.GATEHOUSE.put('summary:latest', '{"asOf":"yesterday"}');
  expect((await reportWith(NEON_AWAY, '/summary')).status).toBe(503);
  const hanging = { ...NEON_AWAY, KV_TIMEOUT_MS: '20', GATEHOUSE: { get: () => new Promise(() => {}) } };
  expect((await reportWith(hanging, '/summary')).status).toBe(503);
});

/** Makes the statements that `hangs` selects hang until the driver's timeout. */
function hanging(hangs: (statement: string) => boolean) {
  const real = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation((address, init) =>
    hangs(String(init?.body))
      ? new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        })
      : real(address, init),
  );
}

test('while the database hangs, the summary is the snapshot or a 503 after three seconds', async () => {
  await snapshotSummary(env, Date.now());
  hanging(() => true);
  expect(await (await reportWith({}, '/summary')).json()).toMatchObject({ stale: true });
  expect((await reportWith({}, '/summary?interval=day')).status).toBe(503);
}, 20_000);

test('when counting people times out, the summary has all other numbers, and coverage says so', async () => {
  const clientId = crypto.randomUUID();
  await keep(anAttempt({ clientId }));
  hanging((statement) => statement.includes('as people'));
  const { totals, coverage, stale } = await summaryOf(`?clientId=${clientId}`);
  expect(totals).toMatchObject({ attempts: 1 });
  expect(totals).not.toHaveProperty('people');
  expect(stale).toBeUndefined();
  expect(coverage.join(' ')).toContain('"totals.people" is left out: counting different people took too long');
}, 20_000);

test.each([
  '/attempts',
  '/attempts.csv',
  '/attempts/ABCDE-FGHJK',
  `/attempts/${anAttempt().id}`,
  '/people/oid%3A0f8fad5b-d9cb-469f-a165-70867728950e',
])('while the database fails, %s is a 503 with Retry-After', async (path) => {
  for (const bindings of [NEON_AWAY, { DATABASE_URL: '' }, { DATABASE_URL: 'nonsense' }]) {
    const response = await reportWith(bindings, path);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  }
});

test('a failure of the database logs no personal data and no parameter of the request', async () => {
  const logged = vi.spyOn(console, 'log');
  await reportWith(NEON_AWAY, '/attempts/search', { email: 'ada@example.com', rule: 'secret-rule' });
  const lines = logged.mock.calls.flat().join('\n');
  expect(lines).toContain('database-unavailable');
  expect(lines).not.toMatch(/ada@|secret-rule|select/);
});
