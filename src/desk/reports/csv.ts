/** Reports as CSV for spreadsheets: UTF-8 with a byte order mark, lines ending in CR LF, numbers as numbers. */
import { unparse } from 'papaparse';
import { OUTCOMES } from '../../attempts/attempt.ts';
import { shadowMembers } from '../../database/schema.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { NO_ID } from '../http/cursor.ts';
import type { AttemptJson } from './attempt-json.ts';
import { FORMULA_AT_START, guardWithin } from './formula.ts';
import { attemptColumns } from './queries/columns.ts';
import type { ListedUser } from './queries/users.ts';
import type { Summary } from './summary.ts';

export const MAX_FILE_ROWS = 100_000;
/** A page has a few megabytes. */
export const FILE_PAGE_ROWS = 2_500;
/** Each user has identities and counts of 121 days. */
export const FILE_USERS = 1_000;
/** Below the 50 subrequests of a call on Workers' free plan. With short pages, a file has fewer rows. */
export const MAX_FILE_PAGES = MAX_FILE_ROWS / FILE_PAGE_ROWS;
/** A page of users takes five requests. */
const MAX_USER_PAGES = 9;

/** Without it, Excel reads UTF-8 in the local code page. */
const BYTE_ORDER_MARK = '\ufeff';

type Cell = string | number;

const lines = (rows: readonly (readonly Cell[])[]): string =>
  rows.length === 0 ? '' : `${unparse(rows.map((row) => row.map(guarded)))}\r\n`;

/** An apostrophe makes the text a text. */
function guarded(cell: Cell): Cell {
  if (typeof cell !== 'string') return cell;
  return `${FORMULA_AT_START.test(cell) ? "'" : ''}${guardWithin(cell)}`;
}

/** Spreadsheets rely on this order. Later columns follow it. */
const FIRST_COLUMNS =
  `occurredAt id step urlStep outcome reason rule messageKey message messageLanguage supportCode clientId
  objectId email issuer issuerAssignedId signInType locale roles rolesUpdatedAt durationMs degraded notes claimNames
  unexpectedClaims keptClaims reply status policyVersion shadowVersion shadowOutcome shadowRule shadowMessageKey shadowDiffers
  shadowClaims channel caller correlationId cfRay fingerprint`.split(/\s+/);
/** Not in files; other reports list them as `personKeys`. */
const PERSON_KEYS = ['oidKey', 'idpKey', 'emailKey', 'otherKeys'];
const COLUMNS = [...new Set([...FIRST_COLUMNS, ...Object.keys(attemptColumns)])].filter(
  (name) => !PERSON_KEYS.includes(name),
);

/** Lists are joined by spaces (notes, which are sentences, by semicolons), objects are JSON, null is empty. */
function cellOf(name: string, value: unknown): Cell {
  if (Array.isArray(value)) return value.join(name === 'notes' ? '; ' : ' ');
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return typeof value === 'string' || typeof value === 'number' ? value : String(value ?? '');
}

function attemptLine({ shadow, ...attempt }: AttemptJson): Cell[] {
  const members: Record<string, unknown> = { ...attempt, ...shadowMembers(shadow ?? {}) };
  return COLUMNS.map((name) => cellOf(name, members[name]));
}

export interface FilePage {
  readonly attempts: readonly AttemptJson[];
  /** True when there may be older attempts. */
  readonly more: boolean;
  /** Set when the page ended early: everything from this time on was searched. */
  readonly searchedTo?: Date | undefined;
}

/** Where the next page starts: after this row, or before this time when the page ended early. */
export type Place = Pick<AttemptJson, 'id' | 'occurredAt'>;

/** A file of attempts, page by page. */
export const attemptsFile = (
  page: (after: Place | undefined) => Promise<FilePage>,
  from: Date | undefined,
  failed: (error: unknown) => void,
): AsyncGenerator<string, void, undefined> =>
  listFile(
    { columns: COLUMNS, line: attemptLine, placeOf: (attempt) => attempt },
    async (after) => {
      const { attempts, ...rest } = await page(after);
      return { ...rest, rows: attempts };
    },
    from,
    failed,
  );

const USER_COLUMNS = `lastSeen objectId email name firstSeen lastSignIn clientId application roles providers`.split(
  ' ',
);

