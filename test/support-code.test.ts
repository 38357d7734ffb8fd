/** The code that a person reads out, and the fingerprint by which a second try is told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallIdentity, fingerprintOf, readSupportCode, supportCodeOf } from '../src/attempts/support-code.ts';

const WINDOW_MS = 600_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const aCall = (changed: Partial<CallIdentity> = {}): CallIdentity => ({
  step: 'PostAttributeCollection',
  clientId: 'app',
  personKey: 'email:a@example.com',
  body: bytes('{}'),
  ...changed,
});
const someCall = fc.record({ step: fc.string(), clientId: fc.string(), personKey: fc.string(), body: fc.uint8Array() });

describe('the support code', () => {
  it('is ten characters of Crockford base32 in two halves, and reads back as itself', async () => {
    await fc.assert(
      fc.asyncProperty(someCall, fc.nat(), async (call, now) => {
        const code = await supportCodeOf('secret', call, now);
        expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
        expect(readSupportCode(code)).toBe(code);
      }),
    );
  });

  it('is the same for the second try in the same ten minutes, and another one after them', async () => {
    const code = await supportCodeOf('secret', aCall(), 0);
    expect(await supportCodeOf('secret', aCall(), WINDOW_MS - 1)).toBe(code);
    expect(await supportCodeOf('secret', aCall(), WINDOW_MS)).not.toBe(code);
  });

  it('differs by step, application, person, body and secret', async () => {
    const code = await supportCodeOf('secret', aCall(), 0);
    const others: Partial<CallIdentity>[] = [
      { step: 'x' },
      { clientId: 'x' },
      { personKey: 'x' },
      { body: bytes('x') },
    ];
    for (const changed of others) expect(await supportCodeOf('secret', aCall(changed), 0)).not.toBe(code);
    expect(await supportCodeOf('other', aCall(), 0)).not.toBe(code);
    // Moving a character from one part to the next is another call.
    expect(await supportCodeOf('s', aCall({ step: 'ab', clientId: 'c' }), 0)).not.toBe(
      await supportCodeOf('s', aCall({ step: 'a', clientId: 'bc' }), 0),
    );
  });

  it('exists without a configured secret, and does not tell it', async () => {
    expect(await supportCodeOf('', aCall(), 0)).toBe(await supportCodeOf('', aCall(), 0));
    expect(await supportCodeOf('', aCall(), 0)).not.toBe(await supportCodeOf('secret', aCall(), 0));
  });

  it('is read as people write it down', () => {
    for (const typed of ['0123A-BCDE1', '0123abcde1', 'o123a bcdei', ' O123A-BCDEL ', '0-1-2-3-A-B-C-D-E-1']) {
      expect(readSupportCode(typed)).toBe('0123A-BCDE1');
    }
    for (const typed of ['', '0123A-BCDE', '0123A-BCDE12', '0123U-BCDE1', "0123A'BCDE1"])
      expect(readSupportCode(typed)).toBeUndefined();
  });
});

describe('the fingerprint', () => {
  it('is equal for equal calls only, and does not change with time', async () => {
    const print = await fingerprintOf('secret', aCall());
    expect(print).toMatch(/^[0-9a-f]{32}$/);
    expect(await fingerprintOf('secret', aCall())).toBe(print);
    expect(await fingerprintOf('secret', aCall({ body: bytes('{ }') }))).not.toBe(print);
  });
});
