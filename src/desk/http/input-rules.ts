/** Zod schemas that query strings and bodies share. Unknown members are refused by name. */
import * as z from 'zod/mini';
import { nameList } from '../../platform/name-list.ts';

const MAX_TEXT_CHARS = 2_000;

/** A text, trimmed. */
export const text = z
  .string({
    error: ({ input }) => (Array.isArray(input) ? 'given more than once: give it once' : 'give it as a text'),
  })
  .check(
    z.trim(),
    z.minLength(1, 'empty: give a value or leave it out'),
    z.maxLength(MAX_TEXT_CHARS, `longer than ${MAX_TEXT_CHARS} characters`),
    // Postgres stores neither.
    z.refine(
      (typed) => typed.isWellFormed() && !typed.includes('\0'),
      'has characters that cannot be stored: NUL, or half of a surrogate pair',
    ),
  );

/** Length of a page: a number in a body, digits in a query string. */
export function limit(preset: number, most: number) {
  const rule = `not a number from 1 to ${most}`;
  const whole = z.union([z.int(), z.pipe(text.check(z.regex(/^\d{1,4}$/)), z.transform(Number))], rule);
  return z._default(z.pipe(whole, z.int().check(z.gte(1, rule), z.lte(most, rule))), preset);
}

/** An object with these members only. */
export const strict = <Shape extends z.core.$ZodShape>(shape: Shape) => {
  const known = Object.keys(shape).join(', ') || 'nothing';
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown: ${nameList(issue.keys ?? [])}. Known here: ${known}`
        : `not a JSON object: send one, with members among ${known}`,
  });
};
