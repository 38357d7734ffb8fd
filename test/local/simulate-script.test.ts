/** The calls of `npm run simulate`: reproducible, in B2C's order, with bodies as in the wire contract. */
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { diceFor } from '../../src/local/simulate/dice.ts';
import { answerTo } from '../../src/local/simulate/past/gatehouse.ts';
import { hasAccount, personOf, VISIT_STEPS } from '../../src/local/simulate/people.ts';
import { programme } from '../../src/local/simulate/programme.ts';
import {
  nextVisit,
  ODDITIES,
  PLAYED_SIGN_INS,
  signIn,
  signInByPolicy,
  signUp,
  withOddity,
} from '../../src/local/simulate/script.ts';
import { readConfig } from '../../src/platform/config.ts';

const FIRST = { isolate: null, sequence: 0 };
const config = readConfig({ LOCAL: 'yes', SUPPORT_CODE_KEY: 'a key for tests, long enough to count' });
const seeds = fc.integer();
const people = fc.tuple(seeds, fc.nat()).map(([seed, number]) => personOf(seed, number));
const visits = fc
  .tuple(people, seeds, fc.boolean())
  .map(([person, seed, isNew]) => ({ person, calls: (isNew ? signUp : signIn)(person, diceFor('test', seed)) }));

describe('a simulated visit', () => {
  it('has the steps in B2C’s order: federation for federated people only, only the token step for an existing account', () => {
    fc.assert(
      fc.property(people, seeds, (person, seed) => {
        const dice = diceFor('test', seed);
        const whole = VISIT_STEPS.slice(person.federated ? 0 : 1);
        const played = signUp(person, dice).map(({ step }) => step);
        expect(played.length).toBeGreaterThan(0);
        expect(played).toEqual(whole.slice(0, hasAccount(person) ? whole.length : played.length));
        expect(played.includes('PreTokenIssuance')).toBe(hasAccount(person));
        expect(signIn(person, dice).map(({ step }) => step)).toEqual(['PreTokenIssuance']);
      }),
    );
  });

  it('sends bodies that Gatehouse understands completely, without null or empty values', async () => {
    await fc.assert(
      fc.asyncProperty(visits, async ({ person, calls }) => {
        for (const { path, body, step } of calls) {
          for (const value of Object.values(JSON.parse(body))) expect([null, '', undefined]).not.toContain(value);
          const { attempt } = await answerTo({ path, body, atMs: Date.now(), held: async () => null }, config);
          expect(await attempt(uuidv7(), FIRST, 1)).toMatchObject({
            step,
            clientId: person.application.clientId,
            objectId: step === 'PreTokenIssuance' ? person.objectId : '',
            email: person.profile.email,
            issuer: person.identities[0]?.issuer ?? '',
            unexpectedClaims: [],
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('through a custom policy calls exchanges that Gatehouse understands, joined by one correlation id', async () => {
    const STARTED = 'SignInStarted';
    const steps = {
      completed: [STARTED, 'SignInCompleted'],
      repeated: [STARTED, STARTED, 'SignInCompleted'],
      abandoned: [STARTED],
      'without-start': ['SignInCompleted'],
    };
    await fc.assert(
      fc.asyncProperty(people, seeds, async (person, seed) => {
        const calls = signInByPolicy(person, diceFor('test', seed));
        const { is = 'completed', correlationId } = calls[0]?.signIn ?? {};
        expect(calls.map(({ step }) => step)).toEqual(steps[is]);
        for (const { path, body, step } of calls) {
          const { reply, attempt } = await answerTo({ path, body, atMs: Date.now(), held: async () => null }, config);
          expect(reply).toMatchObject({ status: 200, body: '' });
          expect(await attempt(uuidv7(), FIRST, 1)).toMatchObject({
            channel: 'custom-policy',
            step,
            correlationId,
            clientId: person.application.clientId,
            policyId: 'B2C_1A_SignUpOrSignIn',
            objectId: step === STARTED ? '' : person.objectId,
            notes: [],
          });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('with an oddity differs only in its first call, and has the same step unless the step is unknown', () => {
    fc.assert(
      fc.property(visits, seeds, fc.constantFrom(...ODDITIES), ({ calls }, seed, oddity) => {
        const [first, ...rest] = withOddity(calls, oddity, diceFor('test', seed));
        expect(rest).toEqual(calls.slice(1));
        expect(first).not.toEqual(calls[0]);
        expect(first?.step).toBe(oddity === 'unknown-step' ? undefined : calls[0]?.step);
      }),
    );
  });

  it('continues after Continue, repeats a corrected call once after ValidationError, and ends at any other action', () => {
    const dice = diceFor('test');
    const call = {
      pauseMs: 0,
      step: VISIT_STEPS[1],
      path: '/user-flow',
      body: '{',
      credential: 'own',
      twice: true,
    } as const;
    const next = { ...call, step: VISIT_STEPS[2] };
    const following = (action: string, first = { ...call, corrected: '{}' }) => nextVisit([first, next], action, dice);
    expect([following('Continue'), following('ShowBlockPage'), following('nonsense')]).toEqual([[next], [], []]);
    expect(nextVisit([call, next], 'ValidationError', dice)).toEqual([]);
    const corrected = following('ValidationError');
    expect(corrected).toEqual([{ ...call, body: '{}', twice: false, pauseMs: expect.any(Number) }, next]);
    expect(nextVisit(corrected, 'ValidationError', dice)).toEqual([]);
  });
});

describe('a simulation programme', () => {
  it('is the same for the same seed, differs for another seed, and grows with the number of people', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), (seed, count) => {
        const parts = [...programme(seed, count)];
        expect([...programme(seed, count)]).toEqual(parts);
        expect([...programme(seed, count + 5)].slice(0, count)).toEqual(parts);
        expect([...programme(seed + 1, count)]).not.toEqual(parts);
        for (const { person, calls } of parts)
          if (!hasAccount(person)) expect(calls.map(({ step }) => step)).not.toContain('PreTokenIssuance');
      }),
    );
  });

  it('of the default length has every kind of person and every kind of call', () => {
    const parts = [...programme(1, 200)];
    const calls = parts.flatMap((part) => part.calls);
    const kinds = (of: (part: (typeof parts)[number]) => unknown) => new Set(parts.map(of)).size;
    expect(kinds(({ person }) => person.identities[0]?.issuer ?? person.federated)).toBe(5);
    expect(kinds(({ person }) => person.application)).toBe(5);
    expect(kinds(({ person }) => person.attributes.country)).toBe(8);
    expect(kinds(({ person }) => person.objectId)).toBe(200);
    expect(kinds(({ person }) => hasAccount(person))).toBe(2);
    expect(calls.filter(({ twice }) => twice).length).toBeGreaterThan(3);
    expect(calls.filter(({ credential }) => credential === 'wrong').length).toBeGreaterThan(2);
    expect(calls.filter(({ step }) => step === undefined).length).toBeGreaterThan(2);
    for (const is of PLAYED_SIGN_INS)
      expect([is, calls.some(({ signIn: played }) => played?.is === is)]).toEqual([is, true]);
    const halves = calls.filter(({ body }) => !body.endsWith('}')).map(({ step }) => step);
    expect(new Set(halves)).toEqual(new Set(['PostFederationSignup', 'PostAttributeCollection']));
  });
});
