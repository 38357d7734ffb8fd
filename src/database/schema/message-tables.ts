/**
 * What the queue's messages become: attempts, probes, refused calls and changes; and the keys of erased persons, whose
 * messages are blinded. `attempts` and `changes` are also the schema of these messages (`attempts/attempt.ts`). Add a
 * new column here, where an attempt is composed, as a migration and in drizzle/README.md. Columns are never renamed,
 * and a new one has a default: messages of the previous version lack it.
 *
 * The `PARTITION BY` of {@link attempts} is added in `drizzle/` by hand, since drizzle-kit does not support it.
 */
import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core';
import { dimension, texts, timestampMs } from './column-kinds.ts';

/** One connector call. Partitioned by month of `occurred_at`, so that retention drops whole months. */
export const attempts = pgTable(
  'attempts',
  {
    /** UUIDv7; its time is `occurredAt`. */
    id: uuid().notNull(),
    occurredAt: timestampMs().notNull(),
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
    otherKeys: texts(),
    locale: dimension(),
    claimNames: texts(),
    unexpectedClaims: texts(),
    keptClaims: jsonb().$type<Record<string, string | number | boolean>>().notNull().default({}),
    /** Names of the claims in the reply. B2C stores or issues only those that the user flow has. */
    sentClaims: texts(),
    /** Rules of which the condition or a value failed, whatever their `onError` says. Reasons are in `notes`. */
    failedRules: texts(),
    /** Names of the claims whose values the message shows. */
    quotedClaims: texts(),
    roles: texts(),
    /** `updatedAt` of the entitlements record with the roles. */
    rolesUpdatedAt: timestampMs(),
    /** From request to reply. A deployed Worker's clock advances only with I/O. */
    durationMs: integer().notNull(),
    /** Codes of the faults during the decision; `''` when there were none. */
    degraded: dimension(),
    /** Sentences for support, such as `identities dropped`. */
    notes: texts(),
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
    shadowClaims: texts(),
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
    occurredAt: timestampMs().notNull(),
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
    occurredAt: timestampMs().notNull(),
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
    occurredAt: timestampMs().notNull(),
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
  erasedAt: timestampMs().notNull(),
});

/** Maps `{ version: 3 }` to `{ shadowVersion: 3 }`, the names of the columns. */
export const shadowMembers = (shadow: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shadow).map(([name, value]) => [`shadow${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
  );
