/**
 * Rules of custom policies that Microsoft's XML schema does not check. B2C refuses a file that breaks one, or worse,
 * accepts it and does something else. Each rule is a function of the files; the code names it.
 */
import type { PolicyChain } from '../policy-chain.ts';
import { generatedJourneys, restProfileIds } from './generated-files.ts';
import { comparedBooleans, earlyInputs, severalExchanges, stepOrders, tokenClaims } from './journeys.ts';
import {
  forbiddenSettings,
  keyIds,
  metadataItems,
  missingMessages,
  passwordInputs,
  sessionManagement,
  unresolvedClaims,
} from './profiles.ts';
import {
  otherTenants,
  policyNames,
  REFERENCES,
  repeatedIds,
  replacements,
  unknownClaims,
  unknownIds,
} from './references.ts';

export interface RuleProblem {
  readonly rule: PolicyRule;
  /** What is wrong. What to do. */
  readonly message: string;
}

type Check = (chain: PolicyChain) => readonly string[];

export const POLICY_RULES = {
  /** Every id that a generated file refers to is declared in it or below it. */
  'unknown-reference': (chain) => [
    ...REFERENCES.flatMap((reference) => unknownIds(chain, reference)),
    ...unknownClaims(chain),
  ],
  /** A claim is an output of an earlier step, or has a default, before Gatehouse is sent it. */
  'input-before-output': (chain) => generatedJourneys(chain).flatMap((journey) => earlyInputs(chain, journey)),
  /** The claims of the token are outputs of the journey, or have a default. */
  'token-claim-without-output': tokenClaims,
  /** Several exchanges of a step are a choice, and the step before it makes the choice. */
  'several-exchanges': (chain) => generatedJourneys(chain).flatMap(severalExchanges),
  /** Orders count from 1 without a gap, and the last step sends the claims. */
  'step-orders': (chain) => generatedJourneys(chain).flatMap(stepOrders),
  /** A journey and its technical profiles have ids of their own: B2C merges equal ones. */
  'replaces-base': replacements,
  /** B2C takes one of two elements with the same id, or refuses the file. */
  'repeated-id': repeatedIds,
  /** Names of policies and policy keys. */
  'policy-name': policyNames,
  /** All files are of one tenant. */
  'other-tenant': otherTenants,
  /** The keys are those that the authentication type reads. */
  'key-ids': (chain) => restProfileIds(chain).flatMap((profile) => keyIds(chain, profile)),
  /** No empty and no repeated metadata. */
  metadata: metadataItems,
  /** A boolean claim has the value `True` or `False`; another spelling never matches. */
  'precondition-boolean': comparedBooleans,
  /** Nothing that sends claims in a URL or header, shows details to people, or sends no credential. */
  'forbidden-setting': (chain) => restProfileIds(chain).flatMap((profile) => forbiddenSettings(chain, profile)),
  /** A password is for the directory alone. */
  'password-input': (chain) => restProfileIds(chain).flatMap((profile) => passwordInputs(chain, profile)),
  /** Without both members B2C sends the text of the resolver, or nothing. */
  'unresolved-claim': (chain) => restProfileIds(chain).flatMap((profile) => unresolvedClaims(chain, profile)),
  /** B2C's own texts have the service URL in them. */
  'user-messages': (chain) => restProfileIds(chain).flatMap((profile) => missingMessages(chain, profile)),
  /** A session of B2C would skip the call. */
  'session-management': (chain) => restProfileIds(chain).flatMap((profile) => sessionManagement(chain, profile)),
} as const satisfies { readonly [rule: string]: Check };

export type PolicyRule = keyof typeof POLICY_RULES;

/** Every problem of the generated files of a chain. */
export const brokenRules = (chain: PolicyChain): RuleProblem[] =>
  Object.entries(POLICY_RULES).flatMap(([rule, check]) =>
    [...new Set(check(chain))].map((message) => ({ rule: rule as PolicyRule, message })),
  );
