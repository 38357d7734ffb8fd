/** Compares expressions with `@bufbuild/cel`. CEL's specification settles each difference. */
import {
  type CelEnv,
  type CelFunc,
  type CelInput,
  CelScalar,
  celEnv,
  celFunc,
  celList,
  celMethod,
  isCelError,
  isCelList,
  listType,
  objectType,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { DurationSchema, durationFromMs, TimestampSchema, timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CALL, evaluate, shown, treeOf } from '../../support/evaluate-expression.ts';

const { INT, STRING, DOUBLE } = CelScalar;
const [TIMESTAMP, DURATION, LIST] = [objectType(TimestampSchema), objectType(DurationSchema), listType(STRING)];

const fail = (): never => {
  throw new Error('fails');
};
/** Whole numbers beyond 2^53 lose digits. Gatehouse is stricter than the specification. */
const hasDigits = (value: number) => !Number.isInteger(value) || Number.isSafeInteger(value);
const points = (text: string) => Array.from(text);
const part = (text: string, from: bigint, to = BigInt(points(text).length)) =>
  from < 0n || from > to || to > points(text).length ? fail() : points(text).slice(Number(from), Number(to)).join('');
const inPoints = (text: string, at: number) => (at < 0 ? -1n : BigInt(points(text.slice(0, at)).length));
const UNITS = { h: 3_600_000, m: 60_000, s: 1_000 };
const milliseconds = (text: string) =>
  [...text.matchAll(/([\d.]+)([hms])/g)].reduce((sum, [, n, unit]) => sum + Number(n) * UNITS[unit as 'h'], 0) *
  (text.startsWith('-') ? -1 : 1);
function split(text: string, separator: string, limit = -1n) {
  const parts = separator === '' ? points(text) : text.split(separator);
  const count = limit < 0n || limit > parts.length ? parts.length : Number(limit);
  return celList(count === 0 ? [] : [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]);
}

/** Differences of `@bufbuild/cel` from the specification. `functions` follow the specification. */
const DIFFERENCES: readonly (readonly [why: string, source: string, theirs: string, functions: readonly CelFunc[]])[] =
  [
    [
      'an invalid number',
      "double('')",
      'double 0',
      [
        celFunc('double', [STRING], DOUBLE, (text) =>
          /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) && (/e/i.test(text) || hasDigits(Number(text)))
            ? Number(text)
            : fail(),
        ),
      ],
    ],
    [
      'an invalid whole number',
      "int('0x10')",
      'int 16',
      [celFunc('int', [STRING], INT, (text) => (/^[+-]?\d+$/.test(text) ? BigInt(text) : fail()))],
    ],
    [
      'an invalid duration',
      "duration('')",
      'duration 0',
      [
        celFunc('duration', [STRING], DURATION, (text) =>
          /^-?(?:0|(?:\d+(?:\.\d+)?[hms])+)$/.test(text) ? durationFromMs(milliseconds(text)) : fail(),
        ),
      ],
    ],
    ['a duration of an int', 'duration(1)', 'duration 1000000000', [celFunc('duration', [INT], DURATION, fail)]],
    [
      'a time of seconds, not milliseconds',
      'timestamp(7)',
      'time 7000000',
      [
        celFunc('timestamp', [INT], TIMESTAMP, (seconds) =>
          seconds >= -62_135_596_800n && seconds <= 253_402_300_799n
            ? timestampFromMs(Number(seconds) * 1_000)
            : fail(),
        ),
      ],
    ],
    [
      'positions in code points',
      "'\u{1f4a5}x'.substring(1)",
      '"\\udca5x"',
      [
        celMethod('charAt', STRING, [INT], STRING, function (at) {
          return at >= 0n && at === BigInt(points(this).length) ? '' : part(this, at, at + 1n);
        }),
        celMethod('substring', STRING, [INT], STRING, function (from) {
          return part(this, from);
        }),
        celMethod('substring', STRING, [INT, INT], STRING, function (from, to) {
          return part(this, from, to);
        }),
        celMethod('indexOf', STRING, [STRING], INT, function (text) {
          return inPoints(this, this.indexOf(text));
        }),
        celMethod('lastIndexOf', STRING, [STRING], INT, function (text) {
          return inPoints(this, this.lastIndexOf(text));
        }),
        celMethod('indexOf', STRING, [STRING, INT], INT, function (text, from) {
          return inPoints(this, this.indexOf(text, part(this, 0n, from).length));
        }),
      ],
    ],
    [
      'a limit of split, whose last part contains the rest',
      "'a,b,c'.split(',', 2)",
      '["a", "b"]',
      [
        celMethod('split', STRING, [STRING], LIST, function (separator) {
          return split(this, separator);
        }),
        celMethod('split', STRING, [STRING, INT], LIST, function (separator, limit) {
          return split(this, separator, limit);
        }),
      ],
    ],
    [
      'a negative limit, which means no limit',
      "'a-a'.replace('a', 'b', -1)",
      '"a-a"',
      [
        celMethod('replace', STRING, [STRING, STRING, INT], STRING, function (text, by, limit) {
          let count = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
          return this.replaceAll(text, (found) => (count-- > 0 ? by : found));
        }),
      ],
    ],
  ];

