/** Where in a JSON text something stands: the line of a path, as problems name it, and members that stand twice. */
import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser';

export interface Positions {
  /** The line, counted from 1, of a path such as `rules[2].when`; of the nearest part around it when there is no such member. */
  lineOf(path: string): number;
  /** The line of the first error of JSON's grammar, undefined where there is none. */
  readonly brokenAt: number | undefined;
  /** Members of one object under one name: JSON.parse keeps the last without a word. */
  readonly repeated: readonly Repeated[];
}

interface Repeated {
  readonly path: string;
  readonly name: string;
  readonly lines: readonly number[];
}

const NO_EXTENSIONS = { disallowComments: true, allowTrailingComma: false };

/** Never throws: a text that cannot be read, or nests deeper than the stack, has its one line. */
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
    repeated: root === undefined ? [] : repeatedIn(root, lineAt),
  };
}

function lineIndex(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** A member begins with its name, which may stand on another line than its value. */
const offsetOf = (node: Node) => (node.parent?.type === 'property' ? node.parent : node).offset;

/** Names may hold dots and brackets themselves: of the members that the path could mean, the longest name is taken. */
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

function repeatedIn(root: Node, lineAt: (offset: number) => number): Repeated[] {
  const found: Repeated[] = [];
  const waiting: { node: Node; path: string }[] = [{ node: root, path: '' }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { node, path } = next;
    const lines = new Map<string, number[]>();
    for (const { name, value } of membersOf(node)) {
      lines.set(name, [...(lines.get(name) ?? []), lineAt(offsetOf(value))]);
      waiting.push({ node: value, path: path === '' ? name : `${path}.${name}` });
    }
    for (const [name, at] of lines)
      if (at.length > 1) found.push({ path: path === '' ? name : `${path}.${name}`, name, lines: at });
    if (node.type !== 'array') continue;
    for (const [index, item] of (node.children ?? []).entries()) {
      if (item.type === 'object' || item.type === 'array') waiting.push({ node: item, path: `${path}[${index}]` });
    }
  }
  return found;
}
