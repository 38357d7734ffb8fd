/** Compiled expressions in words, for people who do not read CEL. Pure. */
import type { Purpose } from '../../../expressions/results.ts';
import type { Tree, TreeNode } from '../../../expressions/tree.ts';

/**
 * Undefined for an expression with a part that has no plain words, such as a macro, and for a value that is true or
 * false. Its source says it then.
 */
export function inWords(tree: Tree, purpose: Purpose): string | undefined {
  if (purpose === 'value' && typeof tree === 'object' && (CONDITIONS.has(tree[0]) || tree[0] in BETWEEN))
    return undefined;
  const words = wordsOf(tree);
  return words === undefined || words.length > MAX_WORDS_CHARS ? undefined : words;
}

/** A longer sentence is harder to read than the expression. */
const MAX_WORDS_CHARS = 600;

const CONDITIONS = new Set(['&&', '||', '!', 'has', 'listed', 'domainIn', 'matches']);

/** Words between two operands, and between them when the whole is negated. */
const BETWEEN: Readonly<Record<string, readonly [is: string, isNot: string]>> = {
  '==': ['is', 'is not'],
  '!=': ['is not', 'is'],
  '<': ['is less than', 'is not less than'],
  '<=': ['is at most', 'is more than'],
  '>': ['is more than', 'is at most'],
  '>=': ['is at least', 'is less than'],
  in: ['is one of', 'is none of'],
  '.startsWith': ['begins with', 'does not begin with'],
  '.endsWith': ['ends with', 'does not end with'],
  '.contains': ['contains', 'does not contain'],
};
const NAMED: Readonly<Record<string, string>> = {
  roles: 'their roles',
  groups: 'their groups',
  identities: 'their identities',
  time: 'the time of the call',
};
/** `person` has no other member with a tree of its own. */
const PERSON_ID = 'the person id that Gatehouse derives';
const OF_IDENTITY: Readonly<Record<string, string>> = {
  issuer: 'the provider',
  id: 'the id at the provider',
  signInType: 'the type of the sign-in name',
};
const OF_REQUEST: Readonly<Record<string, string>> = {
  step: 'the step',
  clientId: 'the client id',
  application: 'the application',
  locale: 'the language',
  channel: 'the channel',
};

function wordsOf(tree: Tree, negated = false): string | undefined {
  if (typeof tree === 'string') return tree === '' ? 'an empty text' : JSON.stringify(tree);
  if (typeof tree === 'boolean') return String(tree !== negated);
  if (typeof tree === 'number') return String(tree);
  const [operator, first = '', second = ''] = tree;
  const between = BETWEEN[operator];
  if (between !== undefined && tree.length === 3) return joined(tree, ` ${between[negated ? 1 : 0]} `);
  switch (operator) {
    case '#':
      return String(first);
    case 'claims':
      return `the claim ${first}`;
    case 'person':
      return PERSON_ID;
    case 'attributes':
      return `the attribute ${first} of their record`;
    case 'has': {
      if (first === 'person') return `${PERSON_ID} is ${negated ? 'unknown' : 'known'}`;
      const [what, state] =
        first === 'claims'
          ? ['claim', ['was sent', 'was not sent']]
          : ['attribute', ['is in their record', 'is not in their record']];
      return `the ${what} ${second} ${state[negated ? 1 : 0]}`;
    }
    case 'identity':
      return OF_IDENTITY[String(first)];
    case 'request':
      return OF_REQUEST[String(first)];
    case 'listed':
      return around('', wordsOf(first), ` ${negated ? 'is not' : 'is'} on the list ${second}`);
    case 'domainIn':
      return around(
        'the domain of ',
        wordsOf(first),
        `, or one above it, ${negated ? 'is not' : 'is'} on the list ${second}`,
      );
    case 'matches':
      return around('', wordsOf(first), ` ${negated ? 'does not match' : 'matches'} the pattern ${second}`);
    case '!':
      return wordsOf(first, !negated);
    case '&&':
    case '||':
      return joinedLogic(tree, negated);
    case 'list':
      return tree.length === 1 ? 'no entry' : joined(tree, ', ');
    default:
      return negated ? undefined : (NAMED[operator] ?? calledIn(tree));
  }
}

/** By De Morgan's laws, a negated `&&` is an `or` of negations. */
function joinedLogic(tree: TreeNode, negated: boolean): string | undefined {
  const [operator, ...parts] = tree;
  const conjunction = (operator === '&&') === negated ? 'or' : 'and';
  const words = parts.map((part) => {
    const one = wordsOf(part, negated);
    return isLogic(part) ? around('(', one, ')') : one;
  });
  return words.includes(undefined) ? undefined : words.join(`, ${conjunction} `);
}

const isLogic = (tree: Tree): boolean =>
  typeof tree === 'object' && (['&&', '||'].includes(tree[0]) || (tree[0] === '!' && isLogic(tree[1] ?? '')));

/** `domain(claims.email)` is "the domain of the claim email". A conversion changes no meaning. */
function calledIn([name, ...parts]: TreeNode): string | undefined {
  if (!/^\.?[A-Za-z]+$/.test(name) || parts.length === 0) return undefined;
  const words = parts.map((part) => wordsOf(part));
  const [target = ''] = words;
  if (words.includes(undefined)) return undefined;
  if (name === 'string' && parts.length === 1) return target;
  if (name === 'domain') return `the domain of ${target}`;
  if (name === '.join') return `${target} in one text`;
  return `${name.replace('.', '')}(${words.join(', ')})`;
}

function joined([, ...parts]: TreeNode, by: string): string | undefined {
  const words = parts.map((part) => wordsOf(part));
  return words.includes(undefined) ? undefined : words.join(by);
}

const around = (before: string, words: string | undefined, after: string) =>
  words === undefined ? undefined : `${before}${words}${after}`;
