/** Checks the rules of a policy, each by itself and together. */

import { subtrees, type Tree } from '../../expressions/tree.ts';
import { DECIDED_WITHOUT_RULE } from '../../policy/policy.ts';
import { ALIASES, isLongName, shortName } from '../../sign-in/claim-names.ts';
import { type CompiledExpression, compileExpression } from './compile-expression.ts';
import type { PolicyDocument, RuleDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';
import { problemSentence } from './problem-sentences.ts';
import { ALL_IDENTITIES, readPath } from './variables.ts';

export interface CheckedRule {
  readonly document: RuleDocument;
  /** Such as `rules[2]`. */
  readonly path: string;
  readonly when: CompiledExpression | undefined;
  readonly set: readonly (readonly [claim: string, value: CompiledExpression])[];
}

/** Members of the protocol, in lower case (contract 1.4, 2.1). Setting one breaks the reply or changes the identity. */
const NEVER_SET = new Set([
  'version',
  'status',
  'action',
  'usermessage',
  'code',
  'step',
  'client_id',
  'clientid',
  'ui_locales',
  'identities',
  'objectid',
]);
const RESERVED = new Set<string>(Object.values(DECIDED_WITHOUT_RULE));

type Say = (member: string, message: string, at?: Problem['at']) => void;

export function checkRules(document: PolicyDocument, rolesClaim: string) {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const lists = new Set(Object.keys(document.lists ?? {}));
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
    checkShape(rule, document, refuse, into(warnings));
    const expressions = compiled(rule, lists, refuse);
    const { when } = expressions;
    if (rule.set === undefined && when !== undefined && reads(when.tree, 'identity') && !reads(when.tree, 'identities'))
      into(warnings)('when', problemSentence(['first-identity', ALL_IDENTITIES]));
    return { document: rule, path: here, ...expressions };
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

function checkShape(rule: RuleDocument, document: PolicyDocument, refuse: Say, warn: Say): void {
  const { block, invalid, set, steps } = rule;
  const effects = [block, invalid, set].filter((effect) => effect !== undefined).length;
  if (effects !== 1) {
    const has = effects === 0 ? 'none of them' : 'more than one';
    refuse(
      '',
      `A rule has exactly one of block, invalid and set. This one has ${has}. Write one rule for each effect.`,
    );
  }
  if (new Set(steps).size < steps.length) refuse('steps', 'The same step twice. Keep one.');
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
  for (const claim of Object.keys(set ?? {})) checkClaim(claim, steps, (message) => refuse(`set.${claim}`, message));
  if (set !== undefined && rule.onError !== undefined)
    refuse('onError', 'A rule that sets claims never applies when one of its expressions fails. Remove onError.');
  if (rule.when === undefined && rule.onError !== undefined)
    refuse('onError', 'There is no condition that can fail. Remove onError, or add a condition.');
}

function checkClaim(claim: string, steps: RuleDocument['steps'], refuse: (message: string) => void): void {
  const name = claim.toLowerCase();
  const alias = ALIASES.get(name);
  if (NEVER_SET.has(name)) {
    refuse(`The claim ${claim} belongs to the protocol and cannot be set. Choose another.`);
    return;
  }
  if (name === 'email' && steps.includes('PreTokenIssuance'))
    refuse('B2C does not accept email at PreTokenIssuance. Set it at another step, or choose another claim.');
  if (isLongName(claim))
    refuse(
      `${claim} is a long name. Write ${shortName(claim)}. With EXTENSIONS_APP_ID, Gatehouse sends the long name.`,
    );
  if (alias !== undefined && claim !== alias) refuse(`B2C calls this claim ${alias}. Write ${alias}.`);
  const read = readPath(['claims', claim], new Set());
  if (alias === undefined && !name.startsWith('extension_') && !read.ok)
    refuse(`B2C ignores ${claim}. ${problemSentence(read.fault)}`);
  if (name.startsWith('extension_') && !claim.startsWith('extension_'))
    refuse('The name of a custom claim begins in lower case. Write extension_.');
}

function compiled(rule: RuleDocument, lists: ReadonlySet<string>, refuse: Say): Pick<CheckedRule, 'when' | 'set'> {
  const compile = (member: string, source: string, purpose: 'condition' | 'value'): CompiledExpression | undefined => {
    const made = compileExpression(source, purpose, lists);
    if (made.ok) return made.expression;
    for (const { message, from, to } of made.problems) refuse(member, message, { from, to });
    return undefined;
  };
  const { when, set = {} } = rule;
  return {
    when: when === undefined ? undefined : compile('when', when, 'condition'),
    set: Object.entries(set).flatMap(([claim, source]) => {
      const value = compile(`set.${claim}`, source, 'value');
      return value === undefined ? [] : [[claim, value] as const];
    }),
  };
}

/** Claims that rules set in more than one spelling. The roles claim is always sent in one spelling. */
function spellingsOf({ rules }: PolicyDocument, rolesClaim: string): string[][] {
  const names = new Set(rules.flatMap(({ set = {} }) => Object.keys(set)));
  const groups = Object.values(Object.groupBy(names, (name) => `claim ${name.toLowerCase()}`));
  return groups.filter(
    (group): group is string[] =>
      group !== undefined && group.length > 1 && group[0]?.toLowerCase() !== rolesClaim.toLowerCase(),
  );
}

const setsRoles = ({ steps, set = {} }: RuleDocument, rolesClaim: string) =>
  steps.includes('PreTokenIssuance') &&
  Object.keys(set).some((claim) => claim.toLowerCase() === rolesClaim.toLowerCase());
