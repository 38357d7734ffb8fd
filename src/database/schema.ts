/**
 * What Gatehouse keeps in Postgres. `attempts` and `changes` are the schema of the queue's messages too
 * (`attempts/attempt.ts`): a new column is added here, where an attempt is composed, as a migration and in drizzle/README.md.
 * Columns are added, never renamed, and a new one has a default: messages of the version before it lack it.
 *
 * Dimensions are never null (`''`), so that sums can be keyed by them. `drizzle/` holds the SQL made from this file; the
 * `PARTITION BY` of {@link attempts} is added there by hand, since drizzle-kit cannot write it.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
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

/** One call of a connector. Partitioned by month of `occurred_at`, so that retention drops whole months. */
export const attempts = pgTable(
  'attempts',
  {
    /** UUIDv7; its time is `occurredAt`. */
    id: uuid().notNull(),
    occurredAt: instant().notNull(),
    channel: dimension(),
    /** One of B2C's three steps; what the body said when it is none of them; `''` when there was none. */
    step: dimension(),
    /** The step that the URL named, when the body's differs. */
    urlStep: dimension(),
    /** One of `OUTCOMES` (`attempts/attempt.ts`). */
    outcome: dimension(),
    /** Why the outcome is `error`: `unknown-step`, `not-json`, `too-large`, `cut-off`, `nested-too-deep`, `deadline`, `exception`, `no-policy`; else `''`. */
    reason: dimension(),
    /** B2C's `action`. */
    reply: dimension(),
    status: smallint().notNull(),
    rule: dimension(),
    messageKey: dimension(),
    /** As it was shown; what it quoted of a claim whose value is never kept is `…`. */
    message: dimension(),
    /** BCP 47 tag of the message's text. */
    messageLanguage: dimension(),
    supportCode: dimension(),
    policyVersion: integer().notNull().default(0),
    clientId: dimension(),
    objectId: dimension(),
    email: dimension(),
    /** Of the first identity; `otherKeys` has the others. */
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
    roles: names(),
    /** `updatedAt` of the entitlements record that the roles came from. */
    rolesUpdatedAt: instant(),
    /** From the request's arrival to the reply; deployed clocks move only with I/O. */
    durationMs: integer().notNull(),
    /** What did not work while this was decided; `''` when everything did. */
    degraded: dimension(),
    /** Sentences for support, such as `email record not used`. */
    notes: names(),
    /** Name of the credential that called. */
    caller: dimension(),
    cfRay: dimension(),
    correlationId: dimension(),
    fingerprint: dimension(),
    /** What the shadow policy would have decided; version 0: it was not asked. */
    shadowVersion: integer().notNull().default(0),
    shadowOutcome: dimension(),
    shadowRule: dimension(),
    shadowMessageKey: dimension(),
    /** Whether B2C would have got another reply. */
    shadowDiffers: boolean().notNull().default(false),
    /** Names of the claims whose values differ. */
    shadowClaims: names(),
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
    // For lists that look for what is rare. An index on the application or the issuer would cost every insert 17 % (measured).
    index('attempts_rule').on(t.rule, t.occurredAt, t.id).where(sql`rule <> ''`),
    index('attempts_outcome').on(t.outcome, t.occurredAt, t.id).where(sql`outcome <> 'continue'`),
    index('attempts_reason').on(t.reason, t.occurredAt, t.id).where(sql`reason <> ''`),
    index('attempts_degraded').on(t.occurredAt, t.id).where(sql`degraded <> ''`),
  ],
);

/** Who changed what: entitlements (`subject` is the person key), the policy (`policy`) and its shadow (`policy:shadow`). */
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

/** What a version is there for: to decide, to run beside what decides, or to say that nothing runs beside it any more. */
export const POLICY_USES = ['active', 'shadow', 'no-shadow'] as const;

