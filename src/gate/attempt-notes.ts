/** Sentences for support in an attempt. */
import {
  EMAIL_NOT_TRUSTED,
  failedConditionNote,
  failedPartNote,
  IDENTITIES_DROPPED,
  leftOutNote,
} from '../attempts/notes.ts';
import { MAX_CHARS } from '../attempts/text-limits.ts';
import type { SignInEvent } from '../sign-in/event.ts';
import type { Answered } from './answer.ts';
import { isTokenStep, namesInClaim, rolesSent } from './sent-roles.ts';

/** The most failures that notes mention. One is enough to review the policy. */
const MAX_FAILURES = 5;
const MAX_NOTE_CHARS = 200;

/** Names the texts of a call that are too long for their column, so that no reader takes them for the whole. */
export function truncatedNotes(
  event: SignInEvent | undefined,
  { step, correlationId }: { readonly step: string; readonly correlationId: string },
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
export function notesOf(answered: Answered): string[] {
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
