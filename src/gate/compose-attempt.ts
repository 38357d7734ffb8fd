/** Makes the attempt that support will see out of an answered call. Every text is bounded here. */

import type { Attempt, Outcome } from '../attempts/attempt.ts';
import { fingerprintOf, seedOf } from '../attempts/fingerprint.ts';
import { failedConditionNote } from '../attempts/notes.ts';
import { isNeverStored, retainedClaims } from '../attempts/redaction.ts';
import { MAX_CHARS, MAX_MESSAGE_BYTES, MAX_NAMES, truncate } from '../attempts/text-limits.ts';
import { MAX_ROLES, ROLE_NAME } from '../entitlements/stored-record.ts';
import type { Config } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { renderMessage } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { ShadowDecision } from '../policy/shadow.ts';
import type { ClaimValue, SignInEvent } from '../sign-in/event.ts';
import type { Answered, Reached } from './answer.ts';

const short = (text: string) => truncate(text, MAX_CHARS.dimension);
const identifier = (text: string) => truncate(text, MAX_CHARS.identifier);
const names = (list: readonly string[]) => list.slice(0, MAX_NAMES).map((name) => truncate(name, MAX_CHARS.name));

/** What only one channel records of a call. */
export interface ChannelPart {
  readonly channel: string;
  /** The step as the channel names it, also an unknown one; `''` when there was none. */
  readonly step: string;
  /** The step that the URL named, when the body named another one. */
  readonly urlStep: string;
  readonly correlationId: string;
  /** Sentences for support. */
  readonly notes: readonly string[];
}

/** The attempt of a call. `id` is a UUIDv7 of when the call arrived: nothing in the request can set it. */
export async function attemptOf(
  config: Pick<Config, 'KEEP_CLAIMS' | 'SUPPORT_CODE_KEY'>,
  answered: Answered,
  channelPart: ChannelPart,
  id: string,
  shadow?: ShadowDecision,
): Promise<Attempt> {
  const { reached, decision, reply, reason } = answered;
  const { event, inForce, lookup } = reached;
  const { channel, step, urlStep, correlationId } = channelPart;
  const [identity] = event?.identities ?? [];
  const [idpKey, ...otherKeys] = event?.personKeys.idp ?? [];
  const turnedAway = decision.kind === 'continue' ? undefined : decision;
  const attempt = fitted({
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
    rule: short(turnedAway?.rule ?? ''),
    messageKey: short(turnedAway?.messageKey ?? ''),
    message: truncate(messageOf(answered), MAX_CHARS.message),
    messageLanguage: reply.userMessage === '' ? '' : short(turnedAway?.language ?? ''),
    supportCode: answered.supportCode,
    policyVersion: inForce?.policy?.version ?? 0,
    clientId: short(event?.clientId ?? ''),
    objectId: identifier(event?.objectId ?? ''),
    email: truncate(event?.email ?? '', MAX_CHARS.value),
    issuer: short(identity?.issuer ?? ''),
    issuerAssignedId: identifier(identity?.issuerAssignedId ?? ''),
    signInType: short(identity?.signInType ?? ''),
    oidKey: truncate(event?.personKeys.oid ?? '', MAX_CHARS.personKey),
    idpKey: truncate(idpKey ?? '', MAX_CHARS.personKey),
    emailKey: truncate(event?.personKeys.email ?? '', MAX_CHARS.personKey),
    otherKeys: otherKeys.map((key) => truncate(key, MAX_CHARS.personKey)),
    locale: short(event?.locale ?? ''),
    claimNames: names(event?.claimNames ?? []),
    unexpectedClaims: names(event?.unexpectedClaims ?? []),
    keptClaims: event === undefined ? {} : retainedClaims(event.claims, config.KEEP_CLAIMS),
    roles: rolesSent(answered),
    rolesUpdatedAt: lookup?.found.record?.updatedAt ?? null,
    durationMs: Math.min(Math.round(answered.durationMs), 600_000),
    degraded: degradedOf(reached),
    notes: [...notesOf(answered), ...channelPart.notes],
    caller: short(reached.caller),
    cfRay: short(reached.request.headers.get('cf-ray') ?? ''),
    correlationId: short(correlationId),
    fingerprint: '',
    ...shadowColumns(shadow),
  });
  return withFingerprint(attempt, config.SUPPORT_CODE_KEY, reached.text);
}

/** The text that the person was shown; what it quoted of a claim whose value is never kept is `…`. */
function messageOf({ reached: { event, inForce }, decision, reply, supportCode }: Answered): string {
  const secret = event?.claimNames.filter(isNeverStored) ?? [];
  const quotes = decision.kind !== 'continue' && decision.rule !== '' && secret.length > 0;
  if (!quotes || event === undefined || inForce?.policy === undefined) return reply.userMessage;
  const claims = { ...event.claims, ...Object.fromEntries(secret.map((name) => [name, '…'])) };
  const masked = renderMessage(decision, { ...event, claims }, inForce.policy, supportCode);
  return masked.kind === 'continue' ? reply.userMessage : masked.message;
}

/** What did not work, all of it. */
const degradedOf = ({ lookup, inForce }: Reached): string =>
  [inForce?.fault ?? '', lookup?.degraded ?? ''].filter((fault) => fault !== '').join(' ');

