/**
 * The tables in Postgres. `attempts` and `changes` are also the schema of the queue's messages
 * (`attempts/attempt.ts`). Add a new column here, where an attempt is composed, as a migration and in
 * drizzle/README.md. Columns are never renamed, and a new one has a default: messages of the previous version lack
 * it.
 *
 * Dimensions are never null (`''`), so that they can be keys of aggregates. `drizzle/` contains the SQL generated from
 * this file. The `PARTITION BY` of {@link attempts} is added there by hand, since drizzle-kit does not support it.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

const instant = () => timestamp({ withTimezone: true, mode: 'date', precision: 3 });
const dimension = () => text().notNull().default('');
const names = () => text().array().notNull().default(sql`'{}'`);

/** One connector call. Partitioned by month of `occurred_at`, so that retention drops whole months. */
export const attempts = pgTable(
  'attempts',
  {
    /** UUIDv7; its time is `occurredAt`. */
    id: uuid().notNull(),
    occurredAt: instant().notNull(),
    channel: dimension(),
    /** One of B2C's three steps, or the body's text when it is another; `''` when there is none. */
    step: dimension(),
    /** The URL's step, when the body's differs. */
    urlStep: dimension(),
    /** One of `OUTCOMES` (`attempts/attempt.ts`). */
    outcome: dimension(),
    /** A code when the outcome is `error`, such as `unknown-step`, `not-json`, `deadline` or `no-policy`; else `''`. */
    reason: dimension(),
    /** B2C's `action`. */
    reply: dimension(),
    status: smallint().notNull(),
    rule: dimension(),
    messageKey: dimension(),
    /** The message shown to the person, with `…` for each value of a claim that is not stored. */
    message: dimension(),
    /** BCP 47 tag of the message. */
    messageLanguage: dimension(),
    supportCode: dimension(),
    policyVersion: integer().notNull().default(0),
    clientId: dimension(),
    objectId: dimension(),
    email: dimension(),
    /** The first identity. `otherKeys` has the others. */
    issuer: dimension(),
    issuerAssignedId: dimension(),
    signInType: dimension(),
    oidKey: dimension(),
    idpKey: dimension(),
    emailKey: dimension(),
    /** Person keys of the second to the tenth identity. */
    otherKeys: names(),
    locale: dimension(),
    claimNames: names(),
    unexpectedClaims: names(),
    keptClaims: jsonb().$type<Record<string, string | number | boolean>>().notNull().default({}),
    /** Names of the claims in the reply. B2C stores or issues only those that the user flow has. */
    sentClaims: names(),
    /** Rules of which the condition or a value failed, whatever their `onError` says. Reasons are in `notes`. */
    failedRules: names(),
    /** Names of the claims whose values the message shows. */
    quotedClaims: names(),
    roles: names(),
    /** `updatedAt` of the entitlements record with the roles. */
    rolesUpdatedAt: instant(),
    /** From request to reply. A deployed Worker's clock advances only with I/O. */
    durationMs: integer().notNull(),
    /** Codes of the faults during the decision; `''` when there were none. */
    degraded: dimension(),
    /** Sentences for support, such as `identities dropped`. */
    notes: names(),
    /** Name of the caller's credential. */
    caller: dimension(),
    cfRay: dimension(),
    correlationId: dimension(),
    fingerprint: dimension(),
    /** The shadow policy's decision. Version 0: it did not run. */
    shadowVersion: integer().notNull().default(0),
    shadowOutcome: dimension(),
    shadowRule: dimension(),
    shadowMessageKey: dimension(),
    /** Whether the shadow's reply would differ. */
    shadowDiffers: boolean().notNull().default(false),
    /** Names of the claims whose values differ. */
    shadowClaims: names(),
    /** The custom policy that called, such as `B2C_1A_signin`; `''` in a user flow. */
    policyId: dimension(),
    /** The /24 or /48 of the person's address, if the call has it. */
    ipNetwork: dimension(),
    /** The kind of the caller's credential, such as `basic`. */
    callerKind: dimension(),
    /** UUIDv7 of the gate's isolate that answered; its time is that of the isolate's first attempt. */
    isolate: uuid(),
    /** Number among the isolate's attempts, from 1: a missing number is a lost attempt. 0: an earlier version's. */
    sequence: integer().notNull().default(0),
  },
  (t) => [
    primaryKey({ name: 'attempts_pk', columns: [t.occurredAt, t.id] }),
    index('attempts_oid_key').on(t.oidKey, t.occurredAt, t.id).where(sql`oid_key <> ''`),
    index('attempts_idp_key').on(t.idpKey, t.occurredAt, t.id).where(sql`idp_key <> ''`),
    index('attempts_email_key').on(t.emailKey, t.occurredAt, t.id).where(sql`email_key <> ''`),
    index('attempts_other_keys').using('gin', t.otherKeys).where(sql`other_keys <> '{}'`),
    index('attempts_support_code').on(t.supportCode, t.occurredAt, t.id).where(sql`support_code <> ''`),
    index('attempts_correlation_id').on(t.correlationId, t.occurredAt, t.id).where(sql`correlation_id <> ''`),
    index('attempts_shadow').on(t.occurredAt, t.id, t.shadowDiffers).where(sql`shadow_version > 0`),
    index('attempts_odd_step').on(t.occurredAt).where(sql`url_step <> '' or reason = 'unknown-step'`),
    // For lists of rare attempts. An index on the application or the issuer would cost every insert 17 % (measured).
    index('attempts_rule').on(t.rule, t.occurredAt, t.id).where(sql`rule <> ''`),
    index('attempts_outcome').on(t.outcome, t.occurredAt, t.id).where(sql`outcome <> 'continue'`),
    index('attempts_reason').on(t.reason, t.occurredAt, t.id).where(sql`reason <> ''`),
    index('attempts_degraded').on(t.occurredAt, t.id).where(sql`degraded <> ''`),
  ],
);

