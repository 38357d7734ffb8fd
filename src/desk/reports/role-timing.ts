/** Whether a token has a change of a person's roles. Pure. */

/** Twice the "60 seconds or more" of Workers KV (https://developers.cloudflare.com/kv/concepts/how-kv-works/). */
export const KV_SPREAD_MS = 120_000;

/** What is known of a call that gave a token. */
export interface TokenCall {
  readonly occurredAt: Date;
  /** The time of the change that the record of this call already had. */
  readonly rolesUpdatedAt: Date | null;
}

/**
 * `no-token`: no token is known. `no`: the change came after the token, and Microsoft keeps a token's claims until the
 * next interactive sign-in. `perhaps`: the change came so shortly before it that Workers KV may not have shown it.
 */
export function tokenHas(changedAt: Date, token: TokenCall | undefined): 'no-token' | 'no' | 'perhaps' | 'yes' {
  if (token === undefined) return 'no-token';
  const since = token.occurredAt.getTime() - changedAt.getTime();
  if (since < 0) return 'no';
  const hasIt = token.rolesUpdatedAt !== null && token.rolesUpdatedAt >= changedAt;
  return hasIt || since > KV_SPREAD_MS ? 'yes' : 'perhaps';
}