/** The same of users. */
export const usersFile = (
  page: (after: Place | undefined) => Promise<RowsPage<FileUser>>,
  from: Date | undefined,
  failed: (error: unknown) => void,
): AsyncGenerator<string, void, undefined> =>
  listFile(
    {
      columns: [...USER_COLUMNS, ...OUTCOMES],
      line: ({ lastSeen, objectId, email, name, firstSeen, lastSignIn, accounts, attempts }) => [
        ...[lastSeen, objectId, email, name, firstSeen, lastSignIn?.at ?? '', lastSignIn?.clientId ?? ''],
        ...[lastSignIn?.application ?? '', lastSignIn?.roles.join(' ') ?? ''],
        accounts.map(({ provider, issuer }) => provider ?? issuer).join(', '),
        ...OUTCOMES.map((outcome) => attempts[outcome] ?? 0),
      ],
      placeOf: ({ id, lastSeen }) => ({ id, occurredAt: lastSeen }),
    },
    page,
    from,
    failed,
    MAX_USER_PAGES,
  );

/** The id in the table: where the next page starts. */
type FileUser = ListedUser & { readonly id: string };

/** A list as a file. */
interface ListFile<Row> {
  readonly columns: readonly string[];
  readonly line: (row: Row) => Cell[];
  readonly placeOf: (row: Row) => Place;
}

interface RowsPage<Row> extends Omit<FilePage, 'attempts'> {
  readonly rows: readonly Row[];
}

/**
 * A file of a list, page by page. The last line of an incomplete file says so, since the headers are already sent.
 * `page` returns the page after a place. `from` is the start of the list; undefined: everything retained.
 */
async function* listFile<Row>(
  { columns, line, placeOf }: ListFile<Row>,
  page: (after: Place | undefined) => Promise<RowsPage<Row>>,
  from: Date | undefined,
  failed: (error: unknown) => void,
  maxPages = MAX_FILE_PAGES,
): AsyncGenerator<string, void, undefined> {
  const placeAfter = ({ rows, searchedTo }: RowsPage<Row>): Place | undefined => {
    const newest = rows.at(-1);
    if (searchedTo !== undefined) return { id: NO_ID, occurredAt: searchedTo.toISOString() };
    return newest && placeOf(newest);
  };
  let last = await page(undefined);
  yield BYTE_ORDER_MARK + lines([columns]) + lines(last.rows.map(line));
  let rows = last.rows.length;
  for (let pages = 1; last.more && rows < MAX_FILE_ROWS && pages < maxPages; pages++) {
    try {
      last = await page(placeAfter(last));
    } catch (error) {
      failed(error);
      yield lines([[`INCOMPLETE: the database failed after ${rows} rows. Download the file again.`]]);
      return;
    }
    rows += last.rows.length;
    yield lines(last.rows.map(line));
  }
  const place = placeAfter(last);
  if (last.more && place !== undefined) yield lines([[truncatedAfter(rows, place, from)]]);
}

/** `to` is exclusive, so it is a millisecond later: the last row's millisecond may have more rows. */
function truncatedAfter(rows: number, { id, occurredAt }: Place, from: Date | undefined): string {
  const to = id === NO_ID ? occurredAt : new Date(new Date(occurredAt).getTime() + 1).toISOString();
  const rest = from === undefined ? `to=${to}` : `from=${from.toISOString()}&to=${to}`;
  const twice = id === NO_ID ? '' : ` (rows of ${occurredAt} may be in both files; they have the same "id")`;
  const older = id === NO_ID ? 'there may be' : 'there are';
  return `TRUNCATED after ${rows} rows: ${older} older ones. Download a second file with the same filters and ${rest}${twice}`;
}

/** The series of a summary. The three steps of user flows come first, then exchanges and other names. */
export function summaryFile({ series, totals, coverage, stale }: Summary): string {
  const steps = [...STEPS, ...Object.keys(totals.byStep).filter((step) => !STEPS.some((known) => known === step))];
  return (
    BYTE_ORDER_MARK +
    lines([
      ['start', 'attempts', ...steps.map((step) => step || 'no step'), ...OUTCOMES],
      ...series.map(({ start, attempts, byStep, byOutcome }) => [
        start,
        attempts,
        // A step may have the name `constructor`.
        ...steps.map((step) => (Object.hasOwn(byStep, step) ? (byStep[step] ?? 0) : 0)),
        ...OUTCOMES.map((outcome) => byOutcome[outcome] ?? 0),
      ]),
      ...(stale ? [[`STALE: ${coverage[0] ?? ''}`]] : []),
    ])
  );
}
