/**
 * What a rule of a policy says: in words, with the texts that people read, and the claims and lists that it reads. The
 * literals of an expression are the text of the rule, and are shown. Entries of lists are for administrators. Pure.
 */

import { BUILT_IN_TEXTS } from '../../../policy/built-in-texts.ts';
import { DECIDED_WITHOUT_RULE } from '../../../policy/policy.ts';
import { USER_FLOW } from '../../../sign-in/steps.ts';
import { type CheckedRule, checkRules } from '../../policies/check-rules.ts';
import type { CompiledExpression } from '../../policies/compile-expression.ts';
import type { PolicyDocument, RuleDocument } from '../../policies/policy-document.ts';
import { inWords } from './expression-words.ts';
import type { RuleReport } from './reported-policy-answers.ts';

/** The rules of a document in their order; with `id`, only that one. */
export function rulesIn(document: PolicyDocument, id?: string): RuleReport[] {
  const wanted = document.rules.flatMap((rule, index) => (id === undefined || rule.id === id ? [{ rule, index }] : []));
  // By today's check, an expression of an earlier release may not compile: then its source says what it does.
  const { rules } = checkRules({ ...document, rules: wanted.map(({ rule }) => rule) }, '');
  return rules.map((checked, at) => ruleReport(document, checked, (wanted[at]?.index ?? 0) + 1));
}

const ENTRIES_FOR_ADMINISTRATORS =
  'The entries of a list, and which of them matched, are shown to administrators only. Ask one of them, with the id of the attempt.';

/** `order`: its place in the policy, from 1. */
function ruleReport(document: PolicyDocument, checked: CheckedRule, order: number): RuleReport {
  const { id, description, steps, when, onError, set, developerMessage, advice } = checked.document;
  const kind = kindOf(checked.document);
  const expressions = [...(checked.when ? [checked.when] : []), ...checked.set.map(([, value]) => value)];
  const lists = distinctIn(expressions, ({ reads }) => reads.lists);
  const unread =
    (when !== undefined && checked.when === undefined) || checked.set.length < Object.keys(set ?? {}).length;
  return {
    id,
    order,
    ...(description === undefined ? {} : { description }),
    sentence: sentenceOf(checked),
    steps,
    effect: kind,
    when: when ?? null,
    ...(onError === undefined ? {} : { onError }),
    ...(set === undefined ? {} : { set }),
    ...(developerMessage === undefined ? {} : { developerMessage }),
    messages: messageKeysOf(checked).map((key) => messageNamed(document, key)),
    claims: distinctIn(expressions, ({ reads }) => reads.claims),
    readsRecord: expressions.some(({ reads }) => reads.person),
    attributeNames: distinctIn(expressions, ({ reads }) => reads.attributes),
    lists: lists.map((name) => ({ name, entries: entriesOf(document, name) })),
    ...(lists.length === 0 ? {} : { listEntries: ENTRIES_FOR_ADMINISTRATORS }),
    ...(unread
      ? {
          note: 'An expression of this rule does not compile today: the claims and lists that it reads are missing here.',
        }
      : {}),
    ...(advice === undefined ? {} : { advice }),
  };
}

const kindOf = ({ block, invalid }: RuleDocument) =>
  block !== undefined ? 'block' : invalid !== undefined ? 'invalid' : 'set';

const distinctIn = (some: readonly CompiledExpression[], of: (one: CompiledExpression) => readonly string[]) => [
  ...new Set(some.flatMap(of)),
];

const entriesOf = ({ lists = {} }: PolicyDocument, name: string): number =>
  Object.hasOwn(lists, name) ? (lists[name]?.length ?? 0) : 0;

/** A block without a message has another built-in text at an exchange than in a user flow. */
function messageKeysOf({ document, place }: CheckedRule): string[] {
  const { block, invalid } = document;
  const key = block ?? invalid;
  if (key === undefined) return [];
  if (invalid !== undefined) return [key === true ? 'invalid' : key];
  const named = key === true ? 'blocked' : key;
  if (named !== 'blocked' || place.exchanges.length === 0) return [named];
  return [...(place.isUserFlow ? [named] : []), 'exchange-blocked'];
}

function messageNamed({ messages = {} }: PolicyDocument, key: string): RuleReport['messages'][number] {
  const own = Object.hasOwn(messages, key) ? messages[key] : undefined;
  if (own !== undefined) return { key, texts: own };
  const builtIn = Object.entries(BUILT_IN_TEXTS).find(([name]) => name === key)?.[1];
  return { key, texts: Object.fromEntries(builtIn ?? []), builtIn: true };
}

const STEP_IN_WORDS: Readonly<Record<string, string>> = {
  PostFederationSignup: 'before the attribute page',
  PostAttributeCollection: 'before the account is created',
  PreTokenIssuance: 'before a token is issued',
};

function sentenceOf(checked: CheckedRule): string {
  const { steps, when, onError } = checked.document;
  const at = steps.map((step) => STEP_IN_WORDS[step] ?? `at the exchange ${step}`).join(', and ');
  const condition =
    when === undefined ? '' : `if ${(checked.when && inWords(checked.when.tree, 'condition')) ?? when}, `;
  const doubt =
    onError === undefined
      ? ''
      : ` If the condition cannot be evaluated, because a claim is absent or has another type, the rule ${onError === 'apply' ? 'applies' : 'does nothing'}.`;
  return `${at.charAt(0).toUpperCase()}${at.slice(1)}: ${condition}${effectInWords(checked)}.${doubt}`;
}

function effectInWords(checked: CheckedRule): string {
  const { steps, set = {} } = checked.document;
  const message = messageKeysOf(checked).join(' or ');
  const inUserFlow = steps.some((step) => USER_FLOW.has(step));
  switch (kindOf(checked.document)) {
    case 'block':
      return inUserFlow
        ? `the sign-up ends with a page that shows the message ${message}`
        : `the call is refused with the message ${message}`;
    case 'invalid':
      return inUserFlow
        ? `the person stays on the attribute page and reads the message ${message}`
        : `the page of the custom policy shows the message ${message}`;
    default:
      return `the reply sets ${Object.entries(set)
        .map(([claim, source]) => `${claim} to ${valueInWords(checked, claim) ?? source}`)
        .join(', and ')}`;
  }
}

function valueInWords({ set }: CheckedRule, claim: string): string | undefined {
  const value = set.find(([name]) => name === claim)?.[1];
  return value && inWords(value.tree, 'value');
}

/** Reports show these names where no rule decided. */
export const DECISIONS_WITHOUT_RULE: ReadonlyMap<string, string> = new Map([
  [
    DECIDED_WITHOUT_RULE.foreignApplication,
    'No rule: the policy allows only the applications that it names (onlyThese), and the call came from another one. At sign-up it is blocked; a token gets no roles. Ask which application the customer uses, and compare its client id.',
  ],
  [
    DECIDED_WITHOUT_RULE.personUnknown,
    'No rule: Workers KV did not say which roles the person has, and the rules of the step read them, so whenUnavailable of the policy decided. Ask the customer to try again.',
  ],
]);
