import { parse } from 'papaparse';
import { expect, test } from 'vitest';
import { attemptsFile, FILE_PAGE_ROWS, MAX_FILE_PAGES, MAX_FILE_ROWS } from '../../src/desk/reports/csv.ts';
import { anAttempt } from '../support/attempt.ts';
import { keep, report } from '../support/reports-call.ts';

const linesOf = (file: string) => parse<string[]>(file, { skipEmptyLines: true }).data;
const recordsOf = (file: string) => parse<Record<string, string>>(file, { header: true, skipEmptyLines: true }).data;

test('attempts.csv contains all attempts of the range, newest first, and has a descriptive file name', async () => {
  const clientId = crypto.randomUUID();
  const attempts = Array.from({ length: 3 }, (_, nth) =>
    anAttempt({ clientId, at: new Date(Date.now() - nth * 60_000), roles: ['a', 'b'], notes: ['one', 'two'] }),
  );
  await keep(...attempts);

  const response = await report(`/attempts.csv?clientId=${clientId}`);

  expect(response.headers.get('Content-Type')).toMatch(/^text\/csv; charset=utf-8/);
  expect(response.headers.get('Content-Disposition')).toMatch(
    /^attachment; filename="gatehouse-attempts-\d{4}-\d\d-\d\d-to-\d{4}-\d\d-\d\d\.csv"$/,
  );
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Excel reads UTF-8 only with a byte order mark.
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  const records = recordsOf(new TextDecoder().decode(bytes));
  expect(records.map(({ id }) => id)).toEqual(attempts.map(({ id }) => id));
  expect(records[0]).toMatchObject({ clientId, roles: 'a b', notes: 'one; two', durationMs: '3', rolesUpdatedAt: '' });
});

test('attempts.csv escapes every cell that a spreadsheet would run as a formula, and no other text', async () => {
  const clientId = crypto.randomUUID();
  const texts = ['=1+1', '+49', '-1', '@sum', '\tx', '\rx', '=a\nb', 'a=b', '"quoted", and more', 'Zoë 李', "'x"];
  await keep(...texts.map((message, nth) => anAttempt({ clientId, message, at: new Date(Date.now() - nth * 1_000) })));

  const records = recordsOf(await (await report(`/attempts.csv?clientId=${clientId}`)).text());

  const guarded = texts.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text));
  expect(records.map(({ message }) => message)).toEqual(guarded);
});

test('an empty attempts.csv still has its header', async () => {
  const [columns, ...rows] = linesOf(await (await report('/attempts.csv?clientId=unknown')).text());
  expect(columns).toEqual(expect.arrayContaining(['occurredAt', 'outcome', 'supportCode', 'email']));
  expect(rows).toEqual([]);
});

test('attempts.csv has fixed column names in a fixed order, and empty shadow columns if no shadow policy ran', async () => {
  const clientId = crypto.randomUUID();
  const shadow = {
    shadowVersion: 3,
    shadowOutcome: 'block',
    shadowRule: 'r',
    shadowMessageKey: 'm',
    shadowDiffers: true,
  };
  const rolesUpdatedAt = '2026-11-01T12:00:00.123Z';
  await keep(
    anAttempt({ clientId, at: new Date(Date.now() - 1_000) }),
    anAttempt({ clientId, ...shadow, shadowClaims: ['a', 'b'], keptClaims: { age: 42, ok: false }, rolesUpdatedAt }),
  );

  const file = await (await report(`/attempts.csv?clientId=${clientId}`)).text();

  const columns = `occurredAt id step urlStep outcome reason rule messageKey message messageLanguage supportCode clientId
    objectId email issuer issuerAssignedId signInType locale roles rolesUpdatedAt durationMs degraded notes claimNames
    unexpectedClaims keptClaims reply status policyVersion shadowVersion shadowOutcome shadowRule shadowMessageKey
    shadowDiffers shadowClaims channel caller correlationId cfRay fingerprint sentClaims failedRules quotedClaims policyId ipNetwork callerKind isolate sequence`;
  expect(linesOf(file)[0]?.join(' ').replace('\ufeff', '')).toBe(columns.replaceAll(/\s+/g, ' '));
  const [asked, notAsked] = recordsOf(file);
  const texts = { ...shadow, shadowVersion: '3', shadowDiffers: 'true', shadowClaims: 'a b', rolesUpdatedAt };
  expect(asked).toMatchObject({
    ...texts,
    keptClaims: '{"ok":false,"age":42}',
    claimNames: 'step objectId',
    status: '200',
  });
  expect(notAsked).toMatchObject({
    ...Object.fromEntries(Object.keys(texts).map((name) => [name, ''])),
    keptClaims: '{}',
  });
});

