/** The roles that a person has now, as the gate would read them, and how they compare with the last token. */
import { EMAIL_NOT_TRUSTED } from '../../../attempts/notes.ts';
import { runQuery } from '../../../database/run-query.ts';
import {
  countsEmailRecords,
  heldIn,
  type Lookup,
  locate,
  lookUpIn,
  type Values,
} from '../../../entitlements/look-up.ts';
import { type Entitlements, newestCopy } from '../../../entitlements/stored-record.ts';
import type { Config } from '../../../platform/config.ts';
import { type KvResult, readMany } from '../../../platform/kv.ts';
import { identitiesWithoutAccount, isNameKey } from '../../../sign-in/search-keys.ts';
import type { AnswerOf } from '../../http/operation.ts';
import { isSharedKey, type RoleChange } from '../person-status.ts';
import { applicationNames } from '../queries/application-names.ts';
import type { AttemptRow } from '../queries/columns.ts';
import type { PersonOfText } from '../queries/find-person.ts';
import { recordKeys } from '../queries/person-keys.ts';
import { rolesHistory } from '../queries/timeline.ts';
import type { rolesAnswer, ShownRecord } from './roles-answers.ts';
import { rolesVerdict } from './roles-sentence.ts';

const CAVEAT =
  'Workers KV shows a change everywhere within about a minute. A token has the record of its last interactive sign-in.';

const CUSTOM_POLICY = 'custom-policy';

interface Place {
  readonly kv: KVNamespace;
  readonly config: Config;
}

/** `now` is in milliseconds since 1970. Throws DatabaseUnavailable. */
export async function rolesReport(
  { kv, config }: Place,
  { key, takenFor }: PersonOfText,
  now: number,
): Promise<KvResult<AnswerOf<typeof rolesAnswer>>> {
  const [history, names] = await runQuery(config, (db, run) =>
    Promise.all([rolesHistory(db, run, key), applicationNames(db, run)]),
  );
  const { keys, counting, newest, token } = history;
  const isShared = isSharedKey(key) && keys.oids.length + identitiesWithoutAccount(newest) > 1;
  const all = recordKeys({ ...keys, oids: [...new Set([...counting.oids, ...keys.oids])] });
  const located = await locate({ keys: all, emailNotTrusted: false }, config.EMAIL_KEY);
  const read = await readMany(kv, [...located.places.values()].flat());
  if (!read.ok) return read;
  const email = emailUse(token ?? newest[0], config);
  const ordered = recordKeys({ ...counting, emails: email === 'no' ? [] : counting.emails });
  const lookup = lookUpIn(read.value, { ...located, keys: isShared ? [] : ordered }, now);
  const { found, degraded } = lookup;
  const records = all.map((one) => shownRecordOf(one, located.places.get(one) ?? [], read.value, one === found.key));
  const inWords = ({ clientId }: AttemptRow) => names.get(clientId) ?? (clientId || 'an unknown application');
  const logged = [history.changes.oid, history.changes.idp, history.changes.email].filter(
    (change) => change !== undefined,
  );
  // An address that no attempt has leads to no account, and the record may be under the account's key.
  const isKnown =
    newest.length > 0 || (found.key ?? '') !== '' || logged.length > 0 || all.some((one) => !isSharedKey(one));
  const verdict = rolesVerdict({
    sharedBy: isShared ? [...keys.oids, ...keys.idps] : [],
    hasKey: isKnown,
    unreadable: degraded === 'entitlements-unreadable' ? found.key : undefined,
    record: found.record && {
      key: found.key,
      isConditional: email === 'depends' && counting.emails.includes(found.key),
      updatedAt: new Date(found.record.updatedAt),
      updatedBy: found.record.updatedBy,
      roles: heldIn(lookup, token?.clientId ?? '').person.roles,
    },
    removal: logged.find(({ removed }) => removed),
    pending: logged.find((change) => isPending(change, records)),
    unusedEmail: email === 'no' ? counting.emails.find((one) => hasRecord(records, one)) : undefined,
    token: token && { ...token, application: inWords(token) },
    now,
  });
  const value: AnswerOf<typeof rolesAnswer> = {
    ...(takenFor && { takenFor }),
    key,
    keys: [...new Set([key, ...all])],
    ...verdict,
    now: found.record === undefined ? null : mergedOf(lookup, found.key, found.record, names),
    records,
    ...(counting.emails.length > 0 ? { emailRecordCounts: email } : {}),
    lastToken: token === undefined ? null : shownToken(token, names),
    readAt: new Date(now).toISOString(),
    caveat: history.truncated
      ? `${CAVEAT} This key occurs with too many others: only the most recent are read.`
      : CAVEAT,
  };
  return { ok: true, value };
}

