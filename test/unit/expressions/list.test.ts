/** Lists of the policy, stored as one text. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listEntries, listHas, listText } from '../../../src/expressions/list.ts';

const anyEntry = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '', '\r', '\u{1f4a5}', '\ud800', '\uffff'), maxLength: 4 }),
  fc.string({ unit: 'binary', maxLength: 4 }).map((text) => text.replaceAll('\n', '')),
);

it('listHas: a list contains the same entries as a set', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 40 }), fc.array(anyEntry, { maxLength: 20 }), (entries, others) => {
      const text = listText(entries) ?? '';
      const set = new Set(entries);
      for (const each of [...entries, ...others, `${others[0]}\n`, '\n'])
        expect(listHas(text, each)).toBe(set.has(each));
      expect(new Set(listEntries(text))).toEqual(set);
      expect(listEntries(text)).toHaveLength(set.size);
    }),
    { numRuns: 1_000 },
  );
});

it('listText: the order of entries does not change the text', () => {
  fc.assert(
    fc.property(fc.array(anyEntry), (entries) => {
      expect(listText([...entries, ...entries].reverse())).toBe(listText(entries));
    }),
  );
});

it('listText: an entry with a newline is refused', () => {
  expect(listText(['a', 'b\nc'])).toBeUndefined();
  expect(listText(['\n'])).toBeUndefined();
});

it('listHas: the search ends in any text, also when it is not a list', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '\n') }), anyEntry, (list, entry) => {
      expect([true, false]).toContain(listHas(list, entry));
    }),
  );
});
