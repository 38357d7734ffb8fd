/** What the reports can be asked: query strings and search bodies, checked and normalised. Whatever is unknown is refused by name. */
import * as z from 'zod/mini';
import { OUTCOMES } from '../../attempts/attempt.ts';
import { readSupportCode } from '../../attempts/support-code.ts';
import { stepNamed } from '../../gate/user-flow/request.ts';
import { emailKey, oidKey, readPersonKey } from '../../sign-in/event.ts';
import { KEY_FORMS } from '../admin/inputs.ts';
import { type Position, type Question, readCursor } from '../http/cursor.ts';
import { limit, strict, text } from '../http/input-rules.ts';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 500;
export const FOREIGN_CURSOR =
  'not a cursor of this question: take "next" of the answer before, and keep everything else as it was';

/** What somebody typed, turned into what is looked for. */
const read = <Read>(turn: (typed: string, context: z.core.ParsePayload) => Read | Promise<Read>) =>
  z.pipe(text, z.transform(turn));
const refuse = ({ issues, value }: z.core.ParsePayload, message: string) => {
  issues.push({ code: 'custom', input: value, message });
  return z.NEVER;
};

const INSTANT_RULE =
  'not a time: give a date, which means midnight UTC (2026-11-21), or a time with Z or an offset ' +
  '(2026-11-21T08:00:00Z, 2026-11-21T09:00:00+01:00)';

/** A `+` that nobody percent-encoded arrives as a space. */
const instant = z.pipe(
  z.pipe(
    read((typed) => typed.replace(/ (?=\d\d:\d\d$)/, '+')),
    z.union(
      [z.iso.date(), z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })],
      INSTANT_RULE,
    ),
  ),
  z.pipe(
    z.transform((typed: string) => new Date(typed)),
    z
      .date()
      .check(
        z.refine(
          (at) => at.getUTCFullYear() >= 2000 && at.getUTCFullYear() < 2200,
          'not between the years 2000 and 2199',
        ),
      ),
  ),
);

/** Unknown steps are recorded under the name that the body gave, so that any may be asked for. */
const step = read((typed) => stepNamed(typed) ?? typed);

/** Lower case, as it is stored. */
const clientId = read((typed) => typed.toLowerCase());

/** No address holds a space or angle brackets; in a query string a `+` that nobody percent-encoded arrives as a space. */
const NO_ADDRESS = /^mailto:|[\s<>]/i;
const ADDRESS_RULE =
  'not a bare address: it holds a space or angle brackets, or begins with mailto:. Write anna@example.com; a + in an ' +
  'address is written %2B in a URL, or use';

const email = read((typed, context) =>
  NO_ADDRESS.test(typed) ? refuse(context, `${ADDRESS_RULE} POST /reports/attempts/search`) : emailKey(typed),
);

/** The address of an `email:` key as somebody typed it. */
const addressIn = (typed: string): string => /^email:\s*(.*)$/is.exec(typed)?.[1] ?? '';

/** How else a key can be given, when it did not arrive as it was meant. */
const KEY_IN_BODY =
  'an idp: key is percent-encoded once more there, though its parts are already. Or send the key as it is in the body of ' +
  'POST /reports/people/search';

const personKey = read(async (typed, context) => {
  if (NO_ADDRESS.test(addressIn(typed))) return refuse(context, `${ADDRESS_RULE} POST /reports/people/search`);
  return (await readPersonKey(typed)) ?? refuse(context, `${KEY_FORMS}; ${KEY_IN_BODY}`);
});

const supportCode = read(
  (typed, context) =>
    readSupportCode(typed) ?? refuse(context, 'not a support code: ten letters and digits, such as 7K3QX-9M2TB'),
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

const range = { from: z.optional(instant), to: z.optional(instant) };

const filters = {
  ...dimensions,
  objectId: z.optional(read(oidKey)),
  email: z.optional(email),
  supportCode: z.optional(supportCode),
  correlationId: z.optional(text),
  /** Only attempts for which the shadow policy was asked: where it would have replied something else, or the same. */
  shadow: z.optional(z.enum(['differs', 'same'], 'not differs or same')),
  ...range,
};
/** `objectId` and `email` are person keys already. */
export type Filters = z.output<z.ZodMiniObject<typeof filters>>;

const page = { limit: limit(DEFAULT_LIMIT, MAX_LIMIT), cursor: z.optional(text) };

const inOrder = z.refine<{ from?: Date | undefined; to?: Date | undefined }>(
  ({ from, to }) => from === undefined || to === undefined || from < to,
  { path: ['from'], message: 'not before "to": give a "from" that is earlier' },
);

/** A page of a list: what narrows the list, how long the page is and what it follows. */
export interface Page<Narrowed> {
  readonly narrowed: Narrowed;
  readonly limit: number;
  readonly after: Position | undefined;
  /** What the cursor to the next page answers to. */
  readonly question: Question;
}

/** A schema's last step: splits the page off what narrows the list, and refuses the cursor of another question. */
const paged = <Asked extends { limit: number; cursor?: string | undefined }>(list: string) =>
  z.transform(
    async ({ limit, cursor, ...narrowed }: Asked, context): Promise<Page<Omit<Asked, 'limit' | 'cursor'>>> => {
      const question: Question = [list, narrowed];
      const after = cursor === undefined ? undefined : await readCursor(question, cursor);
      if (after === undefined && cursor !== undefined) {
        context.issues.push({ code: 'custom', input: cursor, path: ['cursor'], message: FOREIGN_CURSOR });
        return z.NEVER;
      }
      return { narrowed, limit, after, question };
    },
  );

const attemptsAsked = strict({ ...filters, ...page }).check(inOrder);
export const attemptsQuestion = z.pipe(attemptsAsked, paged<z.output<typeof attemptsAsked>>('attempts'));

/** A file is a whole list: it has no pages. */
export const attemptsFileQuestion = strict(filters).check(inOrder);

/** An id, or a support code as somebody wrote it down. */
export const attemptParam = z.object({
  attempt: read((typed, context): { id: string } | { supportCode: string } => {
    const id = z.uuid({ version: 'v7' }).safeParse(typed.toLowerCase());
    if (id.success) return { id: id.data };
    const code = readSupportCode(typed);
    if (code !== undefined) return { supportCode: code };
    return refuse(
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

/** `GET /admin/changes`. The subject is a person key, or the name of something else that is changed. */
const changesAsked = strict({
  subject: z.optional(
    read(async (typed, context) => {
      if (NO_ADDRESS.test(addressIn(typed))) return refuse(context, `${ADDRESS_RULE} POST /admin/changes/search`);
      return (await readPersonKey(typed)) ?? typed;
    }),
  ),
  changedBy: z.optional(text),
  ...range,
  ...page,
}).check(inOrder);
export const changesQuestion = z.pipe(changesAsked, paged<z.output<typeof changesAsked>>('changes'));
export type ChangesPage = z.output<typeof changesQuestion>;

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
