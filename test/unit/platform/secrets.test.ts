/** Warnings about credentials that are easy to guess, or that open nothing because of a separator (attack 5). */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/platform/config.ts';

const STRONG = 'Zk3v0b7s9QmX2pLr8TtY';
const problemsOf = (lines: string) =>
  readConfig({ ADMIN_BASIC: lines }).problems.filter((problem) => problem.startsWith('ADMIN_BASIC'));

it('weak secrets: a password with fewer than 20 characters is named by its line, and a longer one is not', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), (strong) => {
      const lines = strong.map((is, index) => `anna-${index}:${is ? STRONG : STRONG.slice(1)}`);
      const weak = strong.flatMap((is, index) => (is ? [] : [index + 1]));
      const [problem = '', ...more] = problemsOf(lines.join('\n'));
      expect(more).toEqual([]);
      expect(/line ([\d, ]+): the password/.exec(problem)?.[1] ?? '').toBe(weak.join(', '));
      expect(problem).not.toContain(STRONG.slice(1));
    }),
  );
});

it.each([';', ',', ' ', '\\n', '\t', '|', '; ', '\\r\\n'])(
  'mis-separated secrets: two pairs with %j between them are named as several pairs in one line',
  (separator) => {
    const lines = `anna:${STRONG}${separator}berta:${STRONG}`;
    expect(problemsOf(lines)).toEqual([expect.stringMatching(/^ADMIN_BASIC, line 1: looks like several pairs\./)]);
  },
);

it.each(['\n', '\r\n', '\r'])('mis-separated secrets: %j separates two usable pairs', (separator) => {
  const lines = `anna:${STRONG}${separator}berta:${STRONG}`;
  expect(readConfig({ ADMIN_BASIC: lines }).credentials.admin.map(({ name }) => name)).toEqual(['anna', 'berta']);
  expect(problemsOf(lines)).toEqual([]);
});
