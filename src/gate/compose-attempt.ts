/** Composes the attempt of an answered call. Every text is truncated here. */
import type { Attempt, Outcome } from '../attempts/attempt.ts';
import type { AttemptNumber } from '../attempts/attempt-number.ts';
import { fingerprintOf, seedOf } from '../attempts/fingerprint.ts';
import {
  EMAIL_NOT_TRUSTED,
  failedConditionNote,
  failedPartNote,
  IDENTITIES_DROPPED,
  leftOutNote,
  TOKEN_LEFT_OUT,
} from '../attempts/notes.ts';
import { isStorable, retainedClaims, type StoredClaims } from '../attempts/redaction.ts';
import {
  dimensionOf,
  MAX_CHARS,
  MAX_MESSAGE_BYTES,
  MAX_NAMES,
  truncate,
  truncateDistinct,
} from '../attempts/text-limits.ts';
import { containsToken } from '../attempts/token-shape.ts';
import { MAX_ROLES, ROLE_NAME } from '../entitlements/stored-record.ts';
import type { Config } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { type Decision, renderMessage } from '../policy/decide.ts';
import type { Policy, SentValue } from '../policy/policy.ts';
import type { ShadowDecision } from '../policy/shadow.ts';
import { canonicalName, comparableName } from '../sign-in/claim-names.ts';
import type { SignInEvent } from '../sign-in/event.ts';
import { searchKeysOf } from '../sign-in/search-keys.ts';
import type { Answered, Reached } from './answer.ts';

const short = dimensionOf;
const identifier = (text: string) => truncateDistinct(text, MAX_CHARS.identifier);
const key = (text: string) => truncate(text, MAX_CHARS.personKey);
const names = (list: readonly string[]) =>
  list.slice(0, MAX_NAMES).map((name) => (containsToken(name) ? MASK : truncate(name, MAX_CHARS.name)));

/** In place of a value that is not stored. */
const MASK = '…';

/** The part of an attempt that is specific to a channel. */
export interface ChannelPart {
  readonly channel: string;
  /** The step in the channel's terms, including an unknown one; `''` when there is none. */
  readonly step: string;
  /** The URL's step, when the body names another one. */
  readonly urlStep: string;
  readonly correlationId: string;
  /** The custom policy that called. */
  readonly policyId: string;
  /** The network of the person's address. */
  readonly ipNetwork: string;
  /** Sentences for support. */
  readonly notes: readonly string[];
}

