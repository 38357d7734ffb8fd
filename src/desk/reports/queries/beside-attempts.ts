/**
 * What an answer about a person or an attempt shows beside its attempts, in one statement: how many people shared the
 * last one, the advice of their rules, the names of applications, and which of them are known to ask at the token step.
 */
import { and, inArray, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { attempts, peopleDays, peopleScopes, policyVersions, summedUntil, visits } from '../../../database/schema.ts';
import { DAY_MS, HOUR_MS } from '../../../platform/duration.ts';
import { scopesSql } from '../../aggregates/visits.ts';
import { NO_RULE_ADVICE, type RuleAdvice } from '../advice.ts';
import {
  groupOf,
  hoursOf,
  type OnlyThisPerson,
  onlyThisPerson,
  type PeopleGroup,
  type SharedCall,
} from '../only-this-person.ts';
import { dayOf } from '../parts.ts';
import { namesOfApplications } from './application-names.ts';
import { inStretch, matching, untilSql } from './sums.ts';

export interface Beside {
  /** Undefined without attempts. */
  readonly onlyThisPerson: OnlyThisPerson | undefined;
  readonly ruleAdvice: RuleAdvice;
  /** Names of applications by client id. */
  readonly names: ReadonlyMap<string, string>;
  /** Client ids of which the token step called Gatehouse for anyone, since a week before the newest attempt. */
  readonly tokenClients: ReadonlySet<string>;
}

type Shown = SharedCall & { readonly clientId: string };

type Texts = Readonly<Record<string, string>>;

/** `shown` are newest first. `now` is in milliseconds since 1970. */
export async function besideAttempts(
  db: Database,
  run: RunQuery,
  shown: readonly Shown[],
  now: number,
): Promise<Beside> {
  const [last] = shown;
  if (last === undefined)
    return { onlyThisPerson: undefined, ruleAdvice: NO_RULE_ADVICE, names: new Map(), tokenClients: new Set() };
  const { rows } = await run(
    db.execute<{
      people: (number | null)[];
      advice: [string, Texts][];
      applications: unknown;
      asking: string[];
      language: string | null;
    }>(sql`
      with in_force as materialized (
        -- Parsed once: a document may have 8 MB.
        select parts.* from (
          select ${policyVersions.document} as document from ${policyVersions}
          where ${policyVersions.use} = 'active' order by ${policyVersions.number} desc limit 1
        ) as latest, json_to_record(document) as parts (rules json, applications json, "defaultLanguage" text))
      select json_build_array(${sql.join(peopleOf(last), sql`, `)}) as people, ${adviceSql(shown)} as advice,
        (select applications from in_force) as applications, ${askingSql(shown, last)} as asking,
        (select "defaultLanguage" from in_force) as language`),
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The database answered without a row.');
  const ofRule = new Map(row.advice.map(([rule, texts]) => [rule, byTag(texts)]));
  return {
    onlyThisPerson: onlyThisPerson(last, row.people, now),
    ruleAdvice: { ofRule, defaultLanguage: row.language ?? NO_RULE_ADVICE.defaultLanguage },
    names: namesOfApplications(row.applications),
    tokenClients: new Set(row.asking),
  };
}

const byTag = (texts: Texts) => new Map(Object.entries(texts).map(([tag, text]) => [tag.toLowerCase(), text] as const));

/** Pairs of rule and advice. */
function adviceSql(shown: readonly SharedCall[]): SQL {
  const rules = [...new Set(shown.map(({ rule }) => rule))].filter((rule) => rule !== '');
  if (rules.length === 0) return sql`'[]'::json`;
  return sql`(
    select coalesce(json_agg(json_build_array(rule ->> 'id', rule -> 'advice')), '[]')
    from in_force, json_array_elements(rules) as rule
    where rule -> 'advice' is not null and rule ->> 'id' in (${sql.join(
      rules.map((rule) => sql`${rule}`),
      sql`, `,
    )}))`;
}

const ASKING_WITHIN_MS = 7 * DAY_MS;

/** The client ids of {@link Beside.tokenClients}. The hours that are not summed yet do not count. */
function askingSql(shown: readonly Shown[], last: Shown): SQL {
  const ids = [...new Set(shown.map(({ clientId }) => clientId))].filter((clientId) => clientId !== '');
  if (ids.length === 0) return sql`'[]'::json`;
  const since = dayOf(new Date(new Date(last.occurredAt).getTime() - ASKING_WITHIN_MS));
  return sql`(
    select coalesce(json_agg(${peopleScopes.value}), '[]') from ${peopleScopes}
    where ${peopleScopes.kind} = 'client' and ${inArray(peopleScopes.value, ids)} and exists (
      select from ${peopleDays} where ${peopleDays.scope} = ${peopleScopes.id} and ${peopleDays.day} >= ${since}))`;
}

/** One number for each hour: from `visits` when the hour is summed, else from its attempts. Null when it is deleted. */
function peopleOf(shared: SharedCall): SQL[] {
  const group = groupOf(shared);
  const dropped = sql`coalesce((select ${summedUntil.droppedBefore} from ${summedUntil}), '-infinity')`;
  return hoursOf(shared).map((hour) => {
    const start = sql`${hour.toISOString()}::timestamptz`;
    return sql`case when ${start} < ${dropped} then null
      when ${start} < ${untilSql} then (
        select count(*) from ${visits} where ${visits.hour} = ${start} and ${visits.scope} = (
          select ${peopleScopes.id} from ${peopleScopes}
          where ${peopleScopes.kind} = ${group.kind} and ${peopleScopes.value} = ${group.value}))
      else ${liveSql(hour, group)} end`;
  });
}

function liveSql(hour: Date, { kind, value }: PeopleGroup): SQL {
  const stretch = { from: hour, to: new Date(hour.getTime() + HOUR_MS) };
  // A partial index contains these attempts.
  const narrowed = kind === 'all' ? undefined : matching(attempts, { [kind]: value });
  return sql`(
    select count(distinct person) from ${attempts} ${scopesSql}
      and kind = ${kind} and value = ${value} and ${and(inStretch(stretch), narrowed)})`;
}