/** The audit log. `subject` is a person key for entitlements, `policy`, or `policy:shadow`. */
export const changes = pgTable(
  'changes',
  {
    id: uuid().primaryKey(),
    occurredAt: instant().notNull(),
    /** Name of the credential that made the change. */
    changedBy: text().notNull(),
    subject: text().notNull(),
    before: jsonb(),
    after: jsonb(),
  },
  (t) => [
    index('changes_occurred_at').on(t.occurredAt, t.id),
    index('changes_subject').on(t.subject, t.occurredAt, t.id),
  ],
);

/**
 * Calls that were refused before there was an attempt, counted by an isolate. A row is the first refusal of a kind
 * after ten seconds, or the refusals of that kind in the ten seconds after such a row.
 */
export const refusedCalls = pgTable(
  'refused_calls',
  {
    /** UUIDv7; its time is `occurredAt`. */
    id: uuid().primaryKey(),
    occurredAt: instant().notNull(),
    /** `connector`, `reports` or `admin`. */
    route: dimension(),
    /** A code such as `wrong-credential` or `no-such-connector`. */
    reason: dimension(),
    /** Name of the configured credential, when the presented user name is one; never what was presented. */
    name: dimension(),
    calls: integer().notNull().default(1),
  },
  (t) => [index('refused_calls_occurred_at').on(t.occurredAt)],
);

/** Calls of `npm run connect -- check`, without anything of the person in their bodies. No report counts them. */
export const probes = pgTable(
  'probes',
  {
    /** UUIDv7; its time is `occurredAt`. */
    id: uuid().primaryKey(),
    occurredAt: instant().notNull(),
    /** The id of the check that made it. */
    run: uuid().notNull(),
    channel: dimension(),
    step: dimension(),
    outcome: dimension(),
    reason: dimension(),
    reply: dimension(),
    status: smallint().notNull(),
    rule: dimension(),
    policyVersion: integer().notNull().default(0),
    clientId: dimension(),
    durationMs: integer().notNull(),
    degraded: dimension(),
    caller: dimension(),
    callerKind: dimension(),
  },
  (t) => [index('probes_occurred_at').on(t.occurredAt, t.id)],
);

