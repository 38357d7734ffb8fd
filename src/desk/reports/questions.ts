/** Query strings and search bodies of the reports, checked and normalised. Unknown parameters are refused by name. */
import * as z from 'zod/mini';
import { OUTCOMES } from '../../attempts/attempt.ts';
import { readSupportCode } from '../../attempts/support-code.ts';
import { dimensionOf } from '../../attempts/text-limits.ts';
import { guidOf } from '../../sign-in/normal-form.ts';
import { NAME_PREFIX, nameKey, normalEmailKey, normalOidKey } from '../../sign-in/search-keys.ts';
import { builtInExchangeNamed, stepNamed } from '../../sign-in/steps.ts';
import { impossibleKey, nearGuid, readPersonKey } from '../../sign-in/typed-key.ts';
import { lang } from '../http/asked-language.ts';
import { type Question, readCursor } from '../http/cursor.ts';
import { strict, text } from '../http/input-rules.ts';
import { type Page, page, paged } from '../http/list-page.ts';
import { inPeriod, type Period, period, type TypedPeriod } from '../http/typed-times.ts';
import { ADDRESS_RULE, addressIn, KEY_FORMS, NO_ADDRESS, refuseTyped, typed } from '../http/typed-values.ts';
import { isTypedName, nearSupportCode } from './readings.ts';
import { SUMMARY_PARTS, type SummaryPart } from './summary-parts.ts';

/** Exchanges of custom policies are steps, and attempts keep an unknown step under its name: any name is allowed. */
const step = typed((typed) => stepNamed(typed) ?? builtInExchangeNamed(typed) ?? dimensionOf(typed));

/** A dimension is truncated as the row's. */
const dimension = typed(dimensionOf);
/** B2C's is a GUID, which is stored in lower case with hyphens. */
const correlationId = typed((typed) => guidOf(typed) ?? dimensionOf(typed));
/** B2C's is a GUID. Stored in lower case. */
const clientId = typed((typed) => guidOf(typed) ?? dimensionOf(typed.toLowerCase()));

/** An address as its key. `search` is where it needs no encoding. */
export const typedAddress = (search: string) =>
  typed((typed, context) => {
    if (NO_ADDRESS.test(typed)) return refuseTyped(context, `${ADDRESS_RULE} ${search}`);
    const problem = impossibleKey(`email:${typed}`);
    return problem === undefined ? normalEmailKey(typed) : refuseTyped(context, problem);
  });
const email = typedAddress('POST /reports/attempts/search');

/** A call made by hand may have an objectId that is no GUID. A slip in a GUID, and an address, are refused. */
const objectId = typed((typed, context) => {
  const isSlip = nearGuid(typed) !== undefined || typed.includes('@');
  const problem = isSlip ? impossibleKey(`oid:${typed}`) : undefined;
  return problem === undefined ? normalOidKey(typed) : refuseTyped(context, problem);
});

const KEY_IN_BODY =
  'percent-encode an idp: key again, although its parts are encoded already, or send the key unencoded in the body of ' +
  'POST /reports/people/search';

const personKey = typed(async (typed, context) => {
  if (NO_ADDRESS.test(addressIn(typed))) return refuseTyped(context, `${ADDRESS_RULE} POST /reports/people/search`);
  const key = isTypedName(typed) ? await nameKey(typed.slice(NAME_PREFIX.length)) : await readPersonKey(typed);
  if (key === undefined) return refuseTyped(context, `${KEY_FORMS}; ${KEY_IN_BODY}. ${TEXT_INSTEAD}`);
  const problem = impossibleKey(typed);
  return problem === undefined ? key : refuseTyped(context, problem);
});

const TEXT_INSTEAD =
  'A bare address, number, name, objectId or code: POST /reports/people/search with {"text": "anna@example.com"}';

const NO_SUPPORT_CODE = 'not a support code: ten letters and digits, such as 7K3QX-9M2TB';
const supportCode = typed(
  (typed, context) =>
    readSupportCode(typed) ??
    refuseTyped(context, [NO_SUPPORT_CODE, nearSupportCode(typed)].filter((part) => part !== undefined).join(': ')),
);

/** The dimensions of the aggregates. */
const dimensions = {
  step: z.optional(step),
  outcome: z.optional(z.enum(OUTCOMES, `not an outcome: one of ${OUTCOMES.join(', ')}`)),
  clientId: z.optional(clientId),
  issuer: z.optional(dimension),
  rule: z.optional(dimension),
};
export type Dimensions = z.output<z.ZodMiniObject<typeof dimensions>>;

const filters = {
  ...dimensions,
  objectId: z.optional(objectId),
  email: z.optional(email),
  supportCode: z.optional(supportCode),
  correlationId: z.optional(correlationId),
  /** Only attempts for which the shadow policy was evaluated: its reply differs, or is the same. */
  shadow: z.optional(z.enum(['differs', 'same'], 'not differs or same')),
  ...period,
};
/** `objectId` and `email` are person keys already. */
export type Filters = Omit<z.output<z.ZodMiniObject<typeof filters>>, keyof TypedPeriod> & Period;

const attemptsAsked = strict({ ...filters, ...page });
export const attemptsQuestion = z.pipe(attemptsAsked, paged<z.output<typeof attemptsAsked>>('attempts'));