/**
 * Whether the record of their e-mail address can count. `depends`: an exchange of a custom policy says itself whether
 * the address is verified.
 */
function emailUse(call: AttemptRow | undefined, config: Config): 'yes' | 'no' | 'depends' {
  if (call === undefined || call.channel === CUSTOM_POLICY) return 'depends';
  if (call.notes.includes(EMAIL_NOT_TRUSTED) || !countsEmailRecords(config)) return 'no';
  const trusted = config.EMAIL_TRUSTED_ISSUERS;
  const identities = [call.idpKey, ...call.otherKeys].filter((key) => key !== '' && !isNameKey(key));
  if (identities.length === 0) return trusted.includes('-') ? 'yes' : 'no';
  return identities.every((key) => trusted.some((issuer) => key.startsWith(`idp:${encodeURIComponent(issuer)}:`)))
    ? 'yes'
    : 'no';
}

type Names = ReadonlyMap<string, string>;

const named = (clientId: string, names: Names) => {
  const application = names.get(clientId.toLowerCase());
  return application === undefined ? { clientId } : { clientId, application };
};

/** What a token gets: general, and with what each application adds. Names that no token can have are left out. */
function mergedOf(lookup: Lookup, key: string, record: Entitlements, names: Names) {
  const general = heldIn(lookup, '');
  return {
    key,
    roles: general.person.roles,
    groups: general.person.groups,
    applications: Object.keys(record.applications).map((clientId) => {
      const { roles, groups } = heldIn(lookup, clientId).person;
      return { ...named(clientId, names), roles, groups };
    }),
    droppedNames: general.droppedNames,
  };
}

/** The record under a key as it is stored. Values of attributes are for administrators. */
function shownRecordOf(key: string, places: readonly string[], values: Values, counts: boolean): ShownRecord {
  const copy = newestCopy(places, values);
  if (copy === undefined) return { key, state: 'none', counts };
  const { stored } = copy;
  if (stored === undefined) return { key, state: 'unreadable', counts };
  if ('removed' in stored) return { key, state: 'none', counts, removedAt: stored.updatedAt };
  const { roles, groups, applications, attributes, updatedAt, updatedBy } = stored;
  const attributeNames = Object.keys(attributes);
  return { key, state: 'record', counts, roles, groups, applications, attributeNames, updatedAt, updatedBy };
}

/** A record has the time of its change a moment before the audit log does. */
const LOGGED_WITHIN_MS = 5_000;

function isPending({ subject, occurredAt, removed }: RoleChange, records: readonly ShownRecord[]) {
  const record = records.find(({ key }) => key === subject);
  if (record?.state !== 'record') return record?.state === 'none' && !removed;
  return removed || occurredAt.getTime() - Date.parse(record.updatedAt) > LOGGED_WITHIN_MS;
}

const hasRecord = (records: readonly ShownRecord[], key: string) =>
  records.some((record) => record.key === key && record.state === 'record');

const shownToken = (
  { id, occurredAt, clientId, roles, rolesUpdatedAt, policyVersion, degraded }: AttemptRow,
  names: Names,
) => ({
  id,
  occurredAt: occurredAt.toISOString(),
  ...named(clientId, names),
  roles,
  rolesUpdatedAt: rolesUpdatedAt?.toISOString() ?? null,
  policyVersion,
  degraded,
});
