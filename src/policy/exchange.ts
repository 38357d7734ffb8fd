/**
 * Exchanges: the calls that a tenant's custom policies make. A policy document declares them; the desk resolves each to
 * this form. An exchange is a step: rules name it in `steps`.
 */
import { SIGN_IN_COMPLETED, SIGN_IN_STARTED, type StepAllows } from '../sign-in/steps.ts';

export interface Exchange {
  /** In the letters of the policy document. Calls name it in any case. */
  readonly name: string;
  /**
   * `validation`: B2C shows a refusal on the page. `orchestration`: a refusal sends the person back to the application
   * with an error (contract 4.4).
   */
  readonly kind: 'validation' | 'orchestration';
  /** The issuer of object ids that are not GUIDs; `''` when there is none. */
  readonly issuer: string;
  readonly inputs: readonly ExchangeInput[];
  readonly identifies: {
    /** Undefined: the e-mail does not identify the person. */
    readonly email?: { readonly trusted: boolean } | undefined;
    readonly objectId?: { readonly form: 'guid' | 'any' } | undefined;
  };
  /** By the sent name, in its exact letters (contract line 104). */
  readonly outputs: { readonly [name: string]: ExchangeOutput };
  /** Success has an empty body (contract line 64). */
  readonly emptyReply: boolean;
}

export interface ExchangeInput {
  /** The claim that the input gives. */
  readonly claim: string;
  /** Names of members, parameters or headers, in any case, or paths such as `email.0.emailValue`. The first wins. */
  readonly from: readonly string[];
  readonly type: 'string' | 'number' | 'boolean';
}

export interface ExchangeOutput {
  readonly type: 'string' | 'number' | 'boolean' | 'list';
  /** A list with this separator goes out as one text. */
  readonly join?: string | undefined;
}

/** Claims that describe the call and identify no one. The attempt stores them in columns of their own. */
export const CALL_CLAIMS = ['correlationId', 'client_id', 'policyId', 'ipAddress', 'ui_locales'] as const;

/** Names under which public custom policies send these claims (contract 4.1, 4.5; payloads 30 to 3c and 60 to 67). */
const INPUT_NAMES: { readonly [claim: string]: readonly string[] } = {
  email: ['email', 'emailAddress', 'signInName', 'signInNames.emailAddress', 'mail'],
  objectId: ['objectId', 'oid', 'userObjectId'],
  displayName: ['displayName', 'name'],
  givenName: ['givenName', 'firstName'],
  surname: ['surname', 'lastName', 'familyName'],
  ui_locales: ['ui_locales', 'lang', 'language', 'locale', 'userLanguage', 'culture', 'lcid'],
  client_id: ['client_id', 'clientId', 'applicationId', 'appId'],
  correlationId: ['correlationId', 'correlation_id'],
  policyId: ['policyId', 'policy', 'policyName'],
  ipAddress: ['ipAddress', 'ip', 'clientIp', 'userIp'],
};

export const BUILT_IN_INPUTS: readonly ExchangeInput[] = Object.entries(INPUT_NAMES).map(([claim, from]) => ({
  claim,
  from,
  type: 'string',
}));

/**
 * The e-mail input of an exchange that trusts its e-mail and names no input for it. `signInName` is not among them: it
 * is what a person typed, before anything was checked.
 */
export const TRUSTED_EMAIL_INPUT: ExchangeInput = { claim: 'email', from: ['email', 'emailAddress'], type: 'string' };

const notified = (name: string): Exchange => ({
  name,
  kind: 'orchestration',
  issuer: '',
  inputs: BUILT_IN_INPUTS,
  identifies: { email: { trusted: false }, objectId: { form: 'guid' } },
  outputs: {},
  emptyReply: true,
});

/** Exchanges of every policy, unless its document declares them. A fault there never stops a sign-in. */
export const BUILT_IN_EXCHANGES: readonly Exchange[] = [notified(SIGN_IN_STARTED), notified(SIGN_IN_COMPLETED)];

const ORCHESTRATION: StepAllows = { block: true, invalid: false, claims: 'journey' };
const VALIDATION: StepAllows = { block: true, invalid: true, claims: 'journey' };

/** The replies that B2C accepts from an exchange. */
export const allowedAt = ({ kind }: Exchange): StepAllows => (kind === 'validation' ? VALIDATION : ORCHESTRATION);

/** The form in which names of exchanges are equal: URLs in a custom policy may have any case. */
export const exchangeKey = (name: string): string => name.toLowerCase();
