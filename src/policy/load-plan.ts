/** Loads a policy from the text of a plan: trees become closures, and claims get their sent names. */
import { runOf, Shared } from '../expressions/evaluate.ts';
import { type Purpose, resultOf } from '../expressions/results.ts';
import { openScope, type Scope } from '../expressions/scope.ts';
import type { Tree } from '../expressions/tree.ts';
import type { Step } from '../sign-in/event.ts';
import { USER_FLOW, USER_FLOW_STEPS } from '../sign-in/steps.ts';
import { allowedAt, type Exchange, type ExchangeOutput } from './exchange.ts';
import { outputOf } from './exchange-output.ts';
import type { Messages } from './messages.ts';
import { type Plan, type PlanRule, readPlan } from './plan.ts';
import {
  type Effect,
  exchangesByKey,
  type Policy,
  type Rule,
  type RunnableExpression,
  type StepPolicy,
  sentName,
} from './policy.ts';

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
  // A rule is compiled once for all user flows, and once for each exchange, which has output types of its own.
  const ofUserFlow = plan.rules
    .filter(({ steps }) => steps.some((step) => USER_FLOW.has(step)))
    .map((rule) => [rule, ruleOf(rule, inUserFlow(names, shared), shared)] as const);
  const at = (step: string): Omit<StepPolicy<Scope>, 'allows' | 'rules'> => ({
    asksPerson: plan.asksPerson.includes(step),
    readsPersonId: plan.readsPersonId.includes(step),
    lists: (plan.listsOfStep[step] ?? []).filter((name) => plan.lists[name] === null),
    whenUnavailable: plan.whenUnavailable[step] ?? 'block',
  });
  return {
    version,
    rolesClaim: sentName(names.rolesClaim, names.extensionsAppId),
    sendsRoles: false,
    exchanges: exchangesByKey(plan.exchanges),
    steps: new Map<Step, StepPolicy<Scope>>([
      ...Object.entries(USER_FLOW_STEPS).map(
        ([step, allows]) =>
          [
            step,
            {
              allows,
              ...at(step),
              rules: ofUserFlow.filter(([{ steps }]) => steps.includes(step)).map(([, rule]) => rule),
            },
          ] as const,
      ),
      ...plan.exchanges.map((exchange) => {
        const inExchange = plan.rules.filter(({ steps }) => steps.includes(exchange.name));
        return [
          exchange.name,
          {
            allows: allowedAt(exchange),
            ...at(exchange.name),
            rules: inExchange.map((rule) => ruleOf(rule, atExchange(exchange, shared), shared)),
          },
        ] as const;
      }),
    ]),
    lists,
    onlyThese: plan.applications.onlyThese ? new Set(applications.keys()) : undefined,
    messages: messagesOf(plan),
    open: (event, { id, roles, groups, attributes }, now) =>
      openScope({
        claims: event.claims,
        identity: event.claimedIdentities[0],
        identities: event.claimedIdentities,
        personId: id,
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

/** How a channel names and converts what a rule sends. */
interface Sending {
  readonly claim: (name: string, value: Tree) => readonly [name: string, value: RunnableExpression<Scope>];
  readonly messageKey: (key: string) => string;
}

const inUserFlow = (names: ClaimNames, shared: Shared): Sending => ({
  claim: (name, value) => [nameOf(name, names), compiled(value, 'value', shared)],
  messageKey: (key) => key,
});

/** Output names keep their letters. The built-in texts speak of a sign-up, which an exchange need not be. */
const atExchange = ({ outputs }: Exchange, shared: Shared): Sending => ({
  claim: (name, value) => [name, output(value, outputs[name] ?? { type: 'string' }, shared)],
  messageKey: (key) => (key === 'blocked' ? 'exchange-blocked' : key),
});

function output(tree: Tree, type: ExchangeOutput, shared: Shared): RunnableExpression<Scope> {
  const run = runOf(tree, shared);
  return { run: (scope) => outputOf(run(scope), type) };
}

function ruleOf(rule: PlanRule, sending: Sending, shared: Shared): Rule<Scope> {
  const { id, when, onError, set } = rule;
  return {
    id,
    when: when === undefined ? undefined : compiled(when, 'condition', shared),
    // If saving missed a failure, fail closed: block and invalid rules apply, set rules do not.
    onError: onError ?? (set === undefined ? 'apply' : 'skip'),
    isFailureForeseen: onError !== undefined || set !== undefined,
    effect: effectOf(rule, sending),
  };
}

function effectOf({ block, invalid, set = [], developerMessage }: PlanRule, sending: Sending): Effect<Scope> {
  if (block !== undefined) return { kind: 'block', messageKey: sending.messageKey(block), developerMessage };
  if (invalid !== undefined) return { kind: 'invalid', messageKey: sending.messageKey(invalid), developerMessage };
  return { kind: 'set', claims: set.map(([claim, value]) => sending.claim(claim, value)) };
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
