/** What a custom policy sends to each exchange, and what it takes from the reply, at a place of a journey. Pure. */
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import { type Exchange, type ExchangeInput, type ExchangeOutput, exchangeKey } from '../../policy/exchange.ts';
import { lower, type PolicyChain } from './policy-chain.ts';

export interface SentClaim {
  readonly claimType: string;
  /** The name in the call, where it differs. */
  readonly partner?: string | undefined;
  /** The claim resolver that gives the value. */
  readonly resolver?: string | undefined;
}

export interface ReceivedClaim {
  readonly claimType: string;
  readonly partner?: string | undefined;
}

/** A claim type that a file declares if no file below it does. */
export interface ClaimNeed {
  readonly id: string;
  readonly dataType: string;
  readonly displayName: string;
  readonly isTyped?: boolean;
}

export interface PlannedCall {
  readonly profile: string;
  readonly exchange: Exchange;
  readonly title: string;
  readonly inputs: readonly SentClaim[];
  readonly outputs: readonly ReceivedClaim[];
  readonly needs: readonly ClaimNeed[];
  /** Claims that the page asks the person for, since no step gives them. */
  readonly asked: readonly string[];
  /** The page does not verify the e-mail that it is sent with yet, and must. */
  readonly verifiesEmail: boolean;
}

export interface CallPlace {
  /** Claims that have a value here, in lower case. */
  readonly available: ReadonlySet<string>;
  /** At a page, which can ask for claims. Elsewhere an orchestration step. */
  readonly isPage: boolean;
  /** Of claims in `available`: those whose e-mail address B2C has verified, in the order of preference. */
  readonly verifiedEmails: readonly string[];
}

/** Why an exchange cannot be called at a place. */
export class UnreachableClaim extends Error {}

/** Claims that describe the call: `AlwaysUseDefaultValue` makes B2C resolve them at each call (contract 4.5). */
const RESOLVED: { readonly [claim: string]: { readonly claimType: string; readonly resolver: string } } = {
  correlationId: { claimType: 'correlationId', resolver: '{Context:CorrelationId}' },
  policyId: { claimType: 'policyId', resolver: '{Policy:PolicyId}' },
  client_id: { claimType: 'clientId', resolver: '{OIDC:ClientId}' },
  ipAddress: { claimType: 'ipAddress', resolver: '{Context:IPAddress}' },
  ui_locales: { claimType: 'language', resolver: '{Culture:RFC5646}' },
};
/** Sent only where a rule or a message of the exchange reads them. */
const PERSON: readonly string[] = ['email', 'displayName', 'givenName', 'surname'];
/** Names that can be ids of claim types. Others are paths into nested bodies, or have special characters. */
const CLAIM_ID = /^[A-Za-z][A-Za-z0-9_-]*(?:\.emailAddress)?$/;
/** A display name is a line in the portal. */
const MAX_TITLE_CHARS = 128;
const TYPED_NAME = 'signinname';
const DIRECTORY_EMAIL = 'signinnames.emailaddress';

export function callOf(
  exchange: Exchange,
  place: CallPlace,
  chain: PolicyChain,
  document: PolicyDocument,
): PlannedCall {
  const sent = exchange.inputs.flatMap((input): readonly (SentClaim & { readonly need?: ClaimNeed })[] => {
    const resolved = RESOLVED[input.claim];
    if (resolved !== undefined) {
      const need = { id: resolved.claimType, dataType: 'string', displayName: resolved.claimType };
      return [{ ...resolved, partner: partnerOf(resolved.claimType, input), need }];
    }
    if (input.claim === 'objectId')
      return exchange.identifies.objectId && place.available.has('objectid')
        ? [{ claimType: 'objectId', partner: partnerOf('objectId', input) }]
        : [];
    const isIdentity = input.claim === 'email' && exchange.identifies.email !== undefined;
    if (PERSON.includes(input.claim) && !isIdentity && !isUsed(exchange, input, document)) return [];
    if (input.claim === 'email') return emailsFor(exchange, input, place);
    return ownInput(input, place, chain);
  });
  const outputs = Object.entries(exchange.outputs).map(([name, output]) => receivedClaim(name, output, chain));
  const asked = place.isPage
    ? sent.filter(({ claimType, resolver }) => resolver === undefined && !place.available.has(lower(claimType)))
    : [];
  return {
    profile: `Gatehouse-${exchange.name}`,
    exchange,
    title: (document.exchanges?.[exchange.name]?.description ?? `Gatehouse: ${exchange.name}`)
      .slice(0, MAX_TITLE_CHARS)
      .toWellFormed(),
    inputs: sent.map(({ need: _, ...claim }) => claim),
    outputs: outputs.map(({ need: _, ...claim }) => claim),
    needs: [...sent, ...outputs].flatMap(({ need }) => need ?? []),
    asked: asked.map(({ claimType }) => claimType),
    verifiesEmail:
      place.isPage &&
      exchange.identifies.email?.trusted === true &&
      place.verifiedEmails.length === 0 &&
      sent.some(isEmail),
  };
}

