/** The manual of the functions that CEL lacks or that are stricter than in CEL. The gate does not load it. */

export interface FunctionHelp {
  readonly usage: string;
  readonly help: string;
  /** An expression and its value at {@link EXAMPLE_TIME}; undefined when it fails. */
  readonly examples: readonly (readonly [expression: string, value: string | number | boolean | undefined])[];
}

/** Noon of 21 November 2026, in milliseconds since 1970. */
export const EXAMPLE_TIME = Date.UTC(2026, 10, 21, 12);

/** By name, in the order of the manual. */
export const MANUAL: Readonly<Record<string, FunctionHelp>> = {
  domain: {
    usage: 'domain(text) -> text',
    help: 'The domain of an e-mail address: the text after the last @, in lower case, without surrounding spaces and trailing dots. Letters beyond ASCII are converted to the form that mail servers look up, so look-alikes cannot evade a list. Returns an empty text when there is no domain.',
    examples: [
      ["domain('Jane@Example.COM')", 'example.com'],
      ["domain('jane@example.com.')", 'example.com'],
      ["domain('jane@\uff4d\uff41\uff49\uff4c\uff49\uff4e\uff41\uff54\uff4f\uff52.com')", 'mailinator.com'],
      ["domain('jane@m\u00fcnchen.de')", 'xn--mnchen-3ya.de'],
      ["domain('jane')", ''],
    ],
  },
  domainIn: {
    usage: 'domainIn(text, lists.name) -> bool',
    help: 'Whether a list of the policy contains the domain of an e-mail address, as domain() returns it, or a domain above it. With example.com in the list, mail.example.com matches too.',
    examples: [
      ["domainIn('jane@mailinator.com', lists.blockedDomains)", true],
      ["domainIn('jane@a.b.Mailinator.com', lists.blockedDomains)", true],
      ["domainIn('jane@notmailinator.com', lists.blockedDomains)", false],
      ["domainIn('jane', lists.blockedDomains)", false],
    ],
  },
  normalizeCode: {
    usage: 'normalizeCode(text) -> text',
    help: 'A code that a person typed or pasted, as lists must contain it: in capitals, without spaces, dashes and invisible characters, with full-width letters and digits as plain ones.',
    examples: [
      ["normalizeCode(' spring-7q4k ')", 'SPRING7Q4K'],
      ["normalizeCode('SPRING\u20137Q4K\u200b')", 'SPRING7Q4K'],
      ["normalizeCode('\uff33\uff30\uff32\uff29\uff2e\uff27 7Q4K')", 'SPRING7Q4K'],
      ["normalizeCode(' - ')", ''],
    ],
  },
  titleCase: {
    usage: 'titleCase(text) -> text',
    help: 'Capitalises a name that is all upper case or all lower case. A name in mixed case is unchanged. The length stays the same. It knows no names: SMITH III, MCDONALD and VAN DER BERG become Smith Iii, Mcdonald and Van Der Berg, and the capital of a Turkish dotless \u0131 becomes i. Do not use it for a name that is stored.',
    examples: [
      ['titleCase("JANE O\'NEIL")', "Jane O'Neil"],
      ["titleCase('jean-luc')", 'Jean-Luc'],
      ['titleCase("JANE\'S")', "Jane's"],
      ["titleCase('\u00c9LODIE \u015eAH\u0130N')", '\u00c9lodie \u015eahin'],
      ["titleCase('Ludwig van Beethoven')", 'Ludwig van Beethoven'],
      ["titleCase('McDonald')", 'McDonald'],
      ["titleCase('MCDONALD')", 'Mcdonald'],
    ],
  },
  age: {
    usage: 'age(text) -> int',
    help: 'Whole years from a date, such as 2001-12-31 or an RFC 3339 date-time, to request.time, in UTC. Of a date-time without a time zone, the day counts. A future date gives a negative number. A birthday on 29 February counts from 1 March in other years. Fails for an invalid date, and for an order of day and month that cannot be known.',
    examples: [
      ["age('2008-11-21')", 18],
      ["age('2008-11-22')", 17],
      ["age('2008-11-21T23:30:00-01:00')", 17],
      ["age('2008-11-21T00:00:00')", 18],
      ["age('2008-11-21 23:59:59.0000000')", 18],
      ["age('2030-01-01')", -4],
      ["age('2001-02-29')", undefined],
      ["age('31.12.2001')", undefined],
      ["age('01/02/1990')", undefined],
    ],
  },
  normalizeEmail: {
    usage: 'normalizeEmail(text) -> text',
    help: 'An e-mail address in the form of person keys: trimmed, in Unicode normal form C, in lower case.',
    examples: [["normalizeEmail('  Jane@Example.COM ')", 'jane@example.com']],
  },
  size: {
    usage: 'size(text, list or map) -> int, or text.size()',
    help: 'The number of characters of a text, in Unicode code points, or the number of entries of a list or a map.',
    examples: [
      ["size('J\u00fcrgen')", 6],
      ["'\u{1f4a5}!'.size()", 2],
      ["size(['a', 'b'])", 2],
    ],
  },
  matches: {
    usage: 'text.matches(pattern) -> bool',
    help: 'Whether any part of the text matches an RE2 regular expression. RE2 has no lookahead and no backreferences. The pattern must be a literal; ^ and $ anchor it to the start and the end.',
    examples: [
      ["'12345'.matches('^[0-9]{5}$')", true],
      ["'123456'.matches('[0-9]{5}')", true],
      ["'JANE'.matches('(?i)jane')", true],
    ],
  },
  charAt: {
    usage: 'text.charAt(position) -> text',
    help: 'The character at a position, in Unicode code points from 0. Returns an empty text at the end, and fails beyond it.',
    examples: [
      ["'\u{1f4a5}!'.charAt(1)", '!'],
      ["'ab'.charAt(2)", ''],
      ["'ab'.charAt(3)", undefined],
    ],
  },
  substring: {
    usage: 'text.substring(from, [to]) -> text',
    help: 'The text from one position up to, but not including, another or to the end. Positions are in Unicode code points from 0. Fails when a position is out of range.',
    examples: [
      ["'tacocat'.substring(4)", 'cat'],
      ["'\u{1f4a5}boom'.substring(1, 3)", 'bo'],
      ["'ab'.substring(3)", undefined],
    ],
  },
  indexOf: {
    usage: 'text.indexOf(part, [from]) -> int',
    help: 'The position of the first occurrence of a part, in Unicode code points from 0; -1 when there is none. lastIndexOf finds the last occurrence.',
    examples: [
      ["'hello'.indexOf('l')", 2],
      ["'\u{1f4a5}boom'.indexOf('boom')", 1],
      ["'hello'.lastIndexOf('l')", 3],
      ["'hello'.indexOf('z')", -1],
    ],
  },
  split: {
    usage: 'text.split(separator, [at most]) -> list',
    help: 'The parts between separators. With a limit, the last part contains the rest of the text. An empty separator splits into Unicode code points. Fails when there are more than 100 parts.',
    examples: [
      ["'a,b,c'.split(',')", 'a b c'],
      ["'a,b,c'.split(',', 2)[1]", 'b,c'],
      ["'a,b,c'.split(',').size()", 3],
    ],
  },
  replace: {
    usage: 'text.replace(what, by, [at most]) -> text',
    help: 'Replaces every occurrence, or at most a number of them from the start. Fails when the text to replace is empty, and when the result has more than 32,000 characters.',
    examples: [
      ["'0171 / 555'.replace(' ', '')", '0171/555'],
      ["'a-b-c'.replace('-', '+', 1)", 'a+b-c'],
      ["'abc'.replace('', '-')", undefined],
    ],
  },
  int: {
    usage: 'int(value) -> int',
    help: 'Converts a number, which is truncated, or a text of decimal digits to a whole number. Fails for any other text, and beyond 64 bits.',
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
  double: {
    usage: 'double(value) -> double',
    help: 'Converts a number, or a text of decimal digits with an optional point and exponent. Fails for any other text, and for a whole number beyond 2^53 in digits, which would be rounded.',
    examples: [
      ["double('1.5')", 1.5],
      ["double('1e3')", 1000],
      ["double('9007199254740993')", undefined],
      ["double('1,5')", undefined],
      ["double('')", undefined],
      ["double('Infinity')", undefined],
    ],
  },
  bool: {
    usage: 'bool(value) -> bool',
    help: "Converts the texts 'true', 'True', 'TRUE', 't', '1' and 'false', 'False', 'FALSE', 'f', '0'. A bool is unchanged. Fails for any other text.",
    examples: [
      ["bool('True')", true],
      ['bool(true)', true],
      ["bool('0')", false],
      ["bool('yes')", undefined],
    ],
  },
  timestamp: {
    usage: 'timestamp(value) -> time',
    help: 'Converts an RFC 3339 date-time, or whole seconds since 1970, to a time. Fails for anything else.',
    examples: [
      ["request.time > timestamp('2026-01-31T00:00:00Z')", true],
      ['string(timestamp(5))', '1970-01-01T00:00:05Z'],
      ["timestamp('2026-01-31') < request.time", undefined],
    ],
  },
  // Documents all functions that read a part of a time.
  getHours: {
    usage: 'time.getHours([time zone]) -> int',
    help: 'The hour of a time. CEL also has getFullYear, getMonth (from 0), getDate (from 1), getDayOfMonth (from 0), getDayOfWeek (Sunday is 0), getDayOfYear (from 0), getMinutes, getSeconds and getMilliseconds. The time zone must be a literal; the default is UTC.',
    examples: [
      ['request.time.getHours()', 12],
      ["request.time.getHours('Europe/Berlin')", 13],
      ["request.time.getHours('+05:30')", 17],
      ['request.time.getDayOfWeek()', 6],
    ],
  },
};
