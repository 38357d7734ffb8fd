/** The calls of B2C when a person signs up or signs in: their order, the pauses between them, unusual calls. Pure. */
import { v4 as uuidv4 } from 'uuid';
import { SIGN_IN_COMPLETED, SIGN_IN_STARTED } from '../../sign-in/steps.ts';
import type { Dice } from './dice.ts';
import { EXTENSIONS_APP, type SignInExchange, type SimulatedPerson, VISIT_STEPS, type VisitStep } from './people.ts';

export interface ScriptedCall {
  /** The time that the person takes before this call, in milliseconds. */
  readonly pauseMs: number;
  /** The step whose replies B2C accepts here; undefined when neither body nor URL has one. */
  readonly step: VisitStep | SignInExchange | undefined;
  /** The path after `/connectors`. */
  readonly path: '/user-flow' | `/user-flow/${VisitStep}` | `/custom-policy/${SignInExchange}`;
  readonly body: string;
  readonly credential: 'own' | 'wrong';
  /** B2C makes this call twice with the same bytes. */
  readonly twice: boolean;
  /** The body after a ValidationError; without it the person gives up. */
  readonly corrected?: string;
  /** The sign-in through a custom policy to which the call belongs. */
  readonly signIn?: { readonly correlationId: string; readonly is: PlayedSignIn };
}

/** How people sign in through a custom policy. `repeated`: the start is called twice with one correlation id. */
export const PLAYED_SIGN_INS = ['completed', 'repeated', 'abandoned', 'without-start'] as const;
export type PlayedSignIn = (typeof PLAYED_SIGN_INS)[number];

/** The kinds of unusual calls. */
export const ODDITIES = [
  'half-a-json',
  'wrong-credential',
  'unknown-step',
  'address-of-another-step',
  'unexpected-types',
  'not-an-object',
] as const;
export type Oddity = (typeof ODDITIES)[number];

/** The least and most time before each step, in milliseconds. */
const BEFORE_STEP_MS: Readonly<Record<VisitStep, readonly [number, number]>> = {
  PostFederationSignup: [2_000, 20_000],
  PostAttributeCollection: [15_000, 120_000],
  PreTokenIssuance: [300, 2_500],
};
const TWICE = 0.03;
const CORRECTS = 0.7;
const POLICY_ID = 'B2C_1A_SignUpOrSignIn';
/** As long as a real captcha token, longer than the 250 characters of an attribute. */
const CAPTCHA_TOKEN = 'Q2FwdGNoYS'.repeat(200);

/** The calls for a new account, up to the step at which the person closes the page. */
export function signUp(person: SimulatedPerson, dice: Dice): ScriptedCall[] {
  const played =
    person.leavesBefore === 'never' ? VISIT_STEPS : VISIT_STEPS.slice(0, VISIT_STEPS.indexOf(person.leavesBefore));
  const steps = played.filter((step) => step !== 'PostFederationSignup' || person.federated);
  return steps.map((step) => scripted(person, step, dice));
}

/** The call for an existing account: only the token step. */
export const signIn = (person: SimulatedPerson, dice: Dice): ScriptedCall[] => [
  scripted(person, 'PreTokenIssuance', dice),
];

/** A sign-in through a custom policy that calls SignInStarted and SignInCompleted. */
export function signInByPolicy(person: SimulatedPerson, dice: Dice): ScriptedCall[] {
  const { application, profile, objectId } = person;
  const is = dice.weighted(PLAYED_SIGN_INS, [66, 8, 16, 10]);
  const correlationId = uuidv4({ random: dice.bytes(16) });
  const shared = { correlationId, policyId: POLICY_ID, clientId: application.clientId, language: profile.ui_locales };
  const typed = dice.chance(0.5) ? profile.email : '';
  const call = (
    step: SignInExchange,
    pause: readonly [number, number],
    claims: Record<string, string>,
  ): ScriptedCall => ({
    pauseMs: dice.int(...pause),
    step,
    path: `/custom-policy/${step}`,
    body: JSON.stringify(Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== ''))),
    credential: 'own',
    twice: dice.chance(TWICE),
    signIn: { correlationId, is },
  });
  const start = () => call(SIGN_IN_STARTED, [500, 4_000], { ...shared, signInName: typed });
  const completion = () => call(SIGN_IN_COMPLETED, [6_000, 90_000], { ...shared, email: profile.email, objectId });
  switch (is) {
    case 'completed':
      return [start(), completion()];
    case 'repeated':
      return [start(), start(), completion()];
    case 'abandoned':
      return [start()];
    case 'without-start':
      return [completion()];
  }
}