/** Composes an attempt. `id` is a UUIDv7 with the arrival time. The request can set neither it nor the number. */
export async function attemptOf(
  config: StoredClaims & Pick<Config, 'SUPPORT_CODE_KEY'>,
  answered: Answered,
  channelPart: ChannelPart,
  id: string,
  { isolate, sequence }: AttemptNumber,
  shadow?: ShadowDecision,
): Promise<Attempt> {
  const { reached, decision, reply, reason } = answered;
  const { inForce, lookup } = reached;
  const event = reached.event && withoutTokens(reached.event);
  const { channel, urlStep, ipNetwork } = channelPart;
  const given = [channelPart.step, channelPart.correlationId, channelPart.policyId] as const;
  const [step = '', correlationId = '', policyId = ''] = given.map(withoutToken);
  const hasToken = event !== reached.event || given.some(containsToken);
  const { message, quotedClaims } = messageOf(answered, config);
  const [identity] = event?.identities ?? [];
  const keys = event && (await searchKeysOf(event));
  const [idpKey, ...otherIdpKeys] = keys?.idp ?? [];
  const refusal = decision.kind === 'continue' ? undefined : decision;
  const attempt = truncateToFit({
    kind: 'attempt',
    v: 1,
    id,
    channel,
    step: short(step),
    urlStep: short(urlStep),
    outcome: outcomeOf(answered),
    reason: short(reason),
    reply: reply.action,
    status: reply.status,
    rule: short(refusal?.rule ?? ''),
    messageKey: short(refusal?.messageKey ?? ''),
    message: truncate(message, MAX_CHARS.message),
    messageLanguage: reply.userMessage === '' ? '' : short(refusal?.language ?? ''),
    supportCode: answered.supportCode,
    policyVersion: inForce?.policy?.version ?? 0,
    clientId: short(event?.clientId ?? ''),
    objectId: identifier(event?.objectId ?? ''),
    email: truncateDistinct(event?.email ?? '', MAX_CHARS.value),
    issuer: short(identity?.issuer ?? ''),
    issuerAssignedId: identifier(identity?.issuerAssignedId ?? ''),
    signInType: short(identity?.signInType ?? ''),
    oidKey: key(keys?.oid ?? ''),
    idpKey: key(idpKey ?? ''),
    emailKey: key(keys?.email ?? ''),
    otherKeys: [...otherIdpKeys, ...(keys?.names ?? [])].map(key),
    locale: short(event?.locale ?? ''),
    claimNames: names(event?.claimNames ?? []),
    unexpectedClaims: names(event?.unexpectedClaims ?? []),
    keptClaims: event === undefined ? {} : retainedClaims(event.claims, config),
    sentClaims: names(Object.keys(decision.claims)),
    failedRules: failedRules(decision),
    quotedClaims: names(quotedClaims),
    roles: rolesSent(answered),
    rolesUpdatedAt: lookup?.found.record?.updatedAt ?? null,
    durationMs: Math.min(Math.round(answered.durationMs), 600_000),
    degraded: degradedOf(reached),
    notes: [
      ...notesOf(answered),
      ...channelPart.notes,
      ...truncatedNotes(event, { step, correlationId }),
      ...(hasToken ? [TOKEN_LEFT_OUT] : []),
    ],
    caller: short(reached.caller),
    cfRay: short(withoutToken(reached.request.headers.get('cf-ray') ?? '')),
    correlationId: short(correlationId),
    policyId: short(policyId),
    ipNetwork: short(ipNetwork),
    callerKind: short(reached.callerKind),
    isolate,
    sequence,
    fingerprint: '',
    ...shadowColumns(shadow),
  });
  return withFingerprint(attempt, config.SUPPORT_CODE_KEY, reached.text);
}

/** The message shown to the person, with `…` for each value of a claim that is not stored, and the claims it quotes. */
function messageOf(
  { reached: { event, inForce }, decision, reply, supportCode }: Answered,
  stored: StoredClaims,
): { message: string; quotedClaims: string[] } {
  const { userMessage } = reply;
  // Without a rule, a message has a support code and no claims.
  if (decision.kind === 'continue' || decision.rule === '' || userMessage === '')
    return { message: userMessage, quotedClaims: [] };
  if (event === undefined || inForce?.policy === undefined) return { message: '', quotedClaims: [] };
  const quoted = new Set<string>();
  const masked = renderMessage(decision, event, inForce.policy, supportCode, (placeholder, shown) => {
    if (shown === supportCode) return shown;
    const name = nameInCall(event, placeholder);
    quoted.add(name);
    return isStorable(stored, name, event.claims[name] ?? shown) ? shown : MASK;
  });
  return { message: masked.kind === 'continue' ? '' : masked.message, quotedClaims: [...quoted] };
}

/** The name of the claim that a placeholder shows, in the letter case of the call. */
const nameInCall = ({ claimNames }: SignInEvent, placeholder: string): string =>
  claimNames.find((name) => comparableName(name) === comparableName(placeholder)) ?? canonicalName(placeholder);

const withoutToken = (text: string): string => (containsToken(text) ? '' : text);

/** The event without texts that contain a token; the same object when there are none. */
function withoutTokens(event: SignInEvent): SignInEvent {
  const { claims, email, locale, identities, otherNames } = event;
  // The event has these two in lower case, in which a token is not recognised.
  const [objectId, clientId] = [claims.objectId, claims.client_id].map((claim) => containsToken(String(claim ?? '')));
  const isFree = { email: !containsToken(email), locale: !containsToken(locale) };
  const some = identities.filter((identity) => !Object.values(identity).some(containsToken));
  const others = otherNames.filter((address) => !containsToken(address));
  const isWhole = some.length === identities.length && others.length === otherNames.length;
  if (isFree.email && isFree.locale && isWhole && !objectId && !clientId) return event;
  return {
    ...event,
    objectId: objectId ? '' : event.objectId,
    clientId: clientId ? '' : event.clientId,
    email: isFree.email ? email : '',
    locale: isFree.locale ? locale : '',
    identities: some,
    otherNames: others,
  };
}

