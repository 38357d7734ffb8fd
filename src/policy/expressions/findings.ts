/** What was found in one expression: all that is wrong with it, all that can go wrong, what it reads. */

import { isZone } from './dates.ts';
import { type Facts, factOf } from './facts.ts';
import { type Kind, NOTHING, weightOf } from './kinds.ts';
import { MAX_WORK } from './limits.ts';
import { compilePattern, type Pattern } from './patterns.ts';
import { type Node, textOf } from './tree.ts';
import { readPath } from './variables.ts';

/** In characters looked at: what every call costs, and what `format` does, which may make a formatter for each of 100 numbers. */
const COST_OF_A_CALL = 100;
const COST_OF_FORMAT = 250_000;

export class Findings {
  /** Sentences that say what to write instead. */
  readonly problems = new Set<string>();
  /** Sentences that say when it fails. */
  readonly fails = new Set<string>();
  readonly claims = new Set<string>();
  readonly patterns = new Map<string, Pattern>();
  person = false;
  time = false;
  readonly #listNames: ReadonlySet<string>;
  #work = 0;

  constructor(listNames: ReadonlySet<string>) {
    this.#listNames = listNames;
  }

  refuse(problem: string): Kind {
    this.problems.add(problem);
    return NOTHING;
  }

  /** A member of one of our variables, which counts as read whether it is there or not. */
  read(path: readonly string[]): Kind {
    const found = readPath(path, this.#listNames);
    if (!found.ok) return this.refuse(found.problem);
    const [variable, name = ''] = path;
    if (variable === 'claims') this.claims.add(name);
    if (variable === 'person') this.person = true;
    if (variable === 'request' && name === 'time') this.time = true;
    return found.kind;
  }

  /** Such a member where its value is needed. */
  readValue(path: readonly string[], facts: Facts): Kind {
    const kind = this.read(path);
    const fact = factOf(path);
    if (kind.bits === 0 || fact === undefined || facts === 'unreachable' || facts.has(fact)) return kind;
    const name = path.at(-1) ?? '';
    const guard = /^[A-Za-z_]\w*$/.test(name) ? `has(${fact})` : `'${name}' in ${path.slice(0, -1).join('.')}`;
    this.fails.add(`${fact} may be absent: guard it with ${guard}.`);
    return kind;
  }

  /** Compiles the pattern of a `matches`, once. Its size, 1 when there is none. */
  pattern(node: Node | undefined): number {
    const source = node && textOf(node);
    const compiled =
      source === undefined
        ? "The pattern of matches is written out, as in claims.postalCode.matches('^[0-9]{5}$')."
        : (this.patterns.get(source) ?? compilePattern(source));
    if (typeof compiled === 'string') this.refuse(compiled);
    if (typeof compiled === 'string' || source === undefined) return 1;
    this.patterns.set(source, compiled);
    return compiled.size;
  }

  zone(node: Node | undefined): void {
    const name = node && textOf(node);
    if (name === undefined) {
      this.refuse("A time zone is written out, as in request.time.getHours('Europe/Berlin').");
    } else if (!isZone(name)) {
      this.refuse(`There is no time zone ${name}: write a name as in Europe/Berlin, or an offset as in +02:00.`);
    }
  }

  /** Adds what a call costs at the worst: the characters of its arguments, as often as it is made. */
  spend(name: string, kinds: readonly Kind[], patternSize: number, times: number): void {
    const before = this.#work <= MAX_WORK;
    const cost = COST_OF_A_CALL + (name === 'format' ? COST_OF_FORMAT : 0);
    this.#work += kinds.reduce((sum, kind) => sum + weightOf(kind), cost) * patternSize * times;
    if (before && this.#work > MAX_WORK) {
      this.refuse(
        'This could take too long: write a smaller pattern or fewer calls, above all within exists, all, map or filter.',
      );
    }
  }
}
