/** Folds the calls of a timeline into tries: what a person calls "I tried to log in". Pure. */
import type { AttemptRow } from './queries/columns.ts';
import { type KeyedCall, TRY_GAP_MS, whoseCalls } from './whose-calls.ts';

export type TryRow = KeyedCall & Pick<AttemptRow, 'step' | 'fingerprint'>;

/** One call, as often as B2C made it: attempts with one fingerprint, oldest first. */
export type OneCall<Row> = readonly [first: Row, ...again: Row[]];

/** The calls of one person and application, without a pause of more than {@link TRY_GAP_MS}. */
export interface Try<Row> {
  /** A person key; `call:` and an id when the calls name no person. */
  readonly person: string;
  readonly clientId: string;
  /** Oldest first. */
  readonly rows: readonly [first: Row, ...later: Row[]];
  /** By their first attempt, oldest first. */
  readonly calls: readonly OneCall<Row>[];
}

/** Every attempt is in exactly one try. Newest try first; the order of the rows does not matter. */
export function foldTries<Row extends TryRow>(rows: readonly Row[]): Try<Row>[] {
  const whose = whoseCalls(rows);
  const open = new Map<string, { person: string; clientId: string; rows: [Row, ...Row[]] }>();
  const tries: { person: string; clientId: string; rows: [Row, ...Row[]] }[] = [];
  for (const row of oldestFirst(rows)) {
    const { person, clientId } = whose.get(row.id) ?? { person: '', clientId: row.clientId };
    const key = JSON.stringify([person, clientId]);
    const before = open.get(key);
    const last = before?.rows.at(-1);
    if (before && last && row.occurredAt.getTime() - last.occurredAt.getTime() <= TRY_GAP_MS) before.rows.push(row);
    else {
      const begun: (typeof tries)[number] = { person, clientId, rows: [row] };
      open.set(key, begun);
      tries.push(begun);
    }
  }
  const byEnd = tries.map((one) => ({ ...one, calls: callsOf(one.rows) }));
  return byEnd.toSorted((a, b) => newerFirst(lastOf(a), lastOf(b)));
}

/** The newest attempt of a try. */
export const lastOf = <Row>({ rows }: Pick<Try<Row>, 'rows'>): Row => rows.at(-1) ?? rows[0];

/** Attempts with one fingerprint are one call. Without a fingerprint, each is a call of its own. */
export function callsOf<Row extends Pick<TryRow, 'id' | 'step' | 'fingerprint'>>(rows: readonly Row[]): OneCall<Row>[] {
  const calls = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    // The fingerprint covers the step.
    const key = row.fingerprint === '' ? row.id : `${row.step} ${row.fingerprint}`;
    const before = calls.get(key);
    if (before === undefined) calls.set(key, [row]);
    else before.push(row);
  }
  return [...calls.values()];
}

type Placed = Pick<TryRow, 'id' | 'occurredAt'>;

const newerFirst = (a: Placed, b: Placed) =>
  b.occurredAt.getTime() - a.occurredAt.getTime() || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** Each attempt once. */
const oldestFirst = <Row extends Placed>(rows: readonly Row[]): Row[] =>
  [...new Map(rows.map((row) => [row.id, row])).values()].toSorted((a, b) => newerFirst(b, a));
