/**
 * Writes the replies to custom policies (contract 4.3, 4.4). No other file does. A success is 200 with the exchange's
 * outputs; a refusal is 409, whatever the reason.
 */

import type { Decision } from '../../policy/decide.ts';
import type { Exchange } from '../../policy/exchange.ts';
import type { Ended, Reply } from '../answer.ts';

export interface ExchangeReply extends Reply {
  readonly status: 200 | 409;
  readonly action: 'Claims' | 'Refusal';
}

/** The version that Microsoft's documentation uses. */
const VERSION = '1.0.0';

/** `exchange`: undefined when the call names none of the policy's. */
export function replyTo({ decision, reason, supportCode }: Omit<Ended, 'reached'>, exchange: Exchange | undefined) {
  return decision.kind === 'continue' ? success(decision, exchange) : refusal(decision, reason, supportCode);
}

function success({ claims }: Decision, exchange: Exchange | undefined): ExchangeReply {
  const body = exchange?.emptyReply === true ? '' : JSON.stringify(claims);
  return { status: 200, action: 'Claims', userMessage: '', body };
}

/** In DebugMode, B2C shows all members to everybody: none is secret or personal (contract line 66). */
function refusal(
  { rule, messageKey, message, developerMessage }: Extract<Decision, { message: string }>,
  reason: string,
  supportCode: string,
): ExchangeReply {
  const body = JSON.stringify({
    version: VERSION,
    status: 409,
    code: rule || reason || messageKey,
    userMessage: message,
    ...(developerMessage !== undefined && { developerMessage }),
    requestId: supportCode,
  });
  return { status: 409, action: 'Refusal', userMessage: message, body };
}
