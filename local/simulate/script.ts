/**
 * What happens when a person signs up or in, as B2C would play it: the calls in their order, the person's own time between
 * them, and what goes wrong. Pure: it says what is to be sent, and `afterReply` what an answer leads to.
 */
import { STEPS, type UserFlowStep } from '../../src/sign-in/steps.ts';
import { bodyOf } from './body.ts';
import type { Person } from './cast.ts';
import type { Dice } from './dice.ts';

export interface ScriptedCall {
  /** What the person takes before this call, in milliseconds: reading, typing, hesitating. */
  readonly pauseMs: number;
  /** The step whose replies B2C takes here; undefined when neither body nor address names one. */
  readonly step: UserFlowStep | undefined;
  /** After `/connectors/user-flow`: `''`, or a step. */
  readonly path: '' | `/${UserFlowStep}`;
  readonly body: string;
  readonly credential: 'own' | 'wrong';
  /** B2C makes this call twice, with equal bytes. */
  readonly twice: boolean;
  /** What is sent when the person is asked to correct their input; without it they give up. */
  readonly corrected?: string;
}

/** What can be odd about a call. */
export const ODDITIES = [
  'half-a-json',
  'wrong-credential',
  'unknown-step',
  'address-of-another-step',
  'unexpected-types',
  'not-an-object',
] as const;
export type Oddity = (typeof ODDITIES)[number];

/** In milliseconds: from the provider's page to the form, the form itself, from the account to the token. */
const BEFORE_STEP_MS: Readonly<Record<UserFlowStep, readonly [number, number]>> = {
  PostFederationSignup: [2_000, 20_000],
  PostAttributeCollection: [15_000, 120_000],
  PreTokenIssuance: [300, 2_500],
};
const TWICE = 0.03;
const CORRECTS = 0.7;

/** A new account: the step after federating only for who came from another provider. Cut where the person closes the page. */
export function signUp(person: Person, dice: Dice): ScriptedCall[] {
  const played = person.leavesBefore === undefined ? STEPS : STEPS.slice(0, STEPS.indexOf(person.leavesBefore));
  const steps = played.filter((step) => step !== 'PostFederationSignup' || person.federated);
  return steps.map((step) => scripted(person, step, dice));
}

/** An existing account: there is only the token step. */
export const signIn = (person: Person, dice: Dice): ScriptedCall[] => [scripted(person, 'PreTokenIssuance', dice)];

/** False when they gave up, so that there is nobody to sign in. */
export const hasAccount = (person: Person): boolean => person.leavesBefore === undefined;

/** What follows an answer: `again` is the same call with what the person corrected. Without an answer there is an error page. */
export function afterReply(call: ScriptedCall, action: string): 'next' | 'again' | 'stop' {
  if (action === 'Continue') return 'next';
  return action === 'ValidationError' && call.corrected !== undefined ? 'again' : 'stop';
}

/** The call with the correction in it; a correction is not corrected again. */
export function correctedCall({ corrected, ...call }: ScriptedCall, dice: Dice): ScriptedCall {
  return { ...call, body: corrected ?? call.body, pauseMs: pauseBefore('PostAttributeCollection', dice), twice: false };
}

function scripted(person: Person, step: UserFlowStep, dice: Dice): ScriptedCall {
  return {
    pauseMs: pauseBefore(step, dice),
    step,
    path: person.application.addressPerStep ? `/${step}` : '',
    body: JSON.stringify(bodyOf(person, step)),
    credential: 'own',
    twice: dice.chance(TWICE),
  };
}

const pauseBefore = (step: UserFlowStep, dice: Dice) => dice.int(...BEFORE_STEP_MS[step]);

/** The same visit with something odd about its first call. */
export function withOddity([call, ...rest]: readonly ScriptedCall[], oddity: Oddity, dice: Dice): ScriptedCall[] {
  return call === undefined ? [] : [odd(call, oddity, dice), ...rest];
}

function odd(call: ScriptedCall, oddity: Oddity, dice: Dice): ScriptedCall {
  const { step, body } = call;
  const members = JSON.parse(body) as Record<string, unknown>;
  const path = step === undefined ? '' : (`/${step}` as const);
  switch (oddity) {
    case 'half-a-json': {
      const half: ScriptedCall = { ...call, path, body: body.slice(0, body.length / 2) };
      return dice.chance(CORRECTS) ? { ...half, corrected: body } : half;
    }
    case 'not-an-object':
      return { ...call, path, body: `[${body}]` };
    case 'wrong-credential':
      return { ...call, credential: 'wrong' };
    case 'unknown-step':
      return { ...call, step: undefined, path: '', body: JSON.stringify({ ...members, step: 'PostPasswordReset' }) };
    case 'address-of-another-step':
      return { ...call, path: `/${dice.pick(STEPS.filter((other) => other !== step))}` };
    case 'unexpected-types':
      return { ...call, body: JSON.stringify({ ...members, email: 42, displayName: ['x'], identities: 'me' }) };
  }
}
