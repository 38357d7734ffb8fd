/** What a change of the policy is told as: by name and number, never by what a list holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences, same } from '../src/policy/differences.ts';
import type { PolicyDocument } from '../src/policy/document.ts';

type Applications = NonNullable<PolicyDocument['applications']>;

const rule = (id: string, when = 'true'): PolicyDocument['rules'][number] => ({
  id,
  steps: ['PostAttributeCollection'],
  when,
  block: true,
});
const rules = (...ids: string[]): PolicyDocument => ({ rules: ids.map((id) => rule(id)) });

describe('the differences between two policies', () => {
  it('name what came, went and changed, in every part', () => {
    const before: PolicyDocument = {
      description: 'old',
      lists: { kept: ['a', 'b'], gone: ['x'], reordered: ['1', '2'] },
      messages: { kept: { en: 'Hello' }, gone: { en: 'Bye' } },
      applications: { 'client-1': 'Shop', 'client-2': 'Forum' },
      rules: [rule('stays'), rule('edited'), rule('gone')],
    };
    const after: PolicyDocument = {
      defaultLanguage: 'de',
      lists: { kept: ['b', 'c', 'd', 'd'], fresh: ['y', 'z'], reordered: ['2', '1', '1'] },
      messages: { kept: { en: 'Hello', de: 'Hallo' }, fresh: { de: 'Neu' } },
      applications: { onlyThese: true, 'client-1': 'Store', 'client-3': 'News' } as unknown as Applications,
      whenUnavailable: { PostFederationSignup: 'continue' },
      rules: [rule('fresh'), rule('stays'), rule('edited', 'false')],
    };
    expect(differences(before, after)).toEqual({
      rules: { added: ['fresh'], removed: ['gone'], changed: ['edited'] },
      lists: [
        { name: 'kept', change: 'changed', entriesAdded: 2, entriesRemoved: 1 },
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
      whenUnavailable: {
        before: { PostFederationSignup: 'block', PostAttributeCollection: 'block' },
        after: { PostFederationSignup: 'continue', PostAttributeCollection: 'block' },
      },
      defaultLanguage: { before: 'en', after: 'de' },
      others: ['description'],
    });
  });

  it('tell the first policy as all new, and what says the default as no change', () => {
    expect(differences(undefined, { lists: { a: [] }, rules: [rule('one')] })).toEqual({
      rules: { added: ['one'] },
      lists: [{ name: 'a', change: 'added', entriesAdded: 0, entriesRemoved: 0 }],
    });
    expect(differences(rules(), { lists: { constructor: ['x'] }, rules: [] }).lists).toEqual([
      { name: 'constructor', change: 'added', entriesAdded: 1, entriesRemoved: 0 },
    ]);
    expect(
      differences(rules('one'), {
        ...rules('one'),
        defaultLanguage: 'en',
        whenUnavailable: { PostAttributeCollection: 'block' },
        applications: { onlyThese: false } as unknown as Applications,
      }),
    ).toEqual({});
  });

  it('name the rule that moved, not all those that it passed', () => {
    expect(differences(rules('a', 'b', 'c', 'd'), rules('d', 'a', 'b', 'c'))).toEqual({ rules: { moved: ['d'] } });
    expect(differences(rules('a', 'b', 'c', 'd'), rules('b', 'new', 'c', 'd', 'a')).rules).toEqual({
      added: ['new'],
      moved: ['a'],
    });
  });

  it('say which rules moved so that putting those elsewhere is all that it takes', () => {
    const order = fc
      .uniqueArray(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 12 })
      .chain((ids) => fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length })));
    fc.assert(
      fc.property(order, ([ids, shuffled]) => {
        const { moved = [] } = differences(rules(...ids), rules(...shuffled)).rules ?? {};
        const stayed = (list: string[]) => list.filter((id) => !moved.includes(id));
        expect(stayed(shuffled)).toEqual(stayed(ids));
        // And none of them could have stayed with the others.
        for (const id of moved) {
          const withIt = (list: string[]) => list.filter((other) => other === id || !moved.includes(other));
          expect(withIt(shuffled)).not.toEqual(withIt(ids));
        }
      }),
    );
  });

  it('are none for a policy and itself, however its members are ordered', () => {
    const lists = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.array(fc.string()));
    fc.assert(
      fc.property(lists, (held) => {
        const document: PolicyDocument = { lists: held, ...rules('a', 'b') };
        const turned = {
          ...rules('a', 'b'),
          lists: Object.fromEntries(Object.entries(held).reverse()),
        };
        expect(differences(document, turned)).toEqual({});
        expect(same(document, turned)).toBe(true);
      }),
    );
  });

  it('hold no entry of a list, and stay small and storable whatever the names', () => {
    const many = <Value>(value: (index: number) => Value) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`name${index}`, value(index)]));
    const after: PolicyDocument = {
      lists: many((index) => [`anna${index}@example.com`]),
      messages: many(() => ({ en: 'Hello' })),
      applications: { ...many(String), ['\0\ud800'.padEnd(500, 'x')]: 'odd' },
      rules: Array.from({ length: 500 }, (_, index) => rule(`rule-${index}`.padEnd(63, 'x'))),
    };
    const told = differences(undefined, after);
    expect(JSON.stringify(told)).not.toContain('@');
    expect(JSON.stringify(told).length).toBeLessThan(16_000);
    expect(told.rules?.added?.at(-1)).toBe('… and 450 more');
    expect([told.lists?.length, told.moreLists]).toEqual([50, 250]);
    const odd = differences(undefined, { applications: { '\0\ud800': 'odd' }, rules: [] });
    expect(odd.applications?.added).toEqual(['\ufffd\ufffd']);
  });
});
