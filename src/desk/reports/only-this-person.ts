/** "Only this person, or everyone?": the people with the outcome and rule of an attempt, hour by hour. Pure. */
import { DAY_MS, HOUR_MS } from '../../platform/duration.ts';
import type { AttemptRow } from './queries/columns.ts';

/** An attempt as far as it says who shares it. */
export interface SharedCall extends Pick<AttemptRow, 'outcome' | 'rule'> {
  readonly occurredAt: Date | string;
}

/** The group in which people are counted (`PEOPLE_SCOPES`). `all` are the people at the token step. */
export interface PeopleGroup {
  readonly kind: 'rule' | 'outcome' | 'all';
  readonly value: string;
}

/** A rule has one outcome. People who were let in are counted at the token step. */
export function groupOf({ outcome, rule }: SharedCall): PeopleGroup {
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
  const isOver = Date.parse(hour) + HOUR_MS <= now;
  const sentence = `${answerOf(here, known, kind)} ${numbersOf(shared, here, known, hour, isOver)}`;
  return { hour, people: here, before, counted: kind === 'all' ? 'token-step' : kind, sentence };
}

/** At least so many people, and so many times the most of the weeks before, are a disturbance and no chance. */
const UNUSUAL = { people: 3, times: 2 } as const;

function answerOf(here: number | null, before: readonly number[], kind: PeopleGroup['kind']): string {
  if (kind === 'all' && here !== null) return tokenStepOf(here, before);
  if (here === null || here === 0) return 'How many people it concerned is unknown.';
  if (here === 1) return 'Only this person.';
  const most = Math.max(...before);
  if (before.length === 0) return 'Not only this person.';
  if (here >= UNUSUAL.people && here > UNUSUAL.times * most) return 'Not only this person, and unusually many.';
  return `Not only this person, and ${here > most ? 'more than' : 'about as many as'} in the weeks before.`;
}

/** This call refused nothing: then the question is whether others come as far as the token. */
function tokenStepOf(here: number, before: readonly number[]): string {
  const least = before.length === 0 ? 0 : Math.min(...before);
  if (here === 0 && least > 0) return 'No one reached the token step, so it is not only this person.';
  if (here * UNUSUAL.times < least) return 'Fewer people than usual reached the token step.';
  return here > 1 ? 'Others reached the token step as usual.' : 'No one else reached the token step.';
}

function numbersOf(
  { outcome, rule }: SharedCall,
  here: number | null,
  before: readonly number[],
  hour: string,
  isOver: boolean,
): string {
  const what =
    rule === '' ? (outcome === 'continue' ? 'at the token step' : `with outcome ${outcome}`) : `by rule ${rule}`;
  const [, day = '', time = ''] = /^(.*)T(\d\d:\d\d)/.exec(hour) ?? [];
  const when = `in the hour from ${time} UTC on ${day}${isOver ? '' : ', which is not over'}`;
  const number = here === null ? 'unknown' : `${here} ${here === 1 ? 'person' : 'people'}`;
  const weeks =
    before.length === 0
      ? 'The weeks before are not kept.'
      : `In the same hour of the ${before.length === 1 ? 'week' : `${before.length} weeks`} before: ${before.join(', ')}.`;
  return `${capital(what)} ${when}: ${number}. ${weeks}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
