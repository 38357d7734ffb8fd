/**
 * Finds entries of lists, and literals, that can never equal what rules compare them with, or be a part of it.
 * `domain()` never returns a capital, so a rule with `Example.com` in its list would be saved and never apply.
 */

import { ROLE_NAME } from '../../entitlements/stored-record.ts';
import { domainOf, lowerAscii, normalCode, normalEmail, trim, upperAscii } from '../../expressions/text.ts';
import { isMacro, subtrees, type Tree } from '../../expressions/tree.ts';
import { firstItems, nameList } from '../../platform/name-list.ts';
import { exchangeKey } from '../../policy/exchange.ts';
import { CHANNELS } from '../../sign-in/event.ts';
import { clientIdOf, withoutUnseen } from '../../sign-in/normal-form.ts';
import { STEPS, stepNamed } from '../../sign-in/steps.ts';
import { nearGuid } from '../../sign-in/typed-key.ts';
import type { CheckedRule } from './check-rules.ts';
import { exchangesOf } from './exchanges.ts';
import type { PolicyDocument } from './policy-document.ts';
import type { Problem } from './policy-problem.ts';
import { problemSentence } from './problem-sentences.ts';

/** The form of the texts that an expression returns. */
interface TextForm {
  /** As messages show it, such as `domain()`. */
  readonly name: string;
  /** The text in this form, equal to `entry` when it has the form; undefined when `entry` cannot be read. */
  readonly right: (entry: string) => string | undefined;
  /** The same for a part of a text: its beginning, its end, or any other. */
  readonly rightPart: (part: string) => string | undefined;
  readonly example: string;
}

const visible = (entry: string) => trim(withoutUnseen(entry));

/** Labels of a host name, or an address literal (RFC 5321, 4.1.3). */
const DOMAIN = /^(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[a-z0-9:.]+\])$/;
const EMAIL = /^(?!\*@)(?:"[^"]+"|[^\s@<>"]+)@[^\s@<>.]+(?:\.[^\s@<>.]+)*$/;
const PART_OF_DOMAIN = /^[a-z0-9_.:[\]-]*$/;

function rightDomain(entry: string): string | undefined {
  if (entry === '' || (DOMAIN.test(entry) && domainOf(`@${entry}`) === entry)) return entry;
  const host = visible(entry)
    .replace(/^(?:https?:\/\/|mailto:)/i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^(.*[^\]]|\[.*\]):\d+$/s, '$1');
  const domain = domainOf(`@${host.slice(host.lastIndexOf('@') + 1).replace(/^[*.]*\./, '')}`);
  return DOMAIN.test(domain) ? domain : undefined;
}

function rightEmail(entry: string): string | undefined {
  if (entry === '') return entry;
  const address = visible(entry).replace(/^mailto:/i, '');
  const right = normalEmail(/<([^<>]*)>$/.exec(address)?.[1] ?? address).replace(/\.+$/, '');
  return EMAIL.test(right) && normalEmail(right) === right ? right : undefined;
}

function rightCode(entry: string): string | undefined {
  const right = normalCode(normalCode(entry));
  return right === '' && entry !== '' ? undefined : right;
}

/** A text after the @. Letters beyond ASCII are converted as a whole label only. */
function rightPartOfDomain(part: string): string | undefined {
  const right = part.toLowerCase().replace(/^.*@/s, '');
  return PART_OF_DOMAIN.test(right) ? right : undefined;
}

/** A name has no spaces. */
function rightRole(entry: string): string | undefined {
  const right = visible(entry).replace(/\s+/g, '-');
  return entry === '' || ROLE_NAME.test(right) ? right : undefined;
}

const DOMAIN_FORM: TextForm = {
  name: 'domain()',
  right: rightDomain,
  rightPart: rightPartOfDomain,
  example: 'a domain such as example.com',
};
const FORMS: Readonly<Record<string, TextForm>> = {
  domain: DOMAIN_FORM,
  normalizeEmail: {
    name: 'normalizeEmail()',
    right: rightEmail,
    rightPart: (part) => part.toLowerCase().normalize('NFC'),
    example: 'an address such as jane@example.com',
  },
  normalizeCode: {
    name: 'normalizeCode()',
    right: rightCode,
    rightPart: rightCode,
    example: 'a code such as SPRING7Q4K',
  },
};
const ROLE_FORM: TextForm = {
  name: 'the name of a role or group',
  right: rightRole,
  rightPart: (part) => (/^[A-Za-z0-9._:/-]*$/.test(part) ? part : undefined),
  example: 'letters, digits and . _ : / -',
};
const CONVERSIONS: Readonly<Record<string, (text: string) => string>> = {
  '.trim': trim,
  '.lowerAscii': lowerAscii,
  '.upperAscii': upperAscii,
};

