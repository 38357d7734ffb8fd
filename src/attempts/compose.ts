/** Makes the attempt that support will see out of an answered call. Every text is bounded here. */

import type { ClaimValue } from '../connectors/event.ts';
import { type Answer, type Call, callIdentity, type Seen } from '../connectors/user-flow/answer.ts';
import { MAX_ROLES, ROLE_NAME } from '../entitlements/document.ts';
import { errorFields, log } from '../log.ts';
import { worded } from '../policy/decide.ts';
import type { ShadowDecision } from '../policy/shadow.ts';
import type { Attempt, Outcome } from './attempt.ts';
import { bound, MAX_CHARS, MAX_MESSAGE_BYTES, MAX_NAMES } from './bounds.ts';
import { isNeverKept, keptClaims } from './redaction.ts';
import { fingerprintOf } from './support-code.ts';

const short = (text: string) => bound(text, MAX_CHARS.dimension);
const identifier = (text: string) => bound(text, MAX_CHARS.identifier);
const names = (list: readonly string[]) => list.slice(0, MAX_NAMES).map((name) => bound(name, MAX_CHARS.name));

/** The attempt of a call of a user flow. `id` is a UUIDv7 of when the call arrived: nothing in the request can set it. */
export async function attemptOf(call: Call, answer: Answer, id: string, shadow?: ShadowDecision): Promise<Attempt> {
  const { seen, decision, reply, reason } = answer;
  const event = seen.event;
  const [identity] = event?.identities ?? [];
  const [idpKey, ...otherKeys] = event?.personKeys.idp ?? [];
  const turnedAway = decision.kind === 'continue' ? undefined : decision;
  return fitted({
    kind: 'attempt',
    v: 1,
    id,
    channel: 'user-flow',
    step: short(event?.step ?? (event === undefined ? (call.urlStep ?? '') : event.unknownStep)),
    urlStep: event?.urlStep ?? '',
    outcome: outcomeOf(answer),
    reason: short(reason),
    reply: reply.action,
    status: reply.status,
    rule: short(turnedAway?.rule ?? ''),
    messageKey: short(turnedAway?.messageKey ?? ''),
    message: bound(messageOf(answer), MAX_CHARS.message),
    messageLanguage: reply.userMessage === '' ? '' : short(turnedAway?.language ?? ''),
    supportCode: answer.supportCode,
    policyVersion: seen.inForce?.policy?.version ?? 0,
    clientId: short(event?.clientId ?? ''),
    objectId: identifier(event?.objectId ?? ''),
    email: bound(event?.email ?? '', MAX_CHARS.value),
    issuer: short(identity?.issuer ?? ''),
    issuerAssignedId: identifier(identity?.issuerAssignedId ?? ''),
    signInType: short(identity?.signInType ?? ''),
    oidKey: bound(event?.personKeys.oid ?? '', MAX_CHARS.personKey),
    idpKey: bound(idpKey ?? '', MAX_CHARS.personKey),
    emailKey: bound(event?.personKeys.email ?? '', MAX_CHARS.personKey),
    otherKeys: otherKeys.map((key) => bound(key, MAX_CHARS.personKey)),
    locale: short(event?.locale ?? ''),
    claimNames: names(event?.claimNames ?? []),
    unexpectedClaims: names(event?.unexpectedClaims ?? []),
    keptClaims: event === undefined ? {} : keptClaims(event.claims, call.config.KEEP_CLAIMS),
    roles: rolesSent(answer),
    rolesUpdatedAt: seen.lookup?.found.record?.updatedAt ?? null,
    durationMs: Math.min(Math.round(answer.durationMs), 600_000),
    degraded: degradedOf(seen),
    notes: notesOf(answer),
    caller: short(call.callerName),
    cfRay: short(call.request.headers.get('cf-ray') ?? ''),
    correlationId: '',
    fingerprint: await printOf(call, seen),
    ...shadowColumns(shadow),
  });
}

/** The text that the person was shown; what it quoted of a claim whose value is never kept is `…`. */
function messageOf({ seen: { event, inForce }, decision, reply, supportCode }: Answer): string {
  const secret = event?.claimNames.filter(isNeverKept) ?? [];
  const quotes = decision.kind !== 'continue' && decision.rule !== '' && secret.length > 0;
  if (!quotes || event === undefined || inForce?.policy === undefined) return reply.userMessage;
  const claims = { ...event.claims, ...Object.fromEntries(secret.map((name) => [name, '…'])) };
  const masked = worded(decision, { ...event, claims }, inForce.policy, supportCode);
  return masked.kind === 'continue' ? reply.userMessage : masked.message;
}

/** What did not work, all of it. */
const degradedOf = ({ lookup, inForce }: Seen): string =>
  [inForce?.fault ?? '', lookup?.degraded ?? ''].filter((fault) => fault !== '').join(' ');

/** A stored policy may send other roles than those we hold: those that the claim carried count. At sign-up, those we hold. */
function rolesSent({ seen, decision }: Answer): string[] {
  const policy = seen.inForce?.policy;
  if (policy === undefined || policy.sendsRoles || seen.event?.step !== 'PreTokenIssuance')
    return [...seen.entitlements.roles];
  return rolesIn(decision.claims[policy.rolesClaim]);
}

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

/** No fingerprint is no reason to lose the attempt, and that of an empty body would make strangers' calls equal. */
async function printOf(call: Call, seen: Seen): Promise<string> {
  if (seen.bytes.byteLength === 0) return '';
  try {
    return await fingerprintOf(call.config.SUPPORT_CODE_KEY, callIdentity(call, seen));
  } catch (error) {
    log('fingerprint-failed', errorFields(error));
    return '';
  }
}

export function outcomeOf({ reason, decision }: Answer): Outcome {
  return reason === '' ? decision.kind : 'error';
}

/** What support should know beside the figures, in words. */
function notesOf(answer: Answer): string[] {
  const notes: string[] = [];
  const { seen, decision } = answer;
  const { event, lookup, inForce } = seen;
  const ours = inForce?.policy?.onlyThese;
  if (event?.step === 'PreTokenIssuance' && ours !== undefined && !ours.has(event.clientId))
    notes.push('the application is none of those that the policy names (onlyThese): no roles');
  if (event?.step === 'PreTokenIssuance' && inForce?.policy?.sendsRoles === false) {
    const unnamed = namesInClaim(decision.claims[inForce.policy.rolesClaim]).length - rolesSent(answer).length;
    if (unnamed > 0) notes.push(`the roles claim held ${unnamed} more words: no names of roles, or too many`);
  }
  if (lookup?.emailRecordNotUsed) notes.push('email record not used');
  if (seen.droppedNames > 0)
    notes.push(`${seen.droppedNames} names of roles or groups dropped: not allowed, or more than a claim holds`);
  if (event?.urlStep !== undefined)
    notes.push(`the URL names the step ${event.urlStep}, the body ${event.step}; the body counts`);
  if (event?.step !== undefined && event.unknownStep !== '')
    notes.push('the body names a step that we do not know; the URL counts');
  if (event?.identitiesAre === 'partial') notes.push('identities were left out: unreadable, or more than ten');
  return notes;
}
