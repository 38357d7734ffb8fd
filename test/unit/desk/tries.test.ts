/** How the calls of a timeline become tries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPEAT_CAUSES, repeatsOf } from '../../../src/desk/reports/repeated-calls.ts';
import { foldTries, type Try, type TryRow } from '../../../src/desk/reports/tries.ts';
import { TRY_GAP_MS } from '../../../src/desk/reports/whose-calls.ts';
import { MINUTE_MS } from '../../../src/platform/duration.ts';
import { STEPS } from '../../../src/sign-in/steps.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
/** A call `minutes` after noon. */
const call = (minutes: number, given: Partial<TryRow> = {}): TryRow => ({
  id: crypto.randomUUID(),
  occurredAt: new Date(NOON + minutes * MINUTE_MS),
  clientId: 'shop',
  oidKey: '',
  idpKey: '',
  emailKey: '',
  otherKeys: [],
  correlationId: '',
  step: 'PreTokenIssuance',
  fingerprint: '',
  ...given,
});

/** Two people with their own accounts and identities, who may share an address; and calls that lack some keys. */
const calls = fc.uniqueArray(
  fc
    .record({
      id: fc.integer({ min: 0, max: 9_999 }).map((nth) => String(nth).padStart(4, '0')),
      minutes: fc.integer({ min: 0, max: 300 }),
      who: fc.constantFrom('ada', 'grace'),
      clientId: fc.constantFrom('shop', 'forum', ''),
      has: fc.record({ oid: fc.boolean(), idp: fc.boolean(), email: fc.boolean(), name: fc.boolean() }),
      address: fc.constantFrom('office', 'own'),
      correlationId: fc.constantFrom('', 'ada-1', 'grace-1', 'constant'),
      step: fc.constantFrom(...STEPS),
      fingerprint: fc.constantFrom('', 'f1', 'f2'),
    })
    .map(({ id, minutes, who, has, address, correlationId, ...rest }): TryRow & { who: string } => ({
      ...call(minutes, rest),
      id,
      who,
      oidKey: has.oid ? `oid:${who}` : '',
      idpKey: has.idp ? `idp:google.com:${who}` : '',
      emailKey: has.email ? `email:${address === 'own' ? who : address}@example.com` : '',
      otherKeys: has.name ? ['name:office'] : [],
      correlationId: correlationId.startsWith('ada') || correlationId.startsWith('grace') ? `${who}-1` : correlationId,
    })),
  { selector: ({ id }) => id, maxLength: 40 },
);

const idsOf = (tries: readonly Try<TryRow>[]) => tries.map(({ rows }) => rows.map(({ id }) => id));
const one = (values: readonly string[]) => new Set(values.filter((value) => value !== '')).size <= 1;