/**
 * Keys of erased persons, as keyed digests (`desk/erasure/erased-keys.ts`). A message of a call until `erasedAt` with
 * one of these keys is blinded when it is written.
 */
export const erasedKeys = pgTable('erased_keys', {
  /** HMAC-SHA-256 of the person key, 64 hexadecimal digits. */
  digest: text().primaryKey(),
  erasedAt: instant().notNull(),
});

/** The use of a version: it decides, it runs as shadow, or it ends the shadow. */
export const POLICY_USES = ['active', 'shadow', 'no-shadow'] as const;

/** Every saved policy. Rows are never changed; `desk/policies/versions.ts` selects the current ones. */
export const policyVersions = pgTable(
  'policy_versions',
  {
    /** One sequence for all uses, from 1. Inserting the next number is an optimistic lock. */
    number: integer().primaryKey(),
    use: text({ enum: POLICY_USES }).notNull(),
    /** The shadow's share of the calls, above 0 and at most 1; null for the other uses. */
    sample: doublePrecision(),
    /** `json` preserves the text, including the order of members. Null when the use is `no-shadow`. */
    document: json(),
    /** Counts in the document, so that a list of versions does not read large documents. */
    rules: integer().notNull().default(0),
    lists: integer().notNull().default(0),
    messages: integer().notNull().default(0),
    /** Name of the credential that saved it. */
    author: text().notNull(),
    note: text().notNull().default(''),
    createdAt: instant().notNull(),
  },
  (t) => [
    check('policy_versions_use', sql`${t.use} in ('active', 'shadow', 'no-shadow')`),
    check('policy_versions_document', sql`(${t.document} is null) = (${t.use} = 'no-shadow')`),
    check('policy_versions_sample', sql`(${t.sample} is null) = (${t.use} <> 'shadow')`),
  ],
);

/** A day in UTC, such as `2026-11-21`. */
const day = () => date({ mode: 'string' }).notNull();
const attemptsCounted = () => bigint({ mode: 'number' }).notNull();

/**
 * `dims` is the set of grouping columns: the sum of client (4), issuer (2) and rule (1). The others are `''`. Each set
 * counts every attempt once, so a report reads exactly one set. All sets have channel, step and outcome.
 */
const counted = () => ({
  dims: smallint().notNull(),
  channel: text().notNull(),
  clientId: text().notNull(),
  issuer: text().notNull(),
  rule: text().notNull(),
  step: text().notNull(),
  outcome: text().notNull(),
});

/** Daily aggregates in all eight sets of {@link counted}. */
export const dailyCounts = pgTable('daily_counts', { day: day(), ...counted(), attempts: attemptsCounted() }, (t) => [
  primaryKey({
    name: 'daily_counts_pk',
    columns: [t.dims, t.day, t.clientId, t.issuer, t.rule, t.channel, t.step, t.outcome],
  }),
  index('daily_counts_client').on(t.clientId, t.dims, t.issuer, t.day).where(sql`client_id <> ''`),
  index('daily_counts_issuer').on(t.issuer, t.dims, t.day).where(sql`issuer <> ''`),
  index('daily_counts_rule').on(t.rule, t.dims, t.day).where(sql`rule <> ''`),
]);

/** Hourly aggregates in the sets 0, 1, 2, 4 and 6. A client with an issuer matches too many attempts to count live. */
export const hourlyTotals = pgTable(
  'hourly_totals',
  { hour: instant().notNull(), ...counted(), attempts: attemptsCounted() },
  (t) => [
    primaryKey({
      name: 'hourly_totals_pk',
      columns: [t.dims, t.hour, t.clientId, t.issuer, t.rule, t.channel, t.step, t.outcome],
    }),
  ],
);

