/** The sentence that answers "Only this person, or everyone?". */
import { expect, it } from 'vitest';
import { onlyThisPerson } from '../../../src/desk/reports/only-this-person.ts';

const AT = new Date('2026-11-21T08:40:00Z');
const AFTER = Date.parse('2026-11-21T09:00:00Z');
const sentenceOf = (people: (number | null)[], given = {}, now = AFTER) =>
  onlyThisPerson({ occurredAt: AT, outcome: 'block', rule: 'no-mail', ...given }, people, now).sentence;

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
  expect(sentenceOf([1, 0, 0, 0, 0], {}, AFTER - 1)).toContain('on 2026-11-21, which is not over: ');
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
  ['no one else does, as in a week before', [1, 1, 0, 3, 1], /^No one else reached the token step\. /],
])('of a call that refused nothing says that %s', (_, people, sentence) => {
  const counted = onlyThisPerson({ occurredAt: AT, outcome: 'continue', rule: '' }, people, AFTER);
  expect(counted).toMatchObject({ counted: 'token-step', sentence: expect.stringMatching(sentence) });
});
