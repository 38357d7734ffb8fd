/** One attribute has one name, however its letters and its application id are written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retainedClaims } from '../../../src/attempts/redaction.ts';
import { knownCall } from '../../../src/cli/policy/replay/replay-known.ts';
import { recordInput } from '../../../src/desk/admin/record-input.ts';
import { UNKNOWN } from '../../../src/expressions/values.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { refusing, triesOf } from '../../support/try-policy.ts';

const HEX = '25883231668a4f0c9d7e1b2a3c4d5e6f';
const HYPHENATED = HEX.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** Every way in which a caller may write `extension_<name>`. */
const spellingOf = (name: string) =>
  fc
    .tuple(
      fc.constantFrom('extension_', 'Extension_', 'EXTENSION_'),
      fc.constantFrom('', `${HEX}_`, `${HEX.toUpperCase()}_`, `${HYPHENATED}_`, `${HYPHENATED.toUpperCase()}_`),
      fc.mixedCase(fc.constant(name)),
    )
    .map((parts) => parts.join(''));

const document = {
  lists: { codes: ['RIGHT'] },
  messages: { wrong: { en: 'Not {extension_Code}.' } },
  rules: [
    refusing('has(claims.extension_Code) && !(claims.extension_Code in lists.codes)', { invalid: 'wrong' }),
    { id: 'echo', steps: ['PostAttributeCollection'], set: { extension_Echo: 'claims.extension_Code' } },
  ],
};

describe('the name of a custom attribute', () => {
  it('is found in any letter case and with any application id by rules, values and messages', async () => {
    const tried = await triesOf(document);
    await fc.assert(
      fc.asyncProperty(spellingOf('Code'), async (name) => {
        const wrong = (await tried({ [name]: 'WRONG' })).reply.body;
        expect(wrong).toMatchObject({ action: 'ValidationError', userMessage: 'Not WRONG.' });
        expect((await tried({ [name]: 'RIGHT' })).reply.body).toMatchObject({ extension_Echo: 'RIGHT' });
      }),
    );
  });

  it('is blanked in any letter case and with any application id when it is the roles claim', async () => {
    const tried = await triesOf({ rules: [] });
    await fc.assert(
      fc.asyncProperty(spellingOf('Roles'), async (name) => {
        expect((await tried({ [name]: 'admin' })).reply.body).toMatchObject({ extension_Roles: '' });
      }),
    );
  });

  it('is kept by KEEP_CLAIMS in any letter case and with any application id', async () => {
    await fc.assert(
      fc.asyncProperty(spellingOf('Plan'), async (name) => {
        const { claims } = await readEvent({ [name]: 'gold' }, undefined);
        expect(retainedClaims(claims, { KEEP_CLAIMS: ['extension_Plan'], NEVER_STORE: [] })).toEqual({
          extension_Plan: 'gold',
        });
      }),
    );
  });

  it('is known to replay in any letter case, when the attempt stores its value and when it stores its name only', () => {
    const texts = { reason: '', rule: '', messageKey: '', supportCode: '', clientId: '', email: '', issuer: '' };
    const attempt = {
      ...texts,
      ...{ issuerAssignedId: '', signInType: '', locale: '', degraded: '', channel: 'user-flow', policyVersion: 1 },
      ...{ id: '0', occurredAt: '2026-11-21T12:00:00Z', step: 'PostAttributeCollection', outcome: 'continue' as const },
      ...{ roles: [], rolesUpdatedAt: null, notes: [], claimNames: ['extension_plan', 'EXTENSION_Code'] },
      keptClaims: { extension_PLAN: 'gold' },
    };
    const step = { channel: 'user-flow' as const, name: 'PostAttributeCollection', inputs: undefined };
    const { claims } = knownCall(attempt, step, ['extension_Plan', 'extension_code', 'x']).inputs;
    expect(claims).toEqual({
      'has(claims.extension_Plan)': true,
      'claims.extension_Plan': 'gold',
      'has(claims.extension_code)': true,
      'claims.extension_code': UNKNOWN,
    });
  });

  it('yields one value: a second spelling of a name is an unexpected claim and the first value counts', async () => {
    const event = await readEvent(
      { extension_Code: 'first', extension_code: 'second', EMAIL: 'a@b.example' },
      undefined,
    );
    expect(event.claims).toEqual({ extension_Code: 'first', email: 'a@b.example' });
    expect(event.unexpectedClaims).toEqual(['extension_code']);
  });
});

describe('the name of an attribute of a record', () => {
  const reads = {
    rules: [
      refusing('has(person.attributes.loyaltyId) && string(person.attributes.loyaltyId) == "no"'),
      { id: 'id', steps: ['PostAttributeCollection'], set: { extension_Id: 'person.attributes.loyaltyId' } },
    ],
  };

  it('is found in any letter case', async () => {
    const tried = await triesOf(reads);
    await fc.assert(
      fc.asyncProperty(fc.mixedCase(fc.constant('loyaltyId')), async (name) => {
        expect((await tried({}, { attributes: { [name]: '7' } })).reply.body).toMatchObject({ extension_Id: '7' });
        expect((await tried({}, { attributes: { [name]: 'no' } })).reply.status).toBe(400);
      }),
    );
    // As it is written, when an earlier version stored both.
    const both = { loyaltyID: '1', loyaltyId: '2' };
    expect((await tried({}, { attributes: both })).reply.body).toMatchObject({ extension_Id: '2' });
  });

  it('is in a record once', () => {
    const record = (...names: string[]) =>
      recordInput.safeParse({ attributes: Object.fromEntries(names.map((name) => [name, 'x'])) }).success;
    expect(record('loyaltyId', 'balance')).toBe(true);
    expect(record('loyaltyId', 'LoyaltyID')).toBe(false);
  });
});

describe('the name of a built-in attribute', () => {
  it('has the spelling of the contract, in whatever letter case it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(fc.mixedCase(fc.constantFrom('email', 'displayName', 'country', 'surname')), async (name) => {
        const { claims, claimNames } = await readEvent({ [name]: 'x' }, undefined);
        const [canonical = ''] = claimNames;
        expect(canonical.toLowerCase()).toBe(name.toLowerCase());
        expect(['email', 'displayName', 'country', 'surname']).toContain(canonical);
        expect(claims[canonical]).toBe('x');
      }),
    );
  });
});
