/** Walks a parsed expression before it runs: whether every name, function and kind in it can be meant, and what may fail. */
import { judge } from './calls.ts';
import { neverTrue } from './comparisons.ts';
import { constantKind, constantResult } from './constants.ts';
import { askedFor, both, type Facts, factsUnless, NO_FACTS } from './facts.ts';
import { Findings } from './findings.ts';
import { BOOL, INT, type Kind, kindOf, LIST, MAP, NOTHING, named, TEXT, TRUTH, UINT, union } from './kinds.ts';
import { MAX_ENTRIES } from './limits.ts';
import { overloadsOf, writtenAs } from './overloads.ts';
import {
  AND,
  argumentsOf,
  CONDITIONAL,
  callOf,
  IN,
  INDEX,
  type Macro,
  macroOf,
  type Node,
  OR,
  pathOf,
  qualifiedName,
  shown,
  type Tree,
  testedPath,
  textOf,
} from './tree.ts';
import { isVariable, unknownVariable } from './variables.ts';

/** Where a piece stands: what is sure there, which names its macro has, how often it may be evaluated. */
interface Place {
  readonly facts: Facts;
  readonly names: ReadonlyMap<string, Kind>;
  readonly times: number;
}

/** All problems at once, and the kind of the whole. */
export function analyse(tree: Tree, listNames: ReadonlySet<string>): { findings: Findings; kind: Kind } {
  const findings = new Findings(listNames);
  const analysis = new Analysis(tree, findings);
  return { findings, kind: analysis.visit(tree.expr, { facts: NO_FACTS, names: new Map(), times: 1 }) };
}

class Analysis {
  readonly #tree: Tree;
  readonly #findings: Findings;

  constructor(tree: Tree, findings: Findings) {
    this.#tree = tree;
    this.#findings = findings;
  }

  visit(node: Node, place: Place): Kind {
    const path = pathOf(node);
    const [variable = ''] = path ?? [];
    const own = path?.length === 1 ? place.names.get(variable) : undefined;
    if (own !== undefined) return own;
    if (path !== undefined && isVariable(variable)) return this.#findings.readValue(path, place.facts);
    if (path?.length === 1) return this.#refuse(unknownVariable(variable, writtenAs(variable)));
    const { exprKind } = node;
    switch (exprKind.case) {
      case 'constExpr': {
        const kind = constantKind(exprKind.value.constantKind);
        return typeof kind === 'string' ? this.#refuse(kind) : kind;
      }
      case 'listExpr': {
        const kinds = exprKind.value.elements.map((element) => this.#noMap(element, this.visit(element, place)));
        return kindOf(LIST, { entries: kinds.length, of: kinds.reduce(union, NOTHING) });
      }
      case 'selectExpr':
        return this.#visitSelect(node, place);
      case 'structExpr':
        return this.#visitMap(node, place);
      case 'callExpr':
        return this.#visitCall(node, place);
    }
    const macro = macroOf(node, this.#tree);
    return macro === undefined ? this.#refuse('A part of it cannot be read.') : this.#visitMacro(macro, place);
  }

  #refuse(problem: string): Kind {
    return this.#findings.refuse(problem);
  }

  #noMap(node: Node, kind: Kind): Kind {
    if (!(kind.bits & MAP)) return kind;
    return this.#refuse(`${shown(node)} can only be asked with in: write 'x' in ${shown(node)}.`);
  }