/** Daily aggregates by duration bucket, in the sets 0, 1, 2 and 4. They are the source of percentiles. */
export const dailyDurations = pgTable(
  'daily_durations',
  { day: day(), ...counted(), bucket: smallint().notNull(), attempts: attemptsCounted() },
  (t) => [
    primaryKey({
      name: 'daily_durations_pk',
      columns: [t.dims, t.day, t.clientId, t.issuer, t.rule, t.bucket, t.channel, t.step, t.outcome],
    }),
    index('daily_durations_client').on(t.clientId, t.day).where(sql`client_id <> ''`),
    index('daily_durations_issuer').on(t.issuer, t.day).where(sql`issuer <> ''`),
    index('daily_durations_rule').on(t.rule, t.day).where(sql`rule <> ''`),
  ],
);

/** Daily aggregates by one facet at a time. Attempts whose facet is `''` are not counted. */
export const dailyFacets = pgTable(
  'daily_facets',
  {
    facet: text().notNull(),
    day: day(),
    channel: text().notNull(),
    value: text().notNull(),
    step: text().notNull(),
    outcome: text().notNull(),
    attempts: attemptsCounted(),
  },
  (t) => [
    primaryKey({ name: 'daily_facets_pk', columns: [t.facet, t.day, t.value, t.channel, t.step, t.outcome] }),
    index('daily_facets_day').on(t.day),
  ],
);

/** Compares the shadow's decisions with the real ones. No primary key: eight texts can exceed an index row. */
export const dailyShadow = pgTable(
  'daily_shadow',
  {
    day: day(),
    version: integer().notNull(),
    differs: boolean().notNull(),
    channel: text().notNull(),
    outcome: text().notNull(),
    rule: text().notNull(),
    shadowOutcome: text().notNull(),
    shadowRule: text().notNull(),
    step: text().notNull(),
    clientId: text().notNull(),
    issuer: text().notNull(),
    attempts: attemptsCounted(),
  },
  (t) => [index('daily_shadow_day').on(t.day)],
);

export const PEOPLE_SCOPES = ['all', 'client', 'outcome', 'rule'] as const;

/** Groups in which people are counted: all (value `''`), an application, an outcome but `continue`, a rule. */
export const peopleScopes = pgTable(
  'people_scopes',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    kind: text({ enum: PEOPLE_SCOPES }).notNull(),
    value: text().notNull(),
  },
  (t) => [unique('people_scopes_kind_value').on(t.kind, t.value)],
);

/**
 * The people of each hour, retained as long as attempts. `previous` is the hour of the person's previous visit in this
 * scope, or `-infinity`. A person counts once in a range: at the visit whose `previous` is before the range.
 */
export const visits = pgTable(
  'visits',
  {
    /** A digest of the objectId, or of the first person key in the scopes of outcomes and rules. */
    person: uuid().notNull(),
    hour: timestamp({ withTimezone: true, mode: 'string', precision: 3 }).notNull(),
    previous: timestamp({ withTimezone: true, mode: 'string', precision: 3 }).notNull(),
    scope: integer().notNull(),
  },
  (t) => [
    primaryKey({ name: 'visits_pk', columns: [t.scope, t.person, t.hour] }),
    index('visits_hour').on(t.hour, t.scope),
    index('visits_previous').on(t.previous, t.scope).where(sql`previous > '-infinity'`),
  ],
);

/** Number of people on a day whose previous visit was on `previousDay` (`-infinity`: no previous visit). */
export const peopleDays = pgTable(
  'people_days',
  { scope: integer().notNull(), day: day(), previousDay: day(), people: integer().notNull() },
  (t) => [
    primaryKey({ name: 'people_days_pk', columns: [t.scope, t.day, t.previousDay] }),
    index('people_days_day').on(t.day),
    index('people_days_none').on(t.day).where(sql`people = 0`),
  ],
);

/** The id of no attempt: before every other. */
const NO_ATTEMPT = '00000000-0000-0000-0000-000000000000';
/** Id of the attempt that a value is from. Ids are in the order of time: the greatest has the newest value. */
const from = () => uuid().notNull().default(NO_ATTEMPT);
const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });

/**
 * One row a person with an objectId, and one an identity in {@link accounts}. They follow from the attempts
 * (`desk/users/merge.ts`), whatever the order in which attempts arrive and however often.
 */
