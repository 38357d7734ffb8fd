/**
 * Writes B2C's JSON (contract 2.1). No other file does. It never sends a reply that B2C ignores or misreads at a step:
 * a block at the token step, or a ValidationError other than before creating the user.
 */
import type { Decision } from '../../policy/decide.ts';
import type { Step } from '../../sign-in/event.ts';
import { type StepAllows, USER_FLOW } from '../../sign-in/steps.ts';
import type { Reply } from '../answer.ts';

/** B2C accepts any non-empty text (contract 2.3). Its documentation uses this one. */
const VERSION = '1.0.0';
const CONTINUE = { version: VERSION, action: 'Continue' } as const;

export interface UserFlowReply extends Reply {
  readonly status: 200 | 400;
  readonly action: 'Continue' | 'ShowBlockPage' | 'ValidationError';
}

/** Converts a decision to a reply that the contract allows at the step; `undefined` is an unknown step. */
export function replyTo(decision: Decision, step: Step | undefined): UserFlowReply {
  const allows: StepAllows = USER_FLOW.get(step ?? '') ?? ANY_STEP;
  if (decision.kind === 'continue') return continueWith(step === undefined ? {} : decision.claims);
  if (!allows.block) return continueWith(decision.claims);
  return decision.kind === 'invalid' && allows.invalid
    ? validationError(decision.message)
    : blockPage(decision.message);
}

/** A call without a step may be the one before creating the user. */
const ANY_STEP: StepAllows = { block: true, invalid: true, claims: 'directory' };

function continueWith(claims: Decision['claims']): UserFlowReply {
  // The envelope comes first, as in Microsoft's documentation, and again last, so that no claim overrides it.
  const body = JSON.stringify({ ...CONTINUE, ...claims, ...CONTINUE });
  return { status: 200, action: 'Continue', userMessage: '', body };
}

function blockPage(userMessage: string): UserFlowReply {
  const body = JSON.stringify({ version: VERSION, action: 'ShowBlockPage', userMessage });
  return { status: 200, action: 'ShowBlockPage', userMessage, body };
}

/** B2C requires 400 as the HTTP status and in the body. */
function validationError(userMessage: string): UserFlowReply {
  const body = JSON.stringify({ version: VERSION, status: 400, action: 'ValidationError', userMessage });
  return { status: 400, action: 'ValidationError', userMessage, body };
}
