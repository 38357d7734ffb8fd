/** Converts a parsed expression to its tree, and checks every name, literal, macro and pattern in it. */
import { isZone } from '../../expressions/dates.ts';
import { compilePattern } from '../../expressions/patterns.ts';
import { IDENTITY, type Tree } from '../../expressions/tree.ts';
import {
  type AstNode,
  excerpt,
  isReserved,
  operands,
  pathOf,
  rangeOf,
  rootNodeOf,
  type SourceRange,
  type StandIn,
  textOf,
} from './cel.ts';
import { faultOfForm, writtenAs } from './function-forms.ts';
import {
  type ExpressionFault,
  type ExpressionProblem,
  expressionProblem,
  MACRO_FORMS,
  NOT_SUPPORTED,
} from './problem-sentences.ts';
import { type ClaimType, IN_USER_FLOW, inputNamed, type RulePlace } from './rule-place.ts';
import { isVariable, readPath, unknownVariable } from './variables.ts';

/** What an expression reads, by canonical name. has() counts as reading. */
export interface Reads {
  readonly claims: readonly string[];
  readonly attributes: readonly string[];
  /** Roles, groups or attributes. */
  readonly person: boolean;
  /** The id, which needs no record. */
  readonly personId?: true;
  readonly time: boolean;
  readonly lists: readonly string[];
}

export interface Converted {
  readonly tree: Tree;
  readonly reads: Reads;
  readonly problems: readonly ExpressionProblem[];
  /** Replacements for the type checker: of variables, and of parts that already have a problem. */
  readonly standIns: readonly (SourceRange & { readonly type: StandIn })[];
  /** Function calls with literal arguments only. */
  readonly constants: readonly (SourceRange & { readonly tree: Tree })[];
  /** By canonical name: of the inputs of exchanges. Other claims have the types of user flows. */
  readonly claimTypes: ReadonlyMap<string, ClaimType>;
}

export function toTree(
  source: string,
  node: AstNode,
  listNames: ReadonlySet<string>,
  place: RulePlace = IN_USER_FLOW,
): Converted {
  const walk = new Walk(source, listNames, place);
  const tree = walk.visit(node, undefined);
  const { claims, attributes, lists, person, personId, time, problems, standIns, constants, claimTypes } = walk;
  const reads = {
    claims: [...claims].sort(),
    attributes: [...attributes].sort(),
    person,
    ...(personId && { personId }),
    time,
    lists: [...lists].sort(),
  };
  return { tree, reads, problems, standIns, constants, claimTypes };
}

type Call = Extract<AstNode, { op: 'call' | 'rcall' }>;
type Entry = Extract<AstNode, { op: 'map' }>['args'][number];

class Walk {
  readonly claims = new Set<string>();
  readonly attributes = new Set<string>();
  readonly lists = new Set<string>();
  readonly problems: ExpressionProblem[] = [];
  readonly standIns: (SourceRange & { readonly type: StandIn })[] = [];
  readonly constants: (SourceRange & { readonly tree: Tree })[] = [];
  readonly claimTypes = new Map<string, ClaimType>();
  person = false;
  personId = false;
  time = false;
  /** The variable of the enclosing macro, when it walks over identities. */
  #identity: string | undefined;
  readonly #source: string;
  readonly #listNames: ReadonlySet<string>;
  readonly #place: RulePlace;

  constructor(source: string, listNames: ReadonlySet<string>, place: RulePlace) {
    this.#source = source;
    this.#listNames = listNames;
    this.#place = place;
  }