export const users = pgTable(
  'users',
  {
    /** MD5 of the key: the order in which writers lock rows. */
    id: uuid().primaryKey(),
    oidKey: text().notNull(),
    firstSeen: instant().notNull(),
    lastSeen: instant().notNull(),
    /** The newest that is not empty. */
    email: dimension(),
    emailKey: dimension(),
    emailFrom: from(),
    /** The claim `displayName`, if `KEEP_CLAIMS` lists it. */
    name: dimension(),
    /** The words of the name, in the form in which they are searched for. */
    nameWords: tsvector().notNull().default(''),
    nameFrom: from(),
    /** The newest call that let the person in, with its time, application and roles. */
    signInFrom: from(),
    lastSignIn: instant(),
    clientId: dimension(),
    roles: names(),
  },
  (t) => [
    index('users_last_seen').on(t.lastSeen, t.id),
    index('users_email_key').on(t.emailKey).where(sql`email_key <> ''`),
    index('users_name_words').using('gin', t.nameWords).where(sql`name <> ''`),
  ],
);

/** One row an identity: an issuer and a subject. Local accounts have one, too. */
export const accounts = pgTable(
  'accounts',
  {
    /** MD5 of the key: the order in which writers lock rows. */
    id: uuid().primaryKey(),
    /** An `idp:` key, or the digest of a long one. */
    key: text().notNull(),
    /** Percent-encoded, as in the key; beside the digest of a long key as the call had it. */
    issuer: text().notNull(),
    signInType: dimension(),
    signInTypeFrom: from(),
    /** The newest objectId with which it was seen; `''` for a sign-up that was never finished. */
    oidKey: dimension(),
    oidFrom: from(),
    email: dimension(),
    emailKey: dimension(),
    emailFrom: from(),
    /** In a call, in any position among its identities. */
    firstSeen: instant().notNull(),
    lastSeen: instant().notNull(),
    /** As the first identity of a call that let the person in: what they signed in with. */
    firstSignIn: instant(),
    lastSignIn: instant(),
  },
  (t) => [
    index('accounts_oid_key').on(t.oidKey).where(sql`oid_key <> ''`),
    index('accounts_email_key').on(t.emailKey).where(sql`email_key <> ''`),
  ],
);

/** Daily attempts of a person by outcome, retained as long as attempts. */
export const userDays = pgTable(
  'user_days',
  {
    /** The id in {@link users}. */
    userId: uuid().notNull(),
    day: day(),
    outcome: text().notNull(),
    attempts: integer().notNull(),
  },
  (t) => [
    primaryKey({ name: 'user_days_pk', columns: [t.userId, t.day, t.outcome] }),
    // A day is summed, and dropped.
    index('user_days_day').on(t.day),
  ],
);

/**
 * The hours whose attempts changed. A trigger (in `drizzle/`) increments `marks` for each statement that changes
 * attempts. Aggregation sets `summed` to the marks that it read. An hour is dirty while `marks > summed`.
 */
export const dirtyHours = pgTable('dirty_hours', {
  hour: instant().primaryKey(),
  marks: integer().notNull(),
  summed: integer().notNull().default(0),
});

/** One row, which is also the lock for aggregation. Hours before `until` are aggregated; later ones are read live. */
export const summedUntil = pgTable(
  'summed_until',
  {
    id: boolean().primaryKey().default(true),
    until: instant().notNull(),
    /** Earlier attempts were dropped, so their aggregates are final. */
    droppedBefore: instant().notNull(),
    vacuumedAt: instant().notNull(),
    /** When this version had aggregated all rows of the earlier hourly tables; null until then. */
    copiedAt: instant(),
  },
  (t) => [check('summed_until_one_row', sql`${t.id}`)],
);

/** Maps `{ version: 3 }` to `{ shadowVersion: 3 }`, the names of the columns. */
export const shadowMembers = (shadow: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shadow).map(([name, value]) => [`shadow${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
  );