/** A file is a whole list: it has no pages. */
const fileAsked = strict(filters);
export const attemptsFileQuestion = z.pipe(fileAsked, inPeriod<z.output<typeof fileAsked>>());

const NO_ATTEMPT =
  'neither an id of an attempt (such as 019aa3f1-7c00-7abc-8def-0123456789ab) nor a support code (such as 7K3QX-9M2TB)';

/** An id, or a support code in any spelling. */
export const attemptParam = z.object({
  attempt: typed((typed, context): { id: string } | { supportCode: string } => {
    const id = z.uuid({ version: 'v7' }).safeParse(guidOf(typed));
    if (id.success) return { id: id.data };
    const code = readSupportCode(typed);
    if (code !== undefined) return { supportCode: code };
    const nearMiss = nearGuid(typed) ?? nearSupportCode(typed);
    return refuseTyped(context, nearMiss === undefined ? NO_ATTEMPT : `${NO_ATTEMPT}: ${nearMiss}`);
  }),
});

/** Of one attempt. */
export const languageQuestion = strict({ lang });

export const KEY_IN_PATH = `a person key in a path is one percent-encoded segment: ${KEY_IN_BODY}`;
export const personParam = z.object({ key: personKey });
/** The page of a timeline whose key is in the path; {@link personPage} joins the two. */
export const personPageQuestion = strict({ ...page, lang });
/** The page of the changes of a person whose key is in the path. */
export const changesPageQuestion = strict(page);
const keyOrText = { key: z.optional(personKey), text: z.optional(text) };
const eitherOne = z.refine<PersonNamed>(({ key, text }) => (key === undefined) !== (text === undefined), {
  path: ['key'],
  message: `give either "key" or "text". ${TEXT_INSTEAD}`,
});
/** A person by key, or by a bare text that is read as one of several things. */
export interface PersonNamed {
  readonly key?: string | undefined;
  readonly text?: string | undefined;
}
export const personKeyOrText = strict(keyOrText).check(eitherOne);
export const nothingMore = strict({});
const personAsked = strict({ ...keyOrText, ...page, lang }).check(eitherOne);
const changesAsked = strict({ ...keyOrText, ...page }).check(eitherOne);
/** A person key, or a bare text that is read as one of several things. */
export const personQuestion = z.pipe(personAsked, paged<z.output<typeof personAsked>>('person'));
export type PersonSearch = z.output<typeof personQuestion>;
export const changesOfPerson = z.pipe(changesAsked, paged<z.output<typeof changesAsked>>('changes-of-person'));
/** The page of the timeline of one person key. */
export type PersonPage = Page<{ readonly key: string; readonly lang?: string | undefined }>;

/** Undefined when the cursor belongs to another request. */
export async function personPage(
  key: string,
  { limit, cursor, lang }: z.output<typeof personPageQuestion>,
  list: 'person' | 'changes-of-person' = 'person',
): Promise<PersonPage | undefined> {
  const question: Question = [list, { key }];
  const after = cursor === undefined ? undefined : await readCursor(question, cursor);
  if (after === undefined && cursor !== undefined) return undefined;
  return { narrowed: { key, lang }, limit, after, question };
}

export type AttemptsPage = z.output<typeof attemptsQuestion>;

export const INTERVALS = ['hour', 'day'] as const;
export type Interval = (typeof INTERVALS)[number];

const summaryMembers = {
  ...dimensions,
  ...period,
  interval: z.optional(z.enum(INTERVALS, 'not an interval: hour or day')),
};
/** Parts of a summary, with commas between them. */
const include = typed((typed, context): SummaryPart[] => {
  const names = typed.split(',').map((name) => name.trim());
  const parts = SUMMARY_PARTS.filter((part) => names.includes(part));
  if (names.some((name) => !parts.some((part) => part === name)))
    refuseTyped(context, `not parts of a summary: some of ${SUMMARY_PARTS.join(', ')}, with commas between them`);
  return parts;
});
const summaryAsked = strict({ ...summaryMembers, include: z.optional(include) });
export const summaryQuestion = z.pipe(summaryAsked, inPeriod<z.output<typeof summaryAsked>>());
export type SummaryQuestion = z.output<typeof summaryQuestion>;
/** A file has only the series. */
const summaryFileAsked = strict(summaryMembers);
export const summaryFileQuestion = z.pipe(summaryFileAsked, inPeriod<z.output<typeof summaryFileAsked>>());

const periodAsked = strict(period);
export const callersQuestion = z.pipe(periodAsked, inPeriod<z.output<typeof periodAsked>>());
export const completenessQuestion = callersQuestion;

const run = typed((typed, context) => {
  const id = guidOf(typed);
  return id ?? refuseTyped(context, nearGuid(typed) ?? 'not the id of a check: npm run connect -- check prints it');
});
const probesAsked = strict({ run: z.optional(run), ...period, ...page });
export const probesQuestion = z.pipe(probesAsked, paged<z.output<typeof probesAsked>>('probes'));
export type ProbesPage = z.output<typeof probesQuestion>;

/** Whether the parameters are those of the request without parameters. */
export const isDefault = ({ interval, ...asked }: SummaryQuestion) =>
  interval !== 'day' && Object.values(asked).every((value) => value === undefined);