describe('tries', () => {
  it('have every attempt exactly once, and the calls of a try have each of its attempts exactly once', () => {
    fc.assert(
      fc.property(calls, (rows) => {
        const tries = foldTries(rows);
        expect(idsOf(tries).flat().toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
        for (const { rows: own, calls: folded } of tries)
          expect(folded.flat().toSorted(byId)).toEqual([...own].toSorted(byId));
      }),
    );
  });

  it('are the same whatever the order of the attempts, and an attempt that is given twice counts once', () => {
    const shuffled = calls.chain((rows) =>
      fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })),
    );
    fc.assert(
      fc.property(shuffled, ([rows, others]) => {
        expect(foldTries(others)).toEqual(foldTries(rows));
        expect(foldTries([...rows, ...others])).toEqual(foldTries(rows));
      }),
    );
  });

  it('never span two persons or two applications', () => {
    fc.assert(
      fc.property(calls, (rows) => {
        for (const { rows: own } of foldTries(rows)) {
          expect(one(own.map(({ oidKey }) => oidKey))).toBe(true);
          expect(one(own.map(({ idpKey }) => idpKey))).toBe(true);
          expect(one(own.map(({ clientId }) => clientId))).toBe(true);
        }
      }),
    );
  });

  it('are separated by a pause of more than 30 minutes, and two of one person and application have such a pause', () => {
    fc.assert(
      fc.property(calls, (rows) => {
        const tries = foldTries(rows);
        for (const { rows: own } of tries)
          for (const [index, { occurredAt }] of own.entries())
            expect(occurredAt.getTime() - (own[index - 1] ?? own[0]).occurredAt.getTime()).toBeLessThanOrEqual(
              TRY_GAP_MS,
            );
        const ofOne = Map.groupBy(tries, ({ person, clientId }) => `${person} ${clientId}`);
        for (const [later, earlier] of [...ofOne.values()].flatMap((own) =>
          own.map((a, at) => [a, own[at + 1]] as const),
        ))
          if (earlier !== undefined)
            expect(later.rows[0].occurredAt.getTime()).toBeGreaterThan(
              (earlier.rows.at(-1)?.occurredAt.getTime() ?? 0) + TRY_GAP_MS,
            );
      }),
    );
  });

  it('are ordered newest first', () => {
    fc.assert(
      fc.property(calls, (rows) => {
        const ends = foldTries(rows).map(({ rows: own }) => own.at(-1)?.occurredAt.getTime() ?? 0);
        expect(ends).toEqual(ends.toSorted((a, b) => b - a));
      }),
    );
  });

  it.each<[string, Partial<TryRow>[], number]>([
    [
      'a sign-up at a provider joins the account that it creates',
      [
        { idpKey: 'idp:g:1', emailKey: 'email:a' },
        { oidKey: 'oid:a', idpKey: 'idp:g:1' },
      ],
      1,
    ],
    [
      'a local sign-up joins the account by its address',
      [{ emailKey: 'email:a' }, { oidKey: 'oid:a', emailKey: 'email:a' }],
      1,
    ],
    [
      'an identity does not join the account of another identity with the same address',
      [
        { idpKey: 'idp:g:1', emailKey: 'email:a' },
        { oidKey: 'oid:a', idpKey: 'idp:f:2', emailKey: 'email:a' },
      ],
      2,
    ],
    [
      'an address that two accounts share just then joins neither',
      [{ emailKey: 'email:a' }, { oidKey: 'oid:a', emailKey: 'email:a' }, { oidKey: 'oid:b', emailKey: 'email:a' }],
      3,
    ],
    [
      'a start without a name joins the completion with its correlation id, and takes its application',
      [
        { correlationId: 'c', clientId: '' },
        { correlationId: 'c', oidKey: 'oid:a' },
      ],
      1,
    ],
    [
      'one correlation id for all people joins no one',
      [
        { correlationId: 'c', oidKey: 'oid:a', idpKey: 'idp:g:1' },
        { correlationId: 'c', emailKey: 'email:b', idpKey: 'idp:g:2' },
        { correlationId: 'c', emailKey: 'email:c' },
      ],
      3,
    ],
    ['calls without any key are tries of their own', [{}, {}], 2],
  ])('%s', (_, given, count) => {
    expect(foldTries(given.map((keys, minutes) => call(minutes, keys)))).toHaveLength(count);
  });

  it('a shared address joins the account that uses it within the same half hour', () => {
    const signUp = call(0, { emailKey: 'email:a' });
    const token = call(1, { oidKey: 'oid:b', emailKey: 'email:a' });
    const old = call(-9_000, { oidKey: 'oid:a', emailKey: 'email:a' });
    expect(idsOf(foldTries([signUp, old, token]))).toEqual([[signUp.id, token.id], [old.id]]);
  });

  it('two attempts with one fingerprint are one call, and two without any are two', () => {
    const who = { oidKey: 'oid:a' };
    const [twice] = foldTries([call(0, { ...who, fingerprint: 'f' }), call(0.1, { ...who, fingerprint: 'f' })]);
    expect(twice?.calls.map(({ length }) => length)).toEqual([2]);
    const [two] = foldTries([call(0, who), call(0.1, who)]);
    expect(two?.calls.map(({ length }) => length)).toEqual([1, 1]);
  });
});