const same = (text: string) => text;

type RequestForms = ReadonlyMap<string, TextForm>;

function requestForms(document: PolicyDocument): RequestForms {
  const exchanges = new Map(exchangesOf(document).map(({ name }) => [exchangeKey(name), name]));
  const step = (entry: string) => stepNamed(visible(entry)) ?? exchanges.get(exchangeKey(visible(entry)));
  const channel = (entry: string) => CHANNELS.find((known) => known === visible(entry).toLowerCase());
  const clientId = (entry: string) => (nearGuid(entry) === undefined ? clientIdOf(entry) : undefined);
  const { onlyThese: _, ...applications } = document.applications ?? {};
  const named = Object.values(applications).map(String);
  const application = (entry: string) =>
    entry === '' ? '' : named.find((name) => name.toLowerCase() === visible(entry).toLowerCase());
  const partOf = (all: readonly string[]) => (part: string) =>
    all.some((one) => one.includes(part)) ? part : undefined;
  const forms = {
    clientId: { right: clientId, rightPart: (part: string) => part.toLowerCase(), example: 'a client id' },
    step: {
      right: step,
      rightPart: partOf([...STEPS, ...exchanges.values()]),
      example: `${STEPS.join(', ')}, or an exchange`,
    },
    channel: { right: channel, rightPart: partOf(CHANNELS), example: CHANNELS.join(' or ') },
    application: {
      right: (entry: string) => (named.includes(entry) ? entry : application(entry)),
      rightPart: partOf(['', ...named]),
      example: named.length === 0 ? 'a name that the policy gives to an application' : nameList(named),
    },
  };
  return new Map(Object.entries(forms).map(([name, form]) => [name, { name: `request.${name}`, ...form }]));
}

/** Undefined when the expression can return any text. */
function formOf(tree: Tree, request: RequestForms, entry?: TextForm): TextForm | undefined {
  if (typeof tree !== 'object') return undefined;
  const [operator, inner = false] = tree;
  if (operator === 'it') return entry;
  if (operator === 'request') return request.get(String(inner));
  if (operator === 'string') return formOf(inner, request, entry);
  const convert = Object.hasOwn(CONVERSIONS, operator) ? CONVERSIONS[operator] : undefined;
  if (convert === undefined) return Object.hasOwn(FORMS, operator) ? FORMS[operator] : undefined;
  const before = formOf(inner, request, entry);
  const then = (read: (text: string) => string | undefined) => (text: string) => {
    const right = read(text);
    return right === undefined ? undefined : convert(right);
  };
  return {
    name: `${before?.name ?? ''}${operator}()`.replace(/^\./, ''),
    right: then(before?.right ?? same),
    // A part may begin or end with a space.
    rightPart: operator === '.trim' ? (before?.rightPart ?? same) : then(before?.rightPart ?? same),
    example: before?.example ?? 'another text',
  };
}

/** A comparison with a list of the policy or with literals. */
interface Comparison {
  readonly list: string | undefined;
  readonly literals: readonly string[];
  readonly form: TextForm | undefined;
  /** The literals are compared with parts of the text. */
  readonly isPart?: boolean;
}

const areRoles = (tree: Tree) => typeof tree === 'object' && (tree[0] === 'roles' || tree[0] === 'groups');

/** `entry`: the form of the entries of the enclosing macro. */
function comparisonsIn(tree: Tree, request: RequestForms, entry?: TextForm): Comparison[] {
  if (typeof tree !== 'object') return [];
  const [operator, first = false, second = false] = tree;
  const ofMacro = isMacro(operator) && areRoles(first) ? ROLE_FORM : undefined;
  const within = subtrees(tree).flatMap((part) => comparisonsIn(part, request, ofMacro ?? entry));
  const formOfPart = (part: Tree) => formOf(part, request, entry);
  const literals = (all: readonly Tree[]) => all.filter((part) => typeof part === 'string');
  switch (operator) {
    case 'listed':
      return [...within, { list: String(second), literals: [], form: formOfPart(first) }];
    case 'domainIn':
      return [...within, { list: String(second), literals: [], form: { ...DOMAIN_FORM, name: 'a domain' } }];
    case '==':
    case '!=':
      return [
        ...within,
        { list: undefined, literals: literals([second]), form: formOfPart(first) },
        { list: undefined, literals: literals([first]), form: formOfPart(second) },
      ];
    case '.startsWith':
    case '.endsWith':
    case '.contains':
      return [...within, { list: undefined, literals: literals([second]), form: formOfPart(first), isPart: true }];
    case 'in':
      if (areRoles(second)) return [...within, { list: undefined, literals: literals([first]), form: ROLE_FORM }];
      return typeof second === 'object' && second[0] === 'list'
        ? [...within, { list: undefined, literals: literals(second.slice(1)), form: formOfPart(first) }]
        : within;
    default:
      return within;
  }
}

