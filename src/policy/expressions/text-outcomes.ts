/** Texts and lists put together and taken apart: how long they get, and when they get too long. */
import { kindOf, LIST, lengthOf, NOTHING, TEXT, union } from './kinds.ts';
import { MAX_ENTRIES, MAX_PARTS, MAX_TEXT } from './limits.ts';
import { arithmetic, sum } from './number-outcomes.ts';
import { type Call, COUNT, gives, mayFail, type Rule } from './outcome.ts';
import { shown, textOf, wholeNumberOf } from './tree.ts';

const tooLong = ({ node }: Call, length: number) =>
  length <= MAX_TEXT
    ? undefined
    : `${shown(node)} fails when the text is longer than ${MAX_TEXT.toLocaleString('en')} characters.`;

/** `+`, which texts and lists have too. */
export const added: Rule = (call) => {
  const [a = NOTHING, b = NOTHING] = call.kinds;
  if (call.gives === TEXT) {
    const length = a.length + b.length;
    return { kind: kindOf(TEXT, { length: Math.min(length, MAX_TEXT) }), fails: tooLong(call, length) };
  }
  if (call.gives !== LIST) return arithmetic(sum)(call);
  const entries = a.entries + b.entries;
  return {
    kind: kindOf(LIST, {
      entries: Math.min(entries, MAX_ENTRIES),
      of: a.of && b.of ? union(a.of, b.of) : (a.of ?? b.of),
    }),
    fails:
      entries <= MAX_ENTRIES ? undefined : `${shown(call.node)} fails when the list has over ${MAX_ENTRIES} entries.`,
  };
};

export const splitting: Rule = (call) => {
  const [text = NOTHING] = call.kinds;
  const limit = call.arguments[2] && wholeNumberOf(call.arguments[2]);
  const few = limit !== undefined && limit >= 0n && limit <= BigInt(MAX_PARTS);
  return {
    kind: kindOf(LIST, { entries: few ? Number(limit) : MAX_PARTS, of: kindOf(TEXT, { length: text.length }) }),
    fails:
      few || text.length < MAX_PARTS ? undefined : `${shown(call.node)} fails when there are over ${MAX_PARTS} parts.`,
  };
};

export const replacing: Rule = (call) => {
  const [text = NOTHING, , replacement = NOTHING] = call.kinds;
  const needle = call.arguments[1] && textOf(call.arguments[1]);
  if (!needle) return { kind: kindOf(TEXT), fails: `${shown(call.node)} fails when it is to replace ''.` };
  const length = text.length * Math.max(1, Math.ceil(replacement.length / needle.length));
  return { kind: kindOf(TEXT, { length: Math.min(length, MAX_TEXT) }), fails: tooLong(call, length) };
};

export const joining: Rule = (call) => {
  const [list = NOTHING, separator] = call.kinds;
  const entry = list.of ?? NOTHING;
  const length = list.entries * (lengthOf(entry) + (separator?.length ?? 0));
  const fails = entry.bits & ~TEXT ? `${shown(call.node)} fails when an entry is no text.` : tooLong(call, length);
  return { kind: kindOf(TEXT, { length: Math.min(length, MAX_TEXT) }), fails };
};

/** From the beginning, which every text has. */
export const fromStart: Rule = (call) => {
  const atStart = call.arguments.length === 2 && call.arguments[1] && wholeNumberOf(call.arguments[1]) === 0n;
  const fails = atStart ? undefined : `${shown(call.node)} fails when the text is shorter than that.`;
  return { kind: kindOf(TEXT, { length: call.kinds[0]?.length ?? MAX_TEXT }), fails };
};

export const searching: Rule = (call) =>
  call.arguments.length === 2 ? gives(COUNT)(call) : mayFail('when the text is shorter than that', COUNT)(call);
