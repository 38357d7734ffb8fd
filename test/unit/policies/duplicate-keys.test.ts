/** A member that stands twice is told: parsers keep the last without a word. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateKeys } from '../../../src/desk/policies/duplicate-keys.ts';

const namesIn = (text: string) => duplicateKeys(text).map(({ message }) => /^"(.*)" stands/.exec(message)?.[1]);

describe('members that stand twice', () => {
  it.each([
    ['{"rules":[],"rules":[]}', ['rules']],
    ['{"a":{"b":1,"b":2},"c":[{"d":1,"d":1}]}', ['b', 'd']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"a":{"a":1},"b":{"a":2}}', []],
    ['[{"a":1},{"a":2}]', []],
    ['{"a":"a","b":"{\\"a\\":1,\\"a\\":2}","c":["a","a"]}', []],
    ['{"a":"\\\\","b":"\\\\\\"","a":1}', ['a']],
    ['{"x": {}, "y": [], "x": ":"}', ['x']],
  ])('in %s are %j', (text, names) => expect(namesIn(text)).toEqual(names));

  it('are told with the line of the second one', () => {
    expect(duplicateKeys('{\n"lists": {},\n\n"lists": {}\n}')[0]?.message).toContain('line 4');
  });

  it('are never found in what a program wrote', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(duplicateKeys(JSON.stringify(value))).toEqual([]);
      }),
    );
  });
});
