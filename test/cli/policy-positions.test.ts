/** The line of a path in a JSON file. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionsIn } from '../../src/cli/policy/positions.ts';

const name = fc.stringMatching(/^[a-z]{1,3}$/);
const part = fc.letrec((tie) => ({
  part: fc.oneof(
    { depthSize: 'small' },
    fc.constant('leaf'),
    fc.array(tie('part'), { maxLength: 4 }),
    fc.dictionary(name, tie('part'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).part;

/** Replaces each leaf by a unique text and records the text in `leaves` by path. */
function marked(node: unknown, path: string, leaves: Map<string, string>): unknown {
  if (Array.isArray(node)) return node.map((item, index) => marked(item, `${path}[${index}]`, leaves));
  if (typeof node === 'object' && node !== null) {
    const entries = Object.entries(node).map(([key, item]) => [key, marked(item, join(path, key), leaves)]);
    return Object.fromEntries(entries);
  }
  leaves.set(path, `leaf ${leaves.size}`);
  return leaves.get(path);
}
const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);

describe('the line of a path', () => {
  it('is the line of the member', () => {
    fc.assert(
      fc.property(part, fc.constantFrom('\n', '\r\n'), (document, newline) => {
        const leaves = new Map<string, string>();
        const text = JSON.stringify(marked(document, '', leaves), null, 2).replaceAll('\n', newline);
        const { lineOf, brokenAt } = positionsIn(text);
        expect(brokenAt).toBeUndefined();
        for (const [path, leaf] of leaves) expect(text.split(newline)[lineOf(path) - 1]).toContain(`"${leaf}"`);
      }),
    );
  });

  it('is right for names that contain dots and brackets', () => {
    const { lineOf } = positionsIn(`{
      "messages": {
        "a": { "en": "1" },
        "a.b": { "de-AT": "2",
          "en": "3" }
      },
      "applications": {
        "x[0].y": "4"
      }
    }`);
    expect(lineOf('messages.a.en')).toBe(3);
    expect(lineOf('messages.a.b.de-AT')).toBe(4);
    expect(lineOf('messages.a.b.en')).toBe(5);
    expect(lineOf('applications.x[0].y')).toBe(8);
  });

  it('is the line of the nearest parent when the member is missing', () => {
    const { lineOf } = positionsIn('{\n  "rules": [\n    {\n    "id": "a" }\n  ]\n}');
    expect(lineOf('rules[0].steps')).toBe(3);
    expect(lineOf('rules[7].id')).toBe(2);
    expect(lineOf('rules.id')).toBe(2);
    expect(lineOf('lists.a')).toBe(1);
    expect(lineOf('')).toBe(1);
  });

  it('is the line of the name when the value is on a later line', () => {
    expect(positionsIn('{\n  "rules":\n    []\n}').lineOf('rules')).toBe(2);
  });
});

describe('a text that is not JSON', () => {
  it('has the line of its first syntax error', () => {
    for (const [text, line] of [
      ['{\n  "a": 1,\n  "b" 2\n}', 3],
      ['{\n  "a": 1,\n}', 3],
      ['{\n  // a note\n  "a": 1\n}', 2],
      ['{\n  "a": [1,\n', 3],
      ['', 1],
    ] as const) {
      expect(() => JSON.parse(text)).toThrow();
      expect(positionsIn(text).brokenAt).toBe(line);
    }
  });

  it('may be nested too deeply for the stack', () => {
    const deep = '['.repeat(200_000);
    expect(positionsIn(deep).lineOf('rules')).toBe(1);
    expect(positionsIn(`{"rules":${deep}${']'.repeat(200_000)}}`).lineOf('rules[0]')).toBe(1);
  });
});
