/** How to write a function, from the table of signatures; and the names that other languages use for it. */
import { FUNCTIONS } from '../../expressions/functions.ts';
import { closest } from '../../platform/closest-name.ts';
import { type ExpressionFault, MACRO_FORMS } from './problem-sentences.ts';

interface Form {
  readonly isMethod: boolean;
  /** Count, without the target of a method. */
  readonly parameters: number;
  /** Such as `text.split(text, int)`. */
  readonly written: string;
}

function formOf(signature: string): Form {
  const [, target, name = '', parameters = ''] = /^(?:([\w<>]+)\.)?(\w+)\((.*?)\)/.exec(signature) ?? [];
  const types = parameters === '' ? [] : parameters.split(', ').map(word);
  return {
    isMethod: target !== undefined,
    parameters: types.length,
    written: `${target === undefined ? '' : `${word(target)}.`}${name}(${types.join(', ')})`,
  };
}

const word = (type: string) =>
  type
    .replace('string', 'text')
    .replace('timestamp', 'time')
    .replace(/^list<.*/, 'list');

const FORMS: ReadonlyMap<string, readonly Form[]> = new Map([
  ...FUNCTIONS.map(({ name, overloads }) => [name, Object.keys(overloads).map(formOf)] as const),
  ['domainIn', [{ isMethod: false, parameters: 2, written: 'domainIn(text, lists.name)' }]] as const,
  ['matches', [{ isMethod: true, parameters: 1, written: 'text.matches(text)' }]] as const,
]);

/** The first form of a function. Undefined: there is no such function. */
export const writtenAs = (name: string): string | undefined => FORMS.get(name)?.[0]?.written;

/** All forms of a function, such as `size(text), text.size()`. */
export const writtenForms = (name: string): string =>
  [...new Set(FORMS.get(name)?.map(({ written }) => written))].join(', ');

/** The fault of a call. Undefined when a function has this form. */
export function faultOfForm(
  name: string,
  isMethod: boolean,
  parameters: number,
  written: string,
): ExpressionFault | undefined {
  const forms = FORMS.get(name);
  if (forms?.some((form) => form.isMethod === isMethod && form.parameters === parameters)) return undefined;
  if (forms !== undefined) return ['call-form', written, writtenForms(name)];
  const instead = NOT_SUPPORTED.get(name);
  if (instead !== undefined) return ['not-supported', `${name}()`, instead];
  if (Object.hasOwn(MACRO_FORMS, name)) return ['macro-form', name];
  const suggestion = ELSEWHERE.get(name) ?? closest(name, FORMS.keys());
  const usage = writtenAs(suggestion ?? '') ?? suggestion;
  return ['unknown-function', name, usage === undefined ? '' : ` Did you mean ${usage}?`];
}

const CONVERT = 'Compare with a value, or convert with string(), int(), double() or bool().';
const NOT_SUPPORTED: ReadonlyMap<string, string> = new Map([
  ...['type', 'dyn', 'bytes'].map((name) => [name, CONVERT] as const),
  ['uint', 'Write int().'],
  ['format', 'Join texts with +, and convert with string().'],
  ['quote', 'Join texts with +.'],
]);

/** Names in other languages. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['toLowerCase', 'lowerAscii'],
  ['lower', 'lowerAscii'],
  ['toUpperCase', 'upperAscii'],
  ['upper', 'upperAscii'],
  ['length', 'size'],
  ['len', 'size'],
  ['count', 'size'],
  ['includes', 'contains'],
  ['match', 'matches'],
  ['regex', 'matches'],
  ['test', 'matches'],
  ['strip', 'trim'],
  ['toString', 'string'],
  ['parseInt', 'int'],
  ['now', 'request.time'],
]);