export function checkEntries(document: PolicyDocument, rules: readonly CheckedRule[]) {
  const { lists = {} } = document;
  const request = requestForms(document);
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const forms = new Map<string, Map<string, TextForm | undefined>>();
  for (const { document: rule, path, when, set } of rules) {
    const members = [...(when === undefined ? [] : [['when', when] as const]), ...set.map(inSet)];
    for (const [member, { tree }] of members) {
      for (const { list, literals, form, isPart = false } of comparisonsIn(tree, request)) {
        if (list !== undefined) {
          const known = forms.get(list) ?? new Map<string, TextForm | undefined>();
          forms.set(list, known.set(form?.name ?? '', form));
        }
        if (form === undefined) continue;
        for (const literal of literals) {
          const message = isPart ? faultOfPart(literal, form) : faultOf(literal, form, '');
          if (message !== undefined) problems.push({ rule: rule.id, path: `${path}.${member}`, message });
        }
      }
    }
  }
  problems.push(...checkClientIds(document));
  for (const [name, byName] of forms) {
    const found = checkList(name, lists[name] ?? [], [...byName.values()]);
    problems.push(...found.problems);
    warnings.push(...found.warnings);
  }
  return { problems, warnings };
}

const inSet = ([claim, value]: CheckedRule['set'][number]) => [`set.${claim}`, value] as const;

/** A client id that no call can have, or a second spelling of another one. */
function checkClientIds({ applications = {} }: PolicyDocument): readonly Problem[] {
  const seen = new Set<string>();
  const problems = Object.keys(applications).flatMap((typed): Problem[] => {
    const at = (message: string) => [{ rule: '', path: `applications.${typed}`, message }];
    const miss = nearGuid(typed);
    if (miss !== undefined) return at(`Not a client id: ${miss}. Copy it from the portal.`);
    if (seen.has(clientIdOf(typed))) return at('The same client id in another spelling. Keep one.');
    seen.add(clientIdOf(typed));
    return [];
  });
  return firstItems(problems, (more) => ({
    rule: '',
    path: 'applications',
    message: `${more} more. Correct them too.`,
  }));
}

/** An entry that no comparison can match is refused. One that some cannot match gets a warning. */
function checkList(name: string, entries: readonly string[], forms: readonly (TextForm | undefined)[]) {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const [at, entry] of entries.entries()) {
    const faults = forms.map((form) => (form === undefined ? undefined : faultOf(entry, form, name)));
    const isDead = !faults.includes(undefined);
    const message =
      faults.find((fault) => fault !== undefined) ?? (forms.includes(undefined) ? oddity(entry) : undefined);
    if (message !== undefined) (isDead ? problems : warnings).push({ rule: '', path: `lists.${name}[${at}]`, message });
  }
  return { problems: withMore(problems, name), warnings: withMore(warnings, name) };
}

const withMore = (found: readonly Problem[], name: string) =>
  firstItems(found, (more) => ({
    rule: '',
    path: `lists.${name}`,
    message: `The list has ${more} more such entries. Correct them too.`,
  }));

/** `list`: its name, `''` for a literal. */
function faultOf(entry: string, { name, right, example }: TextForm, list: string): string | undefined {
  const spelling = right(entry);
  if (spelling === entry) return undefined;
  const isWildcard = /^\s*(?:\*|\.)/.test(entry) && name === DOMAIN_FORM.name && list !== '';
  const hint = isWildcard ? ` To match the domains under it too, write domainIn(text, lists.${list}).` : '';
  return problemSentence(['can-never-equal', entry, name, `Write ${spelling ?? example}.${hint}`]);
}

function faultOfPart(part: string, { name, rightPart, example }: TextForm): string | undefined {
  const spelling = rightPart(part);
  return spelling === part
    ? undefined
    : problemSentence(['can-never-contain', name, part, `Write ${spelling ?? `a part of ${example}`}.`]);
}

function oddity(entry: string): string | undefined {
  const right = visible(entry);
  return right === entry ? undefined : problemSentence(['unusual-entry', entry, right]);
}