/** Makes the first call of a visit unusual. It is a call of a user flow. */
export const withOddity = ([call, ...rest]: readonly ScriptedCall[], oddity: Oddity, dice: Dice): ScriptedCall[] =>
  call === undefined ? [] : [odd(call, oddity, dice), ...rest];

/** The calls after a reply with this action: the next ones, the same call corrected (once), or none. */
export function nextVisit([call, ...rest]: readonly ScriptedCall[], action: string, dice: Dice): ScriptedCall[] {
  if (action === 'Continue' || action === 'Claims') return rest;
  if (action !== 'ValidationError' || call?.corrected === undefined) return [];
  const { corrected, ...again } = call;
  return [{ ...again, body: corrected, pauseMs: pauseBefore('PostAttributeCollection', dice), twice: false }, ...rest];
}

function scripted(person: SimulatedPerson, step: VisitStep, dice: Dice): ScriptedCall {
  return {
    pauseMs: pauseBefore(step, dice),
    step,
    path: person.application.addressPerStep ? `/user-flow/${step}` : '/user-flow',
    body: JSON.stringify(bodyOf(person, step)),
    credential: 'own',
    twice: dice.chance(TWICE),
  };
}

const pauseBefore = (step: VisitStep, dice: Dice) => dice.int(...BEFORE_STEP_MS[step]);

/** The body that B2C sends at a step (contract 1.2 to 1.7). Claims without a value are omitted. */
function bodyOf(person: SimulatedPerson, step: VisitStep): Record<string, unknown> {
  const { application, identities, profile, attributes, helpsThemselves, objectId } = person;
  const [form, token] = [step === 'PostAttributeCollection', step === 'PreTokenIssuance'];
  const members: Record<string, unknown> = {
    ...profile,
    identities: identities.length === 0 ? '' : identities,
    ...(step === 'PostFederationSignup' ? {} : attributes),
    [`extension_${EXTENSIONS_APP}_Roles`]: form && helpsThemselves ? 'administrator' : '',
    [`extension_${EXTENSIONS_APP}_CaptchaToken`]: form && application.captcha ? CAPTCHA_TOKEN : '',
    // The object id does not exist before the account.
    objectId: token ? objectId : '',
    step: application.oldNames && token ? 'PreTokenApplicationClaims' : step,
    [application.oldNames ? 'clientId' : 'client_id']: application.clientId,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ''));
}

function odd(call: ScriptedCall, oddity: Oddity, dice: Dice): ScriptedCall {
  const { body } = call;
  const step = VISIT_STEPS.find((one) => one === call.step);
  const members = JSON.parse(body) as Record<string, unknown>;
  const path = step === undefined ? '/user-flow' : (`/user-flow/${step}` as const);
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
      return {
        ...call,
        step: undefined,
        path: '/user-flow',
        body: JSON.stringify({ ...members, step: 'PostPasswordReset' }),
      };
    case 'address-of-another-step':
      return { ...call, path: `/user-flow/${dice.pick(VISIT_STEPS.filter((other) => other !== step))}` };
    case 'unexpected-types':
      return { ...call, body: JSON.stringify({ ...members, email: 42, displayName: ['x'], identities: 'me' }) };
  }
}
