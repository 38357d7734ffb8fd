/** Reads, builds and writes the XML of custom policies. Order, comments and namespaces of what is copied stay. */
import { DOMParser, type Document, type Element, type Node, XMLSerializer } from '@xmldom/xmldom';

export const POLICY_NAMESPACE = 'http://schemas.microsoft.com/online/cpim/schemas/2013/06';

/** Makes a node of a document. */
export type Part = (document: Document) => Node;

/** What XML 1.0 cannot hold, not even escaped. */
const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;
const asXml = (text: string) => text.replace(NOT_XML, '\ufffd');

/** An element of the policy namespace. Attributes and children that are undefined are left out. */
export const element =
  (
    name: string,
    attributes: { readonly [name: string]: string | undefined } = {},
    ...children: readonly (Part | string | undefined)[]
  ): Part =>
  (document) => {
    const made = document.createElementNS(POLICY_NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes))
      if (value !== undefined) made.setAttribute(key, asXml(value));
    for (const child of children)
      if (child !== undefined)
        made.appendChild(typeof child === 'string' ? document.createTextNode(asXml(child)) : child(document));
    return made;
  };

/** A copy of an element of another document, with everything in it. */
export const copyOf =
  (original: Element, change: (copy: Element) => void = () => {}): Part =>
  (document) => {
    const copy = document.importNode(original, true);
    change(copy);
    return copy;
  };

/** A parsed text, or the reason why it is none. */
export type ParsedXml =
  | { readonly ok: true; readonly root: Element }
  | { readonly ok: false; readonly reason: string; readonly line?: number | undefined };

/** Accepts well-formed XML only: the parser would guess at a missing quote or end tag. */
export function parseXml(text: string): ParsedXml {
  let line: number | undefined;
  let problem: string | undefined;
  const parser = new DOMParser({
    onError: (level, message, at: { readonly locator?: { readonly lineNumber?: number } }) => {
      // It asks whether the encoding is right. The text was decoded strictly.
      if (level === 'warning' && message.includes('replacement character')) return;
      line = at.locator?.lineNumber || undefined;
      problem = message;
      throw new Error(message);
    },
  });
  try {
    const document = parser.parseFromString(text, 'application/xml');
    // Entities of a document type could grow without limit. B2C takes none.
    if (document.doctype !== null) return { ok: false, reason: 'it has a document type (<!DOCTYPE …>)' };
    const root = document.documentElement;
    return root === null ? { ok: false, reason: 'it has no element' } : { ok: true, root };
  } catch (error) {
    return { ok: false, reason: problem ?? (error instanceof Error ? error.message : String(error)), line };
  }
}

/** The child elements of a name, or all. */
export const childrenOf = (parent: Element | undefined, name?: string): Element[] =>
  parent === undefined
    ? []
    : [...parent.childNodes].filter(
        (node): node is Element => isElement(node) && (name === undefined || node.localName === name),
      );

export const childOf = (parent: Element | undefined, name: string): Element | undefined => childrenOf(parent, name)[0];

/** The elements of a name at any depth, in document order. */
export const descendantsOf = (parent: Element, name: string): Element[] => [
  ...parent.getElementsByTagNameNS(POLICY_NAMESPACE, name),
];

export const textIn = (found: Element | undefined): string => (found?.textContent ?? '').trim();

/** An attribute; undefined when the element has none of the name. */
export const attributeOf = (found: Element, name: string): string | undefined => found.getAttribute(name) ?? undefined;

/** The text of a document with this root, indented by two spaces. */
export function xmlText(root: Part): string {
  const document = new DOMParser().parseFromString(`<TrustFrameworkPolicy xmlns="${POLICY_NAMESPACE}"/>`, 'text/xml');
  const made = root(document) as Element;
  indent(made, 0);
  return `<?xml version="1.0" encoding="utf-8"?>\n${new XMLSerializer().serializeToString(made)}\n`;
}

const isElement = (node: Node): node is Element => node.nodeType === node.ELEMENT_NODE;

/** Elements that have text keep it as it is. Copied elements lose the indentation of their file. */
function indent(parent: Element, depth: number): void {
  const nodes = [...parent.childNodes];
  if (!nodes.some(isElement)) return;
  for (const node of nodes) if (node.nodeType === node.TEXT_NODE) parent.removeChild(node);
  const { ownerDocument: document } = parent;
  if (document === null) return;
  const newLine = (level: number) => document.createTextNode(`\n${'  '.repeat(level)}`);
  for (const node of [...parent.childNodes]) {
    parent.insertBefore(newLine(depth + 1), node);
    if (isElement(node)) indent(node, depth + 1);
  }
  parent.appendChild(newLine(depth));
}
