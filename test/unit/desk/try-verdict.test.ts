/** How a try ended and whose fault it was. Both are closed: what the calls do not tell is `unknown`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../../src/attempts/attempt.ts';
import { ADVICE_LANGUAGES, ADVICE_TEXTS } from '../../../src/desk/reports/advice-texts.ts';
import { attemptVerdict, FAULTS, isLetIn } from '../../../src/desk/reports/attempt-verdict.ts';
import { foldTries } from '../../../src/desk/reports/tries.ts';
import { type JudgedRow, TRY_OUTCOMES, type TryContext, tryVerdict } from '../../../src/desk/reports/try-verdict.ts';
import { MINUTE_MS } from '../../../src/platform/duration.ts';
import { BUILT_IN_TEXTS } from '../../../src/policy/built-in-texts.ts';
import { STEPS } from '../../../src/sign-in/steps.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const row = (minutesAgo: number, given: Partial<JudgedRow>): JudgedRow => ({
  id: String(1e6 - minutesAgo),
  occurredAt: new Date(NOW - minutesAgo * MINUTE_MS),
  channel: 'user-flow',
  clientId: 'shop',
  oidKey: '',
  idpKey: '',
  emailKey: 'email:ada',
  otherKeys: [],
  correlationId: '',
  fingerprint: '',
  step: 'PostAttributeCollection',
  outcome: 'continue',
  reply: 'Continue',
  reason: '',
  rule: '',
  messageKey: '',
  failedRules: [],
  degraded: '',
  durationMs: 3,
  ...given,
});
const FIRST: Partial<JudgedRow> = { step: 'PostFederationSignup' };
const TOKEN: Partial<JudgedRow> = { step: 'PreTokenIssuance' };
const CUSTOM: Partial<JudgedRow> = { channel: 'custom-policy', reply: 'Claims' };
const BLOCK: Partial<JudgedRow> = { outcome: 'block', reply: 'ShowBlockPage', rule: 'r' };
const failed = (reason: string): Partial<JudgedRow> => ({ outcome: 'error', reply: 'ShowBlockPage', reason });
const twice = (durationMs: number) => [row(60, { fingerprint: 'f', durationMs }), row(59.9, { fingerprint: 'f' })];

const verdictOf = (rows: readonly JudgedRow[], signIn?: 'abandoned' | 'pending' | 'completed', asked = false) => {
  const [one, other] = foldTries(rows);
  if (one === undefined || other !== undefined) throw new Error('The calls are one try.');
  const signIns: TryContext['signIns'] = new Map(signIn === undefined ? [] : rows.map(({ id }) => [id, signIn]));
  return tryVerdict(one, { now: NOW, signIns, tokenClients: new Set(asked ? ['shop'] : []) });
};

describe('a try', () => {
  it.each<[string, ReturnType<typeof verdictOf>, string, string]>([
    ['with a token was let in', verdictOf([row(61, {}), row(60, TOKEN)]), 'let-in', 'none'],
    ['let in on old data: us', verdictOf([row(60, { ...TOKEN, degraded: 'kv-stale-copy' })]), 'let-in', 'us'],
    [
      'let in by a failed call: us',
      verdictOf([row(60, { ...TOKEN, outcome: 'error', reason: 'deadline' })]),
      'let-in',
      'us',
    ],
    ['blocked by a rule is a decision', verdictOf([row(60, BLOCK)]), 'blocked', 'rule'],
    ['blocked for its application', verdictOf([row(60, { ...BLOCK, rule: 'onlyThese' })]), 'blocked', 'application'],
    ['blocked in an outage: us', verdictOf([row(60, { ...BLOCK, rule: 'whenUnavailable' })]), 'blocked', 'us'],
    [
      'blocked by a rule that lacked what the provider sends',
      verdictOf([row(60, { ...BLOCK, ...FIRST, failedRules: ['r'] })]),
      'blocked',
      'provider',
    ],
    [
      'blocked by a rule that failed later: us',
      verdictOf([row(60, { ...BLOCK, failedRules: ['r'] })]),
      'blocked',
      'us',
    ],
    [
      'asked to correct the input',
      verdictOf([row(60, { outcome: 'invalid', reply: 'ValidationError', rule: 'r' })]),
      'asked-to-correct',
      'person',
    ],
    ['failed at a deadline: us', verdictOf([row(60, failed('deadline'))]), 'failed', 'us'],
    ['failed for a reason of a later version: us', verdictOf([row(60, failed('toString'))]), 'failed', 'us'],
    ['with a body that broke off: unknown', verdictOf([row(60, failed('cut-off'))]), 'failed', 'unknown'],
    ['whose call is a minute old still runs', verdictOf([row(1, FIRST)]), 'running', 'none'],
    [
      'let in while a rule that may set roles failed: us',
      verdictOf([row(60, { ...TOKEN, failedRules: ['roles'] })]),
      'let-in',
      'us',
    ],
    ['that stopped before the page', verdictOf([row(60, FIRST)], undefined, true), 'unfinished', 'unknown'],
    ['after which nothing calls Gatehouse', verdictOf([row(60, FIRST)]), 'unknown', 'unknown'],
    ['of a sign-up after which no token calls Gatehouse', verdictOf([row(60, {})]), 'unknown', 'unknown'],
    [
      'that stopped before a token that is asked for: Microsoft',
      verdictOf([row(60, {})], undefined, true),
      'unfinished',
      'microsoft',
    ],
    ['whose answer came too late: us', verdictOf(twice(6_000), undefined, true), 'unfinished', 'us'],
    ['whose answer came in time: unknown', verdictOf(twice(4_000)), 'unknown', 'unknown'],
    [
      'with a wrong password or a closed page',
      verdictOf([row(60, { ...CUSTOM, step: 'SignInStarted' })], 'abandoned'),
      'unfinished',
      'person',
    ],
    ['on the page', verdictOf([row(60, { ...CUSTOM, step: 'SignInStarted' })], 'pending'), 'running', 'none'],
    ['completed elsewhere', verdictOf([row(60, { ...CUSTOM, step: 'signinstarted' })], 'completed'), 'let-in', 'none'],
    ['of exchanges only: unknown', verdictOf([row(60, { ...CUSTOM, step: 'GetProfile' })]), 'unknown', 'unknown'],
  ])('%s', (_, { outcome, fault }, expectedOutcome, expectedFault) => {
    expect([outcome, fault]).toEqual([expectedOutcome, expectedFault]);
  });

  it('of which nothing is known after a sign-up step does not tell the person to do it again', () => {
    for (const given of [FIRST, {}]) expect(verdictOf([row(60, given)]).advice).toBe('not-seen');
  });

  it('has an outcome, a fault and an advice of the closed sets, whatever its calls say', () => {
    const texts = fc.constantFrom('', 'r', 'onlyThese', 'deadline', 'unavailable', '__proto__', 'constructor');
    const calls = fc.record({
      minutes: fc.integer({ min: 0, max: 90 }),
      channel: fc.constantFrom('user-flow', 'custom-policy', ''),
      step: fc.constantFrom(...STEPS, 'SignInStarted', 'SIGNINCOMPLETED', 'GetProfile', '', '__proto__'),
      outcome: fc.constantFrom(...OUTCOMES, 'later'),
      reply: fc.constantFrom('Continue', 'Claims', 'Refusal', 'ShowBlockPage', 'ValidationError', ''),
      reason: texts,
      rule: texts,
      messageKey: texts,
      failedRules: fc.subarray(['r', '__proto__']),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(calls, { selector: ({ minutes }) => minutes, minLength: 1, maxLength: 6 }),
        (given) => {
          const rows = given.map(({ minutes, ...rest }) => row(minutes, rest));
          for (const one of foldTries(rows)) {
            const verdict = tryVerdict(one, { now: NOW, signIns: new Map(), tokenClients: new Set() });
            expect(TRY_OUTCOMES).toContain(verdict.outcome);
            expect(FAULTS).toContain(verdict.fault);
            expect(Object.keys(ADVICE_TEXTS)).toContain(verdict.advice);
            // Each attempt is at one step, and a try that was let in is so by its last call.
            expect(verdict.steps.flatMap(({ attempts }) => attempts).toSorted()).toEqual(
              one.rows.map(({ id }) => id).toSorted(),
            );
            const last = one.rows.at(-1);
            if (last !== undefined && isLetIn(last)) expect(verdict.outcome).toBe('let-in');
          }
          for (const each of rows) expect(FAULTS).toContain(attemptVerdict(each).fault);
        },
      ),
    );
  });

  it.each([
    ['a local sign-up', [row(61, {}), row(60, TOKEN)], ['skipped', 'reached', 'reached']],
    ['a refusal after the provider', [row(60, { ...FIRST, ...BLOCK })], ['reached', 'not-reached', 'not-reached']],
    [
      'a sign-in of a custom policy',
      [row(61, { ...CUSTOM, step: 'SignInStarted' }), row(60, { ...CUSTOM, ...BLOCK, step: 'GetProfile' })],
      ['reached', 'reached', 'not-reached'],
    ],
    ['a single sign-on', [row(60, { ...CUSTOM, step: 'SignInCompleted' })], ['skipped', 'reached']],
    ['an exchange alone', [row(60, { ...CUSTOM, step: 'GetProfile' })], ['reached']],
  ])('of %s says which steps were reached', (_, rows, statuses) => {
    expect(verdictOf(rows).steps.map(({ status }) => status)).toEqual(statuses);
  });
});

describe('built-in advice', () => {
  it('has each text in every language of the built-in messages, each of its own and without placeholders', () => {
    expect(new Set(ADVICE_LANGUAGES)).toEqual(new Set(BUILT_IN_TEXTS.blocked.keys()));
    for (const [key, texts] of Object.entries(ADVICE_TEXTS)) {
      expect([...texts.keys()], key).toEqual([...ADVICE_LANGUAGES]);
      expect(new Set(texts.values()).size, key).toBe(ADVICE_LANGUAGES.length);
      for (const text of texts.values()) expect(text, key).toMatch(/^[^{}]{30,400}\.$/);
    }
  });
});
