/**
 * Finds entries of lists, and literals, that can never equal what rules compare them with. `domain()` never returns a
 * capital, so a rule with `Example.com` in its list would be saved and never apply.
 */
import { domainOf, lowerAscii, normalCode, normalEmail, trim, upperAscii } from '../../expressions/text.ts';
import { subtrees, type Tree } from '../../expressions/tree.ts';
import { firstItems } from '../../platform/name-list.ts';
import { exchangeKey } from '../../policy/exchange.ts';
import { CHANNELS } from '../../sign-in/event.ts';
import { withoutUnseen } from '../../sign-in/normal-form.ts';
import { STEPS, stepNamed } from '../../sign-in/steps.ts';
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
  readonly example: string;
}

const visible = (entry: string) => trim(withoutUnseen(entry));

/** Labels of a host name, or an address literal (RFC 5321, 4.1.3). */
const DOMAIN = /^(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[a-z0-9:.]+\])$/;
const EMAIL = /^(?!\*@)(?:"[^"]+"|[^\s@<>"]+)@[^\s@<>]+$/;

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
  const right = normalEmail(/<([^<>]*)>$/.exec(address)?.[1] ?? address);
  return EMAIL.test(right) && normalEmail(right) === right ? right : undefined;
}

function rightCode(entry: string): string | undefined {
  const right = normalCode(normalCode(entry));
  return right === '' && entry !== '' ? undefined : right;
}

const DOMAIN_FORM: TextForm = { name: 'domain()', right: rightDomain, example: 'a domain such as example.com' };
const FORMS: Readonly<Record<string, TextForm>> = {
  domain: DOMAIN_FORM,
  normalizeEmail: { name: 'normalizeEmail()', right: rightEmail, example: 'an address such as jane@example.com' },
  normalizeCode: { name: 'normalizeCode()', right: rightCode, example: 'a code such as SPRING7Q4K' },
};
const CONVERSIONS: Readonly<Record<string, (text: string) => string>> = {
  '.trim': trim,
  '.lowerAscii': lowerAscii,
  '.upperAscii': upperAscii,
};

type RequestForms = ReadonlyMap<string, TextForm>;

function requestForms(document: PolicyDocument): RequestForms {
  const exchanges = new Map(exchangesOf(document).map(({ name }) => [exchangeKey(name), name]));
  const step = (entry: string) => stepNamed(visible(entry)) ?? exchanges.get(exchangeKey(visible(entry)));
  const channel = (entry: string) => CHANNELS.find((known) => known === visible(entry).toLowerCase());
  const forms = {
    clientId: { right: (entry: string) => visible(entry).toLowerCase(), example: 'a client id' },
    step: { right: step, example: `${STEPS.join(', ')}, or an exchange` },
    channel: { right: channel, example: CHANNELS.join(' or ') },
  };
  return new Map(Object.entries(forms).map(([name, form]) => [name, { name: `request.${name}`, ...form }]));
}

/** Undefined when the expression can return any text. */
function formOf(tree: Tree, request: RequestForms): TextForm | undefined {
  if (typeof tree !== 'object') return undefined;
  const [operator, inner = false] = tree;
  if (operator === 'request') return request.get(String(inner));
  if (operator === 'string') return formOf(inner, request);
  const convert = Object.hasOwn(CONVERSIONS, operator) ? CONVERSIONS[operator] : undefined;
  if (convert === undefined) return Object.hasOwn(FORMS, operator) ? FORMS[operator] : undefined;
  const before = formOf(inner, request);
  return {
    name: `${before?.name ?? ''}${operator}()`.replace(/^\./, ''),
    right: (entry) => {
      const right = before === undefined ? entry : before.right(entry);
      return right === undefined ? undefined : convert(right);
    },
    example: before?.example ?? 'another text',
  };
}

/** A comparison with a list of the policy or with literals. */
interface Comparison {
  readonly list: string | undefined;
  readonly literals: readonly string[];
  readonly form: TextForm | undefined;
}

function comparisonsIn(tree: Tree, request: RequestForms): Comparison[] {
  if (typeof tree !== 'object') return [];
  const [operator, first = false, second = false] = tree;
  const within = subtrees(tree).flatMap((part) => comparisonsIn(part, request));
  const literals = (all: readonly Tree[]) => all.filter((part) => typeof part === 'string');
  switch (operator) {
    case 'listed':
      return [...within, { list: String(second), literals: [], form: formOf(first, request) }];
    case 'domainIn':
      return [...within, { list: String(second), literals: [], form: { ...DOMAIN_FORM, name: 'a domain' } }];
    case '==':
    case '!=':
      return [
        ...within,
        { list: undefined, literals: literals([second]), form: formOf(first, request) },
        { list: undefined, literals: literals([first]), form: formOf(second, request) },
      ];
    case 'in':
      return typeof second === 'object' && second[0] === 'list'
        ? [...within, { list: undefined, literals: literals(second.slice(1)), form: formOf(first, request) }]
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
      for (const { list, literals, form } of comparisonsIn(tree, request)) {
        if (list !== undefined) {
          const known = forms.get(list) ?? new Map<string, TextForm | undefined>();
          forms.set(list, known.set(form?.name ?? '', form));
        }
        if (form === undefined) continue;
        for (const literal of literals) {
          const message = faultOf(literal, form, '');
          if (message !== undefined) problems.push({ rule: rule.id, path: `${path}.${member}`, message });
        }
      }
    }
  }
  for (const [name, byName] of forms) {
    const found = checkList(name, lists[name] ?? [], [...byName.values()]);
    problems.push(...found.problems);
    warnings.push(...found.warnings);
  }
  return { problems, warnings };
}

const inSet = ([claim, value]: CheckedRule['set'][number]) => [`set.${claim}`, value] as const;

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

function oddity(entry: string): string | undefined {
  const right = visible(entry);
  return right === entry ? undefined : problemSentence(['unusual-entry', entry, right]);
}
