/** The people of the attempts, and the identities with which they sign in. */
import { sql } from 'drizzle-orm';
import { customType, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { day, dimension, texts, timestampMs } from './column-kinds.ts';

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
    firstSeen: timestampMs().notNull(),
    lastSeen: timestampMs().notNull(),
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
    lastSignIn: timestampMs(),
    clientId: dimension(),
    roles: texts(),
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
    firstSeen: timestampMs().notNull(),
    lastSeen: timestampMs().notNull(),
    /** As the first identity of a call that let the person in: what they signed in with. */
    firstSignIn: timestampMs(),
    lastSignIn: timestampMs(),
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