  /** `own`: the variable of the enclosing macro. Macros do not nest. */
  visit(node: AstNode, own: string | undefined): Tree {
    switch (node.op) {
      case 'value':
        return this.#literal(node, node.args);
      case 'id':
      case '.':
      case '[]':
        return this.#member(node, own);
      case '&&':
      case '||':
        return [node.op, ...operands(node, node.op).map((operand) => this.visit(operand, own))];
      case '!_':
        return ['!', this.visit(node.args, own)];
      case '-_':
        return this.#negative(node.args, own);
      case '?:':
        return ['?', ...node.args.map((part) => this.visit(part, own))];
      case 'list':
        if (node.args.length === 0) this.#standIn(node, 'emptyList');
        return ['list', ...node.args.map((entry) => this.visit(entry, own))];
      case 'map':
        if (node.args.length === 0) this.#standIn(node, 'emptyMap');
        return this.#map(node.args, own);
      case 'in':
        return this.#in(node, node.args, own);
      case 'call':
      case 'rcall':
        return this.#call(node, own);
      case '.?':
      case '[?]':
        return this.#refuse(node, NOT_SUPPORTED.optionals);
      case '==':
      case '!=':
        if (this.#isMisread(node.args[1])) return this.#refuse(node, ['brackets', this.#shown(node.args[1])]);
        return [node.op, ...node.args.map((operand) => this.visit(operand, own))];
      case '+':
        // cel-js types `duration + timestamp` as a duration.
        if (node.args[0].op === 'call' && node.args[0].args[0] === 'duration') this.#standIn(node, 'any');
        return ['+', ...node.args.map((operand) => this.visit(operand, own))];
      default:
        return [node.op, ...node.args.map((operand) => this.visit(operand, own))];
    }
  }

  /** `around`: the part that the type checker skips, if it is larger than the part with the problem. */
  #refuse(node: AstNode, fault: ExpressionFault, around: AstNode = node): Tree {
    this.problems.push(expressionProblem(fault, rangeOf(node, this.#source)));
    this.#standIn(around, 'any');
    return false;
  }

  /** CEL parses `a == b in c` as `(a == b) in c`, but cel-js as `a == (b in c)`. */
  #isMisread(right: AstNode): boolean {
    const before = this.#source.slice(0, rangeOf(right, this.#source).from).trimEnd();
    return ['in', '<', '<=', '>', '>='].includes(right.op) && !before.endsWith('(');
  }

  #standIn(node: AstNode, type: StandIn): void {
    this.standIns.push({ ...rangeOf(node, this.#source), type });
  }

  #shown(node: AstNode): string {
    return excerpt(this.#source, rangeOf(node, this.#source));
  }

  #member(node: Extract<AstNode, { op: 'id' | '.' | '[]' }>, own: string | undefined): Tree {
    const path = pathOf(node);
    const [variable = ''] = path ?? [];
    if (path !== undefined && variable !== own) {
      if (isVariable(variable)) return this.#read(node, path);
      return this.#refuse(rootNodeOf(node), unknownVariable(variable, writtenAs(variable)));
    }
    if (node.op === 'id') return ['it'];
    const [owner, index] = node.args;
    const from = this.visit(owner, own);
    if (isIdentity(from, own !== undefined && own === this.#identity)) return this.#ofIdentity(node, from, index);
    if (typeof index !== 'string') return ['[]', from, this.visit(index, own)];
    const advice = `To read a map, write ${this.#shown(owner)}['${index}'].`;
    return this.#refuse(node, ['index-type', this.#shown(node), advice]);
  }

  #ofIdentity(node: AstNode, identity: Tree, index: AstNode | string): Tree {
    const member = typeof index === 'string' ? index : (textOf(index) ?? '');
    if (IDENTITY.some((known) => known === member)) return ['[]', identity, member];
    return this.#refuse(node, ['index-type', this.#shown(node), `An identity has ${IDENTITY.join(', ')}.`]);
  }

  #read(node: AstNode, path: readonly string[]): Tree {
    const read = readPath(path, this.#listNames, this.#place);
    if (!read.ok) return this.#refuse(node, read.fault);
    const [variable = '', name = '', attribute = ''] = path;
    if (variable === 'lists') return this.#refuse(node, ['list-use', name, "'x'"]);
    this.#standIn(node, read.type);
    if (variable === 'claims') return ['claims', this.#claim(name, read)];
    this.#note(path);
    if (variable === 'identities') return ['identities'];
    if (variable === 'person' && name === 'id') return ['person', name];
    if (variable === 'person') return name === 'attributes' ? ['attributes', attribute] : [name];
    return read.type === 'time' ? ['time'] : [variable, name];
  }

  /** A test for a member: `has(…)`, or `'…' in claims`. */
  #has(node: AstNode, within: AstNode, path: readonly string[]): Tree {
    const read = readPath(path, this.#listNames, this.#place);
    if (!read.ok) return this.#refuse(within, read.fault, node);
    const [variable = '', name = '', attribute = ''] = path;
    this.#standIn(node, 'truth');
    if (variable === 'claims') return ['has', 'claims', this.#claim(name, read)];
    this.#note(path);
    if (variable === 'person' && name === 'id') return ['has', 'person', name];
    return variable !== 'person' || name !== 'attributes' || ['has', 'attributes', attribute];
  }

  /** Notes that a claim is read. Returns its name. */
  #claim(name: string, { claim = name }: { readonly claim?: string }): string {
    this.claims.add(claim);
    const input = inputNamed(this.#place, claim);
    if (input !== undefined) this.claimTypes.set(claim, input.type);
    return claim;
  }

  #note([variable, name = '', attribute = '']: readonly string[]): void {
    if (variable === 'person' && name === 'id') this.personId = true;
    else if (variable === 'person') this.person = true;
    if (variable === 'person' && name === 'attributes') this.attributes.add(attribute);
    if (variable === 'request' && name === 'time') this.time = true;
  }

  #literal(node: AstNode, value: Extract<AstNode, { op: 'value' }>['args']): Tree {
    switch (typeof value) {
      case 'bigint':
        if (value === BigInt.asIntN(64, value)) return ['#', String(value)];
        return this.#refuse(node, ['number-too-large', String(value)]);
      case 'string':
        return value.isWellFormed() ? value : this.#refuse(node, NOT_SUPPORTED.halves);
      case 'boolean':
      case 'number':
        return value;
    }
    if (value === null) return this.#refuse(node, NOT_SUPPORTED.null);
    return this.#refuse(node, value instanceof Uint8Array ? NOT_SUPPORTED.bytes : NOT_SUPPORTED.unsigned);
  }

  #negative(operand: AstNode, own: string | undefined): Tree {
    if (operand.op === 'value' && typeof operand.args === 'bigint') return this.#literal(operand, -operand.args);
    // JSON has no -0.
    if (operand.op === 'value' && typeof operand.args === 'number' && operand.args !== 0) return -operand.args;
    return ['negative', this.visit(operand, own)];
  }

  #map(entries: readonly Entry[], own: string | undefined): Tree {
    const keys = new Set<string>();
    const parts = entries.map(([key, value]): Tree => {
      const name = textOf(key);
      if (name === undefined) this.#refuse(key, ['map-key']);
      else if (keys.has(name)) this.#refuse(key, ['key-twice', name]);
      else keys.add(name);
      return [name ?? '', this.visit(value, own)];
    });
    return ['map', ...parts];
  }

  #in(node: AstNode, [value, list]: readonly [AstNode, AstNode], own: string | undefined): Tree {
    const path = pathOf(list) ?? [];
    const owner = path.join('.');
    if (owner === 'claims' || owner === 'person.attributes') {
      const name = textOf(value);
      if (name !== undefined) return this.#has(node, node, [...path, name]);
      this.visit(value, own);
      return this.#read(list, path);
    }
    const read = path[0] === 'lists' ? readPath(path, this.#listNames, this.#place) : undefined;
    const tree = this.visit(value, own);
    if (read === undefined) return ['in', tree, this.visit(list, own)];
    if (!read.ok) return this.#refuse(list, read.fault);
    const [, name = ''] = path;
    this.#standIn(list, 'list');
    this.lists.add(name);
    return ['listed', tree, name];
  }

  #call(node: Call, own: string | undefined): Tree {
    const [name] = node.args;
    const [target, args] = node.op === 'rcall' ? [node.args[1], node.args[2]] : [undefined, node.args[1]];
    if (target === undefined && name === 'has') {
      const [tested] = args;
      const path = args.length === 1 && tested?.op === '.' ? pathOf(tested) : undefined;
      if (tested === undefined || path === undefined) return this.#refuse(node, ['has']);
      if (isVariable(path[0] ?? '')) return this.#has(node, tested, path);
      return this.#refuse(rootNodeOf(tested), unknownVariable(path[0] ?? '', undefined), node);
    }
    if (target !== undefined && Object.hasOwn(MACRO_FORMS, name)) return this.#macro(node, name, target, args, own);
    const fault = faultOfForm(name, target !== undefined, args.length, this.#shown(node));
    if (fault !== undefined) {
      // The names in the arguments are still checked.
      if (target !== undefined && pathOf(target)?.join('.') !== 'strings') this.visit(target, own);
      for (const arg of args) this.visit(arg, own);
      return this.#refuse(node, fault);
    }
    if (name === 'age') this.time = true;
    const [first, second] = args;
    if (name === 'domainIn' && first !== undefined && second !== undefined) return this.#domainIn(first, second, own);
    if (name === 'matches' && target !== undefined && args[0] !== undefined) return this.#matches(target, args[0], own);
    if (name.startsWith('get') && args[0] !== undefined) this.#zone(args[0]);
    const parts = (target === undefined ? args : [target, ...args]).map((part) => this.visit(part, own));
    const tree: Tree = [target === undefined ? name : `.${name}`, ...parts];
    const isConstant = parts.every((part) => typeof part !== 'object' || part[0] === '#');
    if (isConstant) this.constants.push({ ...rangeOf(node, this.#source), tree });
    return tree;
  }

  #domainIn(value: AstNode, list: AstNode, own: string | undefined): Tree {
    const path = pathOf(list) ?? [];
    const tree = this.visit(value, own);
    if (path[0] !== 'lists') return this.#refuse(list, ['list-expected', this.#shown(list)]);
    const read = readPath(path, this.#listNames, this.#place);
    if (!read.ok) return this.#refuse(list, read.fault);
    const [, name = ''] = path;
    this.#standIn(list, 'list');
    this.lists.add(name);
    return ['domainIn', tree, name];
  }

  #macro(node: Call, name: string, target: AstNode, args: readonly AstNode[], own: string | undefined): Tree {
    const [variable, ...parts] = args;
    if (variable?.op !== 'id' || parts.length === 0 || parts.length > (name === 'map' ? 2 : 1) || name === 'existsOne')
      return this.#refuse(node, ['macro-form', name]);
    if (isVariable(variable.args) || isReserved(variable.args))
      return this.#refuse(variable, ['macro-variable', variable.args], node);
    if (own !== undefined) return this.#refuse(node, ['macro-nested', name]);
    const path = pathOf(target);
    if (target.op === 'map' || (path?.[0] === 'lists' && readPath(path, this.#listNames, this.#place).ok))
      return this.#refuse(target, ['macro-range', `${name}()`, this.#shown(target)]);
    const list = this.visit(target, undefined);
    if (typeof list === 'object' && (list[0] === 'claims' || list[0] === 'attributes'))
      return this.#refuse(target, ['macro-range', `${name}()`, this.#shown(target)]);
    this.#identity = isIdentities(list) ? variable.args : undefined;
    return [name === 'map' ? 'collect' : name, list, ...parts.map((part) => this.visit(part, variable.args))];
  }

  #matches(target: AstNode, pattern: AstNode, own: string | undefined): Tree {
    const tree = this.visit(target, own);
    const text = textOf(pattern);
    if (text === undefined) return this.#refuse(pattern, ['pattern-not-literal']);
    const made = compilePattern(text);
    return 'code' in made ? this.#refuse(pattern, ['pattern-refused', text, made]) : ['matches', tree, text];
  }

  #zone(zone: AstNode): void {
    const name = textOf(zone);
    if (name === undefined) this.#refuse(zone, ['zone-not-literal']);
    else if (!isZone(name)) this.#refuse(zone, ['unknown-zone', name]);
  }
}

/** Whether a tree is the list of identities, or some of them. */
const isIdentities = (tree: Tree): boolean =>
  typeof tree === 'object' && (tree[0] === 'identities' || (tree[0] === 'filter' && isIdentities(tree[1] ?? false)));

/** Whether a tree is one identity: the entry of a macro over them, or the one at a position. */
const isIdentity = (tree: Tree, isEntry: boolean): boolean =>
  typeof tree === 'object' && (tree[0] === 'it' ? isEntry : tree[0] === '[]' && isIdentities(tree[1] ?? false));
