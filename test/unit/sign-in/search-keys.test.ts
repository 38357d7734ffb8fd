/** What a row shows can be pasted into a search, for any call. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { keysToSearch, nameKey, normalEmailKey, normalOidKey, searchKeysOf } from '../../../src/sign-in/search-keys.ts';
import { impossibleKey, readPersonKey } from '../../../src/sign-in/typed-key.ts';

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    '\0',
    '\u202e',
    '\u200b',
    '\ud800',
    '\udc00',
    '%',
    ':',
    ' ',
    '@',
    '\u212a',
    '\u0130',
    '\ufb01',
    '+1 ',
    '{',
  ),
  fc.string({ minLength: 100, maxLength: 450 }),
);
const anyText = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => `a${pieces.join('')}`);
const anyCall = fc.record({
  objectId: anyText,
  email: anyText,
  emails: fc.oneof(anyText, fc.array(fc.oneof(anyText, fc.integer()), { maxLength: 30 })),
  otherMails: fc.array(anyText, { maxLength: 30 }),
  identities: fc.array(
    fc.record({
      signInType: fc.constantFrom('federated', 'emailAddress', 'phoneNumber', 'userName', ''),
      issuer: anyText,
      issuerAssignedId: anyText,
    }),
    { maxLength: 12 },
  ),
});

it('the keys of any call fit their columns, are few, and find the call when they are pasted as they are', async () => {
  await fc.assert(
    fc.asyncProperty(anyCall, async (body) => {
      const { oid, idp, email, names } = await searchKeysOf(await readEvent(body, undefined));
      const keys = [oid, email, ...idp, ...names];
      expect(names.length).toBeLessThanOrEqual(30);
      for (const key of keys) {
        expect(new TextEncoder().encode(key).byteLength).toBeLessThanOrEqual(400);
        expect(key.isWellFormed()).toBe(true);
        expect(key).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }
      for (const key of [oid, email, ...idp]) expect(await readPersonKey(key)).toBe(key);
      for (const name of names.filter((key) => !key.startsWith('name:sha256:')))
        expect(keysToSearch(await nameKey(name.slice('name:'.length)))).toContain(name);
      // The value that was sent finds the call as well.
      expect([await normalOidKey(body.objectId), await normalEmailKey(body.email)]).toEqual([oid, email]);
    }),
    { numRuns: 2_000 },
  );
});

it('a text is an address in a typed key exactly if it is one as the id of a federated identity', async () => {
  const address = fc.oneof(
    fc
      .array(fc.constantFrom('a', '@', '.', ' ', 'example.com', '\u200b', 'ü', '＠'), { maxLength: 7 })
      .map((parts) => parts.join('')),
    fc.emailAddress(),
  );
  await fc.assert(
    fc.asyncProperty(address, async (text) => {
      const identities = [{ signInType: 'federated', issuer: 'idp.example', issuerAssignedId: text }];
      const { names } = await searchKeysOf(await readEvent({ identities }, undefined));
      const isTyped = impossibleKey(`email:${text}`) === undefined;
      if (isTyped) expect(names).toContain(await nameKey(text));
      else expect(names).toEqual([]);
      if (isTyped) expect(keysToSearch(await nameKey(text))).toContain(await normalEmailKey(text));
    }),
  );
});

it('an address is found by its domain in letters and as mail servers have it, with and without a dot at its end', async () => {
  const forms = fc.constantFrom(
    'b\u00fccher.example',
    'B\u00dcCHER.example',
    'bu\u0308cher.example',
    'xn--bcher-kva.example',
    'XN--BCHER-KVA.EXAMPLE',
    'b\u00fccher\u3002example',
    'xn--bcher-kva.example.',
  );
  const call = fc.constantFrom(
    (email: string) => ({ email }),
    (email: string) => ({ otherMails: [email] }),
    (email: string) => ({
      identities: [{ signInType: 'emailAddress', issuer: 'contoso.onmicrosoft.com', issuerAssignedId: email }],
    }),
  );
  await fc.assert(
    fc.asyncProperty(forms, forms, call, async (sent, asked, bodyOf) => {
      const { email, names } = await searchKeysOf(await readEvent(bodyOf(`j\u00f6rg@${sent}`), undefined));
      for (const key of [await normalEmailKey(`j\u00f6rg@${asked}`), await nameKey(`J\u00d6RG@${asked}`)])
        expect(keysToSearch(key).some((one) => [email, ...names].includes(one))).toBe(true);
    }),
  );
});

it('the lists of names in a call are read in any letter case', async () => {
  const identities = [{ signInType: 'userName', issuer: 'contoso.onmicrosoft.com', issuerAssignedId: 'max' }];
  await fc.assert(
    fc.asyncProperty(fc.mixedCase(fc.constantFrom('identities', 'emails', 'otherMails')), async (member) => {
      const isIdentities = member.toLowerCase() === 'identities';
      const event = await readEvent({ [member]: isIdentities ? identities : ['max@example.com'] }, undefined);
      const { names } = await searchKeysOf(event);
      expect(names).toEqual([isIdentities ? 'name:max' : 'name:max@example.com']);
      expect(event.identitiesAre).toBe(isIdentities ? 'complete' : 'none');
      expect(event.claims).toEqual({});
    }),
  );
});
