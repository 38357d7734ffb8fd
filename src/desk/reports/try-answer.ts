/** The schemas of tries, of advice, and of whom else an attempt concerned. */
import * as z from 'zod/mini';
import { describing } from '../http/operation.ts';
import { instant, said, whole } from '../http/problem-answer.ts';
import type { Advice } from './advice.ts';
import { FAULTS } from './attempt-verdict.ts';
import type { OnlyThisPerson } from './only-this-person.ts';
import { REPEAT_CAUSES, type Repeat } from './repeated-calls.ts';
import type { TryJson } from './try-json.ts';
import { STEP_STATUSES, TRY_OUTCOMES } from './try-verdict.ts';

const text = z.string();
const texts = z.array(text);

export const faultMember = said('Whose fault it was, as far as Gatehouse knows.', z.enum(FAULTS));

export const adviceAnswer = describing<Advice>()(
  z.object({
    text: said('What to tell the person.', text),
    language: said('BCP 47 tag of the text, in lower case.', text),
    source: said('`rule`: the policy has it.', z.enum(['rule', 'built-in'])),
  }),
);

export const repeatAnswer = describing<Repeat>()(
  z.object({
    of: said('Id of the attempt before with the same fingerprint.', text),
    afterMs: whole,
    cause: z.enum(REPEAT_CAUSES),
    sentence: text,
  }),
);

export const tryAnswer = describing<TryJson>()(
  z.object({
    from: said('Of the first attempt.', instant),
    to: said('Of the last attempt.', instant),
    clientId: text,
    application: said('The name that the policy gives it. Absent without one.', z.exactOptional(text)),
    outcome: z.enum(TRY_OUTCOMES),
    fault: faultMember,
    steps: z.array(
      z.object({ step: text, status: z.enum(STEP_STATUSES), attempts: said('Ids, oldest first.', texts) }),
    ),
    attempts: said('Ids, newest first.', texts),
    calls: said('Calls that B2C made twice are one.', whole),
    isCut: said('It may have further attempts on another page.', z.exactOptional(z.literal(true))),
    sentence: text,
    advice: adviceAnswer,
  }),
);

const people = said('Null when the attempts of that hour are deleted.', z.nullable(whole));
const hour = said('Start of the hour.', instant);

export const onlyThisPersonAnswer = describing<OnlyThisPerson>()(
  z.object({
    hour,
    people,
    before: said('The same hour of the last four weeks, newest first.', z.array(z.object({ hour, people }))),
    counted: said(
      'What was counted: people whom this rule refused, with this outcome, or at the token step.',
      z.enum(['rule', 'outcome', 'token-step']),
    ),
    sentence: text,
  }),
);

export const tryComponents = {
  Advice: adviceAnswer,
  Repeat: repeatAnswer,
  Try: tryAnswer,
  OnlyThisPerson: onlyThisPersonAnswer,
};