describe('a call that came twice', () => {
  type Answer = Parameters<typeof repeatsOf>[0][number][0];
  const answer = (id: string, afterMs: number, given: Partial<Answer> = {}): Answer => ({
    id,
    occurredAt: new Date(NOON + afterMs),
    channel: 'user-flow',
    durationMs: 3,
    outcome: 'continue',
    reply: 'Continue',
    correlationId: '',
    ...given,
  });
  const repeat = (afterMs: number, first: Partial<Answer> = {}, second: Partial<Answer> = {}) =>
    repeatsOf([[answer('1', 0, first), answer('2', afterMs, second)]]).get('2');
  const LATE = { durationMs: 6_200 };
  const CORRECT: Partial<Answer> = { outcome: 'invalid', reply: 'ValidationError' };
  const CUSTOM = { channel: 'custom-policy' };

  it.each<[string, ReturnType<typeof repeat>, string, RegExp]>([
    [
      'after a late answer',
      repeat(5_100, LATE),
      'answer-too-late',
      /^Called twice: .* 5\.1 seconds before\. .*6200 ms/,
    ],
    ['after a late refusal', repeat(5_100, { ...CORRECT, ...LATE }), 'answer-too-late', /too late/],
    [
      'after an answer in time',
      repeat(4_700),
      'answer-in-time',
      /lost or delayed on its way, or the person began again\.$/,
    ],
    [
      'with the same sign-in',
      repeat(5_100, { correlationId: 'a' }, { correlationId: 'a' }),
      'answer-in-time',
      /^Called/,
    ],
    [
      'too early for Microsoft',
      repeat(3_000),
      'begun-again',
      /^The same .* waits 5 seconds before it repeats a call, so/,
    ],
    ['too early in a custom policy', repeat(8_000, CUSTOM, CUSTOM), 'begun-again', /waits 10 seconds/],
    [
      'after it was asked to correct',
      repeat(7_000, CORRECT),
      'begun-again',
      /ready in time and stopped the person, so/,
    ],
    ['after a block page', repeat(20_000, { outcome: 'block', reply: 'ShowBlockPage' }), 'begun-again', /stopped/],
    ['in another sign-in', repeat(6_000, { correlationId: 'a' }, { correlationId: 'b' }), 'begun-again', /different/],
    ['after over a minute', repeat(60_001, LATE), 'begun-again', /within a minute, so the person probably/],
  ])('%s has its cause, and a sentence about it', (_, found, cause, sentence) => {
    expect(found).toMatchObject({ of: '1', cause, sentence: expect.stringMatching(sentence) });
  });

  it('was repeated by Microsoft only if it came between its timeout and a minute later', () => {
    const answers = fc.record({
      channel: fc.constantFrom('user-flow', 'custom-policy'),
      durationMs: fc.integer({ min: 0, max: 12_000 }),
      reply: fc.constantFrom('Continue', 'ValidationError', 'ShowBlockPage', 'Claims', 'Refusal'),
      outcome: fc.constantFrom('continue', 'invalid', 'block', 'error'),
      correlationId: fc.constantFrom('', 'a', 'b'),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 90_000 }), answers, answers, (afterMs, first, second) => {
        const { cause = '' } = repeat(afterMs, first, second) ?? {};
        expect(REPEAT_CAUSES).toContain(cause);
        if (cause === 'begun-again') return;
        expect(afterMs).toBeGreaterThanOrEqual(first.channel === 'custom-policy' ? 9_000 : 4_000);
        expect(afterMs).toBeLessThanOrEqual(60_000);
        expect(one([first.correlationId, second.correlationId])).toBe(true);
      }),
    );
  });
});

const byId = (a: TryRow, b: TryRow) => (a.id < b.id ? -1 : 1);
