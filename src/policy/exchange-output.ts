/** Converts the value of an expression to the type that an exchange declares for an output. */
import { MAX_RESULT_TEXT } from '../expressions/limits.ts';
import { resultOf } from '../expressions/results.ts';
import { isList, type Value } from '../expressions/values.ts';
import type { ExchangeOutput } from './exchange.ts';
import type { ExpressionResult } from './policy.ts';

const failed = (why: string): ExpressionResult => ({ ok: false, why });

/** JSON's numbers. A text such as `007` or `1e999` is not one: it would go out as another number. */
const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;

/** An empty list is a success; the reply leaves it out. */
export function outputOf(value: Value, { type, join }: ExchangeOutput): ExpressionResult {
  if (type === 'list') return isList(value) ? listOf(value, join) : failIfFailed(value, 'not a list');
  if (isList(value)) return failed('a list, and the output is a single value');
  const result = resultOf(value, 'value');
  if (!result.ok) return result;
  switch (type) {
    case 'string':
      return { ok: true, value: String(result.value) };
    case 'number':
      return numberOf(result.value);
    case 'boolean':
      return booleanOf(result.value);
  }
}

function failIfFailed(value: Value, why: string): ExpressionResult {
  const result = resultOf(value, 'value');
  return result.ok ? failed(why) : result;
}

function listOf(list: readonly Value[], join: string | undefined): ExpressionResult {
  if (!list.every((entry) => typeof entry === 'string')) return failed('the list contains other values than texts');
  const chars = list.reduce((sum, entry) => sum + entry.length, 0);
  if (chars > MAX_RESULT_TEXT) return failed('more than 10,000 characters');
  const entries = list.map((entry) => entry.toWellFormed());
  if (join === undefined) return { ok: true, value: entries };
  if (entries.some((entry) => entry.includes(join))) return failed('an entry of the list contains the separator');
  return { ok: true, value: entries.length === 0 ? entries : entries.join(join) };
}

function numberOf(value: string | number | boolean): ExpressionResult {
  if (typeof value === 'number') return { ok: true, value };
  if (typeof value === 'string' && NUMBER.test(value)) return { ok: true, value: Number(value) };
  return failed('not a number');
}

function booleanOf(value: string | number | boolean): ExpressionResult {
  if (typeof value === 'boolean') return { ok: true, value };
  const word = String(value).toLowerCase();
  return word === 'true' || word === 'false' ? { ok: true, value: word === 'true' } : failed('neither true nor false');
}
