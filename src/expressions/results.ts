/** What a value comes to: a condition is true or false; a value is what a claim can hold. */
import { MAX_RESULT_TEXT } from './limits.ts';
import { Fail, isList, Unknown, type Value } from './values.ts';

export type Purpose = 'condition' | 'value';

/** `why` may quote what the person typed: it is for the trace, never for a log. */
export type RunResult =
  | { readonly ok: true; readonly value: string | number | boolean }
  /** `unknown`: there may be a value, but it depends on what the scope does not know. */
  | { readonly ok: false; readonly why: string; readonly unknown?: true };

const TRUE: RunResult = { ok: true, value: true };
const FALSE: RunResult = { ok: true, value: false };
const failed = (why: string): RunResult => ({ ok: false, why });

export function resultOf(value: Value, purpose: Purpose): RunResult {
  if (value === true) return TRUE;
  if (value === false) return FALSE;
  if (value instanceof Fail)
    return value instanceof Unknown ? { ok: false, why: value.why, unknown: true } : failed(value.why);
  return purpose === 'condition' ? failed('it is neither true nor false') : claimOf(value);
}

function claimOf(value: Value): RunResult {
  switch (typeof value) {
    case 'string':
      return textOf(value);
    case 'number':
      return Number.isFinite(value) ? { ok: true, value } : failed('it is no finite number');
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number)
        ? { ok: true, value: number }
        : failed('it is too large for a number of JSON');
    }
  }
  if (!isList(value)) return failed('it is no text, number, true or false');
  return value.every((text) => typeof text === 'string')
    ? textOf(value.join(' '))
    : failed('it is a list of more than texts');
}

const textOf = (text: string): RunResult =>
  text.length <= MAX_RESULT_TEXT ? { ok: true, value: text } : failed('it has over 10,000 characters');
