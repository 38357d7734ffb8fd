/**
 * Runs the conformance cases of CEL's specification. It counts unsupported cases by reason, so that a change of support
 * fails the test.
 */
import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { expect, it } from 'vitest';
import { evaluate, shown, treeOf } from '../../support/evaluate-expression.ts';

type Case = IncrementalTestSuite['tests'][number]['original'];
type Matcher = Extract<Case['resultMatcher'], { case: 'value' }>['value'];

/** The expected value in the format of `shown`; undefined for unsupported types. */
function wanted({ kind }: Matcher): string | undefined {
  switch (kind.case) {
    case 'int64Value':
      return `int ${kind.value}`;
    case 'doubleValue':
      return `double ${kind.value + 0}`;
    case 'stringValue':
    case 'boolValue':
      return JSON.stringify(kind.value);
    case 'listValue':
      return `[${kind.value.values.map(wanted).join(', ')}]`;
    case 'mapValue': {
      const entries = kind.value.entries.map(({ key, value }) => `${key && wanted(key)}: ${value && wanted(value)}`);
      return `{${entries.sort().join(', ')}}`;
    }
    default:
      return undefined;
  }
}

/** Reasons for a refusal, by the text of the expression. */
const NOT_SUPPORTED: readonly (readonly [reason: string, sign: RegExp])[] = [
  ['messages, enumerations and types', /TestAllTypes|TestRequired|google\.protobuf|Enum|Value\{|\btype\(|^[a-z_]+$/],
  ['names that do not exist', /^(?:\w|\w\.\w+\(\)|f_unknown\(17\)) \|\| true$/],
  ['optionals', /optional|\.\?|\[\?|\{\?/],
  ['extensions other than strings', /\b(?:cel|math|base64|net|proto)\.|transform|existsOne/],
  ['format and quote', /\.format\(|strings\.quote/],
  ['unsigned numbers', /\du\b|uint\(|\d[uU]\b/],
  ['bytes', /\b(?:b|br|rb)['"]|bytes\(/i],
  ['null', /\bnull\b/],
  ['macros of two variables', /\.(?:exists|all)\(\w, \w,/],
  ['macros over maps and in macros', /\.(?:exists|all|exists_one|map|filter)\(/],
  ['keys other than texts', /\{(?:'\w+': ?[^}]*)?[\d{t]/],
  ['members of maps', /\}\.[\w`]|^has\(\{/],
  ['numbers that begin with a point, form feeds', /^\.99|\f/],
];

/** `right`, a sentence with the wrong value, or the reason why the case does not apply. */
function outcomeOf({ expr, bindings, typeEnv, disableMacros, resultMatcher }: Case): string {
  if (typeEnv.length > 0 || Object.keys(bindings).length > 0) return 'has variables of its own';
  if (disableMacros) return 'has no macros';
  // dyn() affects the type checker only.
  const source = expr.replace(/\bdyn\(/g, '   (');
  const tree = treeOf(source);
  const isRefused = typeof tree === 'object' && 'refused' in tree;
  if (resultMatcher.case === 'evalError' && isRefused) return 'is refused, and an error in CEL';
  if (isRefused) {
    const [reason] = NOT_SUPPORTED.find(([, sign]) => sign.test(source)) ?? [];
    return `not supported: ${reason ?? source}`;
  }
  if (resultMatcher.case === 'typedResult') return 'asks for a type';
  const value = resultMatcher.case === 'value' ? wanted(resultMatcher.value) : resultMatcher.case ? 'fails' : 'true';
  const found = shown(evaluate(source));
  return found === value ? 'right' : `${source} is ${value}, not ${found}`;
}

const casesOf = ({ tests, suites }: IncrementalTestSuite): readonly Case[] => [
  ...tests.map(({ original }) => original),
  ...suites.flatMap(casesOf),
];

it('CEL conformance: every supported case has the specified result', () => {
  const counts: { [outcome: string]: number } = {};
  for (const each of casesOf(getConformanceSuite())) {
    const outcome = outcomeOf(each);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  expect(counts).toEqual({
    right: 728,
    'is refused, and an error in CEL': 129,
    'has variables of its own': 139,
    'asks for a type': 11,
    'not supported: messages, enumerations and types': 588,
    'not supported: extensions other than strings': 231,
    'not supported: unsigned numbers': 162,
    'not supported: bytes': 102,
    'not supported: format and quote': 88,
    'not supported: optionals': 63,
    'not supported: members of maps': 24,
    'not supported: names that do not exist': 19,
    'not supported: macros of two variables': 18,
    'not supported: null': 17,
    'not supported: keys other than texts': 13,
    'not supported: macros over maps and in macros': 11,
    'not supported: numbers that begin with a point, form feeds': 1,
  });
});
