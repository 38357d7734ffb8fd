/** What the audit log can be asked: `GET /admin/changes` and its search form. */
import * as z from 'zod/mini';
import { readPersonKey } from '../../sign-in/event.ts';
import { strict, text } from '../http/input-rules.ts';
import { inOrder, page, paged, range } from '../http/list-page.ts';
import { ADDRESS_RULE, addressIn, NO_ADDRESS, refuseTyped, typed } from '../http/typed-values.ts';

/** The subject is a person key, or the name of something else that is changed. */
const changesAsked = strict({
  subject: z.optional(
    typed(async (typed, context) => {
      if (NO_ADDRESS.test(addressIn(typed))) return refuseTyped(context, `${ADDRESS_RULE} POST /admin/changes/search`);
      return (await readPersonKey(typed)) ?? typed;
    }),
  ),
  changedBy: z.optional(text),
  ...range,
  ...page,
}).check(inOrder);
export const changesQuestion = z.pipe(changesAsked, paged<z.output<typeof changesAsked>>('changes'));
export type ChangesPage = z.output<typeof changesQuestion>;
