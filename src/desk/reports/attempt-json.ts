/**
 * An attempt as JSON: its columns by name, times in ISO 8601 UTC, the person keys as one list and the shadow's columns
 * as one member.
 */
import { errorInWords } from '../../attempts/error-reasons.ts';
import { isNameKey, NAME_PREFIX } from '../../sign-in/search-keys.ts';
import type { AttemptRow } from './queries/columns.ts';

export type AttemptJson = ReturnType<typeof attemptJson>;

export function attemptJson({ id, occurredAt, oidKey, idpKey, emailKey, otherKeys, ...row }: AttemptRow) {
  const { shadowVersion, shadowOutcome, shadowRule, shadowMessageKey, shadowDiffers, shadowClaims, ...attempt } = row;
  const shadow = {
    version: shadowVersion,
    outcome: shadowOutcome,
    rule: shadowRule,
    messageKey: shadowMessageKey,
    differs: shadowDiffers,
    claims: shadowClaims,
  };
  const error = errorInWords(attempt.reason);
  const names = otherKeys.filter(isNameKey).map((key) => key.slice(NAME_PREFIX.length));
  return {
    id,
    occurredAt: occurredAt.toISOString(),
    ...attempt,
    /** What `reason` says, and what to do; absent without a reason. */
    ...(error === undefined ? {} : { explanation: `The call failed: ${error.problem}. ${error.advice}.` }),
    /** The shadow policy's decision; absent if it was not evaluated. */
    ...(shadowVersion === 0 ? {} : { shadow }),
    rolesUpdatedAt: attempt.rolesUpdatedAt?.toISOString() ?? null,
    /** Every key of the call under which a record of roles may be. */
    personKeys: [...new Set([oidKey, idpKey, ...otherKeys, emailKey])].filter((key) => key !== '' && !isNameKey(key)),
    /** What the person signs in with or is called; absent without any. No record of roles has such a key. */
    ...(names.length === 0 ? {} : { signInNames: names }),
  };
}
