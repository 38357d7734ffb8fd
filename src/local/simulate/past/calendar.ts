/**
 * The visits of a past day. Pure: they depend only on the seed, the person's place and the day. Filling the same days
 * again, or more days, or for more people, gives the same visits.
 */
import { DAY_MS, HOUR_MS } from '../../../platform/duration.ts';
import { type Dice, diceFor } from '../dice.ts';
import { hasAccount, personOf, type SimulatedPerson } from '../people.ts';
import { ODDITIES, type ScriptedCall, signIn, signInByPolicy, signUp, withOddity } from '../script.ts';

/** After this many days a new person takes the place, so people sign up on every day. */
const STAY_DAYS = 60;
/** The share of visits with an unusual call. Sign-ups have more. */
const ODD = { signUp: 0.2, signIn: 0.012 } as const;
/** The time of day at which an administrator assigns roles to the new people of the day before. */
const ROLES_GIVEN_MS = 10 * HOUR_MS;

/** The relative load of each local hour from midnight, with peaks in the morning, afternoon and evening. */
const BUSY_HOURS = [1, 0.6, 0.4, 0.3, 0.4, 1, 3, 7, 13, 14, 12, 10, 8, 10, 11, 10, 9, 8, 8, 9, 10, 8, 5, 2.5] as const;
/** The relative load of each weekday from Sunday. */
const BUSY_WEEKDAYS = [0.45, 1.25, 1.2, 1.15, 1.1, 0.95, 0.5] as const;

export interface Visit {
  readonly person: SimulatedPerson;
  /** The time of the first call before its pause, in milliseconds since 1970. */
  readonly atMs: number;
  /** When an administrator assigned the roles. */
  readonly rolesSinceMs: number;
  readonly calls: readonly ScriptedCall[];
  /** For all other random choices of this visit. */
  readonly dice: Dice;
}

/** `day` is the number of whole days since 1970 (UTC). The order is undefined. */
export function* visitsOfDay(seed: number, people: number, day: number): Generator<Visit> {
  for (let place = 0; place < people; place += 1) yield* visitsOfPlace(seed, place, day);
}

function* visitsOfPlace(seed: number, place: number, day: number): Generator<Visit> {
  const shift = diceFor('place', seed, place).int(0, STAY_DAYS - 1);
  const generation = Math.floor((day - shift) / STAY_DAYS);
  const dayOfStay = day - shift - generation * STAY_DAYS;
  const person = personOf(seed, place, generation);
  const rolesSinceMs = (day - dayOfStay + 1) * DAY_MS + ROLES_GIVEN_MS;
  // Each visit has its own dice, so a later visit of today does not change the others.
  const visit = (number: number, acts: typeof signUp): Visit => {
    const dice = diceFor('visit', seed, place, day, number);
    const atMs = day * DAY_MS + timeOfDayMs(person, dice);
    return { person, atMs, rolesSinceMs, calls: acts(person, dice), dice };
  };

  const byPolicy = person.application.customPolicy;
  const dice = diceFor('day', seed, place, day);
  if (dayOfStay === 0) {
    const signedUp = visit(0, byPolicy ? signInByPolicy : signUp);
    yield signedUp;
    // A failed first try, earlier on the same day.
    if (dice.chance(ODD.signUp)) yield oddly(visit(1, signUp), Math.max(day * DAY_MS, signedUp.atMs - HOUR_MS));
  } else if (hasAccount(person)) {
    const busy = BUSY_WEEKDAYS[new Date(day * DAY_MS).getUTCDay()] ?? 1;
    const signIns = dice.poisson(person.signInsPerDay * busy);
    for (let number = 0; number < signIns; number += 1) {
      const isOdd = dice.chance(ODD.signIn);
      const signedIn = visit(number, byPolicy && !isOdd ? signInByPolicy : signIn);
      yield isOdd ? oddly(signedIn, signedIn.atMs) : signedIn;
    }
  }
}

/** Only the first call, made unusual. */
function oddly(visit: Visit, atMs: number): Visit {
  const calls = withOddity(visit.calls.slice(0, 1), visit.dice.pick(ODDITIES), visit.dice);
  return { ...visit, atMs, calls };
}

/** The UTC time of day, from 0 to a day, chosen by the person's local time. */
function timeOfDayMs({ utcOffsetHours }: SimulatedPerson, dice: Dice): number {
  const hour = dice.weighted([...BUSY_HOURS.keys()], BUSY_HOURS);
  const localMs = hour * HOUR_MS + dice.int(0, HOUR_MS - 1);
  return (((localMs - utcOffsetHours * HOUR_MS) % DAY_MS) + DAY_MS) % DAY_MS;
}
