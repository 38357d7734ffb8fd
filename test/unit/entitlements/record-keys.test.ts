/** Keys of records in Workers KV: none contains what a person is called. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { placesOf } from '../../../src/entitlements/record-keys.ts';
import { emailKey, idpKey, oidKey } from '../../../src/sign-in/event.ts';
import { normalEmailKey } from '../../../src/sign-in/search-keys.ts';

const KEYS = ['the newest key of these tests', 'an older key of these tests'];
/** Without the last place, which is that of an earlier version. */
const digests = async (personKey: string) => (await placesOf(KEYS, personKey)).slice(0, -1);

const address = fc
  .tuple(
    fc.string({ unit: 'binary', minLength: 4, maxLength: 300 }),
    fc.constantFrom('@', '\uff20', '\ufe6b'),
    fc.domain(),
  )
  .map(([name, at, domain]) => `${name}${at}${domain}`.toWellFormed());

/** What may be seen of an address: it, its parts and their percent-encodings, in any case. */
const seenOf = (text: string) =>
  [text, ...text.split(/[@\uff20\ufe6b]/).filter((part) => part.length > 8)]
    .flatMap((part) => [part, encodeURIComponent(part), encodeURIComponent(encodeURIComponent(part))])
    .map((part) => part.toLowerCase());

it('no key in KV contains an address or its percent-encoding, wherever in a person key it is', async () => {
  await fc.assert(
    fc.asyncProperty(address, fc.webUrl(), async (email, other) => {
      const encoded = encodeURIComponent(email);
      const personKeys = [
        emailKey(email),
        normalEmailKey(email),
        oidKey(email),
        idpKey('contoso.onmicrosoft.com', email),
        idpKey('contoso.onmicrosoft.com', encoded),
        idpKey('contoso.onmicrosoft.com', `live.com#${email}`),
        idpKey(email, '1'),
        idpKey(other, email),
      ];
      for (const key of await Promise.all(personKeys)) {
        const places = await digests(key);
        expect([key, places.length]).toEqual([key, KEYS.length]);
        for (const place of places) {
          expect(place).toMatch(/^person:(?:email|oid|idp|sha256):[0-9a-f]{8}\.[0-9a-f]{64}$/);
          expect(seenOf(email).filter((part) => place.includes(part))).toEqual([]);
        }
      }
    }),
  );
});

it('the sign-in name of a local account, or a telephone number with its country, is no key in KV, and neither is a digest that anyone can compute', async () => {
  for (const key of [
    await idpKey('contoso.onmicrosoft.com', '+49 30 123456'),
    await idpKey('contoso.onmicrosoft.com', ' +4930123456'),
    await idpKey('Contoso.onmicrosoft.com', 'user-123456'),
    await idpKey('contoso.partner.onmschina.cn', '004930123456'),
    await idpKey('login.example', 'tel:+4930123456'),
    await emailKey(`${'x'.repeat(500)}@example.com`),
  ]) {
    expect((await digests(key)).join()).not.toMatch(/4930|123456/);
    expect(await digests(key)).toHaveLength(KEYS.length);
  }
});

it('a key that does not name its person costs no digest, and stays what it was', () => {
  for (const key of [
    'oid:0f8fad5b-d9cb-469f-a165-70867728950e',
    'idp:google.com:1084512345678',
    'idp:https%3A%2F%2Fa:b%2Fc',
  ])
    expect(placesOf(KEYS, key)).toEqual([`person:${key}`]);
});

it('spellings of one person key have one place, and different keys or secrets different ones', async () => {
  await fc.assert(
    fc.asyncProperty(fc.emailAddress(), fc.emailAddress(), async (one, other) => {
      const [place, older] = await digests(await emailKey(one));
      for (const spelling of [one.toUpperCase(), ` ${one}\t`, one.normalize('NFD')]) {
        if (spelling.trim().toLowerCase().normalize('NFC') !== one.toLowerCase().normalize('NFC')) continue;
        expect((await digests(await emailKey(spelling)))[0]).toBe(place);
      }
      expect(older).not.toBe(place);
      const isSame = (await emailKey(one)) === (await emailKey(other));
      expect((await digests(await emailKey(other)))[0] === place).toBe(isSame);
    }),
  );
});

it('without an EMAIL_KEY a record is where an earlier version has it, and with one it is looked for there too', async () => {
  expect(await placesOf([], 'email:jane@example.com')).toEqual(['person:email:jane@example.com']);
  expect((await placesOf(KEYS, 'email:jane@example.com')).at(-1)).toBe('person:email:jane@example.com');
});
