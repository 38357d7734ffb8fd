/** The normal form of what people are called, and how people type it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emailKey, isDisguised } from '../../../src/sign-in/event.ts';
import { guidOf, normalText, telephoneOf } from '../../../src/sign-in/normal-form.ts';
import { keysToSearch, nameKey, normalEmailKey, normalIdpKey, normalOidKey } from '../../../src/sign-in/search-keys.ts';
import { impossibleKey, nearGuid, readPersonKey } from '../../../src/sign-in/typed-key.ts';

/** Characters that come with a paste and are not seen. */
const UNSEEN_SIGNS = [
  ...['\u00ad', '\u034f', '\u061c', '\u180e', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\u2064'],
  ...['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069', '\ufe00', '\ufe0f'],
  ...['\ufeff', '\u{e0001}', '\u{e0061}', '\u{e007f}', '\u{e0100}', '\u115f', '\u3164'],
];
const unseen = fc.constantFrom(...UNSEEN_SIGNS);
/** A text with characters that are not seen before, after and between its own. */
const sprinkled = (text: string) =>
  fc
    .tuple(fc.array(unseen, { maxLength: 2 }), fc.array(fc.array(unseen, { maxLength: 2 }), { maxLength: text.length }))
    .map(([before, after]) => before.join('') + [...text].map((one, at) => one + (after[at] ?? []).join('')).join(''));
const address = fc
  .tuple(fc.stringMatching(/^[a-z0-9.+'-]{1,12}$/), fc.stringMatching(/^[a-z0-9-]{1,12}$/))
  .map(([name, domain]) => `${name}@${domain}.example`);
const wide = (text: string) => text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));

describe('the normal form', () => {
  it('of a normal form is itself, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        expect(normalText(normalText(text))).toBe(normalText(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it('of an address is the same for any case, width, composition, outer space and characters that are not seen', async () => {
    const variant = address.chain((plain) =>
      fc.tuple(
        fc.constant(plain),
        fc.oneof(
          sprinkled(plain),
          fc.constant(plain.toUpperCase()),
          fc.constant(` ${plain}\u00a0`),
          fc.constant(wide(plain)),
          fc.constant(plain.replaceAll("'", '\u2019').replaceAll('-', '\u2013')),
          fc.constant(plain.replaceAll("'", '\u00b4')),
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(variant, async ([plain, typed]) => {
        expect(await normalEmailKey(typed)).toBe(`email:${plain}`);
        expect(await readPersonKey(`email:${typed}`)).toBe(`email:${plain}`);
        expect(await nameKey(typed)).toBe(`name:${plain}`);
      }),
      { numRuns: 2_000 },
    );
    expect(normalText('Jose\u0301@example.com')).toBe(normalText('JOS\u00c9@example.com'));
  });

  it('keeps two addresses apart that differ in more than that', () => {
    fc.assert(
      fc.property(address, address, (one, other) => {
        expect(normalText(one) === normalText(other)).toBe(one === other);
      }),
    );
    expect(normalText('jurgen@example.com')).not.toBe(normalText('j\u00fcrgen@example.com'));
    expect(normalText('p\u0430ul@example.com')).not.toBe(normalText('paul@example.com'));
  });

  it('of a GUID is the lower-case form with hyphens, however tools and people write it', async () => {
    const form = fc
      .uuid()
      .chain((guid) =>
        fc.tuple(
          fc.constant(guid),
          fc.oneof(
            ...[
              guid.toUpperCase(),
              guid.replaceAll('-', ''),
              `{${guid}}`,
              `{${guid.toUpperCase()}}`,
              `(${guid})`,
              `"${guid}"`,
              `'${guid}'`,
              `\u201c${guid}\u201d`,
              `<${guid}>`,
              `[${guid}]`,
              `urn:uuid:${guid}`,
              `URN:UUID:${guid.toUpperCase()}`,
              guid.replaceAll('-', '\u2013'),
              guid.replaceAll('-', '\u2011'),
              guid.replaceAll('-', '\u2212'),
              guid.replaceAll('-', ' '),
              guid.replaceAll('-', '\u30fc'),
              wide(guid),
            ].map((text) => fc.constant(text)),
            sprinkled(guid),
          ),
        ),
      );
    await fc.assert(
      fc.asyncProperty(form, async ([guid, typed]) => {
        expect(guidOf(typed)).toBe(guid);
        expect(await normalOidKey(typed)).toBe(`oid:${guid}`);
        expect(await readPersonKey(`oid:${typed}`)).toBe(`oid:${guid}`);
        expect(impossibleKey(`oid:${typed}`)).toBeUndefined();
      }),
    );
  });

  it('of the key of an identity keeps the case of both parts, and ignores characters that are not seen', async () => {
    expect(await normalIdpKey('google.com', '\u200bAbC')).toBe('idp:google.com:AbC');
    expect(await readPersonKey('idp:goo%E2%80%8Bgle.com:A%C2%ADbC')).toBe('idp:google.com:AbC');
  });
});

describe('a disguised address', () => {
  it('is one whose key is that of another address, unless only ASCII case, ASCII spaces or combining marks differ', async () => {
    const sign = fc.oneof(
      fc.constantFrom('\u212a', '\u212b', '\u2126', '\u037e', '\u00a0', '\u3000', ...UNSEEN_SIGNS, '\uff41', '\u2019'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    await fc.assert(
      fc.asyncProperty(address, sign, fc.nat({ max: 30 }), async (plain, extra, at) => {
        const other = `${plain.slice(0, at)}${extra}${plain.slice(at)}`;
        const claimed = await emailKey(other);
        const isPlain = /^[\t-\r -~]*$/.test(other);
        // An address of ASCII only, with an ASCII key: the key says what the address says.
        if (/^[ -~]*$/.test(claimed)) expect([other, isDisguised(other)]).toEqual([other, !isPlain]);
      }),
      { numRuns: 5_000 },
    );
    for (const honest of [
      'j\u00fcrgen@example.com',
      'JOSE\u0301@example.com',
      ' Anna@Example.com\n',
      '\u7530@example.jp',
    ])
      expect(isDisguised(honest)).toBe(false);
    for (const trick of ['\ufeffboss@example.com', 'boss@example.com\u00a0', '\u00fcb\u212a@example.com'])
      expect(isDisguised(trick)).toBe(true);
  });
});

describe('a telephone number', () => {
  it('is its digits with +, for any separators', () => {
    for (const typed of [
      '+14255550123',
      '+1 (425) 555-0123',
      '001 425 555 0123',
      'tel:+1-425-555-0123',
      '+1.425.555.0123',
      '(+1) 425 555 0123',
      '[+1] 425 555 0123',
      '(001) 425 5550123',
      '+1\u00b7425\u00b7555\u00b70123',
      '+1 425\u30fc555\u30fc0123',
      '+1\uff70425\uff705550123',
      '+\u0661 \u0664\u0662\u0665 \u0665\u0665\u0665 \u0660\u0661\u0662\u0663',
      '+\u0967\u096a\u0968\u096b5550123',
    ])
      expect(telephoneOf(typed)).toBe('+14255550123');
    expect(telephoneOf('\uff0b\uff11 425\u2013555\u20110123')).toBe('+14255550123');
    expect(telephoneOf('+44 (0)20 7946 0958')).toBe('+442079460958');
    expect(telephoneOf('14255550123')).toBe('14255550123');
    for (const typed of ['max.power', '(+1 425', '+1'.repeat(60), '12345', '+1425555012x', '1'.repeat(16), ''])
      expect(telephoneOf(typed)).toBeUndefined();
  });

  it('is searched with and without its +', () => {
    expect(keysToSearch('name:14255550123')).toEqual(['name:14255550123', 'name:+14255550123']);
    expect(keysToSearch('name:+14255550123')).toEqual(['name:+14255550123']);
  });
});

describe('a key that no call can have', () => {
  it('is any oid: that is no GUID, with how it misses one', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat({ max: 35 }), (guid, at) => {
        fc.pre(guid[at] !== '-');
        expect(impossibleKey(`oid:${guid.slice(0, at)}${guid.slice(at + 1)}`)).toMatch(
          /has 31 .*one character is missing/,
        );
        expect(impossibleKey(`oid:${guid.slice(0, at)}0${guid.slice(at)}`)).toMatch(
          /has 33 .*one character is too many/,
        );
        expect(nearGuid(guid)).toBeUndefined();
      }),
    );
    for (const id of ['jane@example.com', '1', 'jane', 'null', 'undefined'])
      expect(impossibleKey(`oid:${id}`)).toMatch(/GUID/);
  });

  it('is any email: without one @, a name and a domain', () => {
    fc.assert(
      fc.property(address, (plain) => {
        expect(impossibleKey(`email:${plain}`)).toBeUndefined();
      }),
    );
    for (const typed of ['jane', 'jane@', '@example.com', 'a@b@c.example', 'jane@example..com', 'jane@.example'])
      expect(impossibleKey(`email:${typed}`)).toMatch(/one @/);
  });
});
