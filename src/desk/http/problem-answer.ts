/** The schemas of problem details, and of what several answers share. */
import * as z from 'zod/mini';
import type { Matches } from '../../database/matches.ts';
import { type Code, type Fault, REFUSALS } from './error-codes.ts';
import { describing } from './operation.ts';

/** A schema with a description for readers. */
export const said = <Schema extends z.ZodMiniType>(description: string, schema: Schema): Schema =>
  schema.check(z.describe(description));

export const instant = z.iso.datetime();
export const whole = z.int();

/** The gate answers the last one when the desk is away. */
export const PROBLEM_CODES: readonly (Code | 'desk-unavailable')[] = [
  ...(Object.keys(REFUSALS) as Code[]),
  'desk-unavailable',
];

export const faultAnswer = describing<Fault>()(
  z.object({
    path: said('The parameter or member, as people write it: `rules[2].when`. Empty: the whole request.', z.string()),
    pointer: said(
      'The member of the body, as a JSON Pointer. Absent when the fault is elsewhere.',
      z.exactOptional(z.string()),
    ),
    message: said('What is wrong and what to send instead.', z.string()),
    rule: said('Id of the rule of a policy.', z.exactOptional(z.string())),
  }),
);

export const problemAnswer = z.object({
  type: said('`urn:gatehouse:problem:` and the code.', z.string()),
  title: z.string(),
  status: whole,
  detail: said('What is wrong, and what to do. For people: the sentence may change.', z.string()),
  requestId: said(
    'It is in the log, too. Absent when the gate answered without the desk.',
    z.exactOptional(z.string()),
  ),
  code: said('For programs: a code never changes. The list is closed.', z.enum(PROBLEM_CODES)),
  errors: said('Every fault of the request, at most the first 20.', z.exactOptional(z.array(faultAnswer))),
  current: said(
    'The number of the version in force; null when there is none.',
    z.exactOptional(z.nullable(z.number())),
  ),
});

export const matchesAnswer = describing<Matches>()(
  z.union([
    z.object({
      count: whole,
      isMore: said('There are more than `count`.', z.boolean()),
    }),
    z.object({ leftOut: said('Why they were not counted, and what to do.', z.string()) }),
  ]),
);

/** On every page but the last. */
export const next = said('The `cursor` of the following page. Absent on the last page.', z.exactOptional(z.string()));
