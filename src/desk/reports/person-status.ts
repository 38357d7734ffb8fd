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
  /** The change left no record under that key. */
  readonly removed: boolean;
}

/** Last changes by the kind of key. Of several records the one under an `oid:` key counts, else `idp:`, else perhaps `email:`. */
export interface RoleChanges {
  readonly oid: RoleChange | undefined;
  readonly idp: RoleChange | undefined;
  readonly email: RoleChange | undefined;
}

export interface PersonHistory {
  /** At most {@link RECENT_ATTEMPTS}, newest first. */
  readonly newest: readonly AttemptRow[];
  /** Of this person's keys, and of the account of {@link lastToken} when a token was given. */
  readonly changes: RoleChanges;
  /** The person key that was asked for. */
  readonly asked: string;
  /** `oid:` keys of everybody on the timeline. */
  readonly accounts: readonly string[];
  /** There were more keys than are followed. */
  readonly cut: boolean;
  readonly keptSince: Date;
}

export function statusSentence({ newest, changes, asked, accounts, cut, keptSince }: PersonHistory): string {
  const [last] = newest;
  if (last === undefined) {
    return (
      `No call for this person reached us since ${keptSince.toISOString().slice(0, 10)}: they did not get as far as ` +
      'Gatehouse (wrong password, page left early, another account), or the key has a typing error.'
    );
  }
  const token = lastToken(newest);
  const account = ({ oidKey, objectId }: AttemptRow) =>
    accounts.length > 1 && oidKey !== '' && oidKey !== asked ? ` as account ${objectId}` : '';
  const parts = [
    `Last seen ${at(last.occurredAt)} in ${application(last)}${account(last)}: ${whatHappened(last)}`,
    token && token !== last
      ? `last let in ${at(token.occurredAt)} in ${application(token)}${account(token)} ${withRoles(token)}`
      : '',
    ...changesThatCount(changes).map(([whose, change]) => aboutChange(whose, change, token)),
    accounts.length > 1
      ? `${accounts.length} accounts were seen with this key: each attempt names its objectId, and /reports/attempts?objectId= shows one alone`
      : '',
    cut ? 'more keys were seen with this one than are followed: the ones seen last are' : '',
  ];
  return `${parts.filter((part) => part !== '').join('; ')}.`;
}

/** The newest call that gave a token. */
export const lastToken = (newest: readonly AttemptRow[]): AttemptRow | undefined => newest.find(isToken);

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

/**
 * Which changes say something about this person's roles, each with whose roles those are. What lies under a lesser key is
 * outranked while a better one is known to have a record; of records that no change tells of (written by hand) nothing is known,
 * so that the words for a lesser key say on what it depends.
 */
function changesThatCount({ oid, idp, email }: RoleChanges): [whose: string, change: RoleChange][] {
  if (oid && !oid.removed) return [['their roles were', oid]];
  const counting: [string, RoleChange][] = [];
  // What was under the lesser key before the better record was removed counts only since then.
  if (oid && !(idp && idp.occurredAt > oid.occurredAt)) counting.push(['their roles were', oid]);
  else if (idp) {
    counting.push([`the record under ${idp.subject} (it counts only while no oid: key of theirs has one) was`, idp]);
  }
  if (email && (idp === undefined || idp.removed)) {
    const condition = 'if EMAIL_TRUSTED_ISSUERS trusts their provider and no oid: or idp: key of theirs has one';
    counting.push([`the record under ${email.subject} (it counts only ${condition}) was`, email]);
  }
  return counting;
}

/** Microsoft keeps a token's claims until the next interactive sign-in: a change in between is in force but not yet seen. */
function aboutChange(whose: string, change: RoleChange, token: AttemptRow | undefined): string {
  const made = `${at(change.occurredAt)} by ${change.changedBy}`;
  if (token === undefined) return `${whose} changed ${made}, which counts from the next sign-in`;
  const since = token.occurredAt.getTime() - change.occurredAt.getTime();
  if (since < 0) {
    return `${whose} changed after that token: they get it at the next interactive sign-in (changed ${made})`;
  }
  const hasIt = token.rolesUpdatedAt !== null && token.rolesUpdatedAt >= change.occurredAt;
  if (hasIt || since > KV_SPREAD_MS) return '';
  return `${whose} changed ${made}, so shortly before that token that it may lack them: sign in again`;
}
