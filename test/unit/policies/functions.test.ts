/** Functions of expressions: the examples of the manual, and unusual arguments. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXAMPLE_TIME, MANUAL } from '../../../src/expressions/function-manual.ts';
import { FUNCTIONS } from '../../../src/expressions/functions.ts';
import { domainOf, normalCode, normalEmail, titleCase } from '../../../src/expressions/text.ts';
import { emailKey } from '../../../src/sign-in/event.ts';
import { evaluated } from '../../support/compile-expression.ts';

describe('functions: the manual', () => {
  const described = Object.entries(MANUAL);
  const examples = described.flatMap(([name, { examples }]) => examples.map((example) => [name, ...example] as const));

  it.each(examples)('the example of %s holds: %s is %s', (_, source, value) => {
    const found = evaluated(source, { now: EXAMPLE_TIME });
    if (value === undefined) expect(['fails', 'refused']).toContain(found);
    else expect(found).toBe(value);
  });

  it('every described function exists, and has a usage, a sentence and an example', () => {
    expect(described.length).toBeGreaterThan(10);
    for (const [name, { usage, help, examples }] of described) {
      expect(FUNCTIONS.map((known) => known.name)).toContain(name);
      expect(usage).toContain(name);
      expect(help).toMatch(/\.$/);
      expect(examples.length).toBeGreaterThan(0);
    }
  });
});

describe('functions: domain', () => {
  it.each([
    ['"jane@home"@example.com', 'example.com'],
    ['jane@example.com..', 'example.com'],
    [' jane@example.com ', 'example.com'],
    ['jane@mailinator。com', 'mailinator.com'],
    ['jane@mail\u00ADinator.com', 'mailinator.com'],
    ['jane@mail\u200Binator.com', 'mailinator.com'],
    // The Kelvin sign, which mail servers normalize to k.
    ['jane@\u212Aids.example', 'kids.example'],
    ['jane@MÜNCHEN.DE', 'xn--mnchen-3ya.de'],
    ['jane@XN--MNCHEN-3YA.DE', 'xn--mnchen-3ya.de'],
    ['jane@', ''],
    ['', ''],
    ['@example.com', 'example.com'],
  ])('the domain of %s is %s', (email, domain) => {
    expect(domainOf(email)).toBe(domain);
  });

  it('the domain is empty for a host that DNS cannot resolve, and for parts of a URL', () => {
    for (const host of [
      'é/evil.com',
      'evil.com/é',
      'é:80',
      'é?x',
      'é#x',
      'é\\x',
      'é%2e',
      'x y.é',
      '\uFFFD.com',
      '１＠２',
    ]) {
      expect(domainOf(`jane@${host}`)).toBe('');
    }
    expect(domainOf(`jane@${'a'.repeat(300)}.com`)).toBe('');
    expect(domainOf(`jane@${'é'.repeat(300)}.com`)).toBe('');
  });

  it('the domain of any text has no capitals, no @ and no trailing dot', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary' }), fc.string()), (email) => {
        expect(domainOf(email)).not.toMatch(/[A-Z@]|\.$/);
      }),
    );
  });
});

describe('functions: titleCase', () => {
  it.each([
    ["o'neil", "O'Neil"],
    ['D’ANGELO', 'D’Angelo'],
    ["D'ANGELO'S", "D'Angelo's"],
    ["JANE'S", "Jane's"],
    ["ROCK'N'ROLL", "Rock'n'roll"],
    ['MARIE-CLAIRE DE LA TOUR', 'Marie-Claire De La Tour'],
    ['jane q. public', 'Jane Q. Public'],
    ['ΟΔΥΣΣΕΑΣ', 'Οδυσσεας'],
    ['ОЛЬГА', 'Ольга'],
    ['İPEK ŞİMŞEK', 'İpek Şimşek'],
    ['E\u0301LODIE', 'E\u0301lodie'],
    ['3RD STREET', '3rd Street'],
    ['王芳', '王芳'],
    ['', ''],
    ['J', 'J'],
    ['  jane  ', '  Jane  '],
    ["'jane'", "'Jane'"],
  ])('titleCase turns %s into %s', (typed, name) => {
    expect(titleCase(typed)).toBe(name);
  });

  it('titleCase is idempotent and keeps the length of any name', () => {
    const letters = fc.constantFrom(..."aBcßİıǆﬁŉéÉ’' -.1ΣσςЖж".split(''), 'e\u0301', '\u{10428}', '\u{1D400}');
    const names = fc.array(letters, { maxLength: 12 }).map((units) => units.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          names,
          names.map((name) => name.toUpperCase()),
          names.map((name) => name.toLowerCase()),
          fc.string({ unit: 'binary' }),
        ),
        (name) => {
          const titled = titleCase(name);
          expect(titleCase(titled)).toBe(titled);
          expect(titled).toHaveLength(name.length);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('functions: normalizeEmail', () => {
  it('normalizeEmail returns the form that person keys use', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (email) => {
        expect(await emailKey(email)).toBe(`email:${normalEmail(email).toWellFormed()}`);
      }),
    );
  });
});

describe('functions: normalizeCode', () => {
  it('normalizeCode ignores spaces, dashes, invisible characters, width and case, wherever they are', () => {
    const code = fc.stringMatching(/^[A-Z0-9]{1,12}$/);
    const noise = fc.constantFrom(
      '',
      ' ',
      '-',
      '\u2013',
      '\u2212',
      '\u200b',
      '\u00ad',
      '\u00a0',
      '\ufe0f',
      '\u202e',
      '\t',
      '\uff0d',
    );
    fc.assert(
      fc.property(code, fc.array(noise, { minLength: 13, maxLength: 13 }), fc.boolean(), (text, between, isWide) => {
        const wide = (unit: string) => (isWide ? String.fromCharCode(unit.charCodeAt(0) + 0xfee0) : unit);
        const typed = [...text.toLowerCase()].map((unit, at) => `${between[at]}${wide(unit)}`).join('') + between[12];
        expect(normalCode(typed)).toBe(text);
      }),
    );
  });

  it('normalizeCode has no spaces and no small ASCII letters, and a second call changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 150 }), (text) => {
        const code = normalCode(text);
        expect(code).not.toMatch(/[\sa-z-]/);
        expect(normalCode(code)).toBe(code);
      }),
      { numRuns: 1_000 },
    );
  });

  it('no function returns a text that is longer than the work budget assumes', () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      const text = String.fromCodePoint(point);
      if (normalCode(text).length > 18 * text.length) expect([point, normalCode(text)]).toEqual([]);
    }
  });
});

describe('functions: conversions', () => {
  const convert = (name: string, value: string | number | boolean) =>
    evaluated(`string(${name}(claims.extension_X))`, { claims: { extension_X: value } });

  it('int(), double() and bool() accept both forms of custom attributes', () => {
    for (const value of [42, '42', 42.9, '+42', '0042']) expect(convert('int', value)).toBe('42');
    for (const value of [1.5, '1.5', '1.50', '15e-1']) expect(convert('double', value)).toBe('1.5');
    for (const value of [true, 'true', 'True', '1']) expect(convert('bool', value)).toBe('true');
    for (const value of [false, 'false', 'FALSE', '0']) expect(convert('bool', value)).toBe('false');
  });

  it('int(), double() and bool() fail for other texts and types', () => {
    for (const value of [
      '',
      ' ',
      ' 1',
      '1 ',
      '0x10',
      '0b1',
      '1_000',
      '१',
      'NaN',
      'Infinity',
      '1n',
      '9'.repeat(400),
      true,
    ]) {
      for (const name of ['int', 'double']) expect(convert(name, value)).toBe('fails');
    }
    for (const value of ['1.5', '9223372036854775808', '-9223372036854775809', 1e300])
      expect(convert('int', value)).toBe('fails');
    for (const value of [1, 0, 'yes', '', 'TrUe', ' true']) expect(convert('bool', value)).toBe('fails');
    expect(convert('int', '-9223372036854775808')).toBe('-9223372036854775808');
  });

  it('timestamp() reads seconds, and fails after the year 9999', () => {
    const time = (seconds: string) =>
      evaluated('string(timestamp(int(claims.extension_X)))', { claims: { extension_X: seconds } });
    expect(time('1700000000')).toBe('2023-11-14T22:13:20Z');
    expect(time('253402300799')).toBe('9999-12-31T23:59:59Z');
    expect(time('253402300800')).toBe('fails');
    expect(time('-62135596801')).toBe('fails');
  });
});

describe('functions: texts', () => {
  it('split() follows CEL for every limit', () => {
    const split = (limit: string) => evaluated(`'a,b,c'.split(','${limit}).join('|')`);
    expect([split(''), split(', -1'), split(', 0'), split(', 1'), split(', 2'), split(', 3'), split(', 9')]).toEqual([
      'a|b|c',
      'a|b|c',
      '',
      'a,b,c',
      'a|b,c',
      'a|b|c',
      'a|b|c',
    ]);
  });

  it('split() fails for over 100 parts', () => {
    const parts = (count: number) =>
      evaluated("claims.city.split(',').size()", { claims: { city: ','.repeat(count - 1) } });
    expect(parts(100)).toBe(100);
    expect(parts(101)).toBe('fails');
    expect(evaluated("claims.city.split(',', 3).size()", { claims: { city: ','.repeat(10_000) } })).toBe(3);
    expect(evaluated("claims.city.split('', 101).size()", { claims: { city: 'x'.repeat(500) } })).toBe('fails');
  });

  it('replace() replaces all matches, or as many as its limit', () => {
    const replaced = (limit: string) => evaluated(`'aXbXc'.replace('X', '--'${limit})`);
    expect([
      replaced(''),
      replaced(', -1'),
      replaced(', 0'),
      replaced(', 1'),
      replaced(', 2'),
      replaced(', 3'),
    ]).toEqual(['a--b--c', 'a--b--c', 'aXbXc', 'a--bXc', 'a--b--c', 'a--b--c']);
  });

  it('replace(), join() and + fail when the result is too long', () => {
    const claims = { city: 'a'.repeat(10_000), state: '', extension_n: 1e12 };
    expect(evaluated("claims.city.replace('a', 'bbbb').size()", { claims })).toBe('fails');
    expect(evaluated("claims.city.replace('a', 'bbb').size()", { claims })).toBe(30_000);
    expect(evaluated("claims.city.replace(claims.state, 'x', int(claims.extension_n))", { claims })).toBe('fails');
    expect(evaluated('(claims.city + claims.city + claims.city + claims.city).size()', { claims })).toBe('fails');
    expect(evaluated('[claims.city, claims.city].join(claims.city).size()', { claims })).toBe(30_000);
    expect(evaluated('[claims.city, claims.city, claims.city].join(claims.city).size()', { claims })).toBe('fails');
  });
});

describe('functions: times', () => {
  it('get…() uses the time zone, also in an hour that daylight saving skips', () => {
    const at = (now: string, source: string) => evaluated(source, { now: Date.parse(now) });
    expect(at('2026-03-29T02:30:00Z', 'request.time.getHours()')).toBe(2);
    expect(at('2026-03-29T02:30:00Z', "request.time.getHours('Europe/Berlin')")).toBe(4);
    expect(at('2026-03-29T02:30:00Z', "request.time.getMinutes('-03:45')")).toBe(45);
    expect(at('2026-07-01T22:30:00Z', "request.time.getDate('Europe/Berlin')")).toBe(2);
    expect(at('2026-07-01T22:30:00Z', "request.time.getDayOfMonth('Europe/Berlin')")).toBe(1);
    expect(at('2026-07-01T00:00:00Z', 'request.time.getDayOfYear()')).toBe(181);
    expect(at('2026-12-31T23:30:00Z', "request.time.getFullYear('Europe/Berlin')")).toBe(2027);
    expect(at('2026-12-31T23:30:00Z', "request.time.getMonth('Europe/Berlin')")).toBe(0);
    expect(at('2026-12-31T23:30:15.250Z', "request.time.getMilliseconds('Europe/Berlin')")).toBe(250);
    expect(at('2026-12-31T23:30:15.250Z', 'request.time.getSeconds()')).toBe(15);
  });
});
