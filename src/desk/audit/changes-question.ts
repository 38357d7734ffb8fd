/** The parameters of `GET /admin/changes` and `POST /admin/changes/search`. */
import * as z from 'zod/mini';
import { readPersonKey } from '../../sign-in/typed-key.ts';
import { strict, text } from '../http/input-rules.ts';
import { page, paged } from '../http/list-page.ts';
import { period } from '../http/typed-times.ts';
import { ADDRESS_RULE, addressIn, NO_ADDRESS, refuseTyped, typed } from '../http/typed-values.ts';

/** `subject`: a person key, or another name, such as `policy`. */
const changesAsked = strict({
  subject: z.optional(
    typed(async (typed, context) => {
      if (NO_ADDRESS.test(addressIn(typed))) return refuseTyped(context, `${ADDRESS_RULE} POST /admin/changes/search`);
      return (await readPersonKey(typed)) ?? typed;
    }),
  ),
  changedBy: z.optional(text),
  ...period,
  ...page,
});
export const changesQuestion = z.pipe(changesAsked, paged<z.output<typeof changesAsked>>('changes'));
export type ChangesPage = z.output<typeof changesQuestion>;
