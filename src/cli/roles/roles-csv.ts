/** The CSV of `roles export` and `roles import`: for each person one line in general and one for each application. */
import Papa from 'papaparse';
import { ROLE_NAME } from '../../entitlements/stored-record.ts';
import { impossibleKey, readPersonKey } from '../../sign-in/typed-key.ts';
import { type RoleNames, type RolesOfPerson, readNames, spacesFault } from './roles-api.ts';

const COLUMNS = ['key', 'roles', 'groups', 'clientId'] as const;
type Column = (typeof COLUMNS)[number];

/** A person's names in one application, or in general when `clientId` is `''`. */
export interface Line {
  readonly line: number;
  readonly key: string;
  readonly clientId: string;
  readonly names: RoleNames;
}

export type CheckedCsv =
  | { readonly ok: true; readonly lines: readonly Line[] }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Parses and checks a whole file. Returns every error with its line number. */
export async function readRolesCsv(text: string): Promise<CheckedCsv> {
  const { delimiter, table, tableAt } = withoutSeparatorLine(text);
  const parsed = Papa.parse<string[]>(table, { delimiter });
  const numbered = withLineNumbers(parsed.data, tableAt);
  const errors = parsed.errors.map((error) => `line ${numbered[error.row ?? 0]?.line ?? tableAt}: ${error.message}`);
  const [header, ...rows] = numbered.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  if (header === undefined)
    return { ok: false, errors: [`The file is empty. The first line must be ${COLUMNS.join(',')}`] };
  const columns = header.cells.map((cell) => COLUMNS.find((known) => isSameName(known, cell)) ?? cell.trim());
  const fault = faultOfHeader(columns);
  if (fault !== undefined) errors.push(`line ${header.line}: ${fault}`);
  if (errors.length > 0) return { ok: false, errors };

  const lines: Line[] = [];
  const seen = new Map<string, number>();
  for (const { line, cells } of rows) {
    const read = await readRow(columns, cells, line);
    const faults = 'faults' in read ? read.faults : [];
    if (!('faults' in read)) {
      const cell = JSON.stringify([read.key, read.clientId]);
      const first = seen.get(cell);
      if (first === undefined) seen.set(cell, line);
      else faults.push(`same person and application as line ${first}. Merge the two lines`);
      lines.push(read);
    }
    errors.push(...faults.map((fault) => `line ${line}: ${fault}`));
  }
  if (lines.length === 0 && errors.length === 0)
    errors.push('There is no line after the header. Add the people to import.');
  return errors.length === 0 ? { ok: true, lines } : { ok: false, errors };
}

/** Writes people for {@link readRolesCsv}. Attributes are not in the file. */
export function writeRolesCsv(people: readonly RolesOfPerson[]): string {
  const rows = people.flatMap(({ key, roles, groups, applications }) => [
    [key, cellOf(roles), cellOf(groups), ''],
    ...Object.entries(applications)
      .filter(([, names]) => (names.roles ?? []).length + (names.groups ?? []).length > 0)
      .map(([id, names]) => [key, cellOf(names.roles), cellOf(names.groups), id]),
  ]);
  // A cell that begins with = + - @ is a formula to a spreadsheet.
  return `${Papa.unparse({ fields: [...COLUMNS], data: rows }, { newline: '\n', escapeFormulae: true })}\n`;
}

const cellOf = (names: readonly string[] = []) => names.join(', ');

const SEPARATOR_LINE = /^\ufeff?"?sep=(.)"?(?:\r\n|\r|\n|$)/i;

/** Excel and other programs accept a first line such as `sep=;`, which names the separator and is not a row. */
function withoutSeparatorLine(text: string): { delimiter: string; table: string; tableAt: number } {
  const [line, delimiter] = SEPARATOR_LINE.exec(text) ?? [];
  if (line === undefined || delimiter === undefined) return { delimiter: delimiterOf(text), table: text, tableAt: 1 };
  return { delimiter, table: text.slice(line.length), tableAt: 2 };
}

/** Spreadsheets separate cells by semicolon or tab in locales with a decimal comma. */
function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  return ['\t', ';'].find((delimiter) => header.includes(delimiter)) ?? ',';
}

/** Quoted cells may contain line breaks, so row numbers differ from line numbers. */
function withLineNumbers(rows: readonly string[][], firstLine: number): { line: number; cells: string[] }[] {
  let line = firstLine;
  return rows.map((cells) => {
    const first = line;
    line += 1 + cells.reduce((breaks, cell) => breaks + cell.split(/\r\n|\r|\n/).length - 1, 0);
    return { line: first, cells };
  });
}

const isSameName = (column: string, cell: string) => column.toLowerCase() === cell.trim().toLowerCase();

/** Returns one error only: a single slip (a comma for a semicolon) makes every column wrong. */
function faultOfHeader(columns: readonly string[]): string | undefined {
  const rule = `the first line must be ${COLUMNS.join(',')}; key and one of roles and groups are required`;
  const foreign = columns.filter((column) => !COLUMNS.some((known) => known === column));
  if (foreign.length > 0) return `${foreign.map((column) => `"${column}"`).join(', ')} is not a column: ${rule}`;
  if (!columns.includes('key')) return `the column key is missing: ${rule}`;
  if (!columns.includes('roles') && !columns.includes('groups'))
    return `the columns roles and groups are missing: ${rule}`;
  return new Set(columns).size < columns.length ? `a column is listed twice: ${rule}` : undefined;
}

/** The notation into which a spreadsheet converts a long number. The remaining digits are lost. */
const SHORTENED = /^\d([.,]\d+)?E\+?\d+$/i;

function isShortened(key: string): boolean {
  const id = key.slice(key.lastIndexOf(':') + 1);
  return SHORTENED.test(key.startsWith('idp:') ? decodeURIComponent(id) : id);
}

async function readRow(
  columns: readonly string[],
  cells: string[],
  line: number,
): Promise<Line | { faults: string[] }> {
  if (cells.length !== columns.length) {
    return { faults: [`has ${cells.length} cells where the first line has ${columns.length}`] };
  }
  const cell = (column: Column) => cells[columns.indexOf(column)]?.trim();
  const names = { roles: namesOf(cell('roles')), groups: namesOf(cell('groups')) };
  const faults = [...new Set([...(names.roles ?? []), ...(names.groups ?? [])])]
    .filter((name) => !ROLE_NAME.test(name))
    .map(
      (name) =>
        spacesFault(name) ??
        `"${name}" is not a role or group name: use 1 to 64 letters, digits and . _ : / - , starting with a letter or digit`,
    );
  const key = await readPersonKey(cell('key') ?? '');
  if (key === undefined) {
    faults.push(`"${cell('key')}" is not a person key: write oid:<objectId>, idp:<issuer>:<id> or email:<address>`);
  }
  const problem = key === undefined ? undefined : impossibleKey(cell('key') ?? '');
  if (key !== undefined && isShortened(key)) {
    faults.push(
      `"${cell('key')}" is not the whole id: Excel shortened this number. Format the column as text, then enter the ids again`,
    );
  } else if (problem !== undefined) faults.push(`"${cell('key')}": ${problem}`);
  if (key === undefined || faults.length > 0) return { faults };
  return { line, key, clientId: clientIdOf(cell('clientId')), names };
}

const namesOf = (cell: string | undefined) => (cell === undefined ? undefined : readNames(cell));

/** Removes the quote that {@link writeRolesCsv} puts before a cell that looks like a formula. */
const clientIdOf = (cell = '') => cell.replace(/^'(?=[=+\-@\t\r])/, '').toLowerCase();
