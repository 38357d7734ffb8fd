/** Duplicate keys of JSON are found, although parsers silently keep the last one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateKeys } from '../../../src/desk/policies/duplicate-keys.ts';

const namesIn = (text: string) => duplicateKeys(text).map(({ message }) => /the key "(.*)" twice/.exec(message)?.[1]);

describe('duplicate keys', () => {
  it.each([
    ['{"rules":[],"rules":[]}', ['rules']],
    ['{"a":{"b":1,"b":2},"c":[{"d":1,"d":1}]}', ['b', 'd']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"a":{"a":1},"b":{"a":2}}', []],
    ['[{"a":1},{"a":2}]', []],
    ['{"a":"a","b":"{\\"a\\":1,\\"a\\":2}","c":["a","a"]}', []],
    ['{"a":"\\\\","b":"\\\\\\"","a":1}', ['a']],
    ['{"x": {}, "y": [], "x": ":"}', ['x']],
  ])('in %s, the duplicate keys are %j', (text, names) => expect(namesIn(text)).toEqual(names));

  it('the problem has the line of the second key', () => {
    expect(duplicateKeys('{\n"lists": {},\n\n"lists": {}\n}')[0]?.message).toContain('line 4');
  });

  it('serialized JSON never has a duplicate key', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(duplicateKeys(JSON.stringify(value))).toEqual([]);
      }),
    );
  });
});
