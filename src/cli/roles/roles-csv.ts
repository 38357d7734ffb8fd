/** The CSV of `roles export` and `roles import`: for each person one line in general and one for each application. */
import Papa from 'papaparse';
import type { EntitlementsInput } from '../../desk/admin/record-input.ts';
import { ROLE_NAME } from '../../entitlements/stored-record.ts';
import { clientIdOf } from '../../sign-in/normal-form.ts';
import { impossibleKey, readPersonKey } from '../../sign-in/typed-key.ts';
import { printable } from '../table.ts';
import {
  type AttributeChanges,
  type AttributeColumn,
  attributeCell,
  attributeColumn,
  columnName,
  columnsOf,
  faultOfName,
  headerOf,
  readAttributes,
  SHORTENED,
  withAttributes,
} from './attribute-columns.ts';
import { plainCell } from './csv-cells.ts';
import { type RoleNames, type RolesOfPerson, readNames, spacesFault, withNames } from './roles-api.ts';

const COLUMNS = ['key', 'roles', 'groups', 'clientId'] as const;
type Column = (typeof COLUMNS)[number];
/** A column of the file. A text is the name of an unknown one. */
type Header = AttributeColumn | string;

/** A person's names in one application; or names in general, and attributes, when `clientId` is `''`. */
export interface Line {
  readonly line: number;
  readonly key: string;
  readonly clientId: string;
  readonly names: RoleNames;
  readonly attributes: AttributeChanges;
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
  const columns = header.cells.map(headerIn);
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

/** Merges a line into a record. What the line does not name stays. */
export const withLine = (record: EntitlementsInput, { clientId, names, attributes }: Line): EntitlementsInput => ({
  ...withNames(record, clientId, names),
  attributes: withAttributes(record.attributes, attributes),
});

/** Writes people for {@link readRolesCsv}. */
export function writeRolesCsv(people: readonly RolesOfPerson[]): string {
  const columns = columnsOf(people);
  const none = columns.map(() => '');
  const rows = people.flatMap(({ key, roles, groups, attributes, applications }) => [
    [...rowOf(key, roles, groups, ''), ...columns.map((column) => attributeCell(attributes, column))],
    ...Object.entries(applications)
      .filter(([, names]) => (names.roles ?? []).length + (names.groups ?? []).length > 0)
      .map(([id, names]) => [...rowOf(key, names.roles, names.groups, id), ...none]),
  ]);
  return `${Papa.unparse([[...COLUMNS, ...columns.map(headerOf)], ...rows], { newline: '\n' })}\n`;
}

const rowOf = (key: string, roles: readonly string[] = [], groups: readonly string[] = [], clientId: string) =>
  [key, roles.join(', '), groups.join(', '), clientId].map(plainCell.write);

const SEPARATOR_LINE = /^\ufeff?"?sep=(.)"?(?:\r\n|\r|\n|$)/i;

/** Excel and other programs accept a first line such as `sep=;`, which names the separator and is not a row. */
function withoutSeparatorLine(text: string): { delimiter: string; table: string; tableAt: number } {
  const [line, delimiter] = SEPARATOR_LINE.exec(text) ?? [];
  if (line === undefined || delimiter === undefined) return { delimiter: delimiterOf(text), table: text, tableAt: 1 };
  return { delimiter, table: text.slice(line.length), tableAt: 2 };
}

/**
 * Spreadsheets separate cells by semicolon or tab in locales with a decimal comma. The name of an attribute may contain
 * any of them, so the separator is the one that makes the header right.
 */
function delimiterOf(text: string): string {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  const rights = [',', ';', '\t'].filter((delimiter) => {
    const cells = Papa.parse<string[]>(text, { delimiter, preview: 1 }).data[0] ?? [];
    return faultOfHeader(cells.map(headerIn)) === undefined;
  });
  return rights[0] ?? ['\t', ';'].find((delimiter) => header.includes(delimiter)) ?? ',';
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

const headerIn = (cell: string): Header =>
  COLUMNS.find((known) => known.toLowerCase() === cell.trim().toLowerCase()) ?? attributeColumn(cell) ?? cell.trim();

/** Returns one error only: a single slip (a comma for a semicolon) makes every column wrong. */
function faultOfHeader(columns: readonly Header[]): string | undefined {
  const rule =
    `the first line must be ${COLUMNS.join(',')} and columns of attributes (text:<name>, number:<name>, ` +
    'boolean:<name>); key and one of roles, groups and attributes are required';
  const attributes = columns.filter((column) => typeof column === 'object');
  const foreign = columns.filter((column) => typeof column === 'string' && !COLUMNS.some((known) => known === column));
  if (foreign.length > 0) return `${foreign.map((column) => `"${column}"`).join(', ')} is not a column: ${rule}`;
  for (const column of attributes) {
    const fault = faultOfName(column);
    if (fault !== undefined) return `column ${columnName(column)}: ${fault}`;
  }
  if (!columns.includes('key')) return `the column key is missing: ${rule}`;
  if (!columns.includes('roles') && !columns.includes('groups') && attributes.length === 0)
    return `the columns roles and groups are missing: ${rule}`;
  const names = columns.map((column) => (typeof column === 'string' ? column : headerOf(column)));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? undefined : `a column is listed twice, ${printable(twice)}: ${rule}`;
}

function isShortened(key: string): boolean {
  const id = key.slice(key.lastIndexOf(':') + 1);
  return SHORTENED.test(key.startsWith('idp:') ? decodeURIComponent(id) : id);
}

async function readRow(
  columns: readonly Header[],
  cells: readonly string[],
  line: number,
): Promise<Line | { faults: string[] }> {
  if (cells.length !== columns.length) {
    return { faults: [`has ${cells.length} cells where the first line has ${columns.length}`] };
  }
  const cell = (column: Column) => {
    const found = cells[columns.indexOf(column)];
    return found === undefined ? undefined : plainCell.read(found).trim();
  };
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
  const clientId = clientIdOf(cell('clientId') ?? '');
  const own = columns.flatMap((column, index) =>
    typeof column === 'string' ? [] : [[column, cells[index] ?? ''] as const],
  );
  const attributes = readAttributes(own);
  faults.push(...attributes.faults);
  const misplaced = clientId === '' ? undefined : own.find(([, text]) => text.trim() !== '');
  if (misplaced !== undefined) {
    faults.push(
      `column ${columnName(misplaced[0])}: an attribute is the same in all applications. Write it in a line without a clientId`,
    );
  }
  if (key === undefined || faults.length > 0) return { faults };
  return { line, key, clientId, names, attributes: clientId === '' ? attributes.changes : new Map() };
}

const namesOf = (cell: string | undefined) => (cell === undefined ? undefined : readNames(cell));
