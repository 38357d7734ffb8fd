/** The status of a person, in words that a support agent can read out. Pure. */
import { identitiesWithoutAccount, isNameKey, keysToSearch } from '../../sign-in/search-keys.ts';
import { isStartCall, type SignInStatus } from '../aggregates/sign-ins.ts';
import { isToken } from './attempt-verdict.ts';
import { application, callInWords, withRoles } from './call-in-words.ts';
import { nothingFound } from './nothing-found.ts';
import type { AttemptRow } from './queries/columns.ts';
import type { RefusedKind } from './queries/refused.ts';
import { keyInWords } from './readings.ts';
import { tokenHas } from './role-timing.ts';
import { toSeconds } from './seconds.ts';
import { signInSentence } from './sign-in-sentence.ts';

/** Number of newest attempts that determine the status. */
export const RECENT_ATTEMPTS = 50;

export interface RoleChange {
  readonly occurredAt: Date;
  readonly changedBy: string;
  /** The person key of the changed record. */
  readonly subject: string;
  /** True when the change removed the record. */
  readonly removed: boolean;
}

/** The last change of each kind of key. Precedence of records: `oid:`, then `idp:`, then (if trusted) `email:`. */
export interface RoleChanges {
  readonly oid?: RoleChange | undefined;
  readonly idp?: RoleChange | undefined;
  readonly email?: RoleChange | undefined;
}

export interface PersonHistory {
  /** At most {@link RECENT_ATTEMPTS}, newest first. */
  readonly newest: readonly AttemptRow[];
  /** Changes of this person's keys; with a token, those of the account of {@link lastToken}. */
  readonly changes: RoleChanges;
  /** The person key of the request. */
  readonly asked: string;
  /** `oid:` keys of all accounts on the timeline. */
  readonly accounts: readonly string[];
  /** True when the person has too many keys to follow them all. */
  readonly truncated: boolean;
  readonly keptSince: Date;
  /** Refused calls of the last day, for a person without attempts. */
  readonly refused?: readonly RefusedKind[];
  /** Of {@link newest}, by id. Default: none is a call of a sign-in. */
  readonly signIns?: ReadonlyMap<string, SignInStatus>;
  /** Names of applications by client id. */
  readonly names?: ReadonlyMap<string, string>;
  /** The try of the newest attempt, in sentences, and what to tell the person. */
  readonly lastTry?: { readonly details: readonly string[]; readonly advice: string } | undefined;
}

export function statusSentence(history: PersonHistory): string {
  const { newest, changes, asked, accounts, truncated, keptSince, refused = [], signIns = new Map() } = history;
  const { names = new Map(), lastTry } = history;
  const [last] = newest;
  if (last === undefined) return nothingFound(keysToSearch(asked).map(keyInWords), keptSince, refused);
  const token = lastToken(newest);
  const account = ({ oidKey, objectId }: AttemptRow) =>
    accounts.length > 1 && oidKey !== '' && oidKey !== asked ? ` as account ${objectId}` : '';
  const strangers = identitiesWithoutAccount(newest);
  const isShared = isSharedKey(asked) && accounts.length + strangers > 1;
  const signIn = lastSignIn(newest, signIns, names);
  const seen = `${toSeconds(last.occurredAt)} in ${application(last, names)}${account(last)}: ${callInWords(last)}`;
  const parts = [
    `${isShared ? sharedKeySentence(accounts.length, strangers, asked) : ''}Last try${signIn?.call === last ? `: ${signIn.sentence}` : ` ${seen}`}`,
    signIn !== undefined && signIn.call !== last ? signIn.sentence : '',
    token && token !== last
      ? `last let in ${toSeconds(token.occurredAt)} in ${application(token, names)}${account(token)} ${withRoles(token)}`
      : '',
    ...changesThatCount(changes).map(([whose, change]) => aboutChange(whose, change, token)),
    accounts.length > 1 && !isShared
      ? `${accounts.length} accounts have used this key: each attempt has its objectId, and /reports/attempts?objectId= lists one account`
      : '',
    truncated ? 'this key occurs with too many other keys: only the most recent ones are included' : '',
  ];
  const aboutTry = lastTry === undefined ? [] : [...lastTry.details, `Advice: ${lastTry.advice}`];
  return [`${parts.filter((part) => part !== '').join('; ')}.`, ...aboutTry].join(' ');
}

/** Keys that are not unique: people share them, and anyone can type them. */
export const isSharedKey = (key: string) => key.startsWith('email:') || isNameKey(key);

function sharedKeySentence(accounts: number, strangers: number, key: string): string {
  const what = key.startsWith('email:') ? 'address' : 'sign-in name';
  const who = strangers === 0 ? 'accounts' : 'accounts or identities';
  return (
    `${accounts + strangers} ${who} have used this ${what}, and the ${what} alone identifies no one: confirm the objectId, ` +
    'which each attempt has, or a support code (/reports/attempts?objectId= lists one account). '
  );
}

/**
 * The newest call of a sign-in that was allowed, unless a token came after it. A refusal in the same sign-in explains
 * an abandoned start better.
 */
function lastSignIn(
  newest: readonly AttemptRow[],
  signIns: ReadonlyMap<string, SignInStatus>,
  names: ReadonlyMap<string, string>,
) {
  const index = newest.findIndex((row) => isToken(row) || signIns.has(row.id));
  const call = newest[index];
  const status = call && signIns.get(call.id);
  if (call === undefined || status === undefined || isToken(call) || call.outcome !== 'continue') return undefined;
  const isRefused = ({ outcome, correlationId }: AttemptRow) =>
    outcome !== 'continue' && correlationId === call.correlationId;
  if (isStartCall(call) && newest.slice(0, index).some(isRefused)) return undefined;
  return {
    call,
    sentence: signInSentence(call, status, application(call, names), abandonedBefore(newest, index, signIns)),
  };
}

/** The number of other sign-ins that were abandoned since the last one that was not. */
function abandonedBefore(newest: readonly AttemptRow[], index: number, signIns: ReadonlyMap<string, SignInStatus>) {
  const ids = new Set([newest[index]?.correlationId]);
  for (const row of newest.slice(index + 1)) {
    const status = signIns.get(row.id);
    if (isToken(row) || (status !== undefined && status !== 'abandoned')) break;
    if (status === 'abandoned') ids.add(row.correlationId);
  }
  return ids.size - 1;
}

/** The newest call that gave a token. */
export const lastToken = (newest: readonly AttemptRow[]): AttemptRow | undefined => newest.find(isToken);

/**
 * The changes that can affect this person's roles, each with the subject of its sentence. A record under a lower key
 * has no effect while a higher one has a record. Records that were written by hand leave no change, so the sentence for
 * a lower key states its condition.
 */
function changesThatCount({ oid, idp, email }: RoleChanges): [whose: string, change: RoleChange][] {
  if (oid && !oid.removed) return [['their roles were', oid]];
  const counting: [string, RoleChange][] = [];
  // Removing the higher record was also a change: the older record under the lower key counts since then.
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

function aboutChange(whose: string, change: RoleChange, token: AttemptRow | undefined): string {
  const made = `${toSeconds(change.occurredAt)} by ${change.changedBy}`;
  switch (tokenHas(change.occurredAt, token)) {
    case 'no-token':
      return `${whose} changed ${made}, which counts from the next sign-in`;
    case 'no':
      return `${whose} changed after that token: the next interactive sign-in gets the change (changed ${made})`;
    case 'perhaps':
      return `${whose} changed ${made}, less than two minutes before that token, which may not have the change: sign in again`;
    case 'yes':
      return '';
  }
}
