/** Why a person has or lacks roles, and what to tell them, in words that a support agent can read out. Pure. */
import { KV_SPREAD_MS, tokenHas } from '../role-timing.ts';
import { toSeconds } from '../seconds.ts';

/** A call that gave a token. */
export interface TokenSeen {
  readonly occurredAt: Date;
  /** The application in words. */
  readonly application: string;
  readonly roles: readonly string[];
  readonly rolesUpdatedAt: Date | null;
  readonly policyVersion: number;
  readonly degraded: string;
}

interface LoggedChange {
  readonly occurredAt: Date;
  readonly changedBy: string;
}

/** The record that the next call reads. */
export interface RecordSeen {
  readonly key: string;
  /** Whether it counts only for a call that verifies the address. */
  readonly isConditional: boolean;
  readonly updatedAt: Date;
  readonly updatedBy: string;
  /** For the application of the last token; without a token, for every application. */
  readonly roles: readonly string[];
}

export interface RolesKnown {
  /** Keys of the accounts and identities that used the key of the request, when it identifies none of them. */
  readonly sharedBy: readonly string[];
  /** Whether a key of the person is known, so that a record that is not found is none. */
  readonly hasKey: boolean;
  /** The best key with a value in KV that is no record. */
  readonly unreadable: string | undefined;
  readonly record: RecordSeen | undefined;
  /** The last change of their records, when it removed one. */
  readonly removal: LoggedChange | undefined;
  /** A change in the audit log that Workers KV does not show. */
  readonly pending: LoggedChange | undefined;
  /** The e-mail key with a record that the last call could not use. */
  readonly unusedEmail: string | undefined;
  readonly token: TokenSeen | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Codes for programs. `sign-in-again`: the token is older than the change. `may-lack-change`: it is hardly younger.
 * `in-token`: it carries the roles of the record. `token-differs`: it carries others, although it is younger.
 */
export const ROLES_VERDICTS = [
  'several-accounts',
  'unknown-person',
  'unreadable-record',
  'no-record',
  'no-token',
  'sign-in-again',
  'may-lack-change',
  'in-token',
  'token-differs',
] as const;
export type RolesVerdict = (typeof ROLES_VERDICTS)[number];

interface Comparison {
  readonly code: RolesVerdict;
  readonly sentence: string;
}

const TELL = 'Ask them to sign out, wait a minute, and sign in again: a token that is refreshed keeps its claims.';

const ONLY_IF_VERIFIED =
  ' (it counts only where the address is verified: by a provider in EMAIL_TRUSTED_ISSUERS, or by an exchange that trusts it)';

export function rolesVerdict(known: RolesKnown): Comparison {
  const { code, sentence } = verdictOf(known);
  return { code, sentence: known.sharedBy.length > 0 ? sentence : `${sentence}${pendingSentence(known)}` };
}

function pendingSentence({ pending, now }: RolesKnown): string {
  if (pending === undefined) return '';
  const shown = pending.occurredAt.getTime() + KV_SPREAD_MS;
  const what =
    now < shown
      ? `which Workers KV may show only from ${toSeconds(new Date(shown))}. Ask again then.`
      : 'which Workers KV does not show. Ask an administrator to save the record again.';
  return ` The audit log has a change of ${toSeconds(pending.occurredAt)} by ${pending.changedBy}, ${what}`;
}

function verdictOf(known: RolesKnown): Comparison {
  const { sharedBy, hasKey, unreadable, record, token } = known;
  if (sharedBy.length > 0)
    return says(
      'several-accounts',
      `Several accounts or identities have used this key, so it identifies none of them. Ask again with the key of one: ${sharedBy.join(', ')}.`,
    );
  if (!hasKey)
    return says(
      'unknown-person',
      'No attempt shows which account this is. Ask for the e-mail address, the objectId, or the support code of an attempt.',
    );
  if (unreadable !== undefined)
    return says(
      'unreadable-record',
      `The record under ${unreadable} cannot be read, so they get no roles. Ask an administrator to save it again.`,
    );
  if (record === undefined) return withoutRecord(known);
  const change = `${toSeconds(record.updatedAt)} by ${record.updatedBy}`;
  const holds = `The record under ${record.key}, changed ${change}, has ${roleList(record.roles)}${record.isConditional ? ONLY_IF_VERIFIED : ''}`;
  if (token === undefined)
    return says('no-token', `${holds}. No token of theirs is known: they get them at their next sign-in.`);
  const seen = `The last token is of ${toSeconds(token.occurredAt)}, in ${token.application}`;
  const differs = differenceOf(record.roles, token.roles);
  switch (tokenHas(record.updatedAt, token)) {
    case 'no':
      return says(
        'sign-in-again',
        `Their ${differs === '' ? 'record' : 'roles'} changed ${change}. ${seen}, before the change, and ${differs || 'has the same roles; groups and attributes may differ'}. ${wait(record.updatedAt, known.now)}${TELL}`,
      );
    case 'perhaps':
      if (differs === '') break;
      return says(
        'may-lack-change',
        `Their roles changed ${change}, less than two minutes before that. ${seen}, and ${differs}. ${wait(record.updatedAt, known.now)}${TELL}`,
      );
    default:
  }
  if (differs === '')
    return says(
      'in-token',
      `${holds}, and the last token, of ${toSeconds(token.occurredAt)} in ${token.application}, carries the same. An application that shows others keeps an earlier token, or reads another claim: ask them to sign out of it and sign in again, then ask its developers.`,
    );
  return says('token-differs', `${holds}. ${seen}, and ${differs}. ${whyOf(token)}`);
}

function withoutRecord({ removal, token, unusedEmail, now }: RolesKnown): Comparison {
  const unused =
    unusedEmail === undefined
      ? ''
      : ` The record under ${unusedEmail} does not count, because their provider is not trusted to verify addresses.`;
  const removed =
    removal === undefined ? '' : ` It was removed ${toSeconds(removal.occurredAt)} by ${removal.changedBy}.`;
  const none = `No key of theirs has a record that counts, so their next token has only roles that rules give.${removed}${unused}`;
  const grant = 'An administrator can grant roles.';
  if (token === undefined || token.roles.length === 0) return says('no-record', `${none} ${grant}`);
  const seen = `The last token, of ${toSeconds(token.occurredAt)} in ${token.application},`;
  if (mayHaveHadRecord(token, removal))
    return says(
      'sign-in-again',
      `${none} ${seen} still has ${roleList(token.roles)}. ${removal === undefined ? '' : wait(removal.occurredAt, now)}${TELL}`,
    );
  const { policyVersion: version } = token;
  return says(
    'no-record',
    `${none} ${seen} has ${roleList(token.roles)} without a record, from the rules of policy version ${version}: see GET /reports/rules?version=${version}. ${grant}`,
  );
}

/** Whether the call of the token had a record, or could have one that was removed since. */
const mayHaveHadRecord = ({ occurredAt, rolesUpdatedAt }: TokenSeen, removal: LoggedChange | undefined): boolean =>
  rolesUpdatedAt !== null ||
  (removal !== undefined && occurredAt.getTime() < removal.occurredAt.getTime() + KV_SPREAD_MS);

const says = (code: RolesVerdict, sentence: string): Comparison => ({ code, sentence });

const roleList = (roles: readonly string[]) =>
  roles.length === 0 ? 'no roles' : `the ${roles.length === 1 ? 'role' : 'roles'} ${roles.join(', ')}`;

/** How the token differs from the record; `''` when it has the same roles in any order. */
function differenceOf(held: readonly string[], sent: readonly string[]): string {
  const missing = held.filter((role) => !sent.includes(role));
  const surplus = sent.filter((role) => !held.includes(role));
  return [
    missing.length > 0 ? `lacks ${roleList(missing)}` : '',
    surplus.length > 0 ? `also has ${roleList(surplus)}` : '',
  ]
    .filter((part) => part !== '')
    .join(' and ');
}

/** Workers KV may not show the change everywhere yet. */
function wait(changedAt: Date, now: number): string {
  const shown = new Date(changedAt.getTime() + KV_SPREAD_MS);
  return now >= shown.getTime() ? '' : `Workers KV may show the change only from ${toSeconds(shown)}. `;
}

const whyOf = ({ degraded, policyVersion }: TokenSeen) =>
  degraded === ''
    ? `The rules of policy version ${policyVersion} decide which roles are sent to which application: see GET /reports/rules?version=${policyVersion}, and the notes of the attempt.`
    : `A part behind Gatehouse did not work then (${degraded}). ${TELL}`;