  #needTruth(node: Node, { bits }: Kind, where: string): void {
    const written = shown(node);
    if (bits !== 0 && !(bits & BOOL)) {
      this.#refuse(`${where} takes true or false, and ${written} is ${named(bits)}: compare it with something.`);
    } else if (bits & ~BOOL) {
      this.#findings.fails.add(
        `${written} may come as ${named(bits & ~BOOL)}, which is neither true nor false: bool(…) reads 'true' and 'false' too.`,
      );
    }
  }

  #visitSelect(node: Node, place: Place): Kind {
    const { exprKind } = node;
    if (exprKind.case !== 'selectExpr' || exprKind.value.operand === undefined) return NOTHING;
    const { operand, field, testOnly } = exprKind.value;
    const path = testedPath(node);
    if (path !== undefined && isVariable(path[0] ?? '')) {
      this.#findings.read(path);
      return TRUTH;
    }
    const kind = this.#member(node, operand, this.visit(operand, place), testOnly ? undefined : `.${field}`);
    return testOnly ? TRUTH : kind;
  }

  /** What a member of something gives that is none of our variables; `written` is undefined within has(). */
  #member(node: Node, operand: Node, owner: Kind, written: string | undefined): Kind {
    if (owner.bits === 0) return NOTHING;
    if (owner.bits !== MAP) {
      return this.#refuse(
        `${shown(operand)} is ${named(owner.bits)} and has no members: leave ${written ?? 'has()'} out.`,
      );
    }
    if (written !== undefined) this.#findings.fails.add(`${shown(node)} may be absent: guard it with in.`);
    return owner.of ?? NOTHING;
  }

  #visitIndex(node: Node, operand: Node, index: Node, place: Place): Kind {
    const owner = this.visit(operand, place);
    const by = this.visit(index, place);
    const written = shown(index);
    if (owner.bits === 0 || by.bits === 0) return NOTHING;
    if (owner.bits === MAP && !(by.bits & TEXT)) {
      return this.#refuse(`Keys are texts, and ${written} is ${named(by.bits)}: write string(${written}).`);
    }
    if (owner.bits !== LIST) return this.#member(node, operand, owner, `[${written}]`);
    if (by.bits & ~(INT | UINT)) {
      return this.#refuse(`Entries of a list are counted by whole numbers from 0: write int(${written}).`);
    }
    this.#findings.fails.add(
      `${shown(node)} fails when the list is shorter: ask with size(${shown(operand)}), or use exists.`,
    );
    return owner.of ?? NOTHING;
  }

  #visitMap(node: Node, place: Place): Kind {
    if (node.exprKind.case !== 'structExpr') return NOTHING;
    const { entries, messageName } = node.exprKind.value;
    if (messageName !== '') {
      return this.#refuse(`${messageName}{…} has no use here: write a text, a number, true or false.`);
    }
    const keys = new Set<string>();
    const kinds = entries.map(({ keyKind, value }) => {
      const key = keyKind.case === 'mapKey' ? textOf(keyKind.value) : undefined;
      if (key === undefined) this.#refuse("The keys of a map are texts written out, as in {'DE': 'Germany'}.");
      else if (keys.has(key)) this.#refuse(`The key '${key}' stands twice in a map: leave one out.`);
      else keys.add(key);
      return value === undefined ? NOTHING : this.#noMap(value, this.visit(value, place));
    });
    return kindOf(MAP, { of: kinds.reduce(union, NOTHING) });
  }

  #visitMacro({ name, variable, range, test, made }: Macro, place: Place): Kind {
    const list = this.visit(range, place);
    const over = shown(range);
    if (place.names.size > 0) {
      return this.#refuse(`A macro within a macro (${name}) takes too long: use in, as in x in ${over}.`);
    }
    if (isVariable(variable)) this.#refuse(`${variable} is a variable already: write another name in ${name}, as x.`);
    if (list.bits & MAP) {
      this.#refuse(`${name}() goes through lists that are written out or come with the call: for ${over} use in.`);
    } else if (list.bits & ~LIST) {
      this.#refuse(`${name}() goes through lists, and ${over} is ${named(list.bits)}.`);
    }
    const { entries, of: entry = NOTHING } = list.bits === LIST ? list : NOTHING;
    const within = { ...place, names: new Map([[variable, entry]]), times: place.times * Math.max(1, entries) };
    if (test !== undefined) this.#needTruth(test, this.visit(test, within), `${name}()`);
    const each = made === undefined ? entry : this.#noMap(made, this.visit(made, within));
    if (name !== 'map' && name !== 'filter') return TRUTH;
    if (entries > MAX_ENTRIES) {
      this.#findings.fails.add(`${name}() over ${over} fails when the list has over ${MAX_ENTRIES} entries.`);
    }
    return kindOf(LIST, { entries: Math.min(entries, MAX_ENTRIES), of: each });
  }

  #visitCall(node: Node, place: Place): Kind {
    const { facts } = place;
    const sides = argumentsOf(node, AND) ?? argumentsOf(node, OR);
    const [a, b] = sides ?? [];
    if (a !== undefined && b !== undefined) {
      const decides = argumentsOf(node, AND) === undefined;
      const sign = decides ? '||' : '&&';
      this.#needTruth(a, this.visit(a, { ...place, facts: both(facts, factsUnless(decides, b)) }), sign);
      this.#needTruth(b, this.visit(b, { ...place, facts: both(facts, factsUnless(decides, a)) }), sign);
      return TRUTH;
    }
    const [condition, then, otherwise] = argumentsOf(node, CONDITIONAL) ?? [];
    if (condition !== undefined && then !== undefined && otherwise !== undefined) {
      this.#needTruth(condition, this.visit(condition, place), '?');
      return union(
        this.visit(then, { ...place, facts: both(facts, factsUnless(false, condition)) }),
        this.visit(otherwise, { ...place, facts: both(facts, factsUnless(true, condition)) }),
      );
    }
    const [owner, index] = argumentsOf(node, INDEX) ?? [];
    if (owner !== undefined && index !== undefined) return this.#visitIndex(node, owner, index, place);
    const [name, map] = argumentsOf(node, IN) ?? [];
    if (name === undefined || map === undefined || askedFor(node) === undefined)
      return this.#visitFunction(node, place);
    this.#findings.read([...(pathOf(map) ?? []), textOf(name) ?? '']);
    return TRUTH;
  }

  #visitFunction(node: Node, place: Place): Kind {
    const call = callOf(node);
    if (call === undefined) return NOTHING;
    const { target } = call;
    const qualified = target && `${qualifiedName(target)}.${call.function}`;
    const isQualified = qualified !== undefined && overloadsOf(qualified).length > 0;
    const name = isQualified ? qualified : call.function;
    const isMethod = target !== undefined && !isQualified;
    const args = isMethod ? [target, ...call.args] : call.args;
    const kinds = args.map((arg, index) => {
      const kind = this.visit(arg, place);
      return name === 'size' || (name === IN && index === 1) ? kind : this.#noMap(arg, kind);
    });
    const findings = this.#findings;
    const judgement = judge(node, name, isMethod, args, kinds);
    findings.spend(name, kinds, name === 'matches' && args.length === 2 ? findings.pattern(args[1]) : 1, place.times);
    if (name.startsWith('get') && args.length === 2) findings.zone(args[1]);
    if (name === 'age') findings.time = true;
    const constant = judgement.problem === undefined ? constantResult(node, name, args) : undefined;
    const problem = judgement.problem ?? neverTrue(name, args, kinds) ?? constant?.problem;
    if (problem !== undefined) return this.#refuse(problem);
    if (constant !== undefined) return { ...judgement.kind, magnitude: constant.magnitude };
    for (const reason of judgement.fails) findings.fails.add(reason);
    return judgement.kind;
  }
}
