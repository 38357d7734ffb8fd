/** Rules see all identities of a call, and a rule that reads only the first one gets a warning. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { refusing, triesOf } from '../../support/try-policy.ts';

const LOCAL = { signInType: 'emailAddress', issuer: 't.onmicrosoft.com', issuerAssignedId: 'a@example.com' };
const EVIL = { signInType: 'federated', issuer: 'evil.example', issuerAssignedId: '1' };

const statusOf = async (when: string, identities: unknown) =>
  (await (await triesOf({ rules: [refusing(when)] }))({ identities })).reply.status;
const problemsOf = (when: string) => {
  const check = checkPolicy({ rules: [refusing(when)] }, '');
  return check.ok ? [] : check.problems.map(({ message }) => message);
};

describe('identities', () => {
  it('has every identity of the call, in any order', async () => {
    const tried = await triesOf({ rules: [refusing("identities.exists(i, i.issuer == 'evil.example')")] });
    const others = fc.array(fc.constantFrom(LOCAL, { ...EVIL, issuer: 'google.com' }), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(others, fc.boolean(), fc.nat(9), async (list, isEvil, at) => {
        const identities = isEvil ? list.toSpliced(at, 0, EVIL) : list;
        expect((await tried({ identities })).reply.status).toBe(isEvil ? 400 : 200);
      }),
    );
  });

  it.each([
    ["identities.all(i, i.signInType == 'federated')", [EVIL], 400],
    ["identities.all(i, i.signInType == 'federated')", [EVIL, LOCAL], 200],
    ["identities.filter(i, i['signInType'] == 'federated').exists(i, i.id == '1')", [LOCAL, EVIL], 400],
    ["'evil.example' in identities.map(i, i.issuer)", [LOCAL, EVIL], 400],
    ['identities.exists_one(i, i.id.startsWith("a@"))', [LOCAL, EVIL], 400],
    ['size(identities) > 1', [LOCAL, EVIL], 400],
    ['identities.size() == 0', undefined, 400],
    ["size(identities) > 0 && identities[0].issuer == 't.onmicrosoft.com'", [LOCAL], 400],
    ["identities.exists(i, i.issuer == 'evil.example')", [], 200],
  ])('can be read with macros, size and positions: %s', async (when, identities, status) => {
    const onError = when.includes('[0]') ? { onError: 'skip' } : {};
    const tried = await triesOf({ rules: [refusing(when, onError)] });
    expect((await tried({ identities })).reply.status).toBe(status);
  });

  it.each([
    ["identities.exists(i, i.isuer == 'x')", 'issuer'],
    ["identities.issuer == 'x'", 'identities.exists('],
    ["identities == 'x'", 'never equal'],
    ["claims.identities == 'x'", 'identities'],
    ["person.roles.exists(r, r.issuer == 'x')", 'cannot be read'],
  ])('is refused with advice when it is written wrongly: %s', (when, advice) => {
    expect(problemsOf(when).join(' ')).toContain(advice);
  });

  it('keeps the issuer of an identity whose id cannot be read, for rules and for nothing else', async () => {
    for (const issuerAssignedId of [null, '', {}, 1.5, 2 ** 60, undefined, true]) {
      const identities = [{ signInType: 'federated', issuer: 'google.com', issuerAssignedId }];
      const event = await readEvent({ identities }, undefined);
      expect(event).toMatchObject({ identities: [], identitiesAre: 'partial', personKeys: { idp: [] } });
      expect(await statusOf("identities.exists(i, i.issuer == 'google.com' && i.id == '')", identities)).toBe(400);
      expect(await statusOf("identity.issuer == 'google.com'", identities)).toBe(400);
    }
  });

  it('has a whole number as an id in its digits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.maxSafeNat(), async (id) => {
        const event = await readEvent({ identities: [{ issuer: 'google.com', issuerAssignedId: id }] }, undefined);
        expect(event.identities).toEqual([{ signInType: '', issuer: 'google.com', issuerAssignedId: `${id}` }]);
        expect(event.personKeys.idp).toEqual([`idp:google.com:${id}`]);
        expect(event.identitiesAre).toBe('complete');
      }),
    );
  });
});

describe('a rule that reads only the first identity', () => {
  const warningsOf = (rule: object) => {
    const check = checkPolicy({ messages: {}, rules: [rule] }, '');
    return check.ok ? check.policy.warnings.map(({ message }) => message) : undefined;
  };

  it('gets a warning when it refuses people, and none when it reads all of them or sets a claim', () => {
    const first = "identity.issuer == 'evil.example'";
    for (const effect of [{ invalid: true }, { invalid: undefined, block: true }])
      expect(warningsOf({ ...refusing(first), ...effect })).toEqual([expect.stringContaining('identities.exists(')]);
    expect(warningsOf(refusing(`${first} || identities.exists(i, i.issuer == 'evil.example')`))).toEqual([]);
    expect(warningsOf({ id: 'a', steps: ['PostAttributeCollection'], when: first, set: { city: "'x'" } })).toEqual([]);
  });
});
