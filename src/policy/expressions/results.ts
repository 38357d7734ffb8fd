/** What an expression may come to: a condition true or false; a value what a claim may hold. */
import { type CelValue, isCelList, isCelUint } from '@bufbuild/cel';
import { Failure } from './environment.ts';
import { BOOL, INT, type Kind, LIST, NUMBERS, named, TEXT, UINT } from './kinds.ts';
import { MAX_RESULT_TEXT } from './limits.ts';
import { type Node, shown } from './tree.ts';

export type Value = string | number | boolean;

/** `why` may quote what the person typed: it is for the trace, never for a log. */
export type Result = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly why: string };

/** What an expression is for. */
export interface Purpose {
  readonly empty: string;
  /** A sentence when what it gives can never do; undefined when it can. */
  readonly refuses: (node: Node, kind: Kind) => string | undefined;
  /** Sentences on what it gives that would not do. */
  readonly mayFail: (node: Node, kind: Kind) => readonly string[];
  readonly resultOf: (value: CelValue | Failure) => Result;
}

const failed = (why: string): Result => ({ ok: false, why });

const TRUE: Result = { ok: true, value: true };
const FALSE: Result = { ok: true, value: false };

const condition: Purpose = {
  empty: 'It is empty: write a condition, as in has(claims.email).',
  refuses: (node, { bits }) =>
    bits & BOOL
      ? undefined
      : `A condition is true or false, and ${shown(node)} is ${named(bits)}: compare it with something.`,
  mayFail: (node, { bits }) =>
    bits === BOOL
      ? []
      : [
          `${shown(node)} may come as ${named(bits & ~BOOL)}, which is neither true nor false: bool(…) reads 'true' and 'false' too.`,
        ],
  resultOf(value) {
    if (value === true) return TRUE;
    if (value === false) return FALSE;
    return failed(value instanceof Failure ? value.why : 'it is neither true nor false');
  },
};

const CLAIM = TEXT | NUMBERS | BOOL | LIST;
const DIGITS = MAX_RESULT_TEXT.toLocaleString('en');

const value: Purpose = {
  empty: "It is empty: write a value, as in claims.displayName, or '' for an empty one.",
  refuses(node, { bits, of }) {
    const entries = bits === LIST ? (of?.bits ?? 0) : 0;
    const wrong =
      bits & CLAIM ? (entries & TEXT || entries === 0 ? undefined : `a list of ${named(entries)}`) : named(bits);
    return (
      wrong &&
      `A claim is text, a number, true or false, or a list of texts, and ${shown(node)} is ${wrong}: write string(…), or texts in quotes.`
    );
  },
  mayFail: (node, kind) => valueFailures(kind).map((when) => `${shown(node)} fails when it is ${when}.`),
  resultOf(result) {
    switch (typeof result) {
      case 'string':
        return textResult(result);
      case 'boolean':
        return result ? TRUE : FALSE;
      case 'number':
        return Number.isFinite(result) ? { ok: true, value: result } : failed('it is no finite number');
      case 'bigint':
        return wholeResult(result);
    }
    if (result instanceof Failure) return failed(result.why);
    if (isCelUint(result)) return wholeResult(result.value);
    if (!isCelList(result)) return failed('it is no text, number, true or false');
    const texts = [...result];
    return texts.every((text) => typeof text === 'string')
      ? textResult(texts.join(' '))
      : failed('it is a list of more than texts');
  },
};

function textResult(text: string): Result {
  return text.length <= MAX_RESULT_TEXT ? { ok: true, value: text } : failed(`it has over ${DIGITS} characters`);
}

function wholeResult(whole: bigint): Result {
  const number = Number(whole);
  return Number.isSafeInteger(number) ? { ok: true, value: number } : failed('it is too large for a number of JSON');
}

function* valueFailuresOf({ bits, length, magnitude, entries, of }: Kind): Generator<string> {
  if (bits & ~CLAIM) yield `${named(bits & ~CLAIM)}`;
  if (bits & TEXT && length > MAX_RESULT_TEXT) yield `longer than ${DIGITS} characters`;
  if (bits & NUMBERS && magnitude === Number.POSITIVE_INFINITY) yield 'no finite number, or too large';
  else if (bits & (INT | UINT) && magnitude > Number.MAX_SAFE_INTEGER) yield 'too large for a number of JSON';
  if (!(bits & LIST) || of === undefined) return;
  if (of.bits & ~TEXT) yield 'a list of more than texts';
  else if (entries * (of.length + 1) > MAX_RESULT_TEXT) yield `longer than ${DIGITS} characters`;
}

const valueFailures = (kind: Kind) => [...valueFailuresOf(kind)];

export const PURPOSES = { condition, value } as const;
