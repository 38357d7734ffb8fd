/** Compiles a checked document to the values of Workers KV that the gate reads. */

import { listText } from '../../expressions/list.ts';
import type { Scope } from '../../expressions/scope.ts';
import { FORMAT } from '../../expressions/tree.ts';
import { sha256Hex } from '../../platform/digest.ts';
import { evaluateRules } from '../../policy/decide.ts';
import { BUILT_IN_EXCHANGES } from '../../policy/exchange.ts';
import { type ClaimNames, loadPolicy } from '../../policy/load-plan.ts';
import type { Plan, PlanRule } from '../../policy/plan.ts';
import { NOTHING_HELD, type Policy } from '../../policy/policy.ts';
import { clientIdOf } from '../../sign-in/normal-form.ts';
import type { CheckedPolicy } from './check.ts';
import type { CheckedRule } from './check-rules.ts';
import { exchangesOf, stepsOf } from './exchanges.ts';
import { DEFAULT_LANGUAGE, type PolicyDocument } from './policy-document.ts';

/** A longer list is a KV value of its own, which costs a cold call one read. */
const MAX_LIST_IN_PLAN_CHARS = 10_000;

export interface CompiledPlan {
  /** A {@link Plan} as JSON. */
  readonly text: string;
  /** By name, the lists that are KV values of their own. */
  readonly lists: ReadonlyMap<string, string>;
}

/**
 * Compiles a document to a plan. It loads and evaluates the result once, so that the gate can use every published plan.
 * Throws when that fails, which is a bug in the check.
 */
export async function compilePlan({ document, rules }: CheckedPolicy, documentText: string): Promise<CompiledPlan> {
  const texts = Object.entries(document.lists ?? {}).map(([name, entries]) => [name, textOf(name, entries)] as const);
  const own = new Map(texts.filter(([, text]) => text.length > MAX_LIST_IN_PLAN_CHARS));
  const plan: Plan = {
    format: FORMAT,
    document: await sha256Hex(documentText),
    rules: rules.map(planRule),
    asksPerson: stepsOf(document).filter((step) => expressionsOf(rules, step).some(({ reads }) => reads.person)),
    readsPersonId: stepsOf(document).filter((step) =>
      expressionsOf(rules, step).some(({ reads }) => reads.personId === true),
    ),
    listsOfStep: Object.fromEntries(
      stepsOf(document).map((step) => [
        step,
        [...new Set(expressionsOf(rules, step).flatMap(({ reads }) => reads.lists))],
      ]),
    ),
    lists: Object.fromEntries(texts.map(([name, text]) => [name, own.has(name) ? null : text])),
    messages: messagesOf(document),
    applications: applicationsOf(document),
    whenUnavailable: whenUnavailableOf(document),
    exchanges: exchangesOf(document),
  };
  const compiled = { text: JSON.stringify(plan), lists: own };
  evaluateOnce(compiled);
  return compiled;
}

/** Compiles a document and loads its plan, without KV. Throws as {@link compilePlan} does. */
export async function compilePolicy(
  checked: CheckedPolicy,
  version: number,
  names: ClaimNames,
): Promise<Policy<Scope>> {
  const { text, lists } = await compilePlan(checked, JSON.stringify(checked.document));
  const policy = loadPolicy(text, version, names);
  if (policy === undefined) throw new Error(UNLOADABLE);
  for (const [name, list] of lists) policy.lists.set(name, list);
  return policy;
}

const UNLOADABLE = 'The plan of this document cannot be loaded.';

function evaluateOnce({ text, lists }: CompiledPlan): void {
  const policy = loadPolicy(text, 1, { rolesClaim: '', extensionsAppId: '' });
  if (policy === undefined) throw new Error(UNLOADABLE);
  for (const [name, list] of lists) policy.lists.set(name, list);
  for (const step of policy.steps.keys()) evaluateRules({ ...NO_ONE, step }, NOTHING_HELD, policy, 0);
}

const NO_ONE = {
  channel: 'user-flow' as const,
  unknownStep: '',
  urlStep: undefined,
  claims: {},
  claimNames: [],
  unexpectedClaims: [],
  clientId: '',
  locale: '',
  languages: [],
  objectId: '',
  email: '',
  otherNames: [],
  identities: [],
  claimedIdentities: [],
  identitiesAre: 'none',
  personKeys: { oid: undefined, idp: [], email: undefined },
} as const;

function planRule({
  document: { id, steps, onError, block, invalid, developerMessage },
  when,
  set,
}: CheckedRule): PlanRule {
  return {
    id,
    steps,
    ...(when && { when: when.tree }),
    ...(onError && { onError }),
    ...(block !== undefined && { block: block === true ? 'blocked' : block }),
    ...(invalid !== undefined && { invalid: invalid === true ? 'invalid' : invalid }),
    ...(developerMessage !== undefined && { developerMessage }),
    ...(set.length > 0 && { set: set.map(([claim, value]) => [claim, value.tree] as const) }),
  };
}

/** A fault at a built-in exchange never stops a sign-in. */
function whenUnavailableOf({ whenUnavailable = {}, exchanges = {} }: PolicyDocument): Plan['whenUnavailable'] {
  const words: { [step: string]: 'block' | 'continue' } = {};
  for (const { name } of BUILT_IN_EXCHANGES) words[name] = 'continue';
  for (const [step, word] of Object.entries(whenUnavailable)) if (word !== undefined) words[step] = word;
  for (const [name, exchange] of Object.entries(exchanges))
    words[name] = exchange.whenUnavailable ?? words[name] ?? 'block';
  return words;
}

const expressionsOf = (rules: readonly CheckedRule[], step: string) =>
  rules
    .filter(({ document }) => document.steps.some((named) => named === step))
    .flatMap(({ when, set }) => [...(when ? [when] : []), ...set.map(([, value]) => value)]);

function textOf(name: string, entries: readonly string[]): string {
  const text = listText(entries);
  if (text === undefined) throw new Error(`The list ${name} has an entry with a newline.`);
  return text;
}

function messagesOf({ messages = {}, defaultLanguage = DEFAULT_LANGUAGE }: PolicyDocument): Plan['messages'] {
  const byTag = (texts: { readonly [language: string]: string }) =>
    Object.fromEntries(Object.entries(texts).map(([tag, text]) => [tag.toLowerCase(), text]));
  const own = Object.fromEntries(Object.entries(messages).map(([key, texts]) => [key, byTag(texts)]));
  return { defaultLanguage: defaultLanguage.toLowerCase(), own };
}

function applicationsOf({ applications = {} }: PolicyDocument): Plan['applications'] {
  const { onlyThese = false, ...named } = applications;
  const names = Object.fromEntries(Object.entries(named).map(([id, name]) => [clientIdOf(id), String(name)]));
  return { names, onlyThese };
}
