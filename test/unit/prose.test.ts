/** Comments, messages, titles and documents are written in plain English, and comments fit the page. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const MAX_COLUMNS = 120;

/** Words that make a sentence need a second reading. The field has a term for each, or the sentence a subject. */
const UNCLEAR =
  /\b(?:nobody|somebody|whoever|told|stands?|stood|lies|lay|laid|meant|mends?|mended|mending|(?:lay|lays|laid|laying|leaves?|left) aside|so (?:many|much|long|often) [^.]{0,40}\bas)\b/i;
/** This file names the words. Microsoft's texts stay as they are, and so does a migration once a database applied it. */
const NOT_OURS =
  /^test\/unit\/prose\.test\.ts$|^test\/fixtures\/|^src\/gate\/CONTRACT\.md$|package-lock|^drizzle\/.*\.sql$/;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(?:ts|md|sql|toml)$/.test(file) && !NOT_OURS.test(file));

const lines = files.flatMap((file) =>
  readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .map((text, index) => ({ text, place: `${file}:${index + 1}` })),
);

describe('prose', () => {
  it('no comment, message, title or document uses a word that needs a second reading', () => {
    const found = lines.filter(({ text }) => UNCLEAR.test(text)).map(({ text, place }) => `${place} ${text.trim()}`);
    expect(found).toEqual([]);
  });

  it('no comment is longer than 120 columns', () => {
    const isComment = /^\s*(?:\/\*\*?|\*|\/\/|--|#)/;
    const long = lines.filter(
      ({ text, place }) =>
        !/\.md:|^worker-configuration/.test(place) && isComment.test(text) && text.length > MAX_COLUMNS,
    );
    expect(long.map(({ place, text }) => `${place} (${text.length})`)).toEqual([]);
  });
});
