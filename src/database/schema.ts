/**
 * What Gatehouse keeps in Postgres. `attempts` and `changes` are the schema of the queue's messages too
 * (`attempts/attempt.ts`): a new column is added here, where an attempt is composed, as a migration and in the README.
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
  customType,
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
  uuid,
} from 'drizzle-orm/pg-core';

/** Postgres' 64-bit transaction id (https://www.postgresql.org/docs/current/datatype-oid.html); text on our side. */
const xid8 = customType<{ data: string }>({ dataType: () => 'xid8' });

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
    /** The transaction that wrote the row: what makes the sums exact. */
    writtenIn: xid8().notNull().default(sql`pg_current_xact_id()`),
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
    index('attempts_written_in').on(t.writtenIn),
    index('attempts_shadow').on(t.occurredAt, t.id, t.shadowDiffers).where(sql`shadow_version > 0`),
    index('attempts_odd_step').on(t.occurredAt).where(sql`url_step <> '' or reason = 'unknown-step'`),
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

const dimensions = () => ({
  hour: instant().notNull(),
  channel: text().notNull(),
  step: text().notNull(),
  outcome: text().notNull(),
  rule: text().notNull(),
  clientId: text().notNull(),
  issuer: text().notNull(),
});

/** How many attempts in an hour (UTC), by what a summary can be filtered by. */
export const hourlyCounts = pgTable(
  'hourly_counts',
  { ...dimensions(), attempts: bigint({ mode: 'number' }).notNull() },
  (t) => [
    primaryKey({
      name: 'hourly_counts_pk',
      columns: [t.hour, t.channel, t.step, t.outcome, t.rule, t.clientId, t.issuer],
    }),
  ],
);

/** The same, by duration bucket (`summaries/buckets.ts`): the source of percentiles. */
export const hourlyDurations = pgTable(
  'hourly_durations',
  { ...dimensions(), bucket: smallint().notNull(), attempts: bigint({ mode: 'number' }).notNull() },
  (t) => [
    primaryKey({
      name: 'hourly_durations_pk',
      columns: [t.hour, t.channel, t.step, t.outcome, t.rule, t.clientId, t.issuer, t.bucket],
    }),
  ],
);

/** Who was at the token step in an hour, so that distinct people can be counted over any range of whole hours. */
export const hourlyPeople = pgTable(
  'hourly_people',
  { hour: instant().notNull(), clientId: text().notNull(), objectId: text().notNull() },
  (t) => [primaryKey({ name: 'hourly_people_pk', columns: [t.hour, t.clientId, t.objectId] })],
);

/** One row: attempts written in transactions before `summedBefore` are in the sums. */
export const summingProgress = pgTable(
  'summing_progress',
  {
    id: boolean().primaryKey().default(true),
    summedBefore: xid8().notNull(),
    summedAt: instant().notNull(),
  },
  (t) => [check('summing_progress_one_row', sql`${t.id}`)],
);