const AS_IT_IS = celEnv({ funcs: strings });
const corrected = (functions: readonly CelFunc[]) => celEnv({ funcs: [...strings, ...functions] });

/** The value in `@bufbuild/cel`, in the format of `shown`. */
function theirs(environment: CelEnv, source: string, claims: { readonly [name: string]: unknown } = {}): string {
  try {
    const variables = { claims: new Map(Object.entries(claims)), request: new Map([['step', CALL.step]]) };
    return shownTheirs(plan(environment, parse(source))(variables as { [name: string]: CelInput }));
  } catch {
    return 'fails';
  }
}

function shownTheirs(value: unknown): string {
  if (isCelError(value)) return 'fails';
  if (isCelList(value)) return `[${[...value].map(shownTheirs).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return shown(value as string | number | bigint | boolean);
  const { desc, message } = value as { desc: { typeName: string }; message: { seconds: bigint; nanos: number } };
  const ns = message.seconds * 1_000_000_000n + BigInt(message.nanos);
  return `${desc.typeName === 'google.protobuf.Timestamp' ? 'time' : 'duration'} ${ns}`;
}

describe('a known difference from @bufbuild/cel', () => {
  it.each(DIFFERENCES)('%s: %s has the value that the specification requires', (_, source, other, functions) => {
    expect(theirs(AS_IT_IS, source)).toBe(other);
    expect(theirs(corrected(functions), source)).not.toBe(other);
    expect(shown(evaluate(source))).toBe(theirs(corrected(functions), source));
  });

  it('two negations of a value other than a bool fail', () => {
    expect([theirs(AS_IT_IS, '!!1'), shown(evaluate('!!1'))]).toEqual(['int 1', 'fails']);
  });
});

const TEXTS = [
  'a',
  'b',
  ',',
  'a,b,c',
  'Jane',
  ' x ',
  '5',
  '-7',
  '1.5',
  '1e3',
  'true',
  '0x10',
  '1h30m',
  '2026-01-31T23:59:59.5Z',
  '\u00c4\u00df',
  '\u{1f4a5}x',
];

/** `$type` is replaced by an expression of that type. `leaf` ends the recursion. */
const GRAMMAR: { readonly [type: string]: { readonly leaf: readonly string[]; readonly nodes: readonly string[] } } = {
  text: {
    leaf: ["''", 'claims.city', 'claims.email', 'request.step', ...TEXTS.map((text) => `'${text}'`)],
    nodes: [
      ...[
        '($text + $text)',
        '$text.lowerAscii()',
        '$text.upperAscii()',
        '$text.trim()',
        '$text.charAt($int)',
        '$list[$int]',
      ],
      ...[
        '$text.substring($int)',
        '$text.substring($int, $int)',
        '$list.join($text)',
        'string($any)',
        '($bool ? $text : $text)',
      ],
      // @bufbuild/cel also replaces ''.
      ...TEXTS.map((text) => `$text.replace('${text}', $text)`),
      ...['-1', '0', '1', '2'].map((limit) => `$text.replace('a', $text, ${limit})`),
    ],
  },
  int: {
    leaf: ['0', '1', '2', '-1', '7', '9223372036854775807', '-9223372036854775808'],
    nodes: [
      ...['+', '-', '*', '/', '%'].map((sign) => `($int ${sign} $int)`),
      ...[
        '-$int',
        'size($text)',
        'size($list)',
        '$text.indexOf($text)',
        '$text.lastIndexOf($text)',
        '$text.indexOf($text, $int)',
      ],
      ...[
        'int($any)',
        '$time.getFullYear()',
        '$time.getMonth()',
        '$time.getDate()',
        '$time.getDayOfMonth()',
        '$time.getDayOfWeek()',
      ],
      ...['Hours', 'Minutes', 'Seconds', 'Milliseconds'].flatMap((unit) => [
        `$time.get${unit}()`,
        `$span.get${unit}()`,
      ]),
    ],
  },
  double: {
    leaf: ['0.0', '-1.5', '1e300', '2.0', '9007199254740993.0', 'claims.extension_n'],
    nodes: ['double($any)', ...['+', '-', '*', '/'].map((sign) => `($double ${sign} $double)`)],
  },
  bool: {
    leaf: [
      'true',
      'false',
      'has(claims.city)',
      'has(claims.email)',
      "('email' in claims)",
      'claims.extension_n',
      'claims.city',
    ],
    nodes: [
      ...[
        '($bool && $bool)',
        '($bool || $bool)',
        '!$bool',
        '($any in $list)',
        '($any == $any)',
        '($any != $any)',
        'bool($any)',
      ],
      ...['text', 'int', 'double', 'time', 'span'].flatMap((of) =>
        ['<', '<=', '>', '>=', '=='].map((sign) => `($${of} ${sign} $${of})`),
      ),
      ...['<', '<=', '>', '>=', '==', '!='].map((sign) => `($int ${sign} $double)`),
      ...['startsWith', 'endsWith', 'contains'].map((name) => `$text.${name}($text)`),
      ...['exists', 'all', 'exists_one'].flatMap((macro) =>
        ['x == $text', 'x < $text', '(x != $text || $bool)', 'size(x) > $int'].map(
          (body) => `$list.${macro}(x, ${body})`,
        ),
      ),
    ],
  },
  list: {
    leaf: ['[]', "['a', 'b']", "['a', 1, true]"],
    nodes: [
      '[$any, $text]',
      '($list + $list)',
      '$text.split($text)',
      '$text.split($text, $int)',
      '$list.filter(x, x != $text)',
      '$list.map(x, x + $text)',
      "$list.map(x, size(x) > $int, x + 'z')",
    ],
  },
  time: {
    leaf: ["timestamp('2026-01-31T23:59:59.5Z')", 'timestamp(7)'],
    nodes: ['timestamp($any)', '($time + $span)', '($time - $span)'],
  },
  span: {
    leaf: ["duration('1h30m')"],
    nodes: ['duration($any)', '($span + $span)', '($span - $span)', '($time - $time)'],
  },
  any: { leaf: ['claims.extension_n'], nodes: ['$text', '$int', '$double', '$bool', '$list', '$time', '$span'] },
};

const anySource = fc.letrec<Record<string, string>>((tie) =>
  Object.fromEntries(
    Object.entries(GRAMMAR).map(([type, { leaf, nodes }]) => {
      const node = fc.constantFrom(...nodes).chain((template) => {
        const parts = template.split(/\$(\w+)/);
        return fc
          .tuple(...parts.map((part, at) => (at % 2 === 0 ? fc.constant(part) : (tie(part) as fc.Arbitrary<string>))))
          .map((texts) => texts.join(''));
      });
      return [
        type,
        fc.oneof({ maxDepth: 4, depthSize: 'small' }, fc.constantFrom(...leaf), { arbitrary: node, weight: 5 }),
      ];
    }),
  ),
).any as fc.Arbitrary<string>;

const anyClaims = fc.record(
  {
    city: fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', maxLength: 5 })),
    email: fc.constantFrom('jane@example.com', '5', ''),
    extension_n: fc.oneof(fc.constantFrom(0, 1, 2.5, true, 'a'), fc.double({ noNaN: true, noDefaultInfinity: true })),
  },
  { requiredKeys: [] },
);

it('every expression without a known difference has the same value in @bufbuild/cel', () => {
  const environment = corrected(DIFFERENCES.flatMap(([, , , functions]) => functions));
  fc.assert(
    fc.property(anySource, anyClaims, (source, claims) => {
      // Nesting has a limit, and @bufbuild/cel drops double negations.
      fc.pre(!Object.hasOwn(Object(treeOf(source)), 'refused') && !/!!|--/.test(source));
      expect(shown(evaluate(source, { claims }))).toBe(theirs(environment, source, claims));
    }),
    { numRuns: 2_000 },
  );
});