test('summary.csv contains the series of the summary, with numbers as numbers', async () => {
  const clientId = crypto.randomUUID();
  await keep(
    anAttempt({ clientId }),
    anAttempt({ clientId, outcome: 'block' }),
    anAttempt({ clientId, step: '=step' }),
    anAttempt({ clientId, step: '' }),
    ...['__proto__', 'constructor'].map((step) =>
      anAttempt({ clientId, step, at: new Date(Date.now() - 3 * 86_400_000) }),
    ),
  );

  const response = await report(`/summary.csv?clientId=${clientId}&interval=day`);
  const [columns, ...rows] = linesOf(await response.text());

  expect(response.headers.get('Content-Disposition')).toMatch(/gatehouse-summary-by-day-.*\.csv/);
  expect(columns?.slice(0, 5)).toEqual([
    'start',
    'attempts',
    'PostFederationSignup',
    'PostAttributeCollection',
    'PreTokenIssuance',
  ]);
  const others = ["'=step", 'no step', '__proto__', 'constructor'];
  expect(columns?.slice(5, 9).toSorted()).toEqual(others.toSorted());
  expect(columns?.slice(9)).toEqual(['continue', 'block', 'invalid', 'error']);
  expect(rows.flatMap((row) => row.slice(1)).filter((cell) => !/^\d+$/.test(cell))).toEqual([]);
  const sum = (column: string) => rows.reduce((total, row) => total + Number(row[columns?.indexOf(column) ?? -1]), 0);
  expect(['attempts', 'PreTokenIssuance', 'continue', 'block', ...others].map(sum)).toEqual([6, 2, 5, 1, 1, 1, 1, 1]);
});

/** A file of pages with `size` rows each; `more` says whether another page follows. */
async function fileOf(size: number, more: (page: number) => boolean) {
  const { kind: _, v: __, ...attempt } = anAttempt();
  const shown = { ...attempt, occurredAt: '2026-11-21T00:00:00.000Z', personKeys: [] };
  let pages = 0;
  let rows = 0;
  let last = '';
  const failures: unknown[] = [];
  const file = attemptsFile(
    async () => {
      pages += 1;
      return { attempts: Array(size).fill(shown), more: more(pages) };
    },
    new Date('2026-11-14'),
    (error) => failures.push(error),
  );
  for await (const piece of file) {
    const pieceLines = piece.split('\r\n').filter((line) => line !== '');
    rows += pieceLines.length;
    last = pieceLines.at(-1) ?? last;
  }
  return { pages, rows, last, failures };
}

test('attempts.csv ends at 100,000 rows, and its last line says so only if there are more', async () => {
  const full = MAX_FILE_ROWS / FILE_PAGE_ROWS;
  expect(await fileOf(FILE_PAGE_ROWS, () => true)).toMatchObject({
    pages: full,
    rows: 1 + MAX_FILE_ROWS + 1,
    last: expect.stringMatching(
      /^"?TRUNCATED after 100000 rows.* from=2026-11-14T00:00:00\.000Z&to=2026-11-21T00:00:00\.001Z .*may be in both/,
    ),
  });
  expect(await fileOf(FILE_PAGE_ROWS, (page) => page < full)).toMatchObject({ rows: 1 + MAX_FILE_ROWS });
});

