/** Why a body cannot be used: compressed, in another encoding, or no JSON. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/gate/body.ts';

const sent = (body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string> = {}) =>
  readBody(new Request('https://gatehouse.example/', { method: 'POST', body, headers }));
const reasonOf = async (body: Uint8Array | string, headers?: Record<string, string>) => {
  const read = await sent(typeof body === 'string' ? body : new Uint8Array(body), headers);
  return read.ok ? 'used' : read.reason;
};

const anyObject = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ depthSize: 'small' }));
const anyJson = anyObject.map((value) => JSON.stringify(value));
const contentType = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain');

/** The text in units of a number of bytes. */
function inUnits(text: string, bytes: 2 | 4, littleEndian: boolean, mark: boolean): Uint8Array {
  const marked = (mark ? '\ufeff' : '') + text;
  const units =
    bytes === 2 ? marked.split('').map((unit) => unit.charCodeAt(0)) : [...marked].map((c) => c.codePointAt(0) ?? 0);
  const view = new DataView(new ArrayBuffer(units.length * bytes));
  for (const [index, unit] of units.entries()) {
    if (bytes === 2) view.setUint16(index * 2, unit, littleEndian);
    else view.setUint32(index * 4, unit, littleEndian);
  }
  return new Uint8Array(view.buffer);
}

describe('a body', () => {
  it('that is gzip, zlib or zstd has the reason compressed, with any headers, and is not used', async () => {
    const compress = fc.constantFrom<((text: string) => Uint8Array)[]>(
      gzipSync,
      (text) => deflateSync(text),
      (text) => deflateSync(text, { level: 1 }),
      (text) => deflateSync(text, { windowBits: 10 }),
      (text) => zstdCompressSync(text),
    );
    await fc.assert(
      fc.asyncProperty(compress, anyJson, contentType, async (pack, text, type) => {
        // The first two bytes of zlib may be two letters, so some byte after them must not be text.
        const body = pack(`${text}                ${text}`);
        expect(await reasonOf(body, { 'Content-Type': type })).toBe('compressed');
      }),
    );
  });

  it('that a header declares to be compressed has that reason, whatever its bytes', async () => {
    for (const coding of ['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip', 'x-gzip']) {
      for (const body of [brotliCompressSync('{"a":1}'), deflateRawSync('{"a":1}'), '{"a":']) {
        expect([coding, await reasonOf(body, { 'Content-Encoding': coding })]).toEqual([coding, 'compressed']);
      }
    }
    expect(await reasonOf('{"a":', { 'Content-Encoding': 'identity' })).toBe('not-json');
    // A proxy may have unpacked it and left the header.
    expect(await reasonOf('{"a":1}', { 'Content-Encoding': 'gzip' })).toBe('used');
  });

  it('in UTF-16 or UTF-32 has the reason not-utf-8, with or without a byte order mark, and is not used', async () => {
    const bytes = fc.constantFrom(2 as const, 4 as const);
    await fc.assert(
      fc.asyncProperty(
        anyJson,
        bytes,
        fc.boolean(),
        fc.boolean(),
        contentType,
        async (text, unit, little, mark, type) => {
          expect(await reasonOf(inUnits(text, unit, little, mark), { 'Content-Type': type })).toBe('not-utf-8');
        },
      ),
    );
  });

  it('in UTF-16 has the reason not-utf-8, also when its bytes are letters of ASCII', async () => {
    // U+4E2D is "-N" in UTF-16.
    const text = JSON.stringify({ displayName: '\u4e2d'.repeat(500) });
    for (const little of [true, false]) expect(await reasonOf(inUnits(text, 2, little, false))).toBe('not-utf-8');
  });

  it('that names another encoding and is no JSON in UTF-8 has the reason not-utf-8', async () => {
    for (const charset of ['utf-16', 'UTF-16LE', '"utf-16be"', 'utf-32', 'utf-7', 'ucs-2', 'unicode', 'IBM037']) {
      const headers = { 'Content-Type': `application/json; charset=${charset}` };
      expect([charset, await reasonOf('+AHs-"a":1}', headers)]).toEqual([charset, 'not-utf-8']);
    }
    // {"step":"x"} in EBCDIC.
    const ebcdic = [0xc0, 0x7f, 0xa2, 0xa3, 0x85, 0x97, 0x7f, 0x7a, 0x7f, 0xa7, 0x7f, 0xd0];
    expect(await reasonOf(new Uint8Array(ebcdic))).toBe('not-utf-8');
    expect(await reasonOf(new Uint8Array(200).fill(0xff))).toBe('not-utf-8');
  });

  it('that is text in UTF-8 and no JSON has the reason not-json, whatever its letters', async () => {
    for (const text of [
      '',
      'hello',
      'x^2',
      'x\u0001',
      'hC',
      '(',
      '{"a":',
      '{"name":"Jürgen',
      '数字化身份',
      'a\0b\0c',
    ]) {
      expect([text, await reasonOf(text)]).toEqual([text, text.includes('\0') ? 'not-utf-8' : 'not-json']);
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        fc.pre(!text.includes('\0') && !text.includes('\ufffd'));
        expect(await reasonOf(`hello ${text}`)).toBe('not-json');
      }),
    );
  });

  it('with garbled bytes in its texts is used', async () => {
    const garbled = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => bytes.map((byte) => byte | 0x80));
    await fc.assert(
      fc.asyncProperty(garbled, async (bytes) => {
        const [before, after] = ['{"displayName":"J', 'rg","step":"PreTokenIssuance"}'].map((part) =>
          Buffer.from(part),
        );
        const read = await sent(
          new Uint8Array(Buffer.concat([before ?? '', bytes, after ?? ''].map((part) => Buffer.from(part)))),
        );
        expect(read).toMatchObject({ ok: true, members: { step: 'PreTokenIssuance' } });
      }),
    );
  });
});
