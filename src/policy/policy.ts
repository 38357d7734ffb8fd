/** A loaded policy, with compiled rules by step, and the built-in policy. */
import type { ClaimValue, SignInEvent, Step } from '../sign-in/event.ts';
import { type StepAllows, USER_FLOW_STEPS } from '../sign-in/steps.ts';
import { allowedAt, BUILT_IN_EXCHANGES, type Exchange, exchangeKey } from './exchange.ts';
import { BUILT_IN_MESSAGES, type Messages } from './messages.ts';

/** The entitlements that rules see; empty when the person has none or they are unreadable. */
export interface PersonEntitlements {
  /** `person.id`, where a rule of the step reads it and the call has a person key. It is no part of a record. */
  readonly id?: string | undefined;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly attributes: { readonly [name: string]: ClaimValue };
  /** False when KV did not respond. A sign-up whose rules read entitlements then follows `whenUnavailable`. */
  readonly known: boolean;
}

export const NOTHING_HELD: PersonEntitlements = { roles: [], groups: [], attributes: {}, known: true };

/** A value that a reply sends. Only an exchange can send a list. */
export type SentValue = ClaimValue | readonly string[];

/** The result of an expression. `why` may quote a typed text. It belongs in the trace, never in a log. */
export type ExpressionResult =
  | { readonly ok: true; readonly value: SentValue }
  | { readonly ok: false; readonly why: string };

/** A compiled expression. `Scope` is the type that the policy's `open` returns. Never throws. */
export interface RunnableExpression<Scope> {
  run(scope: Scope): ExpressionResult;
}

export type Effect<Scope> =
  /** Sent names of claims and their values. When one fails, none is set. */
  | { readonly kind: 'set'; readonly claims: readonly (readonly [name: string, value: RunnableExpression<Scope>])[] }
  | {
      readonly kind: 'block' | 'invalid';
      readonly messageKey: string;
      /** For developers, in the reply of an exchange. B2C shows it in DebugMode. */
      readonly developerMessage?: string | undefined;
    };

export interface Rule<Scope> {
  readonly id: string;
  /** Undefined when the rule always applies. */
  readonly when: RunnableExpression<Scope> | undefined;
  readonly onError: 'skip' | 'apply';
  /** False when saving found no failure of the condition and the rule has no `onError`. */
  readonly isFailureForeseen: boolean;
  readonly effect: Effect<Scope>;
}

/** The part of a policy for one step. */
export interface StepPolicy<Scope = unknown> {
  readonly allows: StepAllows;
  readonly rules: readonly Rule<Scope>[];
  /** Whether a rule reads entitlements. */
  readonly asksPerson: boolean;
  /** Whether a rule reads `person.id`. */
  readonly readsPersonId?: boolean;
  /** Names of the lists that its rules read from separate values in Workers KV. */
  readonly lists: readonly string[];
  /** Applies when KV does not respond or the call times out, at a step that can refuse. */
  readonly whenUnavailable: 'block' | 'continue';
}

/** `Scope` is opaque to callers. */
export interface Policy<Scope = unknown> {
  /** 0 is the built-in policy; stored versions count from 1. */
  readonly version: number;
  /** The sent name of the roles claim; `''` when none is sent. */
  readonly rolesClaim: string;
  /** True: the claim contains the person's roles. False: it is `''` unless a rule sets it. */
  readonly sendsRoles: boolean;
  /** Exchanges by {@link exchangeKey}, including the built-in ones. */
  readonly exchanges: ReadonlyMap<string, Exchange>;
  /** Every known step, including steps without rules. */
  readonly steps: ReadonlyMap<Step, StepPolicy<Scope>>;
  /** Texts of the lists read so far, by name. */
  readonly lists: Map<string, string>;
  /** Client ids in lower case. Other applications cannot sign people up or give them roles. */
  readonly onlyThese: ReadonlySet<string> | undefined;
  readonly messages: Messages;
  readonly open: (event: SignInEvent, entitlements: PersonEntitlements, now: number) => Scope;
}

/** Reports show these names for decisions without a rule. They are reserved. */
export const DECIDED_WITHOUT_RULE = { foreignApplication: 'onlyThese', personUnknown: 'whenUnavailable' } as const;

const NO_RULES = { rules: [], asksPerson: false, lists: [], whenUnavailable: 'block' } as const;

export const exchangesByKey = (exchanges: readonly Exchange[]): ReadonlyMap<string, Exchange> =>
  new Map(exchanges.map((exchange) => [exchangeKey(exchange.name), exchange]));

/** The policy for `POLICY = "built-in"`: it sends the person's roles in the token and nothing else. */
export const builtIn = (rolesClaim: string): Policy => ({
  version: 0,
  rolesClaim,
  sendsRoles: true,
  exchanges: exchangesByKey(BUILT_IN_EXCHANGES),
  steps: new Map<Step, StepPolicy>([
    ...Object.entries(USER_FLOW_STEPS).map(
      ([step, allows]) => [step, { ...NO_RULES, allows, asksPerson: allows.claims === 'token' }] as const,
    ),
    ...BUILT_IN_EXCHANGES.map(
      (exchange) => [exchange.name, { ...NO_RULES, allows: allowedAt(exchange), whenUnavailable: 'continue' }] as const,
    ),
  ]),
  lists: new Map(),
  onlyThese: undefined,
  messages: BUILT_IN_MESSAGES,
  open: () => undefined,
});

/**
 * The sent name of a claim (contract line 32): `extension_X` becomes `extension_<32 hex>_X` when the id of B2C's
 * extensions app is set.
 */
export const sentName = (name: string, extensionsAppId: string): string =>
  extensionsAppId !== '' && name.startsWith('extension_')
    ? name.replace('extension_', `extension_${extensionsAppId}_`)
    : name;
