/** Support codes, and the fingerprints that identify retries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, seedOf } from '../../src/attempts/fingerprint.ts';
import { type CallIdentity, readSupportCode, supportCodeOf } from '../../src/attempts/support-code.ts';

const WINDOW_MS = 600_000;
const aCall = (changed: Partial<CallIdentity> = {}): CallIdentity => ({
  step: 'PostAttributeCollection',
  clientId: 'app',
  personKey: 'email:a@example.com',
  body: '{}',
  ...changed,
});
const someCall = fc.record({ step: fc.string(), clientId: fc.string(), personKey: fc.string(), body: fc.string() });

describe('support code', () => {
  it('a code is ten characters of Crockford base32 in two halves, and parses to itself', async () => {
    await fc.assert(
      fc.asyncProperty(someCall, fc.nat(), async (call, now) => {
        const code = await supportCodeOf('secret', call, now);
        expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
        expect(readSupportCode(code)).toBe(code);
      }),
    );
  });

  it('a retry in the same ten minutes gets the same code, and a later one another code', async () => {
    const code = await supportCodeOf('secret', aCall(), 0);
    expect(await supportCodeOf('secret', aCall(), WINDOW_MS - 1)).toBe(code);
    expect(await supportCodeOf('secret', aCall(), WINDOW_MS)).not.toBe(code);
  });

  it('calls with another step, application, person, body or secret get other codes', async () => {
    const code = await supportCodeOf('secret', aCall(), 0);
    const others: Partial<CallIdentity>[] = [{ step: 'x' }, { clientId: 'x' }, { personKey: 'x' }, { body: 'x' }];
    for (const changed of others) expect(await supportCodeOf('secret', aCall(changed), 0)).not.toBe(code);
    expect(await supportCodeOf('other', aCall(), 0)).not.toBe(code);
    // A character that moves from one part to the next changes the code.
    expect(await supportCodeOf('s', aCall({ step: 'ab', clientId: 'c' }), 0)).not.toBe(
      await supportCodeOf('s', aCall({ step: 'a', clientId: 'bc' }), 0),
    );
  });

  it('a call without a configured secret gets a stable code that cannot be guessed', async () => {
    expect(await supportCodeOf('', aCall(), 0)).toBe(await supportCodeOf('', aCall(), 0));
    expect(await supportCodeOf('', aCall(), 0)).not.toBe(await supportCodeOf('secret', aCall(), 0));
  });

  it('a code is read in any case, width and dashes, and with quotes, spaces, full stops and signs that are not seen', () => {
    const code = fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{10}$/);
    const extra = fc.constantFrom(
      ...[
        '-',
        '\u2010',
        '\u2011',
        '\u2012',
        '\u2013',
        '\u2014',
        '\u2212',
        '\ufe63',
        '\uff0d',
        '\u30fc',
        '\uff70',
        '\u00ad',
        '\u200b',
        '\ufeff',
      ],
      ...[' ', '\u00a0', '\u3000', '.', '"', '\u201c', '\u201d', "'", '(', ')', '\u00ab', ',', ':', '#', '\t', ''],
    );
    const wide = (text: string) => text.replace(/./g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));
    const written = fc.constantFrom(
      (text: string) => text,
      (text: string) => text.toLowerCase(),
      wide,
      (text: string) => text.replace(/\d/g, (digit) => String.fromCharCode(0x0660 + Number(digit))),
      (text: string) => text.replace(/\d/g, (digit) => String.fromCharCode(0x0966 + Number(digit))),
    );
    fc.assert(
      fc.property(code, fc.array(extra, { minLength: 11, maxLength: 11 }), written, (plain, around, write) => {
        const typed = [...plain].reduce((text, sign, at) => text + write(sign) + around[at + 1], around[0] ?? '');
        expect(readSupportCode(typed)).toBe(`${plain.slice(0, 5)}-${plain.slice(5)}`);
      }),
    );
  });

  it('readSupportCode accepts any case, hyphens and spaces, and O, I and L for digits', () => {
    for (const typed of ['0123A-BCDE1', '0123abcde1', 'o123a bcdei', ' O123A-BCDEL ', '0-1-2-3-A-B-C-D-E-1']) {
      expect(readSupportCode(typed)).toBe('0123A-BCDE1');
    }
    for (const typed of ['', '0123A-BCDE', '0123A-BCDE12', '0123U-BCDE1'])
      expect(readSupportCode(typed)).toBeUndefined();
  });
});

describe('fingerprint', () => {
  const parts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 });

  it('equal parts give equal 64 bits, and other parts, another order or another seed give others', async () => {
    const seed = await seedOf('secret');
    expect(await seedOf('secret')).toEqual(seed);
    expect(await seedOf('other')).not.toEqual(seed);
    fc.assert(
      fc.property(parts, parts, (one, two) => {
        const fingerprint = fingerprintOf(seed, one);
        expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
        expect(fingerprintOf(seed, [...one])).toBe(fingerprint);
        if (JSON.stringify(one) !== JSON.stringify(two)) expect(fingerprintOf(seed, two)).not.toBe(fingerprint);
        expect(fingerprintOf([seed[0] ^ 1, seed[1]], [...one, 'x'])).not.toBe(fingerprintOf(seed, [...one, 'x']));
      }),
      { numRuns: 2_000 },
    );
    const texts = Array.from({ length: 100_000 }, (_, index) => fingerprintOf(seed, [String(index)]));
    expect(new Set(texts).size).toBe(texts.length);
  });
});
