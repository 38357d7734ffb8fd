/** The number of the format of plans, and the functions and trees that belong to it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { FUNCTIONS } from '../../../src/expressions/functions.ts';
import { BINARY, FORMAT, IDENTITY, MACROS, OWNERS, REQUEST, SHAPES } from '../../../src/expressions/tree.ts';

/** The digest of what plans may contain, by `FORMAT`. A number that was deployed keeps its digest. */
const DIGESTS: Readonly<Record<number, string>> = {
  2: 'e9fde630ae34ac6a',
  // Plans have exchanges; the language is the same.
  3: 'e9fde630ae34ac6a',
  4: 'd0e467545846e506',
};

/** Every name that a stored tree may have, with the number of its parts. The manual and the code may change. */
const language = {
  functions: FUNCTIONS.flatMap(({ name, overloads }) => [name, ...Object.keys(overloads)]).toSorted(),
  operators: [...SHAPES]
    .map(
      ([operator, { before, least, most, after }]) => `${operator} ${before.length} ${least}-${most} ${after.length}`,
    )
    .toSorted(),
  names: [IDENTITY, REQUEST, OWNERS, MACROS, BINARY].map((names) => names.toSorted()),
};

it('a plan of one format has the same functions and operators in every version of Gatehouse', () => {
  const digest = createHash('sha256').update(JSON.stringify(language)).digest('hex').slice(0, 16);
  expect(
    DIGESTS[FORMAT],
    `The functions or the operators of expressions changed, so an older gate could load a plan that it cannot evaluate. ` +
      `Raise FORMAT in src/expressions/tree.ts, and write the new number with '${digest}' into DIGESTS of this file. ` +
      'If no plan of this FORMAT was deployed yet, replace its digest instead.',
  ).toBe(digest);
});
