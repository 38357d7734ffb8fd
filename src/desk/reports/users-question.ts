/** The parameters of `GET /reports/users`, its file and `POST /reports/users/search`. */
import * as z from 'zod/mini';
import { normalText, withoutUnseen } from '../../sign-in/normal-form.ts';
import { strict, text } from '../http/input-rules.ts';
import { page, paged } from '../http/list-page.ts';
import { inPeriod, period } from '../http/typed-times.ts';
import { refuseTyped, typed } from '../http/typed-values.ts';
import { typedAddress } from './questions.ts';

/** A name has fewer. Each word is a look-up of its own. */
const MAX_WORDS = 8;

/** Beginnings of words. Every sign is literal. */
const name = typed((typed, context) => {
  const words = normalText(typed).split(/\s+/);
  if (words[0] === '')
    return refuseTyped(context, 'no letters, digits or signs to search for: give the beginning of a name');
  if (words.length > MAX_WORDS) return refuseTyped(context, `more than ${MAX_WORDS} words: give fewer`);
  return words.join(' ');
});

/** As in the key of an identity. */
const issuer = typed((typed) => encodeURIComponent(withoutUnseen(typed).trim().toWellFormed()));

/** `from` and `to` are of the last call. */
const filters = {
  name: z.optional(name),
  email: z.optional(typedAddress('POST /reports/users/search')),
  issuer: z.optional(issuer),
  role: z.optional(text),
  ...period,
};

const usersAsked = strict({ ...filters, ...page });
export const usersQuestion = z.pipe(usersAsked, paged<z.output<typeof usersAsked>>('users'));
export type UsersPage = z.output<typeof usersQuestion>;
export type UserFilters = UsersPage['narrowed'];

const fileAsked = strict(filters);
export const usersFileQuestion = z.pipe(fileAsked, inPeriod<z.output<typeof fileAsked>>());
