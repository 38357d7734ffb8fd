/** What reports say of a policy, whatever it holds: no entry of a list. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { policyDifferences } from '../../../src/desk/reports/policy/policy-differences.ts';
import { documentIn } from '../../../src/desk/reports/policy/read-document.ts';
import { rulesIn } from '../../../src/desk/reports/policy/rule-report.ts';

/** No other text of these documents has this mark. */
const MARK = '\u2042';
const entries = fc.array(
  fc.string({ maxLength: 12, unit: 'binary' }).map((text) => `${MARK}${text.replaceAll('\n', '')}`),
  { maxLength: 8 },
);

const WHENS = [
  'normalizeCode(string(claims.extension_Code)) in lists.one || string(claims.city) in lists.two',
  'domainIn(claims.email, lists.one) && !(claims.email in lists.two)',
  "identities.exists(i, i.issuer + '/' + i.id in lists.two)",
  "claims.city in ['LITERAL', 'x'] || claims.city in lists.one",
  'unknown(lists.one',
];

const policy = fc.record({
  description: fc.constantFrom('a', 'b'),
  lists: fc.record({ one: entries, two: entries, three: entries }, { requiredKeys: ['one', 'two'] }),
  messages: fc.constantFrom({}, { m: { en: 'Text {email}' } }, { m: { en: 'Other text', de: 'Text' } }),
  rules: fc.uniqueArray(
    fc.record({
      id: fc.constantFrom('first', 'second', 'third'),
      steps: fc.constantFrom(['PostAttributeCollection'], ['PostFederationSignup', 'PostAttributeCollection']),
      when: fc.constantFrom(...WHENS),
      block: fc.constantFrom('m', true as const),
    }),
    { selector: ({ id }) => id },
  ),
});

const read = (document: object) => {
  const parsed = documentIn(JSON.stringify(document));
  if (parsed === undefined) throw new Error('The document does not have the form of a policy.');
  return parsed;
};

it('neither rules nor differences have an entry of a list, and counts and the literals of expressions stay', () => {
  fc.assert(
    fc.property(policy, policy, (before, after) => {
      const [was, is] = [read(before), read(after)];
      const rules = rulesIn(is);
      const changes = policyDifferences(was, is);
      expect(JSON.stringify([rules, changes])).not.toContain(MARK);
      for (const rule of rules) {
        const literal = after.rules.find(({ id, when }) => id === rule.id && when.includes('LITERAL'));
        if (literal !== undefined) expect(rule.sentence).toContain('LITERAL');
        for (const { name, entries } of rule.lists)
          expect(entries).toBe(Object.entries(after.lists).find(([list]) => list === name)?.[1]?.length);
      }
      for (const { entriesAdded, name } of changes.lists)
        expect(entriesAdded).toBeLessThanOrEqual(
          Object.entries(after.lists).find(([list]) => list === name)?.[1]?.length ?? 0,
        );
    }),
  );
});

it('a policy has no differences from itself, and every difference from another has a line', () => {
  fc.assert(
    fc.property(policy, policy, (before, after) => {
      expect(policyDifferences(read(before), read(before)).summary).toEqual([]);
      const { summary, lists, reordered, ...parts } = policyDifferences(read(before), read(after));
      const changes = Object.values(parts).flatMap(({ added, removed, changed }) => [...added, ...removed, ...changed]);
      expect(summary).toHaveLength(changes.length + lists.length + (reordered ? 1 : 0));
    }),
  );
});

it.each(['null', '[]', '{}', '{"rules":1}', '{"rules":[],"lists":[["x"],1]}', '{"rules":[],"lists":{"a":[1]}}', '"x"'])(
  'a text that has not the form of a policy is no document: %s',
  (text) => {
    expect(documentIn(text)).toBeUndefined();
  },
);
