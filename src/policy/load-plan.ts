/** Loads a policy from the text of a plan: trees become closures, and claims get their sent names. */
import { runOf, Shared } from '../expressions/evaluate.ts';
import { type Purpose, resultOf } from '../expressions/results.ts';
import { openScope, type Scope } from '../expressions/scope.ts';
import type { Tree } from '../expressions/tree.ts';
import { USER_FLOW_STEPS } from '../sign-in/steps.ts';
import type { Messages } from './messages.ts';
import { type Plan, type PlanRule, readPlan } from './plan.ts';
import { type Effect, type Policy, type Rule, type RunnableExpression, type StepPolicy, sentName } from './policy.ts';

/** Claim names from the settings. */
export interface ClaimNames {
  /** `ROLES_CLAIM` in its short form, or `''`. */
  readonly rolesClaim: string;
  /** `EXTENSIONS_APP_ID`: 32 hex digits, or `''`. */
  readonly extensionsAppId: string;
}

/** The policy of a plan; undefined when this gate cannot evaluate the text. `version` is its number. */
export function loadPolicy(text: string, version: number, names: ClaimNames): Policy<Scope> | undefined {
  const shared = new Shared();
  const plan = readPlan(text, shared);
  return plan === undefined ? undefined : policyOf(plan, version, names, shared);
}

function policyOf(plan: Plan, version: number, names: ClaimNames, shared: Shared): Policy<Scope> {
  const applications = new Map(Object.entries(plan.applications.names));
  const lists = new Map(Object.entries(plan.lists).flatMap(([name, text]) => (text === null ? [] : [[name, text]])));
  const rules = plan.rules.map((rule) => [rule, ruleOf(rule, names, shared)] as const);
  const stepOf = (step: string): Omit<StepPolicy<Scope>, 'allows'> => ({
    rules: rules.filter(([{ steps }]) => steps.includes(step)).map(([, rule]) => rule),
    asksPerson: plan.asksPerson.includes(step),
    lists: (plan.listsOfStep[step] ?? []).filter((name) => plan.lists[name] === null),
    whenUnavailable: plan.whenUnavailable[step] ?? 'block',
  });
  return {
    version,
    rolesClaim: sentName(names.rolesClaim, names.extensionsAppId),
    sendsRoles: false,
    steps: new Map(Object.entries(USER_FLOW_STEPS).map(([step, allows]) => [step, { allows, ...stepOf(step) }])),
    lists,
    onlyThese: plan.applications.onlyThese ? new Set(applications.keys()) : undefined,
    messages: messagesOf(plan),
    open: (event, { roles, groups, attributes }, now) =>
      openScope({
        claims: event.claims,
        identity: event.claimedIdentities[0],
        identities: event.claimedIdentities,
        roles,
        groups,
        attributes,
        step: event.step ?? '',
        clientId: event.clientId,
        application: applications.get(event.clientId) ?? '',
        locale: event.locale,
        channel: event.channel,
        now,
        lists,
      }),
  };
}

function ruleOf(rule: PlanRule, names: ClaimNames, shared: Shared): Rule<Scope> {
  const { id, when, onError, set } = rule;
  return {
    id,
    when: when === undefined ? undefined : compiled(when, 'condition', shared),
    // If saving missed a failure, fail closed: block and invalid rules apply, set rules do not.
    onError: onError ?? (set === undefined ? 'apply' : 'skip'),
    isFailureForeseen: onError !== undefined || set !== undefined,
    effect: effectOf(rule, names, shared),
  };
}

function effectOf({ block, invalid, set = [] }: PlanRule, names: ClaimNames, shared: Shared): Effect<Scope> {
  if (block !== undefined) return { kind: 'block', messageKey: block };
  if (invalid !== undefined) return { kind: 'invalid', messageKey: invalid };
  const claims = set.map(([claim, value]) => [nameOf(claim, names), compiled(value, 'value', shared)] as const);
  return { kind: 'set', claims };
}

function compiled(tree: Tree, purpose: Purpose, shared: Shared): RunnableExpression<Scope> {
  const run = runOf(tree, shared);
  return { run: (scope) => resultOf(run(scope), purpose) };
}

/** The roles claim is case-insensitive: a reply with two spellings would be ambiguous. */
const nameOf = (claim: string, { rolesClaim, extensionsAppId }: ClaimNames) =>
  sentName(claim.toLowerCase() === rolesClaim.toLowerCase() ? rolesClaim : claim, extensionsAppId);

const messagesOf = ({ messages: { defaultLanguage, own } }: Plan): Messages => ({
  defaultLanguage,
  own: new Map(Object.entries(own).map(([key, texts]) => [key, new Map(Object.entries(texts))])),
});
