/**
 * What a parsed expression means before it runs: whether every name, function and kind in it can be meant; what it reads; why it
 * may fail; how much work it may be. Says all problems at once.
 */
import { judge, overloadsOf, writtenAs } from './calls.ts';
import { neverTrue } from './comparisons.ts';
import { constantResult } from './constants.ts';
import { isZone } from './dates.ts';
import { askedFor, both, type Facts, factOf, factsUnless, NO_FACTS } from './facts.ts';
import {
  BOOL,
  DOUBLE,
  INT,
  type Kind,
  kindOf,
  LIST,
  MAP,
  NOTHING,
  named,
  TEXT,
  TRUTH,
  UINT,
  union,
  weightOf,
} from './kinds.ts';
import { MAX_ENTRIES, MAX_WORK } from './limits.ts';
import { compilePattern, type Pattern } from './patterns.ts';
import {
  AND,
  argumentsOf,
  CONDITIONAL,
  type Constant,
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
import { isVariable, readPath, unknownVariable } from './variables.ts';

export interface Analysis {
  readonly kind: Kind;
  /** Sentences that say what to write instead. */
  readonly problems: ReadonlySet<string>;
  /** Sentences that say when it fails. */
  readonly fails: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  readonly person: boolean;
  readonly time: boolean;
  readonly patterns: ReadonlyMap<string, Pattern>;
}

/** In characters looked at: what every call costs, and what `format` does, which may make a formatter for each of 100 numbers. */
const COST_OF_A_CALL = 100;
const COST_OF_FORMAT = 250_000;

/** Where a piece stands: what is sure there, which names its macro has, how often it may be evaluated. */
interface Place {
  readonly facts: Facts;
  readonly names: ReadonlyMap<string, Kind>;
  readonly times: number;
}

export function analyse(tree: Tree, listNames: ReadonlySet<string>): Analysis {
  const problems = new Set<string>();
  const fails = new Set<string>();
  const claims = new Set<string>();
  const patterns = new Map<string, Pattern>();
  let person = false;
  let time = false;
  let work = 0;

  const refuse = (problem: string): Kind => {
    problems.add(problem);
    return NOTHING;
  };

  function visit(node: Node, place: Place): Kind {
    const path = pathOf(node);
    const [variable = ''] = path ?? [];
    const own = path?.length === 1 ? place.names.get(variable) : undefined;
    if (own !== undefined) return own;
    if (path !== undefined && isVariable(variable)) return visitPath(path, place.facts);
    if (path?.length === 1) return refuse(unknownVariable(variable, writtenAs(variable)));
    const { exprKind } = node;
    if (exprKind.case === 'constExpr') return visitConstant(exprKind.value.constantKind);
    if (exprKind.case === 'selectExpr' && exprKind.value.operand) {
      const { operand, field, testOnly } = exprKind.value;
      return testOnly ? visitHas(node, operand, place) : member(node, visit(operand, place), operand, `.${field}`);
    }
    if (exprKind.case === 'callExpr') return visitCall(node, place);
    if (exprKind.case === 'listExpr') {
      const kinds = exprKind.value.elements.map((element) => noMap(element, visit(element, place)));
      return kindOf(LIST, { entries: kinds.length, of: kinds.reduce(union, NOTHING) });
    }
    if (exprKind.case === 'structExpr') return visitMap(node, place);
    const macro = macroOf(node, tree);
    return macro === undefined ? refuse(`${shown(node)} cannot be read.`) : visitMacro(macro, place);
  }

  /** A member of one of our variables, which counts as read whether it is there or not. */
  function read(path: readonly string[]): Kind {
    const found = readPath(path, listNames);
    if (!found.ok) return refuse(found.problem);
    const [variable, name = ''] = path;
    if (variable === 'claims') claims.add(name);
    person ||= variable === 'person';
    time ||= variable === 'request' && name === 'time';
    return found.kind;
  }

  function visitPath(path: readonly string[], facts: Facts): Kind {
    const fact = factOf(path);
    const kind = read(path);
    if (kind.bits === 0 || fact === undefined || facts === 'unreachable' || facts.has(fact)) return kind;
    const name = path.at(-1) ?? '';
    const owner = path.slice(0, -1).join('.');
    const guard = /^[A-Za-z_]\w*$/.test(name) ? `has(${fact})` : `'${name}' in ${owner}`;
    fails.add(`${fact} may be absent: guard it with ${guard}.`);
    return kind;
  }

  function visitConstant(constant: Constant): Kind {
    switch (constant.case) {
      case 'stringValue':
        return kindOf(TEXT, { length: constant.value.length });
      case 'boolValue':
        return TRUTH;
      case 'int64Value':
        return BigInt.asIntN(64, constant.value) === constant.value
          ? kindOf(INT, { magnitude: Math.abs(Number(constant.value)) })
          : refuse(`${constant.value} is too large for a whole number: CEL counts to ${2n ** 63n - 1n}.`);
      case 'uint64Value':
        return BigInt.asUintN(64, constant.value) === constant.value
          ? kindOf(UINT, { magnitude: Number(constant.value) })
          : refuse(`${constant.value}u is too large for a whole number: CEL counts to ${2n ** 64n - 1n}.`);
      case 'doubleValue':
        return Number.isFinite(constant.value)
          ? kindOf(DOUBLE, { magnitude: Math.abs(constant.value) })
          : refuse('A number is too large to be one.');
      case 'nullValue':
        return refuse(
          'There is no null here: a claim that was not sent is absent. Write !has(claims.x), or has(claims.x).',
        );
      default:
        return refuse("Bytes have no use here: write a text without the b before its quotes, as in 'abc'.");
    }
  }

  function visitHas(node: Node, operand: Node, place: Place): Kind {
    const path = testedPath(node);
    if (path !== undefined && isVariable(path[0] ?? '')) read(path);
    else member(node, visit(operand, place), operand, '');
    return TRUTH;
  }

  /** What a member or an index of something gives that is none of our variables. */
  function member(node: Node, owner: Kind, operand: Node, written: string): Kind {
    if (owner.bits === 0) return NOTHING;
    if (owner.bits !== MAP)
      return refuse(`${shown(operand)} is ${named(owner.bits)} and has no members: leave ${written || 'has()'} out.`);
    if (written !== '') fails.add(`${shown(node)} may be absent: guard it with in.`);
    return owner.of ?? NOTHING;
  }

  function visitIndex(node: Node, operand: Node, index: Node, place: Place): Kind {
    const owner = visit(operand, place);
    const by = visit(index, place);
    if (owner.bits === 0 || by.bits === 0) return NOTHING;
    if (owner.bits !== LIST) {
      if (owner.bits === MAP && !(by.bits & TEXT))
        return refuse(`Keys are texts, and ${shown(index)} is ${named(by.bits)}: write string(${shown(index)}).`);
      return member(node, owner, operand, `[${shown(index)}]`);
    }
    if (by.bits & ~(INT | UINT))
      return refuse(
        `Entries of a list are counted by whole numbers from 0: write int(${shown(index)}) instead of ${shown(index)}.`,
      );
    fails.add(`${shown(node)} fails when the list is shorter: ask with size(${shown(operand)}), or use exists.`);
    return owner.of ?? NOTHING;
  }

  function visitMap(node: Node, place: Place): Kind {
    if (node.exprKind.case !== 'structExpr') return NOTHING;
    const { entries, messageName } = node.exprKind.value;
    if (messageName !== '')
      return refuse(`${messageName}{…} makes a message, which has no use here: write a text, a number, true or false.`);
    const keys = new Set<string>();
    const kinds = entries.map(({ keyKind, value }) => {
      const key = keyKind.case === 'mapKey' ? textOf(keyKind.value) : undefined;
      if (key === undefined) refuse("The keys of a map are texts written out, as in {'DE': 'Germany'}.");
      else if (keys.has(key)) refuse(`The key '${key}' stands twice in a map: leave one out.`);
      else keys.add(key);
      return value === undefined ? NOTHING : noMap(value, visit(value, place));
    });
    return kindOf(MAP, { of: kinds.reduce(union, NOTHING) });
  }

  const noMap = (node: Node, kind: Kind): Kind =>
    kind.bits & MAP
      ? refuse(`${shown(node)} is a map, which can only be asked with in: write 'x' in ${shown(node)}.`)
      : kind;

  function visitMacro({ name, variable, range, test, made }: Macro, place: Place): Kind {
    const list = visit(range, place);
    if (place.names.size > 0)
      return refuse(`A macro within a macro (${name}) takes too long: use in, as in x in ${shown(range)}.`);
    if (isVariable(variable)) refuse(`${variable} is a variable already: call it something else in ${name}, as in x.`);
    if (list.bits & MAP)
      refuse(`${name}() goes through lists that are written out or come with the call: for ${shown(range)} use in.`);
    else if (list.bits & ~LIST) refuse(`${name}() goes through lists, and ${shown(range)} is ${named(list.bits)}.`);
    const entries = list.bits === LIST ? list.entries : 0;
    const names = new Map([[variable, (list.bits === LIST && list.of) || NOTHING]]);
    const within = { facts: place.facts, names, times: place.times * Math.max(1, entries) };
    if (test !== undefined) needTruth(test, visit(test, within), `${name}()`);
    const each = made === undefined ? (list.of ?? NOTHING) : noMap(made, visit(made, within));
    if (name !== 'map' && name !== 'filter') return TRUTH;
    if (entries > MAX_ENTRIES)
      fails.add(`${name}() over ${shown(range)} fails when the list has over ${MAX_ENTRIES} entries.`);
    return kindOf(LIST, { entries: Math.min(entries, MAX_ENTRIES), of: each });
  }

  function needTruth(node: Node, { bits }: Kind, where: string): void {
    if (bits !== 0 && !(bits & BOOL)) {
      refuse(`${where} takes true or false, and ${shown(node)} is ${named(bits)}: compare it with something.`);
    } else if (bits & ~BOOL) {
      fails.add(
        `${shown(node)} may come as ${named(bits & ~BOOL)}, which is neither true nor false: bool(…) reads 'true' and 'false' too.`,
      );
    }
  }

  function visitCall(node: Node, place: Place): Kind {
    const { facts } = place;
    const [a, b] = argumentsOf(node, AND) ?? argumentsOf(node, OR) ?? [];
    if (a !== undefined && b !== undefined) {
      const decides = argumentsOf(node, AND) === undefined;
      const sign = decides ? '||' : '&&';
      needTruth(a, visit(a, { ...place, facts: both(facts, factsUnless(decides, b)) }), sign);
      needTruth(b, visit(b, { ...place, facts: both(facts, factsUnless(decides, a)) }), sign);
      return TRUTH;
    }
    const [condition, then, otherwise] = argumentsOf(node, CONDITIONAL) ?? [];
    if (condition !== undefined && then !== undefined && otherwise !== undefined) {
      needTruth(condition, visit(condition, place), '?');
      return union(
        visit(then, { ...place, facts: both(facts, factsUnless(false, condition)) }),
        visit(otherwise, { ...place, facts: both(facts, factsUnless(true, condition)) }),
      );
    }
    const [owner, index] = argumentsOf(node, INDEX) ?? [];
    if (owner !== undefined && index !== undefined) return visitIndex(node, owner, index, place);
    const [name, map] = argumentsOf(node, IN) ?? [];
    const asked =
      name && map && askedFor(node) !== undefined ? [...(pathOf(map) ?? []), textOf(name) ?? ''] : undefined;
    if (asked !== undefined) {
      read(asked);
      return TRUTH;
    }
    return visitFunction(node, place);
  }

  function visitFunction(node: Node, place: Place): Kind {
    const call = callOf(node);
    if (call === undefined) return NOTHING;
    const qualified = call.target && `${qualifiedName(call.target)}.${call.function}`;
    const isQualified = qualified !== undefined && overloadsOf(qualified).length > 0;
    const name = isQualified ? qualified : call.function;
    const isMethod = call.target !== undefined && !isQualified;
    const args = call.target !== undefined && isMethod ? [call.target, ...call.args] : call.args;
    const kinds = args.map((arg, index) => {
      const kind = visit(arg, place);
      return name === 'size' || (name === IN && index === 1) ? kind : noMap(arg, kind);
    });
    const judgement = judge(node, name, isMethod, args, kinds);
    const size = name === 'matches' && args.length === 2 ? pattern(args[1]) : 1;
    spend(name, kinds, size, place);
    if (judgement.problem !== undefined) return refuse(judgement.problem);
    const never = neverTrue(name, args, kinds);
    if (never !== undefined) return refuse(never);
    if (name.startsWith('get') && args.length === 2) zone(args[1]);
    time ||= name === 'age';
    const constant = constantResult(node, name, args);
    if (constant === undefined) {
      for (const reason of judgement.fails) fails.add(reason);
      return judgement.kind;
    }
    if (constant.problem !== undefined) return refuse(constant.problem);
    return { ...judgement.kind, magnitude: constant.magnitude };
  }

  /** The size of the pattern, which is compiled once. */
  function pattern(node: Node | undefined): number {
    const source = node && textOf(node);
    if (source === undefined) {
      refuse("The pattern of matches is written out, as in claims.postalCode.matches('^[0-9]{5}$').");
      return 1;
    }
    const compiled = patterns.get(source) ?? compilePattern(source);
    if (typeof compiled === 'string') {
      refuse(compiled);
      return 1;
    }
    patterns.set(source, compiled);
    return compiled.size;
  }

  function zone(node: Node | undefined): void {
    const name = node && textOf(node);
    if (name === undefined) refuse("A time zone is written out, as in request.time.getHours('Europe/Berlin').");
    else if (!isZone(name))
      refuse(`There is no time zone ${name}: write a name as in Europe/Berlin, or an offset as in +02:00.`);
  }

  function spend(name: string, kinds: readonly Kind[], size: number, { times }: Place): void {
    const weight = kinds.reduce(
      (sum, kind) => sum + weightOf(kind),
      COST_OF_A_CALL + (name === 'format' ? COST_OF_FORMAT : 0),
    );
    work += weight * size * times;
  }

  const kind = visit(tree.expr, { facts: NO_FACTS, names: new Map(), times: 1 });
  if (work > MAX_WORK)
    refuse(
      'This could take too long: write a smaller pattern or fewer calls, above all within exists, all, map or filter.',
    );
  return { kind, problems, fails, claims, person, time, patterns };
}
