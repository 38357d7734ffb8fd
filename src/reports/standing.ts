/** Where a person stands, in one sentence that support can read out. Pure. */
import type { AttemptRow } from './queries/columns.ts';

/** So many newest attempts tell where a person stands. */
export const RECENT_ATTEMPTS = 50;
/** Workers KV takes "60 seconds or more" to spread a change (https://developers.cloudflare.com/kv/concepts/how-kv-works/): twice that. */
const KV_SPREAD_MS = 120_000;

export interface RoleChange {
  readonly occurredAt: Date;
  readonly changedBy: string;
  /** The person key whose record was changed. */
  readonly subject: string;
}

export interface Seen {
  /** At most {@link RECENT_ATTEMPTS}, newest first. */
  readonly newest: readonly AttemptRow[];
  /** The last one of any of the person's keys. */
  readonly change: RoleChange | undefined;
  /** `oid:` keys. */
  readonly accounts: readonly string[];
  /** There were more keys than are followed. */
  readonly cut: boolean;
  readonly keptSince: Date;
}

export function standing({ newest, change, accounts, cut, keptSince }: Seen): string {
  const [last] = newest;
  if (last === undefined) {
    return (
      `No call for this person reached us since ${keptSince.toISOString().slice(0, 10)}: they did not get as far as ` +
      'Gatehouse (wrong password, page left early, another account), or the key has a typing error.'
    );
  }
  const token = newest.find(isToken);
  const parts = [
    `Last seen ${at(last.occurredAt)} in ${application(last)}: ${whatHappened(last)}`,
    token && token !== last ? `last let in ${at(token.occurredAt)} in ${application(token)} ${withRoles(token)}` : '',
    change ? aboutChange(change, token) : '',
    accounts.length > 1
      ? `${accounts.length} accounts were seen with this key: ask for one of them to see it alone`
      : '',
    cut ? 'more keys were seen with this one than are followed: the ones seen last are' : '',
  ];
  return `${parts.filter((part) => part !== '').join('; ')}.`;
}

const isToken = ({ step, reply }: AttemptRow) => step === 'PreTokenIssuance' && reply === 'Continue';

const at = (instant: Date) => `${instant.toISOString().slice(0, 19)}Z`;

const application = ({ clientId }: AttemptRow) =>
  clientId === '' ? 'an application that was not named' : `application ${clientId}`;

function whatHappened(attempt: AttemptRow): string {
  const { step, outcome, reply, rule, messageKey, reason } = attempt;
  const place = step === '' ? 'a step that was not named' : step;
  const why = rule === '' ? messageKey && ` (${messageKey})` : ` by rule ${rule}`;
  if (outcome === 'continue') {
    return isToken(attempt)
      ? `let in ${withRoles(attempt)}`
      : `went on after ${place}, and no token was asked for since`;
  }
  if (outcome === 'block') return `blocked at ${place}${why}${withCode(attempt)}`;
  if (outcome === 'invalid') return `asked at ${place} to correct what was entered${why}${withCode(attempt)}`;
  const failed = `the call at ${place} could not be answered as usual (${reason || 'error'})${withCode(attempt)}`;
  if (isToken(attempt)) return `let in ${withRoles(attempt)}, because ${failed}`;
  return `${reply === 'Continue' ? 'went on' : 'stopped'}, because ${failed}`;
}

function withRoles({ roles, degraded }: AttemptRow): string {
  const held = roles.length === 0 ? 'without roles' : `with the roles ${roles.join(', ')}`;
  return degraded === '' ? held : `${held} (${degraded}: they may be old or missing)`;
}

const withCode = ({ supportCode }: AttemptRow) => (supportCode === '' ? '' : `, support code ${supportCode}`);

/** Microsoft keeps a token's claims until the next interactive sign-in: a change in between is in force but not yet seen. */
function aboutChange(change: RoleChange, token: AttemptRow | undefined): string {
  const made = `${at(change.occurredAt)} by ${change.changedBy}`;
  if (token === undefined) return `their roles were changed ${made}, which counts from the next sign-in`;
  const since = token.occurredAt.getTime() - change.occurredAt.getTime();
  if (since < 0) {
    return `their roles were changed after that token: they get it at the next interactive sign-in (changed ${made})`;
  }
  const hasIt = token.rolesUpdatedAt !== null && token.rolesUpdatedAt >= change.occurredAt;
  if (hasIt || since > KV_SPREAD_MS) return '';
  return `their roles were changed ${made}, so shortly before that token that it may lack them: sign in again`;
}
