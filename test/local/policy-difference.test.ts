/** What `push`, `diff` and `rollback` show of two policies, and what `test` shows of two replies. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differingMembers } from '../../local/commands/policy/compare.ts';
import { difference } from '../../local/commands/policy/difference.ts';
import type { PolicyDocument } from '../../src/policy/document.ts';

const rule = (id: string, value = "'1'"): PolicyDocument['rules'][number] => ({
  id,
  steps: ['PreTokenIssuance'],
  set: { extension_X: value },
});
const textOf = (before: PolicyDocument, after: PolicyDocument) => difference(before, after).join('\n');

describe('the difference of two policies', () => {
  it('shows of a rule the lines that changed, with those around them', () => {
    expect(
      textOf({ rules: [rule('a'), rule('b')] }, { rules: [rule('a'), { ...rule('b', "'2'"), when: 'true' }] }),
    ).toBe(
      [
        'rule b: changed',
        '    {',
        '      "id": "b",',
        '      "steps": [',
        '        "PreTokenIssuance"',
        '      ],',
        '      "set": {',
        `  -     "extension_X": "'1'"`,
        `  +     "extension_X": "'2'"`,
        '      },',
        '  +   "when": "true"',
        '    }',
      ].join('\n'),
    );
  });

  it('shows rules that came and went, and an order that changed by those that moved', () => {
    const text = textOf(
      { rules: ['a', 'b', 'c', 'old'].map((id) => rule(id)) },
      { rules: ['c', 'a', 'new', 'b'].map((id) => rule(id)) },
    );
    expect(text).toMatch(/^rule new: added\n {2}\+ \{/m);
    expect(text).toMatch(/^rule old: removed\n {2}- \{/m);
    expect(text).toMatch(/^rules in another order .*:\n {2}\+ c\n {4}a\n {4}b\n {2}- c$/m);
    expect(text).not.toMatch(/rule [abc]:/);
  });

  it('counts what came to a list and went from it, and shows a few of each', () => {
    const before = { rules: [], lists: { x: ['a', 'b', 'c'], gone: ['z'], same: ['p', 'q'] } };
    const after = { rules: [], lists: { x: ['b', 'd', 'e', 'f', 'g', 'h'], same: ['q', 'p'], fresh: ['n'] } };
    expect(difference(before, after)).toEqual([
      'list x: +5 -2',
      '  + "d"',
      '  + "e"',
      '  + "f"',
      '  + … and 2 more',
      '  - "a"',
      '  - "c"',
      'list same: the same entries in another order, or more than once',
      'list fresh: +1 -0, a new list',
      '  + "n"',
      'list gone: +0 -1, the list is gone',
      '  - "z"',
    ]);
  });

  it('shows messages, applications and everything else by name', () => {
    const text = textOf(
      { rules: [], messages: { m: { en: 'x', de: 'y' } }, defaultLanguage: 'en' },
      {
        description: 'Ours',
        rules: [],
        messages: { m: { de: 'z', en: 'x' } },
        applications: { '1-2': 'Shop' },
        whenUnavailable: { PostFederationSignup: 'continue' },
      },
    );
    expect(text.split('\n')).toEqual([
      'description: added',
      '  + "Ours"',
      'whenUnavailable: added',
      '  + {',
      '  +   "PostFederationSignup": "continue"',
      '  + }',
      'defaultLanguage: removed',
      '  - "en"',
      'application 1-2: added',
      '  + "Shop"',
      'message m: changed',
      '    {',
      '      "en": "x",',
      '  -   "de": "y"',
      '  +   "de": "z"',
      '    }',
    ]);
  });

  it('never lets a text move the cursor or colour the terminal', () => {
    const text = textOf(
      { rules: [] },
      { rules: [], lists: { x: ['\u001b[31mred\u009b'] }, messages: { m: { en: '\u009b1A' } } },
    );
    expect(text).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('is empty when both mean the same, whatever the order of their members, and only then', () => {
    const texts = fc.dictionary(fc.stringMatching(/^[a-c]$/), fc.constantFrom('x', 'y'), {
      noNullPrototype: true,
      maxKeys: 3,
    });
    const document: fc.Arbitrary<PolicyDocument> = fc.record(
      {
        description: fc.constantFrom('x', 'y'),
        lists: fc.dictionary(fc.constantFrom('p', 'q'), fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 3 }), {
          noNullPrototype: true,
        }),
        messages: fc.dictionary(fc.constantFrom('m', 'n'), texts, { noNullPrototype: true }),
        applications: texts,
        rules: fc
          .uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 })
          .chain((ids) => fc.tuple(...ids.map((id) => fc.constantFrom("'1'", "'2'").map((value) => rule(id, value))))),
      },
      { requiredKeys: ['rules'], noNullPrototype: true },
    );
    fc.assert(
      fc.property(document, document, (before, after) => {
        expect(difference(before, after).length === 0).toBe(isDeepStrictEqual(before, after));
        expect(difference(before, Object.fromEntries(Object.entries(before).toReversed()) as PolicyDocument)).toEqual(
          [],
        );
      }),
    );
  });
});

describe('two replies', () => {
  it('differ by the members that are wrong, missing or too many, each with both values', () => {
    const expected = { version: '1.0.0', action: 'Continue', extension_A: '', extension_B: true };
    expect(
      differingMembers(expected, { version: '1.0.0', action: 'Continue', extension_B: 'true', city: 'Ulm' }),
    ).toEqual([
      'extension_A',
      '  expected ""',
      '  received nothing',
      'extension_B',
      '  expected true',
      '  received "true"',
      'city',
      '  expected nothing',
      '  received "Ulm"',
    ]);
    expect(differingMembers(expected, { ...expected })).toEqual([]);
  });
});
