/** What is counted from the attempts: by day and hour, in groups, and distinct people. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { day, timestampMs } from './column-kinds.ts';

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
  { hour: timestampMs().notNull(), ...counted(), attempts: attemptsCounted() },
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

/**
 * The hours whose attempts changed. A trigger (in `drizzle/`) increments `marks` for each statement that changes
 * attempts. Aggregation sets `summed` to the marks that it read. An hour is dirty while `marks > summed`.
 */
export const dirtyHours = pgTable('dirty_hours', {
  hour: timestampMs().primaryKey(),
  marks: integer().notNull(),
  summed: integer().notNull().default(0),
});

/** One row, which is also the lock for aggregation. Hours before `until` are aggregated; later ones are read live. */
export const summedUntil = pgTable(
  'summed_until',
  {
    id: boolean().primaryKey().default(true),
    until: timestampMs().notNull(),
    /** Earlier attempts were dropped, so their aggregates are final. */
    droppedBefore: timestampMs().notNull(),
    vacuumedAt: timestampMs().notNull(),
    /** When this version had aggregated all rows of the earlier hourly tables; null until then. */
    copiedAt: timestampMs(),
  },
  (t) => [check('summed_until_one_row', sql`${t.id}`)],
);
