/** The language that a person asks for: `lang=`, else `Accept-Language`. */
import * as z from 'zod/mini';
import { refuseTyped, typed } from './typed-values.ts';

/** Language and subtags, as BCP 47 writes them. */
const TAG = /^[a-z]{2,8}(?:[-_][a-z0-9]{1,8}){0,8}$/i;
/** A header may have any length. */
const MAX_LANGUAGES = 10;

export const lang = z.optional(
  typed((typed, context) =>
    TAG.test(typed) ? typed : refuseTyped(context, 'not a language tag: give one such as en, de or pt-BR'),
  ),
);

/** BCP 47 tags in order of preference. `header` is `Accept-Language` (RFC 9110, section 12.5.4). */
export function askedLanguages(asked: string | undefined, header: string | undefined): string[] {
  if (asked !== undefined) return [asked];
  const weighed = (header ?? '').split(',').map((part) => {
    const [tag = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const weight = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2);
    return { tag, weight: weight === undefined ? 1 : Number(weight) };
  });
  return weighed
    .filter(({ tag, weight }) => TAG.test(tag) && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .slice(0, MAX_LANGUAGES)
    .map(({ tag }) => tag);
}
