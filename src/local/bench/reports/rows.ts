/** Generates attempts in SQL: 400 days of a tenant with 20 applications, 6 issuers, 40 rules and 600,000 people. */

import type pg from 'pg';
import { DAY_MS } from '../../../platform/duration.ts';

export const DAYS = 400;
/** A month with a tenth of the traffic: the cost of a summary must depend on its days, not on its attempts. */
export const QUIET = { firstDay: 30, days: 30, share: 0.1 } as const;
export const CLIENTS = 20;
export const RULES = 40;
export const ISSUERS = ['google.com', 'facebook.com', 'apple.com', 'github.com', 'live.com', 'amazon.com'] as const;
/** Each answers calls for one day. */
const ISOLATES = 100;
export const FIRST_NAMES = ['Anna', 'Ben', 'Carla', 'David', 'Elif', 'Finn', 'Greta', 'Hugo', 'Ida', 'Jonas'] as const;
const MOST_PEOPLE = 600_000;
const ATTEMPTS_A_PERSON = 16;
/** One attempt in 500 arrives after its hour was aggregated. */
export const LATE_ONE_IN = 500;
/** Only the last days have late attempts: 400 days of them would double the time. */
export const LATE_DAYS = 30;

/** A day with evenly spaced attempts from `from` (inclusive) to `to` (exclusive), in milliseconds since 1970. */
export interface Day {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly attempts: number;
}

/** The days up to `end`, oldest first; the last one ends at `end`. `attempts` is the total. */
export function daysUntil(end: number, attempts: number): Day[] {
  const today = Math.floor(end / DAY_MS) * DAY_MS;
  const weighed = Array.from({ length: DAYS }, (_, number) => {
    const from = today - (DAYS - 1 - number) * DAY_MS;
    const to = Math.min(from + DAY_MS, end);
    const quiet = number >= QUIET.firstDay && number < QUIET.firstDay + QUIET.days;
    return { number, from, to, weight: ((to - from) / DAY_MS) * (quiet ? QUIET.share : 1) };
  });
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  return weighed.map(({ weight, ...day }) => ({ ...day, attempts: Math.round((attempts * weight) / total) }));
}

/** Fractional parts of multiples of irrational numbers are evenly distributed and the same in every run. */
const MULTIPLIERS = [2, 3, 5, 7, 11, 13].map(Math.sqrt);
const share = MULTIPLIERS.map((by, at) => `g * ${by} - floor(g * ${by}) as r${at + 1}`).join(', ');

/** $1: number of the day, $2: its attempts, $3 and $4: its start and end, $5: number of people, $6: late attempts. */
const INSERT = `
insert into attempts (id, occurred_at, channel, step, outcome, reason, reply, status, rule, message_key, message, support_code,
  policy_version, client_id, object_id, email, issuer, issuer_assigned_id, oid_key, idp_key, email_key, other_keys, locale,
  claim_names, kept_claims, roles, duration_ms, degraded, caller, cf_ray, correlation_id, fingerprint,
  shadow_version, shadow_outcome, shadow_rule, shadow_differs, isolate, sequence)
select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(fingerprint, 1, 3) || '8' || substr(fingerprint, 4, 15))::uuid,
  at, 'user-flow', step, outcome,
  case when outcome = 'error' then (array['deadline', 'not-json', 'unknown-step'])[1 + g % 3] else '' end,
  case outcome when 'block' then 'ShowBlockPage' when 'invalid' then 'ValidationError' else 'Continue' end, 200, rule,
  case when outcome in ('block', 'invalid') then rule else '' end, case when outcome in ('block', 'invalid') then 'Not now.' else '' end,
  case when outcome <> 'continue' then upper(substr(fingerprint, 1, 5) || '-' || substr(fingerprint, 6, 5)) else '' end,
  1 + $1::int / 50, 'client-' || floor(${CLIENTS} * r2 * r2), case when step = 'PreTokenIssuance' then person else '' end,
  address, issuer, case when issuer = '' then '' else p::text end,
  case when step = 'PreTokenIssuance' then 'oid:' || person else '' end,
  case when issuer = '' then '' else 'idp:' || issuer || ':' || p end, 'email:' || address,
  case when p % 50 = 0 then array['idp:other.com:' || p] else '{}' end,
  (array['en-US', 'de-DE', 'fr-FR', 'es-ES', 'en-GB'])[1 + p % 5], '{step,client_id,ui_locales,email,displayName,objectId,identities}',
  jsonb_build_object('displayName', ('{${FIRST_NAMES.join()}}'::text[])[1 + p % ${FIRST_NAMES.length}] || ' Person' || p, 'country', 'DE'), case when p % 3 = 0 then '{editor}' else '{}' end::text[],
  (1 + 8 * exp(r6 * 4))::int, case when g % 2000 = 0 then 'roles-stale' else '' end, 'b2c-2026a', substr(fingerprint, 1, 16),
  fingerprint::uuid, fingerprint, shadow, case when shadow > 0 then case when differs then 'block' else outcome end else '' end,
  case when shadow > 0 then case when differs then 'rule-new' else rule end else '' end, shadow > 0 and differs,
  (lpad(to_hex((extract(epoch from $3::timestamptz) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(i % ${ISOLATES}), 15, '0'))::uuid,
  i / ${ISOLATES} + 1
from (
  select $1::bigint * 10000000 + i as g, i from generate_series(0, $2::bigint - 1) as i
  where (i % ${LATE_ONE_IN} = 7 and $1::int >= ${DAYS - LATE_DAYS}) = $6
) as numbered, lateral (select ${share}) as spread, lateral (
  select date_trunc('milliseconds', $3::timestamptz + ($4::timestamptz - $3::timestamptz) * (i::float8 / $2)) as at
) as timed, lateral (
  select floor($5::bigint * r5)::bigint as p, md5(g::text || 'x') as fingerprint,
    case when r1 < 0.1 then 'PostFederationSignup' when r1 < 0.2 then 'PostAttributeCollection' else 'PreTokenIssuance' end as step,
    case when r4 < 0.08 then 'rule-' || floor(${RULES} * power(r4 / 0.08, 2)) else '' end as rule,
    case when r3 < 0.3 then '' else ('{${ISSUERS.join()}}'::text[])[1 + floor(6 * power((r3 - 0.3) / 0.7, 1.5))::int] end as issuer,
    case when $1::int >= ${DAYS - 90} and r6 < 0.2 then 3 else 0 end as shadow, g % 37 = 0 as differs
) as drawn, lateral (
  select md5(p::text)::uuid::text as person, 'person' || p || '@example.com' as address, case
    when g % 331 = 0 then 'error'
    when rule = '' or step = 'PreTokenIssuance' then 'continue'
    when step = 'PostFederationSignup' or g % 3 = 0 then 'block' else 'invalid' end as outcome
) as decided`;

export const peopleOf = (attempts: number): number =>
  Math.max(1, Math.min(MOST_PEOPLE, Math.round(attempts / ATTEMPTS_A_PERSON)));

/** Writes either the late attempts of a day or all others. */
export async function writeDay(pool: pg.Pool, day: Day, people: number, late: boolean): Promise<number> {
  const { number, attempts, from, to } = day;
  const range = [new Date(from).toISOString(), new Date(to).toISOString()];
  const { rowCount } = await pool.query(INSERT, [number, attempts, ...range, people, late]);
  return rowCount ?? 0;
}
