/** Query strings and search bodies of the reports, checked and normalised. Unknown parameters are refused by name. */
import * as z from 'zod/mini';
import { OUTCOMES } from '../../attempts/attempt.ts';
import { readSupportCode } from '../../attempts/support-code.ts';
import { emailKey, oidKey, readPersonKey } from '../../sign-in/event.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { type Question, readCursor } from '../http/cursor.ts';
import { strict, text } from '../http/input-rules.ts';
import { inOrder, page, paged, range } from '../http/list-page.ts';
import { ADDRESS_RULE, addressIn, KEY_FORMS, NO_ADDRESS, refuseTyped, typed } from '../http/typed-values.ts';

/** Attempts keep an unknown step under the name in the body, so any name is allowed. */
const step = typed((typed) => stepNamed(typed) ?? typed);

/** Stored in lower case. */
const clientId = typed((typed) => typed.toLowerCase());

const email = typed((typed, context) =>
  NO_ADDRESS.test(typed) ? refuseTyped(context, `${ADDRESS_RULE} POST /reports/attempts/search`) : emailKey(typed),
);

const KEY_IN_BODY =
  'percent-encode an idp: key again, although its parts are encoded already, or send the key unencoded in the body of ' +
  'POST /reports/people/search';

const personKey = typed(async (typed, context) => {
  if (NO_ADDRESS.test(addressIn(typed))) return refuseTyped(context, `${ADDRESS_RULE} POST /reports/people/search`);
  return (await readPersonKey(typed)) ?? refuseTyped(context, `${KEY_FORMS}; ${KEY_IN_BODY}`);
});

const supportCode = typed(
  (typed, context) =>
    readSupportCode(typed) ?? refuseTyped(context, 'not a support code: ten letters and digits, such as 7K3QX-9M2TB'),
);

/** The dimensions of the aggregates. */
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
  /** Only attempts for which the shadow policy was evaluated: its reply differs, or is the same. */
  shadow: z.optional(z.enum(['differs', 'same'], 'not differs or same')),
  ...range,
};
/** `objectId` and `email` are person keys already. */
export type Filters = z.output<z.ZodMiniObject<typeof filters>>;

const attemptsAsked = strict({ ...filters, ...page }).check(inOrder);
export const attemptsQuestion = z.pipe(attemptsAsked, paged<z.output<typeof attemptsAsked>>('attempts'));

/** A file is a whole list: it has no pages. */
export const attemptsFileQuestion = strict(filters).check(inOrder);

/** An id, or a support code in any spelling. */
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

export const KEY_IN_PATH = `a person key in a path is one percent-encoded segment: ${KEY_IN_BODY}`;
export const personParam = z.object({ key: personKey });
/** The page of a timeline whose key is in the path; {@link personPage} joins the two. */
export const personPageQuestion = strict(page);
const personAsked = strict({ key: personKey, ...page });
export const personQuestion = z.pipe(personAsked, paged<z.output<typeof personAsked>>('person'));
export type PersonPage = z.output<typeof personQuestion>;

/** Undefined when the cursor belongs to another request. */
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

/** Whether the parameters are those of the request without parameters. */
export const isDefault = ({ interval, ...asked }: SummaryQuestion) =>
  interval !== 'day' && Object.values(asked).every((value) => value === undefined);
