/** The people that `npm run simulate` plays: seeded, in B2C's order, with bodies as the wire contract documents them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { personOf } from '../../local/simulate/cast.ts';
import { diceFor } from '../../local/simulate/dice.ts';
import { programme } from '../../local/simulate/programme.ts';
import {
  afterReply,
  correctedCall,
  hasAccount,
  ODDITIES,
  type ScriptedCall,
  signIn,
  signUp,
  withOddity,
} from '../../local/simulate/script.ts';
import { readEvent, stepNamed } from '../../src/gate/user-flow/request.ts';

const seeds = fc.integer();
const numbers = fc.nat();
const people = fc.tuple(seeds, numbers).map(([seed, number]) => personOf(seed, number));
const visits = fc
  .tuple(people, seeds, fc.boolean())
  .map(([person, seed, isNew]) => ({ person, calls: (isNew ? signUp : signIn)(person, diceFor('test', seed)) }));

/** Contract 1.3 to 1.6: what may be sent, and as what. Absent, never null or empty. */
const text = z.string().min(1);
const documentedBody = z
  .strictObject({
    step: z.enum(['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance', 'PreTokenApplicationClaims']),
    client_id: z.guid().optional(),
    clientId: z.guid().optional(),
    ui_locales: text.optional(),
    email: z.email().optional(),
    identities: z
      .array(z.strictObject({ signInType: z.literal('federated'), issuer: text, issuerAssignedId: text }))
      .nonempty()
      .optional(),
    objectId: z.guid().optional(),
    ...Object.fromEntries(
      ['displayName', 'givenName', 'surname', 'city', 'postalCode', 'country'].map((name) => [name, text.optional()]),
    ),
  })
  .catchall(z.union([text, z.boolean(), z.number()]))
  .refine((body) =>
    Object.keys(body).every((name) => name in documentedNames || /^extension_[0-9a-f]{32}_\w+$/.test(name)),
  )
  .refine(({ client_id, clientId }) => (client_id === undefined) !== (clientId === undefined), 'one application')
  .refine(({ email, identities }) => email !== undefined || identities !== undefined, 'e-mail or identities');
const documentedNames = Object.fromEntries(
  'step client_id clientId ui_locales email identities objectId displayName givenName surname city postalCode country'
    .split(' ')
    .map((name) => [name, true]),
);

describe('a visit', () => {
  it('goes through the steps in B2C’s order: federation for federated people only, and only the token step for an account', () => {
    fc.assert(
      fc.property(people, seeds, (person, seed) => {
        const dice = diceFor('test', seed);
        const whole = ['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance'].slice(
          person.federated ? 0 : 1,
        );
        const played = signUp(person, dice).map(({ step }) => step);
        expect(played.length).toBeGreaterThan(0);
        expect(played).toEqual(whole.slice(0, hasAccount(person) ? whole.length : played.length));
        expect(played.includes('PreTokenIssuance')).toBe(hasAccount(person));
        expect(signIn(person, dice).map(({ step }) => step)).toEqual(['PreTokenIssuance']);
      }),
    );
  });

  it('sends bodies that the contract documents, and that are read without a rest', async () => {
    await fc.assert(
      fc.asyncProperty(visits, async ({ person, calls }) => {
        for (const call of calls) {
          const body = documentedBody.parse(JSON.parse(call.body));
          expect(stepNamed(body.step)).toBe(call.step);
          expect(['', `/${call.step}`]).toContain(call.path);
          expect('objectId' in body).toBe(call.step === 'PreTokenIssuance');
          const event = await readEvent(body, undefined);
          expect(event).toMatchObject({
            step: call.step,
            clientId: person.application.clientId,
            email: person.email,
            identities: person.identities,
            unexpectedClaims: [],
          });
        }
      }),
    );
  });

  it('with an oddity is odd in its first call alone, and still says which replies B2C would take', () => {
    fc.assert(
      fc.property(visits, seeds, fc.constantFrom(...ODDITIES), ({ calls }, seed, oddity) => {
        const [first, ...rest] = withOddity(calls, oddity, diceFor('test', seed));
        expect(rest).toEqual(calls.slice(1));
        expect(first).not.toEqual(calls[0]);
        expect(first?.step).toBe(oddity === 'unknown-step' ? undefined : calls[0]?.step);
      }),
    );
  });
});

describe('an answer', () => {
  const call: ScriptedCall = {
    pauseMs: 0,
    step: 'PostAttributeCollection',
    path: '',
    body: '{',
    credential: 'own',
    twice: true,
  };

  it('lets the person go on, stops them, or has them correct what they typed, once', () => {
    const corrected = { ...call, corrected: '{}' };
    expect(['Continue', 'ShowBlockPage', 'ValidationError', 'nonsense'].map((it) => afterReply(corrected, it))).toEqual(
      ['next', 'stop', 'again', 'stop'],
    );
    expect(afterReply(call, 'ValidationError')).toBe('stop');
    const again = correctedCall(corrected, diceFor('test'));
    expect(again.body).toBe('{}');
    expect(afterReply(again, 'ValidationError')).toBe('stop');
  });
});

describe('a programme', () => {
  it('is the same for the same seed, another for another, and longer for more people', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), (seed, count) => {
        const parts = [...programme(seed, count)];
        expect([...programme(seed, count)]).toEqual(parts);
        expect([...programme(seed, count + 5)].slice(0, count)).toEqual(parts);
        expect([...programme(seed + 1, count)]).not.toEqual(parts);
      }),
    );
  });

  it('has nobody sign in who never got an account', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const { person, calls } of programme(seed, 20)) {
          if (!hasAccount(person)) expect(calls.map(({ step }) => step)).not.toContain('PreTokenIssuance');
        }
      }),
      { numRuns: 20 },
    );
  });

  it('of the usual length shows every kind of person and every kind of call', () => {
    const parts = [...programme(1, 200)];
    const calls = parts.flatMap((part) => part.calls);
    const issuers = parts.map(({ person }) => person.identities[0]?.issuer ?? (person.federated ? 'unnamed' : 'local'));
    expect(new Set(issuers).size).toBe(5);
    expect(new Set(parts.map(({ person }) => person.application.clientId)).size).toBe(4);
    expect(new Set(parts.map(({ person }) => person.country)).size).toBeGreaterThan(10);
    expect(new Set(parts.map(({ person }) => person.objectId)).size).toBe(200);
    expect(calls.filter(({ twice }) => twice).length).toBeGreaterThan(3);
    expect(calls.filter(({ credential }) => credential === 'wrong').length).toBeGreaterThan(2);
    expect(calls.filter(({ step }) => step === undefined).length).toBeGreaterThan(2);
    const halves = calls.filter(({ body }) => !body.endsWith('}')).map(({ step }) => step);
    expect(new Set(halves)).toEqual(new Set(['PostFederationSignup', 'PostAttributeCollection']));
    expect(parts.some(({ person }) => !hasAccount(person))).toBe(true);
  });
});
