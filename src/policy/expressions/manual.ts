/**
 * The functions of expressions that are ours or stricter than CEL's, as the README and `npm run policy -- functions` show them; tests run
 * the examples. Everything else is as in CEL's language definition and the strings extension of `@bufbuild/cel`.
 */

export interface Described {
  readonly name: string;
  readonly signature: string;
  readonly promise: string;
  /** An expression and its value; undefined: it fails. `request.time` is {@link EXAMPLE_TIME}. */
  readonly examples: readonly (readonly [expression: string, value: string | number | boolean | undefined])[];
}

/** Noon of 21 November 2026, in milliseconds since 1970. */
export const EXAMPLE_TIME = Date.UTC(2026, 10, 21, 12);

export const FUNCTIONS: readonly Described[] = [
  {
    name: 'domain',
    signature: 'domain(text) -> text',
    promise:
      'The domain of an e-mail address, in small letters: what stands after the last @, without spaces around it or a dot at its end. Letters beyond ASCII become what mail servers look up, so that no look-alike walks around a list. Without a domain: an empty text.',
    examples: [
      ["domain('Jane@Example.COM')", 'example.com'],
      ["domain('jane@example.com.')", 'example.com'],
      ["domain('jane@ｍａｉｌｉｎａｔｏｒ.com')", 'mailinator.com'],
      ["domain('jane@münchen.de')", 'xn--mnchen-3ya.de'],
      ["domain('jane')", ''],
    ],
  },
  {
    name: 'titleCase',
    signature: 'titleCase(text) -> text',
    promise:
      'A name typed in capitals or in small letters only, with capitals where names have them. A name in which both occur is taken as it was meant. The length stays the same.',
    examples: [
      ['titleCase("JANE O\'NEIL")', "Jane O'Neil"],
      ["titleCase('jean-luc')", 'Jean-Luc'],
      ['titleCase("JANE\'S")', "Jane's"],
      ["titleCase('ÉLODIE ŞAHİN')", 'Élodie Şahin'],
      ["titleCase('Ludwig van Beethoven')", 'Ludwig van Beethoven'],
      ["titleCase('McDonald')", 'McDonald'],
    ],
  },
  {
    name: 'age',
    signature: 'age(text) -> int',
    promise:
      'Whole years from a date, as in 2001-12-31 or an RFC 3339 date-time, to request.time, counted in UTC; negative when the date is to come. Born on 29 February, a person is a year older on 1 March. Fails for what is no day of the calendar.',
    examples: [
      ["age('2008-11-21')", 18],
      ["age('2008-11-22')", 17],
      ["age('2008-11-21T23:30:00-01:00')", 17],
      ["age('2030-01-01')", -4],
      ["age('2001-02-29')", undefined],
      ["age('31.12.2001')", undefined],
    ],
  },
  {
    name: 'normalizeEmail',
    signature: 'normalizeEmail(text) -> text',
    promise: 'An e-mail address as person keys have it: without spaces around it, in normal form C, in small letters.',
    examples: [["normalizeEmail('  Jane@Example.COM ')", 'jane@example.com']],
  },
  {
    name: 'int',
    signature: 'int(value) -> int',
    promise:
      'A whole number from a number, which is cut, or from a text in decimal digits. Fails for any other text, and beyond 64 bits.',
    examples: [
      ['int(42.0)', 42],
      ["int('42')", 42],
      ['int(-1.9)', -1],
      ["int('')", undefined],
      ["int(' 1')", undefined],
      ["int('0x10')", undefined],
      ["int('1.5')", undefined],
    ],
  },
  {
    name: 'double',
    signature: 'double(value) -> double',
    promise:
      'A number from a number, or from a text in decimal digits with a point and an exponent or without. Fails for any other text.',
    examples: [
      ["double('1.5')", 1.5],
      ["double('1e3')", 1000],
      ["double('1,5')", undefined],
      ["double('')", undefined],
      ["double('Infinity')", undefined],
    ],
  },
  {
    name: 'uint',
    signature: 'uint(value) -> uint',
    promise: 'As int(), for whole numbers from 0.',
    examples: [
      ["uint('42')", 42],
      ["uint('-1')", undefined],
      ["uint('')", undefined],
    ],
  },
  {
    name: 'bool',
    signature: 'bool(value) -> bool',
    promise:
      "True or false from itself, or from one of the texts 'true', 'True', 'TRUE', 't', '1' and 'false', 'False', 'FALSE', 'f', '0'. Fails for any other text.",
    examples: [
      ["bool('True')", true],
      ['bool(true)', true],
      ["bool('0')", false],
      ["bool('yes')", undefined],
    ],
  },
  {
    name: 'timestamp',
    signature: 'timestamp(value) -> time',
    promise: 'A time from an RFC 3339 date-time, or from whole seconds since 1970. Fails for anything else.',
    examples: [
      ["request.time > timestamp('2026-01-31T00:00:00Z')", true],
      ['string(timestamp(5))', '1970-01-01T00:00:05Z'],
      ["timestamp('2026-01-31') < request.time", undefined],
    ],
  },
  {
    name: 'getHours',
    signature: 'time.getHours([time zone]) -> int',
    promise:
      'So as CEL has it, and with it getFullYear, getMonth (from 0), getDate (from 1), getDayOfMonth (from 0), getDayOfWeek (Sunday is 0), getDayOfYear (from 0), getMinutes, getSeconds and getMilliseconds. The time zone is written out; without one it is UTC.',
    examples: [
      ['request.time.getHours()', 12],
      ["request.time.getHours('Europe/Berlin')", 13],
      ["request.time.getHours('+05:30')", 17],
      ['request.time.getDayOfWeek()', 6],
    ],
  },
  {
    name: 'matches',
    signature: 'text.matches(pattern) -> bool',
    promise:
      'Whether any part of the text matches a regular expression of RE2, which has no lookahead and no references back. The pattern is written out; ^ and $ tie it to the beginning and the end.',
    examples: [
      ["'12345'.matches('^[0-9]{5}$')", true],
      ["'123456'.matches('[0-9]{5}')", true],
      ["'JANE'.matches('(?i)jane')", true],
    ],
  },
  {
    name: 'split',
    signature: 'text.split(separator, [at most]) -> list',
    promise:
      'The parts between separators; what is left over stays in the last part that was asked for. Fails over 100 parts.',
    examples: [
      ["'a,b,c'.split(',')", 'a b c'],
      ["'a,b,c'.split(',', 2)[1]", 'b,c'],
      ["'a,b,c'.split(',').size()", 3],
    ],
  },
  {
    name: 'replace',
    signature: 'text.replace(what, by, [at most]) -> text',
    promise:
      'Replaces all, or so many from the beginning. Fails when it is to replace an empty text, and when the result is over 32,000 characters.',
    examples: [
      ["'0171 / 555'.replace(' ', '')", '0171/555'],
      ["'a-b-c'.replace('-', '+', 1)", 'a+b-c'],
      ["'abc'.replace('', '-')", undefined],
    ],
  },
];
