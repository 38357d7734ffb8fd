/** The sentence that answers "Only this person, or everyone?". */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { onlyThisPerson } from '../../../src/desk/reports/only-this-person.ts';

const AT = new Date('2026-11-21T08:40:00Z');
const END = Date.parse('2026-11-21T09:00:00Z');
/** No attempt of the hour is in the queue any more. */
const AFTER = END + 2 * 60_000;
const REFUSED = {
  occurredAt: AT,
  outcome: 'block',
  rule: 'no-mail',
  step: 'PreTokenIssuance',
  objectId: '',
  oidKey: 'oid:ada',
  idpKey: '',
  emailKey: '',
};
const TOKEN = { ...REFUSED, outcome: 'continue', rule: '', objectId: 'ada' };
const NAMELESS = { objectId: '', oidKey: '' };
const sentenceOf = (people: (number | null)[], given = {}, now = AFTER) =>
  onlyThisPerson({ ...REFUSED, ...given }, people, now).sentence;

it.each<[string, (number | null)[], RegExp]>([
  [
    'one person',
    [1, 0, 2, 0, 0],
    /^Only this person\. By rule no-mail .*: 1 person\. .* 4 weeks before: 0, 2, 0, 0\.$/,
  ],
  ['two people where there were none', [2, 0, 0, 0, 0], /^Not only this person, and more than in the weeks before\. /],
  ['as many as usual', [4, 5, 3, 4, 4], /^Not only this person, and about as many as in the weeks before\. /],
  ['many more than usual', [9, 4, 0, 1, 2], /^Not only this person, and unusually many\. .*: 9 people\. /],
  ['one known week', [9, 1, null, null, null], /unusually many\. .* of the week before: 1\.$/],
  ['no known week', [2, null, null, null, null], /^Not only this person\. .* The weeks before are not kept\.$/],
  ['calls that named no person', [0, 0, 0, 0, 0], /^How many people it concerned is unknown\. /],
  [
    'an hour that is deleted',
    [null, null, null, null, null],
    /^How many people it concerned is unknown\. .*: unknown\. /,
  ],
])('says so of %s, with the numbers', (_, people, sentence) => {
  expect(sentenceOf(people)).toMatch(sentence);
});

it('names the hour in UTC, and says while it is not over', () => {
  expect(sentenceOf([1, 0, 0, 0, 0])).toContain('in the hour from 08:00 UTC on 2026-11-21: ');
  expect(sentenceOf([1, 0, 0, 0, 0], {}, END - 1)).toContain('on 2026-11-21, which is not over: ');
  expect(sentenceOf([1, 0, 0, 0, 0], {}, AFTER - 1)).toContain('on 2026-11-21, which ended just now: ');
});

it.each<[string, number[], RegExp]>([
  [
    'others come as far as usual',
    [5, 4, 4, 4, 4],
    /^Others reached the token step as usual\. At the token step .*: 5 people\. /,
  ],
  ['fewer do', [1, 4, 4, 4, 4], /^Fewer people than usual reached the token step\. /],
  [
    'no one does, as no week before',
    [0, 4, 4, 4, 4],
    /^No one reached the token step, so it is not only this person\. /,
  ],
  ['no one does, where few do', [0, 1, 2, 1, 1], /^Fewer people than usual reached the token step\. /],
  ['no one else does, as in a week before', [1, 1, 0, 3, 1], /^No one else reached the token step\. /],
  ['others do, without weeks to compare', [5], /^Others reached the token step\. /],
  [
    'no token step calls Gatehouse',
    [0, 0, 0, 0, 0],
    /^No token step called Gatehouse .* only this person is unknown\. /,
  ],
])('of a call that refused nothing says that %s', (_, people, sentence) => {
  const counted = onlyThisPerson(TOKEN, people, AFTER);
  expect(counted).toMatchObject({ counted: 'token-step', sentence: expect.stringMatching(sentence) });
});

it('of a call before the token step does not say that its person is the one who reached it', () => {
  const given = { ...TOKEN, step: 'PostAttributeCollection', objectId: '' };
  expect(sentenceOf([1, 1, 1, 1, 1], given)).toMatch(/^One person reached the token step\. /);
});

it('of a call without a person key, or an erased one, does not say that it was only this person', () => {
  expect(sentenceOf([1, 0, 0, 0, 0], NAMELESS)).toMatch(/^This call names no person, .* unknown\. By rule no-mail/);
  expect(sentenceOf([2, 0, 0, 0, 0], NAMELESS)).toMatch(/^Not only this person, and more/);
});

const count = fc.integer({ min: 0, max: 200 });
it('an hour that runs, or whose attempts may be in the queue, is never called less than a whole hour, nor like one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom({}, TOKEN, NAMELESS, { rule: '' }),
      fc.array(count, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: AT.getTime(), max: AFTER - 1 }),
      (given, people, now) => {
        const sentence = sentenceOf(people, given, now);
        expect(sentence).not.toMatch(/[Ff]ewer|about as many|^No one reached the token step, so|^Only this person\. /);
        const [here = 0, ...before] = people;
        if (/as usual|more than|unusually/.test(sentence)) expect(here * 2).toBeGreaterThanOrEqual(Math.min(...before));
      },
    ),
  );
});
