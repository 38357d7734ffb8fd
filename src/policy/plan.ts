/**
 * The format of a policy version compiled for the gate: rules as trees, messages and applications. Large lists are
 * separate values in Workers KV (`listKey`), which the gate reads when a step first needs them. The desk writes plans.
 */
import type { Shared } from '../expressions/evaluate.ts';
import { isFunction } from '../expressions/functions.ts';
import { FORMAT, isTree, type Tree } from '../expressions/tree.ts';
import type { Exchange } from './exchange.ts';

/** The JSON in KV under {@link planKey}. */
export interface Plan {
  readonly format: typeof FORMAT;
  /** SHA-256 of the source document, in hex. */
  readonly document: string;
  readonly rules: readonly PlanRule[];
  /** Steps with a rule that reads entitlements. */
  readonly asksPerson: readonly string[];
  /** Steps with a rule that reads `person.id`. */
  readonly readsPersonId: readonly string[];
  /** The lists that the rules of a step read. */
  readonly listsOfStep: { readonly [step: string]: readonly string[] };
  /** By name: the text of the list (`expressions/list.ts`), or null when it is a separate value. */
  readonly lists: { readonly [name: string]: string | null };
  readonly messages: {
    readonly defaultLanguage: string;
    /** By key and language tag in lower case. */
    readonly own: { readonly [key: string]: { readonly [language: string]: string } };
  };
  readonly applications: {
    /** Names by client id in lower case. */
    readonly names: { readonly [clientId: string]: string };
    readonly onlyThese: boolean;
  };
  readonly whenUnavailable: { readonly [step: string]: 'block' | 'continue' };
  /** Every exchange, including the built-in ones. */
  readonly exchanges: readonly Exchange[];
}

/** Has exactly one of `block`, `invalid` (message keys) and `set` (claim names as in the document). */
export interface PlanRule {
  readonly id: string;
  readonly steps: readonly string[];
  readonly when?: Tree;
  /** Absent when saving found no failure of the condition. */
  readonly onError?: 'skip' | 'apply';
  readonly block?: string;
  readonly invalid?: string;
  readonly developerMessage?: string;
  readonly set?: readonly (readonly [claim: string, value: Tree])[];
}

export const planKey = (number: number) => `policy:plan:${FORMAT}:${number}`;
/** The reason, as text, why the desk could not compile a version. `npm run deploy` stops on it. */
export const planRefusedKey = (number: number) => `policy:plan-refused:${FORMAT}:${number}`;
export const listKey = (number: number, name: string) => `policy:list:${FORMAT}:${number}:${name}`;

/**
 * Parses a KV value; undefined when it has another format, or an expression that this gate cannot evaluate. Its
 * patterns are compiled into `shared`.
 */
export function readPlan(text: string, shared: Shared): Plan | undefined {
  try {
    const plan: unknown = JSON.parse(text);
    return isPlan(plan, shared) ? plan : undefined;
  } catch {
    return undefined;
  }
}

function isPlan(value: unknown, shared: Shared): value is Plan {
  if (!isObject(value) || value.format !== FORMAT || !isText(value.document)) return false;
  const { rules, asksPerson, readsPersonId, listsOfStep, lists, messages, applications, whenUnavailable } = value;
  if (!isRecordOf(lists, (list) => list === null || isText(list)) || !isTexts(asksPerson)) return false;
  if (!isTexts(readsPersonId)) return false;
  const isList = (name: unknown) => isText(name) && Object.hasOwn(lists, name);
  if (!isRecordOf(listsOfStep, (names) => isTexts(names) && names.every(isList))) return false;
  if (!isObject(messages) || !isText(messages.defaultLanguage)) return false;
  if (!isRecordOf(messages.own, (texts) => isRecordOf(texts, isText))) return false;
  if (!isObject(applications) || typeof applications.onlyThese !== 'boolean') return false;
  if (!isRecordOf(applications.names, isText)) return false;
  if (!isRecordOf(whenUnavailable, (word) => word === 'block' || word === 'continue')) return false;
  if (!Array.isArray(value.exchanges) || !value.exchanges.every(isExchange)) return false;
  const names = { isFunction, isList, isPattern: (source: string) => !('code' in shared.patternOf(source)) };
  return Array.isArray(rules) && rules.every((rule) => isRule(rule, (tree) => isTree(tree, names)));
}

function isRule(value: unknown, isExpression: (tree: unknown) => boolean): boolean {
  if (!isObject(value) || !isText(value.id) || !isTexts(value.steps)) return false;
  const { when, onError, block, invalid, set, developerMessage } = value;
  if (developerMessage !== undefined && !isText(developerMessage)) return false;
  const effects = [block, invalid, set].filter((effect) => effect !== undefined);
  if (effects.length !== 1 || (onError !== undefined && onError !== 'skip' && onError !== 'apply')) return false;
  if (when !== undefined && !isExpression(when)) return false;
  if (set === undefined) return isText(block ?? invalid);
  return Array.isArray(set) && set.every((pair) => Array.isArray(pair) && isText(pair[0]) && isExpression(pair[1]));
}

function isExchange(value: unknown): value is Exchange {
  if (!isObject(value) || !isText(value.name) || !isText(value.issuer) || typeof value.emptyReply !== 'boolean')
    return false;
  const { kind, inputs, outputs, identifies } = value;
  if (kind !== 'validation' && kind !== 'orchestration') return false;
  return isObject(identifies) && Array.isArray(inputs) && inputs.every(isInput) && isRecordOf(outputs, isOutput);
}

const isInput = (value: unknown): boolean =>
  isObject(value) && isText(value.claim) && isTexts(value.from) && isOneOf(value.type, ['string', 'number', 'boolean']);

const isOutput = (value: unknown): boolean =>
  isObject(value) &&
  isOneOf(value.type, ['string', 'number', 'boolean', 'list']) &&
  (value.join === undefined || isText(value.join));

const isOneOf = (value: unknown, words: readonly string[]): boolean => isText(value) && words.includes(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isRecordOf = (value: unknown, is: (member: unknown) => boolean): value is Record<string, unknown> =>
  isObject(value) && Object.values(value).every(is);
