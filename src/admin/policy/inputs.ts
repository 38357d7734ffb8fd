/** What the addresses of the policy take. */
import * as z from 'zod/mini';
import { strict, text } from '../../input-rules.ts';

const MAX_NOTE_CHARS = 500;
/** Postgres' integer. */
const MAX_NUMBER = 2_147_483_647;

const note = z.optional(text.check(z.maxLength(MAX_NOTE_CHARS, `longer than ${MAX_NOTE_CHARS} characters`)));

const SHARE = 'not a share of the calls: a number above 0 and at most 1, such as 0.1 for every tenth';
const sample = z._default(
  z.pipe(
    z.pipe(text.check(z.regex(/^\d?(?:\.\d{1,6})?$/, SHARE)), z.transform(Number)),
    z.number().check(z.gt(0, SHARE), z.lte(1, SHARE)),
  ),
  1,
);

const NO_NUMBER = 'not the number of a version: take one from GET /admin/policy/versions';
const number = z.int(NO_NUMBER).check(z.gte(1, NO_NUMBER), z.lte(MAX_NUMBER, NO_NUMBER));

export const nothing = strict({});
export const noteOnly = strict({ note });
export const shadowQuery = strict({ note, sample });
export const rollbackBody = strict({ to: number, note });
export const versionParam = z.object({
  number: z.pipe(z.pipe(z.string().check(z.regex(/^\d{1,10}$/, NO_NUMBER)), z.transform(Number)), number),
});