/** All faults, separated by a space. */
const degradedOf = ({ lookup, inForce }: Reached): string =>
  [inForce?.fault ?? '', lookup?.degraded ?? ''].filter((fault) => fault !== '').join(' ');

/** At the token step of a stored policy, the roles in the sent claim. Otherwise the person's roles. */
function rolesSent({ reached: { inForce, event, person }, decision }: Answered): string[] {
  const policy = inForce?.policy;
  if (policy === undefined || policy.sendsRoles || !isTokenStep(policy, event)) return [...(person?.roles ?? [])];
  return rolesIn(decision.claims[policy.rolesClaim]);
}

const isTokenStep = ({ steps }: Policy, event: SignInEvent | undefined): boolean =>
  event?.step !== undefined && steps.get(event.step)?.allows.claims === 'token';

/** The roles in a claim, in the form that an attempt stores. */
export const rolesIn = (claim: SentValue | undefined): string[] =>
  namesInClaim(claim)
    .filter((name) => ROLE_NAME.test(name) && !containsToken(name))
    .slice(0, MAX_ROLES);

/** Splits at any separator that a policy may use. Names contain none of them. */
const namesInClaim = (claim: SentValue | undefined): string[] =>
  String(claim ?? '')
    .split(/[\s,;|]+/)
    .filter((name) => name !== '');

/** Each rule once. */
const failedRules = ({ failures = [] }: Decision): string[] => names([...new Set(failures.map(({ rule }) => rule))]);

/** The most failures that notes mention. One is enough to review the policy. */
const MAX_FAILURES = 5;
const MAX_NOTE_CHARS = 200;

/** JSON encodes a control character in six bytes. Half of a message is for the other members. */
const MAX_LIST_CHARS = MAX_MESSAGE_BYTES / 2 / 6;
const NAMES_WHEN_CUT = 20;
/** Marks an attempt without values and with few names. Replay reads it in stored attempts: do not change it. */
export const CUT_TO_FIT = 'names of claims cut and values left out: too much for one message';

/** Drops values and most names of a message over {@link MAX_MESSAGE_BYTES}, and adds a note. */
function truncateToFit(attempt: Attempt): Attempt {
  const { claimNames, unexpectedClaims, keptClaims, sentClaims, failedRules, quotedClaims, shadowClaims } = attempt;
  const values = [...Object.keys(keptClaims), ...Object.values(keptClaims)];
  const lists = [claimNames, unexpectedClaims, values, sentClaims, failedRules, quotedClaims, shadowClaims];
  const chars = lists.flat().reduce<number>((sum, text) => sum + String(text).length, 0);
  if (chars <= MAX_LIST_CHARS) return attempt;
  return {
    ...attempt,
    claimNames: claimNames.slice(0, NAMES_WHEN_CUT),
    unexpectedClaims: unexpectedClaims.slice(0, NAMES_WHEN_CUT),
    keptClaims: {},
    sentClaims: sentClaims.slice(0, NAMES_WHEN_CUT),
    failedRules: failedRules.slice(0, NAMES_WHEN_CUT),
    quotedClaims: quotedClaims.slice(0, NAMES_WHEN_CUT),
    shadowClaims: shadowClaims.slice(0, NAMES_WHEN_CUT),
    notes: [...attempt.notes, CUT_TO_FIT],
  };
}

/** The columns of a shadow's decision; version 0 when the shadow did not run. */
const shadowColumns = (shadow: ShadowDecision | undefined) => ({
  shadowVersion: shadow?.version ?? 0,
  shadowOutcome: shadow?.outcome ?? '',
  shadowRule: short(shadow?.rule ?? ''),
  shadowMessageKey: short(shadow?.messageKey ?? ''),
  shadowDiffers: shadow?.differs ?? false,
  shadowClaims: names(shadow?.claims ?? []),
});