/** A stored policy may send other roles than those we hold: those that the claim carried count. At sign-up, those we hold. */
function rolesSent({ reached: { inForce, event, person }, decision }: Answered): string[] {
  const policy = inForce?.policy;
  if (policy === undefined || policy.sendsRoles || !isTokenStep(policy, event)) return [...(person?.roles ?? [])];
  return rolesIn(decision.claims[policy.rolesClaim]);
}

const isTokenStep = ({ steps }: Policy, event: SignInEvent | undefined): boolean =>
  event?.step !== undefined && steps.get(event.step)?.allows.claims === 'token';

/** The roles that a claim carries, as an attempt keeps them. */
export const rolesIn = (claim: ClaimValue | undefined): string[] =>
  namesInClaim(claim)
    .filter((name) => ROLE_NAME.test(name))
    .slice(0, MAX_ROLES);

/** However a policy joins them: no name holds any of these. */
const namesInClaim = (claim: ClaimValue | undefined): string[] =>
  String(claim ?? '')
    .split(/[\s,;|]+/)
    .filter((name) => name !== '');

/** Of rules whose condition failed; one such rule is a reason to look at the policy. */
const MAX_FAILURES = 5;
const MAX_NOTE_CHARS = 200;

/** JSON writes a control character as six bytes; half of a message is left for everything else. */
const MAX_LIST_CHARS = MAX_MESSAGE_BYTES / 2 / 6;
const NAMES_WHEN_CUT = 20;
/** The note of an attempt that does not hold all names, and no values. */
export const CUT_TO_FIT = 'names of claims cut and values left out: too much for one message';

/** Keeps the message below {@link MAX_MESSAGE_BYTES}, whatever a body holds: then fewer names and no values are kept, and the attempt says so. */
function fitted(attempt: Attempt): Attempt {
  const { claimNames, unexpectedClaims, keptClaims: kept, shadowClaims } = attempt;
  const texts = [...claimNames, ...unexpectedClaims, ...Object.keys(kept), ...Object.values(kept), ...shadowClaims];
  const chars = texts.reduce<number>((sum, text) => sum + String(text).length, 0);
  if (chars <= MAX_LIST_CHARS) return attempt;
  return {
    ...attempt,
    claimNames: claimNames.slice(0, NAMES_WHEN_CUT),
    unexpectedClaims: unexpectedClaims.slice(0, NAMES_WHEN_CUT),
    keptClaims: {},
    shadowClaims: shadowClaims.slice(0, NAMES_WHEN_CUT),
    notes: [...attempt.notes, CUT_TO_FIT],
  };
}

/** A shadow's decision as an attempt keeps it; version 0 where it was not asked. */
const shadowColumns = (shadow: ShadowDecision | undefined) => ({
  shadowVersion: shadow?.version ?? 0,
  shadowOutcome: shadow?.outcome ?? '',
  shadowRule: short(shadow?.rule ?? ''),
  shadowMessageKey: short(shadow?.messageKey ?? ''),
  shadowDiffers: shadow?.differs ?? false,
  shadowClaims: names(shadow?.claims ?? []),
});

/** What is kept of a call and the same in a second try. */
function sameParts({ step, clientId, keptClaims, claimNames, unexpectedClaims, ...kept }: Attempt): string[] {
  const { oidKey, idpKey, emailKey, otherKeys, locale, caller } = kept;
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

/** A fingerprint that cannot be made is no reason to lose the attempt; that of an empty body would make strangers' calls equal. */
async function withFingerprint(attempt: Attempt, secret: string, text: string | undefined): Promise<Attempt> {
  if (text === undefined || text === '') return attempt;
  try {
    const seed = seedOf(secret);
    const parts = sameParts(attempt);
    return { ...attempt, fingerprint: fingerprintOf(seed instanceof Promise ? await seed : seed, parts) };
  } catch (error) {
    log('fingerprint-failed', errorFields(error));
    return attempt;
  }
}

export const outcomeOf = ({ reason, decision }: Pick<Answered, 'reason' | 'decision'>): Outcome =>
  reason === '' ? decision.kind : 'error';

/** What support should know beside the figures, in words. */
function notesOf(answered: Answered): string[] {
  const notes: string[] = [];
  const { event, lookup, inForce, droppedNames = 0 } = answered.reached;
  const policy = inForce?.policy;
  if (policy !== undefined && event !== undefined && isTokenStep(policy, event)) {
    if (policy.onlyThese !== undefined && !policy.onlyThese.has(event.clientId))
      notes.push('the application is none of those that the policy names (onlyThese): no roles');
    if (!policy.sendsRoles) {
      const claim = answered.decision.claims[policy.rolesClaim];
      const unnamed = namesInClaim(claim).length - rolesSent(answered).length;
      if (unnamed > 0) notes.push(`the roles claim held ${unnamed} more words: no names of roles, or too many`);
    }
  }
  for (const { rule, why } of answered.decision.failures?.slice(0, MAX_FAILURES) ?? [])
    notes.push(failedConditionNote(rule, why).slice(0, MAX_NOTE_CHARS));
  if (lookup?.emailRecordNotUsed) notes.push('email record not used');
  if (droppedNames > 0)
    notes.push(`${droppedNames} names of roles or groups dropped: not allowed, or more than a claim holds`);
  if (event?.identitiesAre === 'partial') notes.push('identities were left out: unreadable, or more than ten');
  return notes;
}
