/** The differences between two policies: names and counts for the audit log, and lines for the terminal. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differingMembers } from '../../../src/cli/policy/compare.ts';
import { difference } from '../../../src/cli/policy/difference.ts';
import { differences, forLog, same } from '../../../src/desk/policies/differences.ts';
import type { PolicyDocument } from '../../../src/desk/policies/policy-document.ts';

const rule = (id: string, value = "'1'"): PolicyDocument['rules'][number] => ({
  id,
  steps: ['PreTokenIssuance'],
  set: { extension_X: value },
});
const rules = (...ids: string[]): PolicyDocument => ({ rules: ids.map((id) => rule(id)) });
const restricted = (onlyThese: boolean, clients: object = {}) =>
  ({ onlyThese, ...clients }) as unknown as NonNullable<PolicyDocument['applications']>;

describe('differences: the audit log', () => {
  it.each<[string, PolicyDocument | undefined, PolicyDocument, object]>([
    [
      'names added, removed and changed members of every part',
      {
        description: 'old',
        lists: { kept: ['a', 'b'], gone: ['x'], reordered: ['1', '2'] },
        messages: { kept: { en: 'Hello' }, gone: { en: 'Bye' } },
        applications: { 'client-1': 'Shop', 'client-2': 'Forum' },
        exchanges: { Kept: { kind: 'validation' }, Edited: { kind: 'validation' }, Gone: { kind: 'validation' } },
        rules: [rule('stays'), rule('edited'), rule('gone')],
      },
      {
        defaultLanguage: 'de',
        lists: { kept: ['b', 'c', 'd', 'e', 'f', 'f'], fresh: ['y', 'z'], reordered: ['2', '1', '1'] },
        messages: { kept: { de: 'Hallo', en: 'Hello' }, fresh: { de: 'Neu' } },
        applications: restricted(true, { 'client-1': 'Store', 'client-3': 'News' }),
        exchanges: { Fresh: { kind: 'validation' }, Kept: { kind: 'validation' }, Edited: { kind: 'orchestration' } },
        whenUnavailable: { PostFederationSignup: 'continue' },
        rules: [rule('fresh'), rule('stays'), rule('edited', "'2'")],
      },
      {
        rules: { added: ['fresh'], removed: ['gone'], changed: ['edited'] },
        lists: [
          { name: 'kept', change: 'changed', entriesAdded: 4, entriesRemoved: 1 },
          { name: 'fresh', change: 'added', entriesAdded: 2, entriesRemoved: 0 },
          { name: 'gone', change: 'removed', entriesAdded: 0, entriesRemoved: 1 },
        ],
        messages: { added: ['fresh'], removed: ['gone'], changed: ['kept'] },
        applications: {
          added: ['client-3'],
          removed: ['client-2'],
          changed: ['client-1'],
          onlyThese: { before: false, after: true },
        },
        exchanges: { added: ['Fresh'], removed: ['Gone'], changed: ['Edited'] },
        whenUnavailable: {
          before: { PostFederationSignup: 'block', PostAttributeCollection: 'block' },
          after: { PostFederationSignup: 'continue', PostAttributeCollection: 'block' },
        },
        defaultLanguage: { before: 'en', after: 'de' },
        others: ['description'],
      },
    ],
    [
      'shows all of the first policy as added',
      undefined,
      { lists: { a: [], constructor: ['x'] }, ...rules('one') },
      {
        rules: { added: ['one'] },
        lists: [
          { name: 'a', change: 'added', entriesAdded: 0, entriesRemoved: 0 },
          { name: 'constructor', change: 'added', entriesAdded: 1, entriesRemoved: 0 },
        ],
      },
    ],
    [
      'shows no change when a default becomes explicit',
      rules('one'),
      {
        ...rules('one'),
        defaultLanguage: 'en',
        whenUnavailable: { PostAttributeCollection: 'block' },
        applications: restricted(false),
      },
      {},
    ],
    ['shows a new order of rules', rules('a', 'b'), rules('b', 'a'), { rules: { reordered: true } }],
    [
      'shows no new order when rules are only added and removed',
      rules('a', 'old', 'b'),
      rules('new', 'a', 'b'),
      { rules: { added: ['new'], removed: ['old'] } },
    ],
  ])('%s', (_, before, after, expected) => {
    expect(forLog(differences(before, after))).toEqual(expected);
  });

  it('shows no change between a policy and itself with members in any order', () => {
    const lists = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.array(fc.string()));
    fc.assert(
      fc.property(lists, (held) => {
        const document: PolicyDocument = { lists: held, ...rules('a', 'b') };
        const turned = { ...rules('a', 'b'), lists: Object.fromEntries(Object.entries(held).reverse()) };
        expect([differences(document, turned), same(document, turned)]).toEqual([{}, true]);
      }),
    );
  });

  it('contains no entry of a list, and is short and storable for any names', () => {
    const many = <Value>(value: (index: number) => Value) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`name${index}`, value(index)]));
    const logged = forLog(
      differences(undefined, {
        lists: many((index) => [`anna${index}@example.com`]),
        messages: many(() => ({ en: 'Hello' })),
        applications: { ...many(String), ['\0\ud800'.padEnd(500, 'x')]: 'odd' },
        rules: Array.from({ length: 500 }, (_, index) => rule(`rule-${index}`.padEnd(63, 'x'))),
      }),
    );
    expect(JSON.stringify(logged)).not.toContain('@');
    expect(JSON.stringify(logged).length).toBeLessThan(16_000);
    expect(logged.rules?.added?.at(-1)).toBe('… and 450 more');
    expect([logged.lists?.length, logged.moreLists]).toEqual([50, 250]);
    const odd = forLog(differences(undefined, { applications: { '\0\ud800': 'odd' }, rules: [] }));
    expect(odd.applications?.added).toEqual(['\ufffd\ufffd']);
  });
});

describe('differences: the terminal', () => {
  it('shows the changed lines of each part, and counts and a few entries of each list', () => {
    const before = { ...rules('a', 'b', 'c'), lists: { kept: ['a', 'b'], turned: ['1', '2'], gone: ['x'] } };
    const after: PolicyDocument = {
      rules: [rule('c'), rule('a'), { ...rule('b', "'2'"), when: 'true' }],
      lists: { kept: ['b', 'c', 'd', 'e', 'f', 'f'], turned: ['2', '1', '1'], constructor: ['y'] },
      messages: { m: { en: 'Hello' } },
      applications: restricted(true),
      exchanges: { Ask: { kind: 'validation' } },
      description: 'Ours',
    };
    expect(difference(before, after)).toEqual([
      'list kept: +4 -1',
      ...['  - "a"', '  + "c"', '  + "d"', '  + "e"', '  + … and 1 more'],
      'list turned: changed',
      ...['  - "1"', '    "2"', '  + "1"', '  + "1"'],
      'rule b: changed',
      ...['    {', '      "id": "b"', '      "set": {'],
      ...[`  -     "extension_X": "'1'"`, `  +     "extension_X": "'2'"`, '      }'],
      ...['      "steps": [', '        "PreTokenIssuance"', '      ]', '  +   "when": "true"', '    }'],
      'order of the rules: changed',
      ...['  + c', '    a', '    b', '  - c'],
      ...['description: added', '  + "Ours"', 'application onlyThese: added', '  + true'],
      ...['exchange Ask: added', '  + {', '  +   "kind": "validation"', '  + }'],
      ...['list constructor: +1 -0, new list', '  + "y"'],
      ...['message m: added', '  + {', '  +   "en": "Hello"', '  + }'],
      ...['list gone: +0 -1, list removed', '  - "x"'],
    ]);
  });

  it('contains no control characters from texts', () => {
    const hostile = { lists: { x: ['\u001b[31mred\u009b'] }, messages: { m: { en: '\u009b1A' } }, rules: [] };
    expect(difference({ rules: [] }, hostile).join('\n')).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('is empty if and only if both policies are equal, with members in any order', () => {
    const plain = { noNullPrototype: true } as const;
    const texts = fc.dictionary(fc.stringMatching(/^[a-c]$/), fc.constantFrom('x', 'y'), { ...plain, maxKeys: 3 });
    const entries = fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 3 });
    const someRules = fc
      .uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
      .chain((ids) => fc.tuple(...ids.map((id) => fc.constantFrom("'1'", "'2'").map((value) => rule(id, value)))));
    const document: fc.Arbitrary<PolicyDocument> = fc.record(
      {
        description: fc.constantFrom('x', 'y'),
        lists: fc.dictionary(fc.constantFrom('p', 'q'), entries, plain),
        messages: fc.dictionary(fc.constantFrom('m', 'n'), texts, plain),
        applications: texts,
        rules: someRules,
      },
      { requiredKeys: ['rules'], ...plain },
    );
    fc.assert(
      fc.property(document, document, (before, after) => {
        const turned = Object.fromEntries(Object.entries(before).toReversed()) as PolicyDocument;
        expect(difference(before, after).length === 0).toBe(isDeepStrictEqual(before, after));
        expect(difference(before, turned)).toEqual([]);
      }),
    );
  });

  it('shows wrong, missing and extra members of a reply with both values', () => {
    const expected = { version: '1.0.0', action: 'Continue', extension_A: '', extension_B: true };
    const received = { version: '1.0.0', action: 'Continue', extension_B: 'true', city: 'Ulm' };
    expect(differingMembers(expected, { ...expected })).toEqual([]);
    expect(differingMembers(expected, received)).toEqual([
      ...['extension_A', '  expected ""', '  received nothing'],
      ...['extension_B', '  expected true', '  received "true"'],
      ...['city', '  expected nothing', '  received "Ulm"'],
    ]);
  });
});
