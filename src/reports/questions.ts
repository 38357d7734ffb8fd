/** What the reports can be asked: query strings and search bodies, checked and normalised. Whatever is unknown is refused by name. */
import * as z from 'zod';
import { personKey } from '../admin/inputs.ts';
import { OUTCOMES } from '../attempts/attempt.ts';
import { readSupportCode } from '../attempts/support-code.ts';
import { emailKey, oidKey, readPersonKey, STEPS } from '../connectors/event.ts';
import { type Position, type Question, readCursor } from './cursor.ts';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 500;
const MAX_TEXT_CHARS = 2_000;

export const FOREIGN_CURSOR =
  'not a cursor of this question: take "next" of the answer before, and keep everything else as it was';

const text = z
  .string({
    error: ({ input }) => (Array.isArray(input) ? 'given more than once: give it once' : 'give it as a text'),
  })
  .trim()
  .min(1, 'empty: give a value or leave it out')
  .max(MAX_TEXT_CHARS, `longer than ${MAX_TEXT_CHARS} characters`)
  // Postgres takes neither.
  .refine((typed) => typed.isWellFormed() && !typed.includes('\0'), 'holds characters that no stored text has');

const INSTANT_RULE =
  'not a time: give a date, which means midnight UTC (2026-11-21), or a time with Z or an offset ' +
  '(2026-11-21T08:00:00Z, 2026-11-21T09:00:00+01:00)';

/** A `+` that nobody percent-encoded arrives as a space. */
const instant = text
  .transform((typed) => typed.replace(/ (?=\d\d:\d\d$)/, '+'))
  .pipe(
    z.union(
      [z.iso.date(), z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })],
      INSTANT_RULE,
    ),
  )
  .transform((typed) => new Date(typed))
  .refine((at) => at.getUTCFullYear() >= 2000 && at.getUTCFullYear() < 2200, 'not between the years 2000 and 2199');

const step = text.transform((typed) => STEPS.find((known) => known.toLowerCase() === typed.toLowerCase()) ?? typed);

const supportCode = text.transform((typed, context) => {
  const code = readSupportCode(typed);
  if (code !== undefined) return code;
  context.addIssue({ code: 'custom', message: 'not a support code: ten letters and digits, such as 7K3QX-9M2TB' });
  return z.NEVER;
});

/** What sums are kept by. */
const dimensions = {
  step: step.optional(),
  outcome: z.enum(OUTCOMES, `not an outcome: one of ${OUTCOMES.join(', ')}`).optional(),
  clientId: text.optional(),
  issuer: text.optional(),
  rule: text.optional(),
};
export type Dimensions = z.output<z.ZodObject<typeof dimensions>>;

const range = { from: instant.optional(), to: instant.optional() };

const filters = {
  ...dimensions,
  objectId: text.transform(oidKey).optional(),
  email: text.transform(emailKey).optional(),
  supportCode: supportCode.optional(),
  correlationId: text.optional(),
  ...range,
};
/** `objectId` and `email` are person keys already. */
export type Filters = z.output<z.ZodObject<typeof filters>>;

const LIMIT_RULE = `not a number from 1 to ${MAX_LIMIT}`;
const page = {
  limit: z
    .union([z.int(), text.regex(/^\d{1,4}$/).transform(Number)], LIMIT_RULE)
    .pipe(z.int().min(1, LIMIT_RULE).max(MAX_LIMIT, LIMIT_RULE))
    .default(DEFAULT_LIMIT),
  cursor: text.optional(),
};

const strict = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown: ${issue.keys?.join(', ')}. Known here: ${Object.keys(shape).join(', ') || 'nothing'}`
        : undefined,
  });

const inOrder = ({ from, to }: { from?: Date | undefined; to?: Date | undefined }) =>
  from === undefined || to === undefined || from < to;
const ORDER_RULE = { path: ['from'], message: 'not before "to": give a "from" that is earlier' };

/** A page of a list: what narrows the list, how long the page is and what it follows. */
export interface Page<Narrowed> {
  readonly narrowed: Narrowed;
  readonly limit: number;
  readonly after: Position | undefined;
  /** What the cursor to the next page answers to. */
  readonly question: Question;
}

/** A schema's last step: splits the page off what narrows the list, and refuses the cursor of another question. */
const paged =
  (list: string) =>
  async <Asked extends { limit: number; cursor?: string | undefined }>(
    { limit, cursor, ...narrowed }: Asked,
    context: z.RefinementCtx,
  ): Promise<Page<Omit<Asked, 'limit' | 'cursor'>>> => {
    const question: Question = [list, narrowed];
    const after = cursor === undefined ? undefined : await readCursor(question, cursor);
    if (after === undefined && cursor !== undefined) {
      context.addIssue({ code: 'custom', path: ['cursor'], message: FOREIGN_CURSOR });
      return z.NEVER;
    }
    return { narrowed, limit, after, question };
  };

export const attemptsQuestion = strict({ ...filters, ...page })
  .refine(inOrder, ORDER_RULE)
  .transform(paged('attempts'));

/** A file is a whole list: it has no pages. */
export const attemptsFileQuestion = strict(filters).refine(inOrder, ORDER_RULE);

/** An id, or a support code as somebody wrote it down. */
export const attemptParam = z.object({
  attempt: text.transform((typed, context): { id: string } | { supportCode: string } => {
    const id = z.uuid({ version: 'v7' }).safeParse(typed.toLowerCase());
    if (id.success) return { id: id.data };
    const code = readSupportCode(typed);
    if (code !== undefined) return { supportCode: code };
    context.addIssue({
      code: 'custom',
      message:
        'neither an id of an attempt (such as 019aa3f1-7c00-7abc-8def-0123456789ab) nor a support code (such as 7K3QX-9M2TB)',
    });
    return z.NEVER;
  }),
});

export const personParam = z.object({ key: text.pipe(personKey) });
/** The page of a person's timeline, when the key stands in the path: {@link personPage} joins the two. */
export const personPageQuestion = strict(page);
export const personQuestion = strict({ key: text.pipe(personKey), ...page }).transform(paged('person'));
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
export const changesQuestion = strict({
  subject: text.transform(async (typed) => (await readPersonKey(typed)) ?? typed).optional(),
  changedBy: text.optional(),
  ...range,
  ...page,
})
  .refine(inOrder, ORDER_RULE)
  .transform(paged('changes'));
export type ChangesPage = z.output<typeof changesQuestion>;

export type AttemptsPage = z.output<typeof attemptsQuestion>;

const INTERVALS = ['hour', 'day'] as const;
export type Interval = (typeof INTERVALS)[number];

export const summaryQuestion = strict({
  ...dimensions,
  ...range,
  interval: z.enum(INTERVALS, 'not an interval: hour or day').optional(),
}).refine(inOrder, ORDER_RULE);
export type SummaryQuestion = z.output<typeof summaryQuestion>;

export const nothingAsked = (question: SummaryQuestion) =>
  Object.values(question).every((value) => value === undefined);