test('a truncated attempts.csv and the second file that it suggests contain every row, also within one millisecond', async () => {
  const { kind: _, v: __, ...attempt } = anAttempt();
  const newest = Date.parse('2026-11-21T00:00:00.000Z');
  // Newest first, three in each millisecond. Both the first file and the range end in the middle of a millisecond.
  const all = Array.from({ length: MAX_FILE_ROWS + 200 }, (_, nth) => ({
    ...attempt,
    id: String(nth),
    occurredAt: new Date(newest - Math.floor(nth / 3)).toISOString(),
    personKeys: [],
  }));
  const from = new Date(newest - Math.floor((MAX_FILE_ROWS + 100) / 3));
  const download = async (begin: Date, end: Date) => {
    const inRange = all.filter(({ occurredAt }) => new Date(occurredAt) >= begin && new Date(occurredAt) < end);
    const file = attemptsFile(
      async (after) => {
        const first = after === undefined ? 0 : inRange.findIndex(({ id }) => id === after.id) + 1;
        const end = first + FILE_PAGE_ROWS;
        return { attempts: inRange.slice(first, end), more: end < inRange.length };
      },
      begin,
      () => undefined,
    );
    let text = '';
    for await (const piece of file) text += piece;
    const [, ...lines] = linesOf(text);
    const advice = /^TRUNCATED .* from=(\S+)&to=(\S+) /.exec(lines.at(-1)?.[0] ?? '');
    return { ids: lines.slice(0, advice ? -1 : undefined).map(([, id]) => id), advice };
  };

  const first = await download(from, new Date(newest + 1));
  expect(first.ids).toHaveLength(MAX_FILE_ROWS);
  const rest = await download(new Date(first.advice?.[1] ?? ''), new Date(first.advice?.[2] ?? ''));

  const wanted = all.filter(({ occurredAt }) => new Date(occurredAt) >= from).map(({ id }) => id);
  expect([...new Set([...first.ids, ...rest.ids])]).toEqual(wanted);
  expect(rest.advice).toBeNull();
});

test('the last line of attempts.csv says INCOMPLETE when the database fails during the download', async () => {
  const file = await fileOf(3, (page) => {
    if (page === 2) throw new Error('gone');
    return true;
  });
  expect(file).toMatchObject({ rows: 1 + 3 + 1, last: expect.stringMatching(/^INCOMPLETE: .*after 3 rows/) });
  expect(file.failures).toHaveLength(1);
});

test('attempts.csv continues where a short page ended, stops after the maximum of pages, and says how to continue', async () => {
  const { kind: _, v: __, ...attempt } = anAttempt();
  const shown = { ...attempt, occurredAt: '2026-11-21T00:00:00.000Z', personKeys: [] };
  const asked: unknown[] = [];
  const searchedTo = (page: number) => new Date(Date.parse('2026-11-20') - page * 3_600_000);
  const file = attemptsFile(
    async (after) => {
      asked.push(after?.occurredAt);
      return { attempts: asked.length % 2 === 0 ? [] : [shown], more: true, searchedTo: searchedTo(asked.length) };
    },
    new Date('2026-11-14'),
    () => undefined,
  );
  let text = '';
  for await (const piece of file) text += piece;
  const places = Array.from({ length: MAX_FILE_PAGES }, (_, page) => searchedTo(page).toISOString());
  expect(asked).toEqual([undefined, ...places.slice(1)]);
  const lines = linesOf(text);
  expect(lines).toHaveLength(1 + MAX_FILE_PAGES / 2 + 1);
  const to = searchedTo(MAX_FILE_PAGES).toISOString();
  expect(lines.at(-1)?.[0]).toMatch(new RegExp(`^TRUNCATED after 20 rows: there may be older ones.*&to=${to}$`));
});