const isEmail = ({ claimType }: SentClaim) => claimType === 'email';

/** Undefined when the exchange reads the claim under the id of its type. */
const partnerOf = (claimType: string, { from }: ExchangeInput): string | undefined =>
  from.some((name) => lower(name) === lower(claimType)) ? undefined : from[0];

function emailsFor(exchange: Exchange, input: ExchangeInput, place: CallPlace): SentClaim[] {
  const { available } = place;
  if (exchange.identifies.email?.trusted) {
    const [verified = place.isPage ? 'email' : undefined] = place.verifiedEmails;
    if (verified !== undefined) return [{ claimType: verified, partner: partnerOf(verified, input) }];
    throw new UnreachableClaim(
      `${exchange.name} trusts its e-mail, and no step before it has an address that B2C verified. ` +
        'Remove "trusted" from the exchange, or identify the person by objectId alone.',
    );
  }
  const named = input.from.filter((name) => available.has(lower(name)));
  // The address in the directory is the one that was typed, checked.
  const sent = named.some((name) => lower(name) === DIRECTORY_EMAIL)
    ? named.filter((name) => lower(name) !== TYPED_NAME)
    : named;
  if (sent.length > 0) return sent.map((claimType) => ({ claimType }));
  const other = ['email', 'signInNames.emailAddress'].find((claim) => available.has(lower(claim)));
  return other === undefined ? [] : [{ claimType: other, partner: input.from[0] }];
}

function ownInput(input: ExchangeInput, { available, isPage }: CallPlace, chain: PolicyChain) {
  const names = [...input.from.filter((name) => CLAIM_ID.test(name)), input.claim];
  const claimType =
    names.find((name) => available.has(lower(name))) ??
    names.find((name) => chain.dataTypeOf(name) !== undefined) ??
    (names[0] as string);
  // A profile's built-in claims are not asked for.
  if (PERSON.includes(input.claim) && !available.has(lower(claimType))) return [];
  const need = {
    id: claimType,
    // A text box takes no long.
    dataType: isPage && input.type === 'number' ? 'int' : DATA_TYPES[input.type],
    displayName: input.claim,
    isTyped: isPage,
  };
  return [{ claimType, partner: partnerOf(claimType, input), need }];
}

/** The data types of B2C. It has none for fractions. */
const DATA_TYPES = { string: 'string', number: 'long', boolean: 'boolean', list: 'stringCollection' } as const;

export const dataTypeFor = ({ type, join }: ExchangeOutput): string =>
  DATA_TYPES[type === 'list' && join !== undefined ? 'string' : type];

/** The reply's name counts in its exact letters, so that it is always given. */
const receivedClaim = (name: string, output: ExchangeOutput, chain: PolicyChain) => ({
  claimType: name,
  partner: name,
  need: { id: name, dataType: chain.dataTypeOf(name) ?? dataTypeFor(output), displayName: name },
});

/** Whether the document declares the input, or a rule of the exchange or a placeholder of a message names the claim. */
function isUsed(
  { name }: Exchange,
  { claim }: ExchangeInput,
  { exchanges = {}, rules, messages = {} }: PolicyDocument,
) {
  if (Object.keys(exchanges[name]?.inputs ?? {}).some((input) => lower(input) === lower(claim))) return true;
  const own = rules.filter(({ steps }) => steps?.some((step) => exchangeKey(step) === exchangeKey(name)) ?? true);
  const names = new RegExp(`\\b${claim}\\b`, 'i');
  return names.test(JSON.stringify(own)) || JSON.stringify(messages).includes(`{${claim}}`);
}
