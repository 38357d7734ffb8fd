/** The people of a live simulation and their calls: some sign up, the others have an account. Pure. */
import { diceFor } from './dice.ts';
import { hasAccount, personOf, type SimulatedPerson } from './people.ts';
import { ODDITIES, type ScriptedCall, signIn, signInByPolicy, signUp, withOddity } from './script.ts';

export interface ProgrammePart {
  readonly person: SimulatedPerson;
  readonly calls: readonly ScriptedCall[];
}

/** Unusual calls come in a fixed order, not at random, so a short simulation has every kind. */
const ODD_ONE_IN = 8;
const SIGNS_UP = 0.55;

/** The same seed gives the same parts. More people only add parts at the end. */
export function* programme(seed: number, people: number): Generator<ProgrammePart> {
  for (let number = 0; number < people; number += 1) {
    const person = personOf(seed, number);
    const dice = diceFor('live', seed, number);
    const turn = (number + 1) / ODD_ONE_IN;
    const oddity = Number.isInteger(turn) ? ODDITIES[(turn - 1) % ODDITIES.length] : undefined;
    const isNew =
      dice.chance(SIGNS_UP) || oddity === 'half-a-json' || oddity === 'not-an-object' || !hasAccount(person);
    // Unusual calls are those of user flows.
    const byPolicy = person.application.customPolicy && oddity === undefined;
    const returns = byPolicy ? signInByPolicy : signIn;
    const first = byPolicy ? signInByPolicy(person, dice) : isNew ? signUp(person, dice) : signIn(person, dice);
    const later = hasAccount(person) ? Array.from({ length: dice.int(0, 2) }, () => returns(person, dice)) : [];
    yield { person, calls: [oddity === undefined ? first : withOddity(first, oddity, dice), ...later].flat() };
  }
}
