/**
 * Writes B2C's JSON (contract 2.1): the only place that knows it. What B2C would ignore or misread at a step is never sent
 * there: a block at the token step, a ValidationError anywhere but before creating the user.
 */
import type { Decision } from '../../policy/decide.ts';
import type { ClaimValue, Step } from '../../sign-in/event.ts';
import { type StepAllows, USER_FLOW } from '../../sign-in/steps.ts';
import type { Reply } from '../answer.ts';

/** Any non-empty text will do (contract 2.3); this is what the documents send. */
const VERSION = '1.0.0';
const CONTINUE = { version: VERSION, action: 'Continue' } as const;

export interface UserFlowReply extends Reply {
  readonly status: 200 | 400;
  readonly action: 'Continue' | 'ShowBlockPage' | 'ValidationError';
}

/** A decision as the reply that the contract allows at this step; `undefined` is a call whose step is unknown. */
export function replyTo(decision: Decision, step: Step | undefined): UserFlowReply {
  const allows: StepAllows = USER_FLOW.get(step ?? '') ?? ANY_STEP;
  if (decision.kind === 'continue') return continueWith(step === undefined ? {} : decision.claims);
  if (!allows.block) return continueWith(decision.claims);
  return decision.kind === 'invalid' && allows.invalid
    ? validationError(decision.message)
    : blockPage(decision.message);
}

/** Nothing says that a call without a step is not the one before creating the user. */
const ANY_STEP: StepAllows = { block: true, invalid: true, claims: 'directory' };

function continueWith(claims: { readonly [name: string]: ClaimValue }): UserFlowReply {
  // The envelope first, as the documents print it, and last, so that no claim can take its place.
  const body = JSON.stringify({ ...CONTINUE, ...claims, ...CONTINUE });
  return { status: 200, action: 'Continue', userMessage: '', body };
}

function blockPage(userMessage: string): UserFlowReply {
  const body = JSON.stringify({ version: VERSION, action: 'ShowBlockPage', userMessage });
  return { status: 200, action: 'ShowBlockPage', userMessage, body };
}

/** B2C wants 400 twice: as the HTTP status and in the body. */
function validationError(userMessage: string): UserFlowReply {
  const body = JSON.stringify({ version: VERSION, status: 400, action: 'ValidationError', userMessage });
  return { status: 400, action: 'ValidationError', userMessage, body };
}
