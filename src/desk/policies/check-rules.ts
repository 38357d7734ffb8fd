/** Checks the rules of a policy, each by itself and together. */
import type { Purpose } from '../../expressions/results.ts';
import { subtrees, type Tree } from '../../expressions/tree.ts';
import { closest } from '../../platform/closest-name.ts';
import { nameList } from '../../platform/name-list.ts';
import type { Exchange } from '../../policy/exchange.ts';
import { DECIDED_WITHOUT_RULE } from '../../policy/policy.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { checkClaim } from './check-claims.ts';
import { type CompiledExpression, compileExpression } from './compile-expression.ts';
import { exchangesOf } from './exchanges.ts';
import type { PolicyDocument, RuleDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';
import { problemSentence } from './problem-sentences.ts';
import { formsOf, placeOf, type ResultForm, type RulePlace } from './rule-place.ts';
import { ALL_IDENTITIES } from './variables.ts';

export interface CheckedRule {
  readonly document: RuleDocument;
  /** Such as `rules[2]`. */
  readonly path: string;
  readonly place: RulePlace;
  readonly when: CompiledExpression | undefined;
  readonly set: readonly (readonly [claim: string, value: CompiledExpression])[];
}

const RESERVED = new Set<string>(Object.values(DECIDED_WITHOUT_RULE));

type Say = (member: string, message: string, at?: Problem['at']) => void;

export function checkRules(document: PolicyDocument, rolesClaim: string) {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const lists = new Set(Object.keys(document.lists ?? {}));
  const exchanges = new Map(exchangesOf(document).map((exchange) => [exchange.name, exchange]));
  const ids = new Set<string>();
  const rules = document.rules.map((rule, index): CheckedRule => {
    const here = `rules[${index}]`;
    const into =
      (found: Problem[]): Say =>
      (member, message, at) => {
        const path = member === '' ? here : `${here}.${member}`;
        found.push({ rule: rule.id, path, message, ...(at && { at }) });
      };
    const refuse = into(problems);
    if (ids.has(rule.id))
      refuse('id', `Two rules have the id ${rule.id}, so reports cannot distinguish them. Rename one.`);
    if (RESERVED.has(rule.id))
      refuse('id', `Reports use the name ${rule.id} for decisions without a rule. Rename the rule.`);
    ids.add(rule.id);
    const place = placeOf(rule.steps, exchanges);
    checkSteps(rule, exchanges, refuse);
    checkShape(rule, document, place, refuse, into(warnings));
    const expressions = compiled(rule, place, lists, refuse);
    const { when } = expressions;
    if (rule.set === undefined && when !== undefined && reads(when.tree, 'identity') && !reads(when.tree, 'identities'))
      into(warnings)('when', problemSentence(['first-identity', ALL_IDENTITIES]));
    return { document: rule, path: here, place, ...expressions };
  });
  for (const spellings of spellingsOf(document, rolesClaim)) {
    const message = `${spellings.join(' and ')} differ only in case, and the reply can contain both. Use one spelling.`;
    warnings.push({ rule: '', path: 'rules', message });
  }
  if (rolesClaim !== '' && !document.rules.some((rule) => setsRoles(rule, rolesClaim))) {
    const message = `No rule sets ${rolesClaim} at PreTokenIssuance, so it is empty in every token. To send roles, write "set": { "${rolesClaim}": "person.roles.join(' ')" }.`;
    warnings.push({ rule: '', path: 'rules', message });
  }
  return { rules, problems, warnings };
}

const reads = (tree: Tree, variable: string): boolean =>
  typeof tree === 'object' && (tree[0] === variable || subtrees(tree).some((part) => reads(part, variable)));

function checkSteps({ steps, invalid }: RuleDocument, exchanges: ReadonlyMap<string, Exchange>, refuse: Say): void {
  const known = [...STEPS, ...exchanges.keys()];
  for (const [at, step] of steps.entries()) {
    if (!known.includes(step)) {
      const suggestion = closest(step, known);
      const advice =
        suggestion === undefined
          ? `Write ${nameList(known)}, or declare it in exchanges.`
          : `Did you mean ${suggestion}?`;
      refuse(`steps[${at}]`, `There is no step or exchange ${shown(step)}. ${advice}`);
    } else if (invalid !== undefined && exchanges.get(step)?.kind === 'orchestration')
      refuse(
        'steps',
        `B2C shows "invalid" at ${step} on no page, because its kind is orchestration. Use block there, or declare it as validation.`,
      );
  }
  if (new Set(steps).size < steps.length) refuse('steps', 'The same step twice. Keep one.');
}

/** A name that a person typed, short and on one line. */
const shown = (name: string): string =>
  `${name.slice(0, 60)}${name.length > 60 ? '…' : ''}`.toWellFormed().replace(/\p{Cc}/gu, '\ufffd');

function checkShape(rule: RuleDocument, document: PolicyDocument, place: RulePlace, refuse: Say, warn: Say): void {
  const { block, invalid, set, steps, developerMessage, advice } = rule;
  const effects = [block, invalid, set].filter((effect) => effect !== undefined).length;
  if (effects !== 1) {
    const has = effects === 0 ? 'none of them' : 'more than one';
    refuse(
      '',
      `A rule has exactly one of block, invalid and set. This one has ${has}. Write one rule for each effect.`,
    );
  }
  for (const [member, key] of Object.entries({ block, invalid })) {
    if (key === undefined) continue;
    if (steps.includes('PreTokenIssuance'))
      refuse(
        'steps',
        `B2C ignores "${member}" at PreTokenIssuance and lets the person in. Remove the step, or set claims there.`,
      );
    if (typeof key === 'string' && !Object.hasOwn(document.messages ?? {}, key))
      refuse(member, `There is no message called ${key}. Add it to messages, or write true for the built-in text.`);
    if (rule.when === undefined)
      warn(
        member,
        `It applies to everybody at ${steps.join(' and ')}, because it has no condition. Add "when" unless you want that.`,
      );
  }
  if (invalid !== undefined && steps.includes('PostFederationSignup'))
    refuse(
      'steps',
      'B2C does not accept "invalid" at PostFederationSignup, which has no page to return to. Use block there.',
    );
  if (developerMessage !== undefined && set !== undefined)
    refuse('developerMessage', 'Only block and invalid have a text for developers. Remove it.');
  else if (developerMessage !== undefined && place.exchanges.length === 0)
    refuse(
      'developerMessage',
      'Only a refusal by an exchange has a text for developers. Remove it, or name an exchange in steps.',
    );
  if (advice !== undefined && set !== undefined)
    refuse('advice', 'Only block and invalid have advice, since a rule that sets claims refuses no one. Remove it.');
  for (const claim of Object.keys(set ?? {}))
    checkClaim(claim, steps, place, (message) => refuse(`set.${claim}`, message));
  if (set !== undefined && rule.onError !== undefined)
    refuse('onError', 'A rule that sets claims never applies when one of its expressions fails. Remove onError.');
  if (rule.when === undefined && rule.onError !== undefined)
    refuse('onError', 'There is no condition that can fail. Remove onError, or add a condition.');
}

function compiled(
  rule: RuleDocument,
  place: RulePlace,
  lists: ReadonlySet<string>,
  refuse: Say,
): Pick<CheckedRule, 'when' | 'set'> {
  const compile = (
    member: string,
    source: string,
    purpose: Purpose,
    forms: readonly ResultForm[],
  ): CompiledExpression | undefined => {
    const made = compileExpression(source, purpose, lists, place, forms);
    if (made.ok) return made.expression;
    for (const { message, from, to } of made.problems) refuse(member, message, { from, to });
    return undefined;
  };
  const { when, set = {} } = rule;
  return {
    when: when === undefined ? undefined : compile('when', when, 'condition', ['condition']),
    set: Object.entries(set).flatMap(([claim, source]) => {
      const value = compile(`set.${claim}`, source, 'value', formsOf(claim, place));
      return value === undefined ? [] : [[claim, value] as const];
    }),
  };
}

/** Claims that user flows set in more than one spelling. The roles claim is always sent in one spelling. */
function spellingsOf({ rules }: PolicyDocument, rolesClaim: string): string[][] {
  const inUserFlows = rules.filter(({ steps }) => STEPS.some((step) => steps.includes(step)));
  const names = new Set(inUserFlows.flatMap(({ set = {} }) => Object.keys(set)));
  const groups = Object.values(Object.groupBy(names, (name) => `claim ${name.toLowerCase()}`));
  return groups.filter(
    (group): group is string[] =>
      group !== undefined && group.length > 1 && group[0]?.toLowerCase() !== rolesClaim.toLowerCase(),
  );
}

const setsRoles = ({ steps, set = {} }: RuleDocument, rolesClaim: string) =>
  steps.includes('PreTokenIssuance') &&
  Object.keys(set).some((claim) => claim.toLowerCase() === rolesClaim.toLowerCase());