/** The stored parts of a call that are equal in a retry. */
function retryParts({ step, clientId, keptClaims, claimNames, unexpectedClaims, ...rest }: Attempt): string[] {
  const { oidKey, idpKey, emailKey, otherKeys, locale, caller } = rest;
  const values = Object.entries(keptClaims).map(([name, value]) => `${name} ${value}`);
  return [
    step,
    clientId,
    oidKey,
    idpKey,
    emailKey,
    locale,
    caller,
    ...otherKeys,
    ...claimNames,
    ...unexpectedClaims,
    ...values,
  ];
}

/** If hashing fails, the fingerprint is empty. An empty body has none: all would share one. */
async function withFingerprint(attempt: Attempt, secret: string, text: string | undefined): Promise<Attempt> {
  if (text === undefined || text === '') return attempt;
  try {
    const seed = seedOf(secret);
    const parts = retryParts(attempt);
    return { ...attempt, fingerprint: fingerprintOf(seed instanceof Promise ? await seed : seed, parts) };
  } catch (error) {
    log('fingerprint-failed', errorFields(error));
    return attempt;
  }
}

export const outcomeOf = ({ reason, decision }: Pick<Answered, 'reason' | 'decision'>): Outcome =>
  reason === '' ? decision.kind : 'error';

/** Names the texts of a call that are too long for their column, so that no reader takes them for the whole. */
function truncatedNotes(
  event: SignInEvent | undefined,
  { step, correlationId }: Pick<ChannelPart, 'step' | 'correlationId'>,
): string[] {
  const [identity] = event?.identities ?? [];
  const { dimension, identifier, value } = MAX_CHARS;
  const texts: [name: string, text: string | undefined, maxChars: number][] = [
    ['step', step, dimension],
    ['correlationId', correlationId, dimension],
    ['clientId', event?.clientId, dimension],
    ['locale', event?.locale, dimension],
    ['objectId', event?.objectId, identifier],
    ['email', event?.email, value],
    ['issuer', identity?.issuer, dimension],
    ['issuerAssignedId', identity?.issuerAssignedId, identifier],
    ['signInType', identity?.signInType, dimension],
  ];
  const truncated = texts.filter(([, text = '', maxChars]) => text.trim().length > maxChars);
  if (truncated.length === 0) return [];
  const list = truncated.map(([name, text = '']) => `${name} (${text.trim().length} characters)`).join(', ');
  return [`truncated, with a digest of the whole at the end: ${list}`];
}

/** Sentences for support. */
function notesOf(answered: Answered): string[] {
  const notes: string[] = [];
  const { event, lookup, inForce, droppedNames = 0 } = answered.reached;
  const policy = inForce?.policy;
  if (policy !== undefined && event !== undefined && isTokenStep(policy, event)) {
    if (policy.onlyThese !== undefined && !policy.onlyThese.has(event.clientId))
      notes.push('no roles: the policy does not list the application (onlyThese)');
    if (!policy.sendsRoles) {
      const claim = answered.decision.claims[policy.rolesClaim];
      const unnamed = namesInClaim(claim).length - rolesSent(answered).length;
      if (unnamed > 0) notes.push(`entries dropped from the roles claim: ${unnamed} (invalid, or too many)`);
    }
  }
  for (const { rule, part, why, isForeseen } of answered.decision.failures?.slice(0, MAX_FAILURES) ?? []) {
    const note = isForeseen ? failedPartNote(rule, part, why) : failedConditionNote(rule, why);
    notes.push(note.slice(0, MAX_NOTE_CHARS));
  }
  if (answered.decision.leftOut !== undefined)
    notes.push(leftOutNote(answered.decision.leftOut).slice(0, MAX_NOTE_CHARS));
  if (lookup?.emailNotTrusted) notes.push(EMAIL_NOT_TRUSTED);
  if (droppedNames > 0) notes.push(`names of roles or groups dropped: ${droppedNames} (invalid, or too many)`);
  if (event?.identitiesAre === 'partial') notes.push(IDENTITIES_DROPPED);
  return notes;
}
