/** The schemas of attempts, lists of attempts, and a person's timeline. */
import * as z from 'zod/mini';
import { OUTCOMES } from '../../attempts/attempt.ts';
import { COUNTED_SIGN_INS } from '../aggregates/sign-ins.ts';
import { describing } from '../http/operation.ts';
import { instant, matchesAnswer, next, said, whole } from '../http/problem-answer.ts';
import type { AttemptJson } from './attempt-json.ts';
import type { PersonAccounts } from './queries/accounts-of-person.ts';
import type { AdvisedAttempt } from './queries/advised-attempts.ts';
import type { AttemptList } from './queries/attempts.ts';
import type { FoundPerson } from './queries/find-person.ts';
import type { ProbeJson } from './queries/probes.ts';
import type { TimelineAttempt } from './queries/sign-in-statuses.ts';
import {
  adviceAnswer,
  faultMember,
  onlyThisPersonAnswer,
  repeatAnswer,
  tryAnswer,
  tryComponents,
} from './try-answer.ts';
import { personAccountsMembers } from './users-answer.ts';

const text = z.string();
const names = z.array(text);

const members = {
  id: said('UUIDv7; its time is `occurredAt`.', text),
  occurredAt: instant,
  channel: said('`user-flow` or `custom-policy`.', text),
  step: said('One of the three steps of user flows, an exchange of the policy, or the name that the call had.', text),
  urlStep: said('The step of the URL, when that of the body differs.', text),
  outcome: said(`One of ${OUTCOMES.join(', ')}.`, text),
  reason: said('A code when the outcome is `error`; else empty.', text),
  explanation: said('What `reason` says, and what to do. Absent without a reason.', z.exactOptional(text)),
  reply: said("B2C's `action`.", text),
  status: said('The status of the reply.', whole),
  rule: said('The rule that decided.', text),
  messageKey: text,
  message: said('What the person read, with `…` for each value that is not kept.', text),
  messageLanguage: said('BCP 47 tag.', text),
  supportCode: said('The code that the person can read out.', text),
  policyVersion: said('0: the built-in policy.', whole),
  clientId: text,
  objectId: text,
  email: text,
  issuer: said('Of the first identity.', text),
  issuerAssignedId: text,
  signInType: text,
  locale: text,
  claimNames: names,
  unexpectedClaims: names,
  keptClaims: z.record(text, z.union([text, z.number(), z.boolean()])),
  sentClaims: said('Names of the claims in the reply. B2C stores or issues only those that the user flow has.', names),
  failedRules: said('Rules that could not be evaluated. `notes` has the causes.', names),
  quotedClaims: said('Names of the claims whose values the message quotes.', names),
  roles: said('What went into the token.', names),
  rolesUpdatedAt: said('When the record with the roles was changed.', z.nullable(text)),
  durationMs: whole,
  degraded: said('Codes of the faults during the decision; empty when there were none.', text),
  notes: said('Sentences for support.', names),
  caller: said("Name of the caller's credential.", text),
  callerKind: said("Kind of the caller's credential, such as `basic`.", text),
  cfRay: text,
  correlationId: text,
  fingerprint: said('Two attempts with one fingerprint are one call made twice.', text),
  policyId: said('The custom policy that called; empty in a user flow.', text),
  ipNetwork: said("The /24 or /48 of the person's address, if the call has it.", text),
  isolate: said("UUIDv7 of the gate's isolate that answered.", z.nullable(text)),
  sequence: said("Number among the isolate's attempts, from 1. 0: an earlier version's.", whole),
  personKeys: said('Keys of the call under which a record of roles may be.', names),
  signInNames: said(
    'What the person signs in with or is called. No record of roles has such a key.',
    z.exactOptional(names),
  ),
  shadow: said(
    "The shadow policy's decision. Absent if it did not run.",
    z.exactOptional(
      z.object({
        version: whole,
        outcome: text,
        rule: text,
        messageKey: text,
        differs: z.boolean(),
        claims: said('Names of the claims whose values differ.', names),
      }),
    ),
  ),
};

const attemptAnswer = describing<AttemptJson>()(z.object(members));

const signIn = {
  signIn: said(
    'What became of the sign-in, at calls of SignInStarted and SignInCompleted.',
    z.exactOptional(z.enum([...COUNTED_SIGN_INS, 'pending'])),
  ),
};
const calledAgain = { calledAgain: said('This call is one made again.', z.exactOptional(repeatAnswer)) };

const sharingAttempt = describing<TimelineAttempt>()(z.object({ ...members, ...signIn }));
const timelineAttempt = z.object({ ...members, ...signIn, ...calledAgain });

const page = {
  next,
  searchedTo: said(
    'Set when the page ended early: everything from this time on was searched.',
    z.exactOptional(instant),
  ),
  matches: said('How many match. Only on the first page.', z.exactOptional(matchesAnswer)),
};

export const takenForMember = said(
  'What the text of the search was taken for.',
  z.exactOptional(
    z.enum([
      'person key',
      'e-mail address',
      'phone number',
      'user name',
      'objectId',
      'support code',
      'correlation id',
      'attempt id',
    ]),
  ),
);

export const attemptListAnswer = describing<AttemptList>()(z.object({ attempts: z.array(attemptAnswer), ...page }));

const onlyThisPerson = {
  onlyThisPerson: said('Whether it is only this person, or everyone.', z.exactOptional(onlyThisPersonAnswer)),
};
const advised = { ...members, fault: faultMember, advice: adviceAnswer, ...calledAgain };
const advisedAttempt = describing<AdvisedAttempt>()(z.object(advised));

/** For a support code, every attempt that has it. */
export const attemptOrListAnswer = z.union([
  z.object({ ...advised, ...onlyThisPerson }),
  z.object({ attempts: z.array(advisedAttempt), ...page, ...onlyThisPerson }),
]);

export const personAnswer = describing<FoundPerson & Partial<PersonAccounts>>()(
  z.object({
    key: said('The person key that was searched for.', text),
    keys: said('Keys that occur together with it.', names),
    standing: said("The person's status in one sentence. Begin with it.", text),
    takenFor: takenForMember,
    matched: said('Ids of the attempts with the code or id.', z.exactOptional(names)),
    nearMiss: said('How the text misses another reading by a character or two.', z.exactOptional(text)),
    signInNames: z.exactOptional(names),
    ...personAccountsMembers,
    ...onlyThisPerson,
    tries: said('The calls of one application without a pause, newest try first.', z.array(tryAnswer)),
    attempts: said('The timeline, newest first.', z.array(timelineAttempt)),
    sameEmail: said(
      'Attempts that share only the address. They may belong to another account.',
      z.array(sharingAttempt),
    ),
    ...page,
  }),
);

export const attemptComponents = {
  Attempt: attemptAnswer,
  AttemptList: attemptListAnswer,
  AdvisedAttempt: advisedAttempt,
  TimelineAttempt: timelineAttempt,
  SharingAttempt: sharingAttempt,
  ...tryComponents,
  Person: personAnswer,
};

export const probesAnswer = z.object({
  probes: z.array(
    describing<ProbeJson>()(
      z.object({
        id: text,
        occurredAt: instant,
        run: said('The id of the check that made it.', text),
        channel: text,
        step: text,
        outcome: text,
        reason: text,
        explanation: z.exactOptional(text),
        reply: text,
        status: whole,
        rule: text,
        policyVersion: whole,
        clientId: text,
        durationMs: whole,
        degraded: text,
        caller: text,
        callerKind: text,
      }),
    ),
  ),
  next,
});
