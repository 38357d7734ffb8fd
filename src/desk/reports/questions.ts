/** What the reports can be asked: query strings and search bodies, checked and normalised. Whatever is unknown is refused by name. */
import * as z from 'zod/mini';
import { OUTCOMES } from '../../attempts/attempt.ts';
import { readSupportCode } from '../../attempts/support-code.ts';
import { emailKey, oidKey, readPersonKey } from '../../sign-in/event.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { type Question, readCursor } from '../http/cursor.ts';
import { strict, text } from '../http/input-rules.ts';
import { inOrder, page, paged, range } from '../http/list-page.ts';
import { ADDRESS_RULE, addressIn, KEY_FORMS, NO_ADDRESS, refuseTyped, typed } from '../http/typed-values.ts';

/** Unknown steps are recorded under the name that the body gave, so that any may be asked for. */
const step = typed((typed) => stepNamed(typed) ?? typed);

/** Lower case, as it is stored. */
const clientId = typed((typed) => typed.toLowerCase());

const email = typed((typed, context) =>
  NO_ADDRESS.test(typed) ? refuseTyped(context, `${ADDRESS_RULE} POST /reports/attempts/search`) : emailKey(typed),
);

/** How else a key can be given, when it did not arrive as it was meant. */
const KEY_IN_BODY =
  'an idp: key is percent-encoded once more there, though its parts are already. Or send the key as it is in the body of ' +
  'POST /reports/people/search';

const personKey = typed(async (typed, context) => {
  if (NO_ADDRESS.test(addressIn(typed))) return refuseTyped(context, `${ADDRESS_RULE} POST /reports/people/search`);
  return (await readPersonKey(typed)) ?? refuseTyped(context, `${KEY_FORMS}; ${KEY_IN_BODY}`);
});

const supportCode = typed(
  (typed, context) =>
    readSupportCode(typed) ?? refuseTyped(context, 'not a support code: ten letters and digits, such as 7K3QX-9M2TB'),
);

/** What sums are kept by. */
const dimensions = {
  step: z.optional(step),
  outcome: z.optional(z.enum(OUTCOMES, `not an outcome: one of ${OUTCOMES.join(', ')}`)),
  clientId: z.optional(clientId),
  issuer: z.optional(text),
  rule: z.optional(text),
};
export type Dimensions = z.output<z.ZodMiniObject<typeof dimensions>>;

const filters = {
  ...dimensions,
  objectId: z.optional(typed(oidKey)),
  email: z.optional(email),
  supportCode: z.optional(supportCode),
  correlationId: z.optional(text),
  /** Only attempts for which the shadow policy was asked: where it would have replied something else, or the same. */
  shadow: z.optional(z.enum(['differs', 'same'], 'not differs or same')),
  ...range,
};
/** `objectId` and `email` are person keys already. */
export type Filters = z.output<z.ZodMiniObject<typeof filters>>;

const attemptsAsked = strict({ ...filters, ...page }).check(inOrder);
export const attemptsQuestion = z.pipe(attemptsAsked, paged<z.output<typeof attemptsAsked>>('attempts'));

/** A file is a whole list: it has no pages. */
export const attemptsFileQuestion = strict(filters).check(inOrder);

/** An id, or a support code as somebody wrote it down. */
export const attemptParam = z.object({
  attempt: typed((typed, context): { id: string } | { supportCode: string } => {
    const id = z.uuid({ version: 'v7' }).safeParse(typed.toLowerCase());
    if (id.success) return { id: id.data };
    const code = readSupportCode(typed);
    if (code !== undefined) return { supportCode: code };
    return refuseTyped(
      context,
      'neither an id of an attempt (such as 019aa3f1-7c00-7abc-8def-0123456789ab) nor a support code (such as 7K3QX-9M2TB)',
    );
  }),
});

/** For an address that cannot be read as a path. */
export const KEY_IN_PATH = `a person key in a path is one percent-encoded segment: ${KEY_IN_BODY}`;
export const personParam = z.object({ key: personKey });
/** The page of a person's timeline, when the key stands in the path: {@link personPage} joins the two. */
export const personPageQuestion = strict(page);
const personAsked = strict({ key: personKey, ...page });
export const personQuestion = z.pipe(personAsked, paged<z.output<typeof personAsked>>('person'));
export type PersonPage = z.output<typeof personQuestion>;

/** Undefined when the cursor is not one of this person's. */
export async function personPage(
  key: string,
  { limit, cursor }: z.output<typeof personPageQuestion>,
): Promise<PersonPage | undefined> {
  const question: Question = ['person', { key }];
  const after = cursor === undefined ? undefined : await readCursor(question, cursor);
  if (after === undefined && cursor !== undefined) return undefined;
  return { narrowed: { key }, limit, after, question };
}

export type AttemptsPage = z.output<typeof attemptsQuestion>;

const INTERVALS = ['hour', 'day'] as const;
export type Interval = (typeof INTERVALS)[number];

export const summaryQuestion = strict({
  ...dimensions,
  ...range,
  interval: z.optional(z.enum(INTERVALS, 'not an interval: hour or day')),
}).check(inOrder);
export type SummaryQuestion = z.output<typeof summaryQuestion>;

/** Whether it is the question without parameters, or says only what that one means anyway. */
export const isDefault = ({ interval, ...asked }: SummaryQuestion) =>
  interval !== 'day' && Object.values(asked).every((value) => value === undefined);
