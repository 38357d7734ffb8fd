/** An attempt as reports show it: its columns by their names, times in ISO 8601 UTC, the keys as one list, the shadow's columns as one member. */
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
  return {
    id,
    occurredAt: occurredAt.toISOString(),
    ...attempt,
    /** What the shadow policy would have decided; absent where it was not asked. */
    ...(shadowVersion === 0 ? {} : { shadow }),
    rolesUpdatedAt: attempt.rolesUpdatedAt?.toISOString() ?? null,
    /** Every key the call revealed. */
    personKeys: [...new Set([oidKey, idpKey, ...otherKeys, emailKey])].filter((key) => key !== ''),
  };
}
