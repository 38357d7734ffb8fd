/** How functions are written: by the table of their signatures, and what people call them elsewhere. */
import { FUNCTIONS } from '../../expressions/functions.ts';
import { closest } from './names.ts';
import { type ExpressionFault, MACRO_FORMS } from './problem-sentences.ts';

interface Form {
  readonly isMethod: boolean;
  /** Without the target of a method. */
  readonly parameters: number;
  /** As in `text.split(text, int)`. */
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
  ['matches', [{ isMethod: true, parameters: 1, written: 'text.matches(text)' }]] as const,
]);

/** The first way of writing it; undefined: there is no such function. */
export const writtenAs = (name: string): string | undefined => FORMS.get(name)?.[0]?.written;

/** Every way of writing it, as in `size(text), text.size()`. */
export const writtenForms = (name: string): string =>
  [...new Set(FORMS.get(name)?.map(({ written }) => written))].join(', ');

/** What is wrong with a call of that form; undefined: a function has it. */
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
  const meant = ELSEWHERE.get(name) ?? closest(name, FORMS.keys());
  const usage = writtenAs(meant ?? '') ?? meant;
  return ['unknown-function', name, usage === undefined ? '' : ` Did you mean ${usage}?`];
}

const CONVERT = 'Compare with a value, or convert with string(), int(), double() or bool().';
const NOT_SUPPORTED: ReadonlyMap<string, string> = new Map([
  ...['type', 'dyn', 'bytes'].map((name) => [name, CONVERT] as const),
  ['uint', 'Write int().'],
  ['format', 'Join texts with +, and convert with string().'],
  ['quote', 'Join texts with +.'],
]);

/** What functions are called elsewhere. */
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
