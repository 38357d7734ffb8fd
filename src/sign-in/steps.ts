/** The steps at which Microsoft calls, by channel, and the replies that each accepts. */

/** The replies that a step accepts, and where their claims go. */
export interface StepAllows {
  readonly block: boolean;
  readonly invalid: boolean;
  /**
   * `page` prefills the attribute page, `directory` is stored with the new user, `token` is issued, `journey` goes to
   * the custom policy that asked.
   */
  readonly claims: 'page' | 'directory' | 'token' | 'journey';
}

/** B2C's user flows (contract 1.2 and 2.2). */
export const USER_FLOW_STEPS = {
  PostFederationSignup: { block: true, invalid: false, claims: 'page' },
  PostAttributeCollection: { block: true, invalid: true, claims: 'directory' },
  PreTokenIssuance: { block: false, invalid: false, claims: 'token' },
} as const satisfies { readonly [step: string]: StepAllows };

/** Steps by name. A name that is missing here is unknown. */
export const USER_FLOW: ReadonlyMap<string, StepAllows> = new Map(Object.entries(USER_FLOW_STEPS));

export type UserFlowStep = keyof typeof USER_FLOW_STEPS;
export const STEPS = Object.keys(USER_FLOW_STEPS) as [UserFlowStep, ...UserFlowStep[]];

/** Before credentials are checked, and after: the only way to see wrong passwords and closed pages. */
export const SIGN_IN_STARTED = 'SignInStarted';
export const SIGN_IN_COMPLETED = 'SignInCompleted';

/** Finds one of these two by name, case-insensitively. */
export const builtInExchangeNamed = (name: string): string | undefined =>
  [SIGN_IN_STARTED, SIGN_IN_COMPLETED].find((known) => known.toLowerCase() === name.toLowerCase());

/** Steps by lower-case name, including an older name that Microsoft's documentation still uses (contract 1.3). */
const STEP_NAMES: ReadonlyMap<string, UserFlowStep> = new Map([
  ...STEPS.map((step) => [step.toLowerCase(), step] as const),
  ['pretokenapplicationclaims', 'PreTokenIssuance'],
]);

/** Finds a step by name, case-insensitively. */
export const stepNamed = (name: string): UserFlowStep | undefined => STEP_NAMES.get(name.toLowerCase());
