/** The normal form finds people. It gives no roles. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { locate, lookUpIn, personAsked } from '../../../src/entitlements/look-up.ts';
import { placesOf } from '../../../src/entitlements/record-keys.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { normalEmailKey, normalOidKey, searchKeysOf } from '../../../src/sign-in/search-keys.ts';

const RECORD = JSON.stringify({
  v: 1,
  roles: ['boss'],
  groups: [],
  attributes: {},
  applications: {},
  updatedAt: '2026-11-21T00:00:00.000Z',
  updatedBy: 'a',
});
const rolesOf = async (body: Record<string, unknown>, key: string) => {
  const event = await readEvent(body, 'PreTokenIssuance');
  const values = new Map((await placesOf(EMAIL_KEYS, key)).map((place) => [place, RECORD]));
  const asked = personAsked(event, { EMAIL_TRUSTED_ISSUERS: ['google.com'], EMAIL_COLLECTED_ON_PAGE: '' });
  return lookUpIn(values, await locate(asked, EMAIL_KEYS), 0).found.record?.roles;
};
const EMAIL_KEYS = ['the newest key of these tests', 'an older key of these tests'];
const identities = [{ signInType: 'federated', issuer: 'google.com', issuerAssignedId: '1' }];

const SIGNS = ['\u200b', '\u202e', '\ufeff', '\u00a0', '\u3000', '\u00ad', '\ufe0f', '\u{e0061}', '\u0001', '\u2028'];
const CHANGES: ((text: string, at: number) => string)[] = [
  ...SIGNS.map((sign) => (text: string, at: number) => `${text.slice(0, at)}${sign}${text.slice(at)}`),
  (text) => text.replace(/[!-~]/, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
  (text) => text.replace(/k/i, '\u212a'),
  (text) => text.replace(/'/, '\u2019'),
  (text) => text.replace(/-/, '\u2013'),
];

it('an address that equals another only in its normal form is found by it and gains none of its roles', async () => {
  const name = fc.stringMatching(/^[a-jl-z0-9'-]{1,10}$/);
  await fc.assert(
    fc.asyncProperty(name, fc.constantFrom(...CHANGES), fc.nat({ max: 30 }), async (start, change, at) => {
      const boss = `${start}k-o'neil@corp.example`;
      const key = await normalEmailKey(boss);
      expect(await rolesOf({ email: boss.toUpperCase(), identities }, key)).toEqual(['boss']);
      const email = change(boss, at);
      fc.pre(email !== boss);
      expect([email, await rolesOf({ email, identities }, key)]).toEqual([email, undefined]);
      const event = await readEvent({ email, identities }, 'PreTokenIssuance');
      // A Kelvin sign is a k to NFC as well. A space inside stays one.
      if (!/\S[\u00a0\u3000]\S/.test(email)) expect((await searchKeysOf(event)).email).toBe(key);
    }),
    { numRuns: 1_000 },
  );
});

it('an objectId that equals another only in its normal form is found by it and gains none of its roles', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uuid(), async (guid) => {
      const key = await normalOidKey(guid);
      expect(await rolesOf({ objectId: guid.toUpperCase() }, key)).toEqual(['boss']);
      for (const objectId of [`{${guid}}`, guid.replaceAll('-', ''), `\u200b${guid}`, `urn:uuid:${guid}`]) {
        expect([objectId, await rolesOf({ objectId }, key)]).toEqual([objectId, undefined]);
        expect((await searchKeysOf(await readEvent({ objectId }, undefined))).oid).toBe(key);
      }
    }),
  );
});

it('no sign-in name, and no address in emails or otherMails, gives roles', async () => {
  const boss = 'boss@corp.example';
  const keys = ['oid:boss', `email:${boss}`, `name:${boss}`];
  const local = { signInType: 'emailAddress', issuer: 'contoso.onmicrosoft.com', issuerAssignedId: boss };
  for (const body of [{ identities: [...identities, local] }, { identities, emails: [boss], otherMails: [boss] }]) {
    for (const key of keys) expect(await rolesOf(body, key)).toBeUndefined();
    expect((await searchKeysOf(await readEvent(body, undefined))).names).toContain(`name:${boss}`);
  }
});
