/** What a policy is once it can decide: rules by step with their expressions compiled; and the one that is built in. */
import type { ClaimValue, SignInEvent, Step } from '../sign-in/event.ts';
import { type StepAllows, USER_FLOW_STEPS } from '../sign-in/steps.ts';
import { BUILT_IN_MESSAGES, type Messages } from './messages.ts';

/** What a decision may know of the person: empty when we hold nothing, or nothing that could be read. */
export interface PersonEntitlements {
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly attributes: { readonly [name: string]: ClaimValue };
  /** False when the store could not say what we hold: then a sign-up that asks about the person follows `whenUnavailable`. */
  readonly known: boolean;
}

export const NOTHING_HELD: PersonEntitlements = { roles: [], groups: [], attributes: {}, known: true };

/** What an expression came to. `why` may quote what the person typed: it is for the trace, never for a log. */
export type ExpressionResult =
  | { readonly ok: true; readonly value: ClaimValue }
  | { readonly ok: false; readonly why: string };

/** An expression that was compiled; `Scope` is whatever the policy that compiled it opens for a call. Never throws. */
export interface RunnableExpression<Scope> {
  run(scope: Scope): ExpressionResult;
}

export type Effect<Scope> =
  /** The claim as it is sent, and its value; all of them, or none when one fails. */
  | { readonly kind: 'set'; readonly claims: readonly (readonly [name: string, value: RunnableExpression<Scope>])[] }
  | { readonly kind: 'block' | 'invalid'; readonly messageKey: string };

export interface Rule<Scope> {
  readonly id: string;
  /** Absent: always. */
  readonly when: RunnableExpression<Scope> | undefined;
  readonly onError: 'skip' | 'apply';
  /** False: the condition was never seen to fail when it was saved, and nothing says what happens when it does. */
  readonly isFailureForeseen: boolean;
  readonly effect: Effect<Scope>;
}

/** What a policy says about one step. */
export interface StepPolicy<Scope = unknown> {
  readonly allows: StepAllows;
  readonly rules: readonly Rule<Scope>[];
  /** Whether a rule asks about the person. */
  readonly asksPerson: boolean;
  /** Names of the lists that its rules ask for and that are values of Workers KV of their own. */
  readonly lists: readonly string[];
  /** What happens when the store cannot say what is held about the person, or time runs out, where the step can refuse. */
  readonly whenUnavailable: 'block' | 'continue';
}

/** What a scope is, only the policy that opens it knows. */
export interface Policy<Scope = unknown> {
  /** 0 is the built-in policy; stored versions count from 1. */
  readonly version: number;
  /** The claim that carries the roles, in the form it is sent in; `''`: none is sent. */
  readonly rolesClaim: string;
  /** True: the claim holds the person's roles. False: it is `''` unless a rule sets it. */
  readonly sendsRoles: boolean;
  /** Every known step, also those without rules. */
  readonly steps: ReadonlyMap<Step, StepPolicy<Scope>>;
  /** Texts of the lists that were read so far, by name. */
  readonly lists: Map<string, string>;
  /** Client ids, in lower case, when only these may sign people up and give them roles. */
  readonly onlyThese: ReadonlySet<string> | undefined;
  readonly messages: Messages;
  readonly open: (event: SignInEvent, entitlements: PersonEntitlements, now: number) => Scope;
}

/** Names that reports show for decisions that no rule made; no rule may be called so. */
export const DECIDED_WITHOUT_RULE = { foreignApplication: 'onlyThese', personUnknown: 'whenUnavailable' } as const;

/** The policy before the first one is saved (`POLICY = "built-in"`): the person's roles in the token, nothing else. */
export const builtIn = (rolesClaim: string): Policy => ({
  version: 0,
  rolesClaim,
  sendsRoles: true,
  steps: new Map(
    Object.entries(USER_FLOW_STEPS).map(([step, allows]) => [
      step,
      { allows, rules: [], asksPerson: allows.claims === 'token', lists: [], whenUnavailable: 'block' },
    ]),
  ),
  lists: new Map(),
  onlyThese: undefined,
  messages: BUILT_IN_MESSAGES,
  open: () => undefined,
});

/**
 * A custom attribute in the form it is sent in (contract line 32): with the id of B2C's extensions app, when there is one,
 * `extension_X` is `extension_<32 hex>_X`.
 */
export const sentName = (name: string, extensionsAppId: string): string =>
  extensionsAppId !== '' && name.startsWith('extension_')
    ? name.replace('extension_', `extension_${extensionsAppId}_`)
    : name;
