/** What is known of a value before there is one: which kinds it may have, and how large it may be. */
import type { CelType } from '@bufbuild/cel';
import { MAX_ENTRIES, MAX_TEXT } from './limits.ts';

export const TEXT = 1;
/** CEL's int: what whole numbers in an expression are, and what `size` gives. */
export const INT = 2;
export const UINT = 4;
/** CEL's double: what numbers among claims are. */
export const DOUBLE = 8;
export const BOOL = 16;
export const LIST = 32;
export const MAP = 64;
export const TIME = 128;
export const DURATION = 256;
export const NUMBERS = INT | UINT | DOUBLE;
const EVERY_KIND = 511;

const NAMES: readonly (readonly [kind: number, name: string])[] = [
  [TEXT, 'text'],
  [INT, 'a whole number'],
  [UINT, 'a whole number of the uint kind'],
  [DOUBLE, 'a number'],
  [BOOL, 'true/false'],
  [LIST, 'a list'],
  [MAP, 'a map'],
  [TIME, 'a time'],
  [DURATION, 'a duration'],
];

export interface Kind {
  /** The kinds that it may have; 0: there is no value, as among the entries of `[]`. */
  readonly bits: number;
  /** Of a text: its length at most, in UTF-16 units. */
  readonly length: number;
  /** Of a number: its magnitude at most; Infinity when it may be no finite number. Of times and durations: in seconds. */
  readonly magnitude: number;
  /** Of a list: how many entries at most. */
  readonly entries: number;
  /** The entries of a list, the values of a map. */
  readonly of: Kind | undefined;
}

/** Of one kind or several, as large as such values get. */
export const kindOf = (bits: number, bounds: Partial<Kind> = {}): Kind => ({
  bits,
  length: MAX_TEXT,
  magnitude: Number.POSITIVE_INFINITY,
  entries: MAX_ENTRIES,
  of: undefined,
  ...bounds,
});

export const NOTHING = kindOf(0, { length: 0, magnitude: 0, entries: 0 });
export const ANYTHING = kindOf(EVERY_KIND);
export const TRUTH = kindOf(BOOL);

/** One or the other. */
export function union(a: Kind, b: Kind): Kind {
  if (a.bits === 0) return b;
  if (b.bits === 0) return a;
  const of = a.of && b.of ? union(a.of, b.of) : (a.of ?? b.of);
  return {
    bits: a.bits | b.bits,
    length: Math.max(lengthOf(a), lengthOf(b)),
    magnitude: Math.max(magnitudeOf(a), magnitudeOf(b)),
    entries: Math.max(entriesOf(a), entriesOf(b)),
    of,
  };
}

export const lengthOf = ({ bits, length }: Kind) => (bits & TEXT ? length : 0);
export const magnitudeOf = ({ bits, magnitude }: Kind) => (bits & (NUMBERS | TIME | DURATION) ? magnitude : 0);
export const entriesOf = ({ bits, entries }: Kind) => (bits & LIST ? entries : 0);

/** Characters in it at most, a list's entries included. */
export const weightOf = (kind: Kind): number =>
  lengthOf(kind) + entriesOf(kind) * (1 + (kind.of === undefined ? 0 : weightOf(kind.of)));

/** The kinds that a parameter of that CEL type takes; 0 for types that no expression has values of. */
export function bitsOf({ kind, name }: CelType): number {
  if (kind === 'list') return LIST;
  if (kind === 'map') return MAP;
  return BITS.get(name) ?? 0;
}

const BITS: ReadonlyMap<string, number> = new Map([
  ['string', TEXT],
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['dyn', EVERY_KIND],
  ['google.protobuf.Timestamp', TIME],
  ['google.protobuf.Duration', DURATION],
]);

/** The kinds one by one. */
export const singly = (bits: number): readonly number[] => NAMES.map(([kind]) => kind).filter((kind) => bits & kind);

/** As a sentence has it: `text, a number or true/false`. */
export function named(bits: number): string {
  if (bits === EVERY_KIND) return 'anything';
  const names = NAMES.filter(([kind]) => bits & kind).map(([, name]) => name);
  const last = names.pop() ?? 'nothing';
  return names.length === 0 ? last : `${names.join(', ')} or ${last}`;
}