/** Every policy that was ever saved. Rows are added and never changed; `policy/versions.ts` says which of them count. */
export const policyVersions = pgTable(
  'policy_versions',
  {
    /** One sequence for all uses, from 1. Inserting the next number is the lock: of two writers one finds it taken. */
    number: integer().primaryKey(),
    use: text({ enum: POLICY_USES }).notNull(),
    /** Share of the calls that a shadow runs for, above 0 and at most 1; null for the other uses. */
    sample: doublePrecision(),
    /** `json` keeps the text as it is, order of members included. Null when the use is `no-shadow`. */
    document: json(),
    /** How many of each the document has, so that a list of versions need not open documents of megabytes. */
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

/** Midnight to midnight in UTC, as `2026-11-21`. */
const day = () => date({ mode: 'string' }).notNull();
const attemptsCounted = () => bigint({ mode: 'number' }).notNull();

/**
 * `dims` says by which columns a row is counted: the sum of client (4), issuer (2) and rule (1). The other columns of the
 * three are `''`. Each set counts every attempt once, so a report reads exactly one set. Channel, step and outcome are in
 * every set.
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

/** Attempts by day, in all eight sets of {@link counted}. */
export const dailyCounts = pgTable('daily_counts', { day: day(), ...counted(), attempts: attemptsCounted() }, (t) => [
  primaryKey({
    name: 'daily_counts_pk',
    columns: [t.dims, t.day, t.clientId, t.issuer, t.rule, t.channel, t.step, t.outcome],
  }),
  index('daily_counts_client').on(t.clientId, t.dims, t.issuer, t.day).where(sql`client_id <> ''`),
  index('daily_counts_issuer').on(t.issuer, t.dims, t.day).where(sql`issuer <> ''`),
  index('daily_counts_rule').on(t.rule, t.dims, t.day).where(sql`rule <> ''`),
]);

/** Attempts by hour (UTC), in the sets 0, 1, 2, 4 and 6: a client with an issuer matches too many attempts to count them each time. */
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

/** Attempts by day and duration bucket (`summaries/buckets.ts`), in the sets 0, 1, 2 and 4: the source of percentiles. */
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

/** Attempts by day and one facet at a time (`summaries/facets.ts`). What a facet calls `''` is not counted. */
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

/** How the shadow's decisions compare with those that counted. No key: eight texts can exceed what an index row may hold. */
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

/** Among whom people are counted: everybody (value `''`), an application, an outcome other than `continue`, a rule. */
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
 * Who was there in an hour, for as long as attempts are kept. `previous` is the hour of the person's visit before in this
 * scope, or `-infinity`: a person counts in a range at the one visit whose `previous` is earlier than the range.
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

/** How many people came on a day for the first time since `previousDay` (`-infinity`: for the first time at all). */
export const peopleDays = pgTable(
  'people_days',
  { scope: integer().notNull(), day: day(), previousDay: day(), people: integer().notNull() },
  (t) => [
    primaryKey({ name: 'people_days_pk', columns: [t.scope, t.day, t.previousDay] }),
    index('people_days_day').on(t.day),
    index('people_days_none').on(t.day).where(sql`people = 0`),
  ],
);

/**
 * The hours whose attempts changed. Each statement that changes attempts raises `marks` of their hours (a trigger in
 * `drizzle/`); a sum sets `summed` to the marks that it read before. An hour is dirty while `marks > summed`.
 */
export const dirtyHours = pgTable('dirty_hours', {
  hour: instant().primaryKey(),
  marks: integer().notNull(),
  summed: integer().notNull().default(0),
});

/** One row, which is also the lock of whoever sums. Hours before `until` are in the aggregates; later ones are read live. */
export const summedUntil = pgTable(
  'summed_until',
  {
    id: boolean().primaryKey().default(true),
    until: instant().notNull(),
    /** Attempts before were dropped: their aggregates are final. */
    droppedBefore: instant().notNull(),
    vacuumedAt: instant().notNull(),
    /** When the schedule of this version had summed all that the hourly tables of an earlier one hold; null until then. */
    copiedAt: instant(),
  },
  (t) => [check('summed_until_one_row', sql`${t.id}`)],
);

/** `{ version: 3 }` as `{ shadowVersion: 3 }`: the shadow's decision by the names of its columns. */
export const shadowMembers = (shadow: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shadow).map(([name, value]) => [`shadow${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
  );
