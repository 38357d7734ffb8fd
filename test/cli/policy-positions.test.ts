/** Where in a file of a policy something stands. */
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

/** The same with a text of its own in the place of each leaf, which is put down in `leaves` with its path. */
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
  it('is the line on which the member stands', () => {
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

  it('knows names that hold dots and brackets', () => {
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

  it('of what is not there is that of the part which lacks it', () => {
    const { lineOf } = positionsIn('{\n  "rules": [\n    {\n    "id": "a" }\n  ]\n}');
    expect(lineOf('rules[0].steps')).toBe(3);
    expect(lineOf('rules[7].id')).toBe(2);
    expect(lineOf('rules.id')).toBe(2);
    expect(lineOf('lists.a')).toBe(1);
    expect(lineOf('')).toBe(1);
  });

  it('is that of the name where the value stands below it', () => {
    expect(positionsIn('{\n  "rules":\n    []\n}').lineOf('rules')).toBe(2);
  });
});

describe('a text that JSON.parse would read in part or not at all', () => {
  it('says the line where its grammar breaks', () => {
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

  it('may nest without end', () => {
    const deep = '['.repeat(200_000);
    expect(positionsIn(deep).lineOf('rules')).toBe(1);
    expect(positionsIn(`{"rules":${deep}${']'.repeat(200_000)}}`).lineOf('rules[0]')).toBe(1);
  });
});
