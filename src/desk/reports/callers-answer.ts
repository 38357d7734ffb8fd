/** The schemas of the report on the credentials of connectors. */
import * as z from 'zod/mini';
import { instant, said, whole } from '../http/problem-answer.ts';

const text = z.string();
const day = z.iso.date();

/** Refused calls of one reason. */
const refusedReason = z.object({
  reason: text,
  error: said('The error that B2C shows to its users.', text),
  calls: whole,
  lastDay: said('The last day (UTC) with such a call.', day),
});

export const credentialUseAnswer = z.object({
  name: text,
  kind: said('How the credential is presented, such as `basic`.', text),
  configured: said(
    'Whether the gate has this credential now. Absent: the gate did not name its credentials.',
    z.exactOptional(z.boolean()),
  ),
  firstSeen: said('The day (UTC) of the first accepted call in the range; null without one.', z.nullable(day)),
  lastSeen: said('A time for a call of today or yesterday, else a day.', z.nullable(z.union([instant, day]))),
  accepted: whole,
  refused: whole,
  days: said('The days with a call, oldest first.', z.array(z.object({ day, accepted: whole, refused: whole }))),
  refusals: z.array(refusedReason),
  advice: said('What a person who retires the credential should know. Begin with it.', text),
});

export const callersAnswer = z.object({
  from: said('The range in whole days (UTC). `from` is included.', instant),
  to: said('Not included.', instant),
  asOf: said('Time of reading.', instant),
  credentials: said('By name.', z.array(credentialUseAnswer)),
  unnamed: said(
    'Refused calls that named no configured credential.',
    z.object({
      refused: whole,
      days: z.array(z.object({ day, refused: whole })),
      refusals: z.array(refusedReason),
    }),
  ),
  coverage: said('What the numbers do not include.', z.array(text)),
});

export const callersComponents = {
  CallersReport: callersAnswer,
  CredentialUse: credentialUseAnswer,
  RefusedReason: refusedReason,
};
