/** Reads an answer as B2C would (contract 2.1 to 2.3): what it is, or why B2C would ignore it or show an error page. Pure. */
import * as z from 'zod';
import type { UserFlowStep } from '../../src/sign-in/steps.ts';
import type { ScriptedCall } from './script.ts';

export const KINDS = ['continue', 'block', 'invalid', 'refused', 'not allowed', 'no answer'] as const;
export type Kind = (typeof KINDS)[number];

export interface RawAnswer {
  readonly status: number;
  /** `''` when there is none. */
  readonly contentType: string;
  readonly text: string;
}

export interface Reply {
  readonly kind: Kind;
  /** For `not allowed` and `no answer`: why, in words. */
  readonly problem: string;
  /** B2C's word for what is to happen, `''` when there is none that it would take. */
  readonly action: string;
}

const claims = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], 'a claim is neither text nor number nor true or false'),
);
const shape = z.looseObject({
  version: z.string('without a version').min(1, 'with an empty version'),
  action: z.enum(['Continue', 'ShowBlockPage', 'ValidationError'], 'with an action that B2C does not know'),
});
const withMessage = z.looseObject({
  userMessage: z.string('without a userMessage').min(1, 'with an empty userMessage'),
});
const twice400 = withMessage.extend({ status: z.literal([400, '400'], 'without status 400 in the body') });

export function readReply({ step, credential }: ScriptedCall, answer: RawAnswer): Reply {
  if (credential === 'wrong') return readRefusal(answer);
  if (answer.status === 401) return notAllowed('401 for a credential that was right a moment ago');
  if (!/^application\/json(;|$)/i.test(answer.contentType)) {
    return notAllowed(
      `status ${answer.status} with content type ${answer.contentType || '(none)'}, not application/json`,
    );
  }
  const body = readJson(answer.text);
  if (body === undefined) return notAllowed(`status ${answer.status} with a body that is not JSON`);
  const problem = problemOf(body, answer.status, step);
  return typeof problem === 'string' ? notAllowed(problem) : problem;
}

/** The reply to a call that timed out or broke off. */
export const noAnswer = (problem: string): Reply => ({ kind: 'no answer', problem, action: '' });

/** Contract line 47: 401, and nothing in it that B2C could take for an answer. */
function readRefusal({ status, text }: RawAnswer): Reply {
  if (status !== 401) return notAllowed(`status ${status} for a wrong credential, which is let in`);
  return text === '' ? { kind: 'refused', problem: '', action: '' } : notAllowed('401 with a body');
}

function problemOf(body: unknown, status: number, step: UserFlowStep | undefined): string | Reply {
  const read = shape.safeParse(body);
  if (!read.success) return firstIssue(read.error);
  const { action } = read.data;
  const accept = (kind: Kind, schema: z.ZodType): string | Reply => {
    const { error } = schema.safeParse(body);
    return error === undefined ? { kind, problem: '', action } : `${action} ${firstIssue(error)}`;
  };
  const wrongStatus = `${action} with status ${status}`;
  switch (action) {
    case 'Continue':
      if (status !== 200) return wrongStatus;
      if (step === 'PreTokenIssuance' && 'email' in read.data) return 'Continue with an email, which B2C refuses here';
      return accept('continue', claims);
    case 'ShowBlockPage':
      if (step === 'PreTokenIssuance') return 'ShowBlockPage, which B2C ignores here';
      return status === 200 ? accept('block', withMessage) : wrongStatus;
    case 'ValidationError':
      if (step === 'PreTokenIssuance' || step === 'PostFederationSignup')
        return 'ValidationError, which B2C does not take here';
      return status === 400 ? accept('invalid', twice400) : wrongStatus;
  }
}

const notAllowed = (problem: string): Reply => ({ kind: 'not allowed', problem, action: '' });

const firstIssue = (error: z.ZodError) => error.issues[0]?.message ?? 'of an unknown shape';

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
