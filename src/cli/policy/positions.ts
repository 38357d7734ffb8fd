/** Finds the line of a path in a JSON text. */
import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';

export interface Positions {
  /** The line, from 1, of a path such as `rules[2].when`. A missing member has the line of its nearest parent. */
  lineOf(path: string): number;
  /** The line of the first syntax error, undefined when there is none. */
  readonly brokenAt: number | undefined;
}

const NO_EXTENSIONS = { disallowComments: true, allowTrailingComma: false };

/** Never throws. In a text that cannot be parsed, or is nested too deeply for the stack, every path is on line 1. */
export function positionsIn(text: string): Positions {
  const lineAt = lineIndex(text);
  const errors: ParseError[] = [];
  let root: Node | undefined;
  try {
    root = parseTree(text, errors, NO_EXTENSIONS);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const firstError = errors[0];
  return {
    lineOf: (path) => lineAt(root === undefined ? 0 : offsetOf(nodeAt(root, path))),
    brokenAt: firstError === undefined ? undefined : lineAt(firstError.offset),
  };
}

function lineIndex(text: string): (offset: number) => number {
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index);
  return (offset) => ends.findLastIndex((end) => end < offset) + 2;
}

/** A member begins with its name, which may be on another line than its value. */
const offsetOf = (node: Node) => (node.parent?.type === 'property' ? node.parent : node).offset;

/** Names may contain dots and brackets, so the longest matching name is taken. */
function nodeAt(node: Node, path: string): Node {
  const rest = path.replace(/^\./, '');
  if (rest === '') return node;
  if (node.type === 'array') {
    const [whole = '', index] = /^\[(\d+)\]/.exec(rest) ?? [];
    const item = index === undefined ? undefined : findNodeAtLocation(node, [Number(index)]);
    return item === undefined ? node : nodeAt(item, rest.slice(whole.length));
  }
  const named = membersOf(node)
    .filter(({ name }) => rest.startsWith(name) && /^(?:$|[.[])/.test(rest.slice(name.length)))
    .reduce<Member | undefined>(
      (best, member) => (member.name.length >= (best?.name.length ?? 0) ? member : best),
      undefined,
    );
  return named === undefined ? node : nodeAt(named.value, rest.slice(named.name.length));
}

interface Member {
  readonly name: string;
  readonly value: Node;
}

const membersOf = (node: Node): Member[] =>
  node.type !== 'object'
    ? []
    : (node.children ?? []).flatMap(({ children: [name, value] = [] }) =>
        name === undefined || value === undefined ? [] : [{ name: String(name.value), value }],
      );
