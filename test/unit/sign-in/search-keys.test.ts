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
      expect(names).toEqual(isTyped ? [await nameKey(text)] : []);
      if (isTyped) expect(keysToSearch(await nameKey(text))).toContain(await normalEmailKey(text));
    }),
  );
});
