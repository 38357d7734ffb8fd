/** Classifies a response as B2C does (contract 2.1 to 2.3), or says why B2C would ignore or reject it. Pure. */
import type { Step } from '../sign-in/event.ts';

/** A call to a connector. */
export interface MadeCall {
  readonly channel: 'user-flow' | 'custom-policy';
  /** Undefined: neither the URL nor the body names one. */
  readonly step: Step | undefined;
  readonly credential: 'own' | 'wrong';
}

export const KINDS = ['continue', 'block', 'invalid', 'refused', 'not allowed', 'no answer'] as const;
export type Kind = (typeof KINDS)[number];

export interface RawAnswer {
  readonly status: number;
  /** `''` when missing. */
  readonly contentType: string;
  readonly text: string;
}

export interface ReceivedReply {
  readonly kind: Kind;
  /** For `not allowed` and `no answer`: the reason. */
  readonly problem: string;
  /** The action, `''` when B2C would not accept the reply. */
  readonly action: string;
}

/** B2C's actions: the HTTP status, and the steps at which B2C does not accept them. */
const ACTIONS: Readonly<Record<string, { kind: Kind; status: number; notAt: { readonly [step: Step]: string } }>> = {
  Continue: { kind: 'continue', status: 200, notAt: {} },
  ShowBlockPage: { kind: 'block', status: 200, notAt: { PreTokenIssuance: 'which B2C ignores here' } },
  ValidationError: {
    kind: 'invalid',
    status: 400,
    notAt: { PreTokenIssuance: 'which B2C refuses here', PostFederationSignup: 'which B2C refuses here' },
  },
};

export function readReply(
  { channel, step, credential }: MadeCall,
  { status, contentType, text }: RawAnswer,
): ReceivedReply {
  if (credential === 'wrong') {
    // Contract line 47: 401 with an empty body.
    if (status !== 401) return notAllowed(`status ${status} for a wrong credential, which must get 401`);
    return text === '' ? { kind: 'refused', problem: '', action: '' } : notAllowed('401 with a body');
  }
  if (status === 401) return notAllowed('401 for the right credential');
  if (channel === 'custom-policy') return readExchangeReply({ status, contentType, text });
  if (!/^application\/json(;|$)/i.test(contentType))
    return notAllowed(`status ${status} with content type ${contentType || '(none)'}, not application/json`);
  const body = readJson(text);
  if (body === undefined) return notAllowed(`status ${status} with a body that is not a JSON object`);
  const { version, action } = body;
  if (typeof version !== 'string' || version === '') return notAllowed('without a version');
  const known = typeof action === 'string' && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (typeof action !== 'string' || known === undefined) return notAllowed('with an action that B2C does not know');
  const why = step === undefined ? undefined : known.notAt[step];
  if (why !== undefined) return notAllowed(`${action}, ${why}`);
  if (status !== known.status) return notAllowed(`${action} with status ${status}`);
  const problem = known.kind === 'continue' ? problemOfClaims(body, step) : problemOfMessage(body, known.kind);
  return problem === undefined ? { kind: known.kind, problem: '', action } : notAllowed(`${action} ${problem}`);
}

/** What a custom policy accepts (contract 4.3, 4.4): 200 with flat JSON or nothing, or 409 with a message. */
function readExchangeReply({ status, contentType, text }: RawAnswer): ReceivedReply {
  if (status === 200 && text === '') return { kind: 'continue', problem: '', action: 'Claims' };
  if (status !== 200 && status !== 409) return notAllowed(`status ${status}, which ends the journey`);
  const body = /^application\/json(;|$)/i.test(contentType) ? readJson(text) : undefined;
  if (body === undefined) return notAllowed(`status ${status} with a body that is not a JSON object`);
  if (status === 200)
    return isFlat(body)
      ? { kind: 'continue', problem: '', action: 'Claims' }
      : notAllowed('200 with a claim that is neither a value nor a list of values');
  const { version, userMessage } = body;
  if (typeof version !== 'string' || body.status !== 409 || typeof userMessage !== 'string' || userMessage === '')
    return notAllowed('409 without a version, status 409 or a userMessage');
  return { kind: 'block', problem: '', action: 'Refusal' };
}

/** Values, and lists of them (contract 4.3). */
const isFlat = (body: Record<string, unknown>): boolean =>
  Object.values(body)
    .flat()
    .every((value) => ['string', 'number', 'boolean'].includes(typeof value));

/** The reply to a call that timed out or was disconnected. */
export const noAnswer = (problem: string): ReceivedReply => ({ kind: 'no answer', problem, action: '' });

const notAllowed = (problem: string): ReceivedReply => ({ kind: 'not allowed', problem, action: '' });

function problemOfClaims(body: Record<string, unknown>, step: Step | undefined): string | undefined {
  if (step === 'PreTokenIssuance' && 'email' in body) return 'with an email, which B2C refuses here';
  const odd = Object.values(body).some((value) => !['string', 'number', 'boolean'].includes(typeof value));
  return odd ? 'with a claim that is not a string, number or boolean' : undefined;
}

function problemOfMessage({ userMessage, status }: Record<string, unknown>, kind: Kind): string | undefined {
  if (typeof userMessage !== 'string' || userMessage === '') return 'without a userMessage';
  return kind === 'invalid' && status !== 400 && status !== '400' ? 'without status 400 in the body' : undefined;
}

function readJson(text: string): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : undefined;
  } catch {
    return undefined;
  }
}
