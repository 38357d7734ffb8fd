/** "Only this person, or everyone?": the people with the outcome and rule of an attempt, hour by hour. Pure. */
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import { QUEUED_MS } from '../aggregates/hours.ts';
import type { AttemptRow } from './queries/columns.ts';

/** An attempt, as a row or as JSON, as far as it says who shares it and whether it is counted itself (`scopesSql`). */
export type SharedCall = Pick<AttemptRow, 'outcome' | 'rule' | 'step' | 'objectId'> & {
  readonly occurredAt: Date | string;
} & (Pick<AttemptRow, 'oidKey' | 'idpKey' | 'emailKey'> | { readonly personKeys: readonly string[] });

/** The group in which people are counted (`PEOPLE_SCOPES`). `all` are the people at the token step. */
export interface PeopleGroup {
  readonly kind: 'rule' | 'outcome' | 'all';
  readonly value: string;
}

/** A rule has one outcome. People who were let in are counted at the token step. */
export function groupOf({ outcome, rule }: Pick<SharedCall, 'outcome' | 'rule'>): PeopleGroup {
  if (rule !== '') return { kind: 'rule', value: rule };
  return outcome === 'continue' ? { kind: 'all', value: '' } : { kind: 'outcome', value: outcome };
}

const WEEKS_BEFORE = 4;

/** Start of the attempt's hour (UTC), and of the same hour of the four weeks before it, newest first. */
export function hoursOf({ occurredAt }: SharedCall): Date[] {
  const hour = Math.floor(new Date(occurredAt).getTime() / HOUR_MS) * HOUR_MS;
  return Array.from({ length: WEEKS_BEFORE + 1 }, (_, weeks) => new Date(hour - weeks * 7 * DAY_MS));
}

export interface HourOfPeople {
  /** Start of the hour, ISO 8601 in UTC. */
  readonly hour: string;
  /** Null when the attempts of that hour are deleted. */
  readonly people: number | null;
}

export interface OnlyThisPerson extends HourOfPeople {
  /** The same hour of the last four weeks, newest first. */
  readonly before: readonly HourOfPeople[];
  /** What was counted: people whom this rule refused, with this outcome, or at the token step. */
  readonly counted: 'rule' | 'outcome' | 'token-step';
  readonly sentence: string;
}

/** `people` of {@link hoursOf}; `now` is in milliseconds since 1970. */
export function onlyThisPerson(shared: SharedCall, people: readonly (number | null)[], now: number): OnlyThisPerson {
  const [first, ...before] = hoursOf(shared).map((hour, at) => ({
    hour: hour.toISOString(),
    people: people[at] ?? null,
  }));
  const { kind } = groupOf(shared);
  const { hour, people: here } = first ?? { hour: '', people: null };
  const known = before.flatMap((one) => (one.people === null ? [] : [one.people]));
  const sinceEndMs = now - (Date.parse(hour) + HOUR_MS);
  const counted = { here, before: known, isWhole: sinceEndMs >= QUEUED_MS, isIn: isCounted(shared, kind) };
  const answer = kind === 'all' ? tokenStepOf(counted) : sharersOf(counted);
  const sentence = `${answer} ${numbersOf(shared, here, known, whenOf(hour, sinceEndMs))}`;
  return { hour, people: here, before, counted: kind === 'all' ? 'token-step' : kind, sentence };
}

interface Counted {
  readonly here: number | null;
  /** Of the weeks that are known. */
  readonly before: readonly number[];
  /** While the hour runs, or its attempts may be in the queue, more people may follow. */
  readonly isWhole: boolean;
  /** Whether the person of the call is among those of the hour. */
  readonly isIn: boolean;
}

function isCounted(call: SharedCall, kind: PeopleGroup['kind']): boolean {
  if (kind === 'all') return call.step === 'PreTokenIssuance' && call.objectId !== '';
  const keys = 'personKeys' in call ? call.personKeys : [call.oidKey, call.idpKey, call.emailKey];
  return keys.some((key) => key !== '');
}

/** At least so many people, and so many times the most of the weeks before, are a disturbance and no chance. */
const UNUSUAL = { people: 3, times: 2 } as const;

const NOT_COMPARED = 'The hour is not complete, so it is not compared with the weeks before.';

function sharersOf({ here, before, isWhole, isIn }: Counted): string {
  if (here === null || here === 0) return 'How many people it concerned is unknown.';
  if (here === 1 && !isIn) return 'This call names no person, so whether another person had the same is unknown.';
  if (here === 1) return isWhole ? 'Only this person.' : 'Only this person so far.';
  const most = Math.max(...before);
  if (before.length === 0) return 'Not only this person.';
  if (here >= UNUSUAL.people && here > UNUSUAL.times * most) return 'Not only this person, and unusually many.';
  if (here > most) return 'Not only this person, and more than in the weeks before.';
  if (!isWhole) return `Not only this person. ${NOT_COMPARED}`;
  return here * UNUSUAL.times < Math.min(...before)
    ? 'Not only this person, and fewer than in the weeks before.'
    : 'Not only this person, and about as many as in the weeks before.';
}

/** This call refused nothing: then the question is whether others come as far as the token. */
function tokenStepOf({ here, before, isWhole, isIn }: Counted): string {
  if (here === null) return 'How many people reached the token step is unknown.';
  if (here === 0 && before.every((people) => people === 0))
    return 'No token step called Gatehouse in these hours, so whether it is only this person is unknown.';
  const least = before.length === 0 ? 0 : Math.min(...before);
  if (here * UNUSUAL.times < least && !isWhole) return NOT_COMPARED;
  if (here === 0 && least >= UNUSUAL.people) return 'No one reached the token step, so it is not only this person.';
  if (here * UNUSUAL.times < least) return 'Fewer people than usual reached the token step.';
  if (here > 1) return `Others reached the token step${before.length === 0 ? '' : ' as usual'}.`;
  const who = here === 0 ? 'No one' : isIn ? 'No one else' : 'One person';
  return `${who} reached the token step${isWhole ? '' : ' so far'}.`;
}

function whenOf(hour: string, sinceEndMs: number): string {
  const [, day = '', time = ''] = /^(.*)T(\d\d:\d\d)/.exec(hour) ?? [];
  const state = sinceEndMs < 0 ? ', which is not over' : sinceEndMs < QUEUED_MS ? ', which ended just now' : '';
  return `in the hour from ${time} UTC on ${day}${state}`;
}

function numbersOf(
  { outcome, rule }: SharedCall,
  here: number | null,
  before: readonly number[],
  when: string,
): string {
  const what =
    rule === '' ? (outcome === 'continue' ? 'at the token step' : `with outcome ${outcome}`) : `by rule ${rule}`;
  const number = here === null ? 'unknown' : `${here} ${here === 1 ? 'person' : 'people'}`;
  const weeks =
    before.length === 0
      ? 'The weeks before are not kept.'
      : `In the same hour of the ${before.length === 1 ? 'week' : `${before.length} weeks`} before: ${before.join(', ')}.`;
  return `${capital(what)} ${when}: ${number}. ${weeks}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
