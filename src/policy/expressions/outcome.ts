/** What comes of a call whose arguments fit: how large its result may be, and whether it may fail all the same. */
import { type Kind, kindOf, NOTHING } from './kinds.ts';
import { type Node, shown } from './tree.ts';

/** A call that fits: what stands before the dot comes first. Each kind is narrowed to what the parameter takes. */
export interface Call {
  readonly node: Node;
  readonly arguments: readonly Node[];
  readonly kinds: readonly Kind[];
  /** The kinds of value that it gives, as the library's table has it. */
  readonly gives: number;
}

export interface Outcome {
  readonly kind: Kind;
  /** A sentence on when it fails; undefined: it cannot. */
  readonly fails: string | undefined;
}

export type Rule = (call: Call) => Outcome;

export const gives =
  (bounds: Partial<Kind> = {}): Rule =>
  (call) => ({ kind: kindOf(call.gives, bounds), fails: undefined });

export const mayFail =
  (when: string, bounds: Partial<Kind> = {}): Rule =>
  (call) => ({ kind: kindOf(call.gives, bounds), fails: `${shown(call.node)} fails ${when}.` });

/** The value itself, in another kind at most. */
export const same: Rule = ({ kinds: [kind = NOTHING], gives: bits }) => ({ kind: { ...kind, bits }, fails: undefined });

/** Of what `size` and searches count: the largest list of a policy has fewer entries. */
export const COUNT = { magnitude: 1_000_000 };
