/** Converts a value to a result: true or false for a condition, a claim value for a value. */
import { MAX_RESULT_TEXT } from './limits.ts';
import { Fail, isList, Unknown, type Value } from './values.ts';

export type Purpose = 'condition' | 'value';

/** `why` may quote a text that the person typed. It belongs in the trace, never in a log. */
export type RunResult =
  | { readonly ok: true; readonly value: string | number | boolean }
  /** `unknown`: the value depends on data that the scope does not have. */
  | { readonly ok: false; readonly why: string; readonly unknown?: true };

const TRUE: RunResult = { ok: true, value: true };
const FALSE: RunResult = { ok: true, value: false };
const failed = (why: string): RunResult => ({ ok: false, why });

export function resultOf(value: Value, purpose: Purpose): RunResult {
  if (value === true) return TRUE;
  if (value === false) return FALSE;
  if (value instanceof Fail)
    return value instanceof Unknown ? { ok: false, why: value.why, unknown: true } : failed(value.why);
  return purpose === 'condition' ? failed('neither true nor false') : claimOf(value);
}

function claimOf(value: Value): RunResult {
  switch (typeof value) {
    case 'string':
      return textOf(value);
    case 'number':
      if (!Number.isFinite(value)) return failed('not a finite number');
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? failed(TOO_LARGE) : { ok: true, value };
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? { ok: true, value: number } : failed(TOO_LARGE);
    }
  }
  if (!isList(value)) return failed('not a text, number, true or false');
  return value.every((text) => typeof text === 'string')
    ? textOf(value.join(' '))
    : failed('the list contains other values than texts');
}

/** JSON readers round whole numbers beyond 2^53. */
const TOO_LARGE = 'too large for a JSON number';

/** Replaces half characters: the JSON reader of .NET rejects them. */
const textOf = (text: string): RunResult =>
  text.length <= MAX_RESULT_TEXT ? { ok: true, value: text.toWellFormed() } : failed('more than 10,000 characters');
