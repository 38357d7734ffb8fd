/** The attributes of people as columns of CSV: `text:<name>`, `number:<name>` and `boolean:<name>`. */
import { recordInput } from '../../desk/admin/record-input.ts';
import type { Entitlements } from '../../entitlements/stored-record.ts';
import { printable } from '../table.ts';
import { nameInCell, textCell } from './csv-cells.ts';

type AttributeValue = Entitlements['attributes'][string];
type Attributes = Readonly<Record<string, AttributeValue>>;

const TYPES = ['text', 'number', 'boolean'] as const;

/** The attribute of a column, and the only type that its cells have. */
export interface AttributeColumn {
  readonly type: (typeof TYPES)[number];
  readonly name: string;
}

/** What a line says of attributes by name. Undefined removes; a name that is missing stays as it is. */
export type AttributeChanges = ReadonlyMap<string, AttributeValue | undefined>;

/** Parses a cell of the header; undefined when it does not begin with a type and a colon. */
export function attributeColumn(cell: string): AttributeColumn | undefined {
  const at = cell.indexOf(':');
  const typed = cell.slice(0, at).trim().toLowerCase();
  const type = TYPES.find((known) => known === typed);
  return type === undefined ? undefined : { type, name: nameInCell.read(cell.slice(at + 1)) };
}

export const headerOf = ({ type, name }: AttributeColumn): string => `${type}:${nameInCell.write(name)}`;

/** How a fault names the column. */
export const columnName = ({ type, name }: AttributeColumn): string => printable(`${type}:${name}`);

/** What the API refuses in an attribute; undefined when it accepts it. */
function refusalOf(name: string, value: AttributeValue): string | undefined {
  const [issue] = recordInput.safeParse({ attributes: Object.fromEntries([[name, value]]) }).error?.issues ?? [];
  return issue?.message;
}

export const faultOfName = ({ name }: AttributeColumn): string | undefined => refusalOf(name, '');

/** The columns of everybody's attributes, in the order of their names. */
export function columnsOf(people: readonly { readonly attributes: Attributes }[]): AttributeColumn[] {
  const columns = new Map<string, AttributeColumn>();
  for (const { attributes } of people) {
    for (const [name, value] of Object.entries(attributes)) {
      const column: AttributeColumn = { type: typeOf(value), name };
      columns.set(headerOf(column), column);
    }
  }
  return [...columns].sort(([a], [b]) => compare(nameAndType(a), nameAndType(b))).map(([, column]) => column);
}

/** The cell of a person in a column; `''` when the attribute is absent or of another type. */
export function attributeCell(attributes: Attributes, { type, name }: AttributeColumn): string {
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (value === undefined || typeOf(value) !== type) return '';
  return typeof value === 'string' ? textCell.write(value) : String(value);
}

/** Reads the cells of a line. A fault names its column. */
export function readAttributes(cells: readonly (readonly [column: AttributeColumn, cell: string])[]): {
  readonly changes: AttributeChanges;
  readonly faults: readonly string[];
} {
  const changes = new Map<string, AttributeValue | undefined>();
  const filled = new Map<string, AttributeColumn>();
  const faults: string[] = [];
  for (const [column, cell] of cells) {
    const value = valueIn(column, cell);
    const other = filled.get(column.name);
    if (typeof value === 'object') faults.push(`column ${columnName(column)}: ${value.fault}`);
    else if (value === undefined) changes.set(column.name, changes.get(column.name));
    else if (other !== undefined) {
      faults.push(`column ${columnName(column)}: ${columnName(other)} has a value too. Leave one of the two empty`);
    } else {
      changes.set(column.name, value);
      filled.set(column.name, column);
    }
  }
  return { changes, faults };
}

/** What `name=text` sets in a record. A number or a boolean that it has stays one; any other attribute is the text. */
export function readAssignments(attributes: Attributes, assignments: Readonly<Record<string, string>>) {
  const changes = new Map<string, AttributeValue | undefined>();
  const faults: string[] = [];
  for (const [name, text] of Object.entries(assignments)) {
    const held = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    const isText = held === undefined || typeof held === 'string';
    const value = isText ? text || undefined : valueIn({ type: typeOf(held), name }, text);
    if (typeof value === 'object') faults.push(`The attribute ${printable(name)}: ${value.fault}.`);
    else changes.set(name, value);
  }
  return { changes, faults };
}

/** Applies the changes of a line. The others of `attributes` stay. */
export function withAttributes(attributes: Attributes, changes: AttributeChanges): Record<string, AttributeValue> {
  const kept = Object.entries(attributes).filter(([name]) => !changes.has(name));
  const set = [...changes].flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return Object.fromEntries([...kept, ...set]);
}

const typeOf = (value: AttributeValue) =>
  typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean';

/** The notation into which a spreadsheet converts a long number. The remaining digits are lost. */
export const SHORTENED = /^[+-]?\d([.,]\d+)?E\+?\d+$/i;
const DECIMAL = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

function valueIn({ type, name }: AttributeColumn, cell: string): AttributeValue | undefined | { fault: string } {
  const typed = cell.trim();
  if (typed === '') return undefined;
  if (type === 'boolean') {
    if (/^(?:true|false)$/i.test(typed)) return typed.toLowerCase() === 'true';
    return { fault: `"${excerpt(typed)}" is not a boolean. Write true or false` };
  }
  if (type === 'text' && SHORTENED.test(typed)) {
    return {
      fault: `"${typed}" is what a spreadsheet makes of a long number. Format the column as text, then enter the numbers again; write '${typed} if this is the text`,
    };
  }
  if (type === 'number' && !DECIMAL.test(typed)) {
    return { fault: `"${excerpt(typed)}" is not a number. Write digits and a point, such as -760.5` };
  }
  const value = type === 'number' ? Number(typed) : textCell.read(cell);
  if (typeof value === 'number' && digitsOf(typed) !== digitsOf(String(value))) {
    return { fault: `"${excerpt(typed)}" has more digits than a number holds. Use the column text:${printable(name)}` };
  }
  const fault = refusalOf(name, value);
  return fault === undefined ? value : { fault };
}

const MAX_SHOWN_CHARS = 40;
const excerpt = (typed: string) =>
  printable(typed.length > MAX_SHOWN_CHARS ? `${typed.slice(0, MAX_SHOWN_CHARS)}…` : typed);

/** One text for all spellings of a decimal number: its digits without outer zeros, and the power of ten they count. */
function digitsOf(decimal: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(decimal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const bare = digits.replace(/0+$/, '');
  return bare === '' ? '0' : `${sign}${bare}e${Number(power) - fraction.length + digits.length - bare.length}`;
}

const nameAndType = (header: string) => header.slice(header.indexOf(':') + 1) + header;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
