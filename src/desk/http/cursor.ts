/**
 * Cursors of lists that run newest first. A cursor holds the position of the last row, so rows that are written
 * meanwhile do not shift pages. It is signed together with the question: another question refuses it, only Gatehouse
 * can make one, and it discloses no e-mail address.
 */
import { decodeBase64Url, encodeBase64Url } from 'hono/utils/encode';
import * as z from 'zod/mini';
import { hmac } from '../../platform/digest.ts';

/**
 * The position of a row, or of all rows of its time when the id is {@link NO_ID}. The page after it holds older rows.
 */
export interface Position {
  readonly occurredAt: Date;
  readonly id: string;
  /** Start of the first page's range. Later pages keep it, whatever the clock says. */
  readonly from: Date | undefined;
}

/** Sorts before every id: the position before all rows of a time. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

const SIGNATURE_BYTES = 12;
/** So that no other signature under the same secret is one of a cursor. */
const PURPOSE = 'gatehouse: cursor of a list';
const encoder = new TextEncoder();

/** Attempts and changes are of these years. Postgres does not read every time that JavaScript can write. */
const instantFrom = (firstYear: number) =>
  z.pipe(
    z.int().check(z.gte(Date.UTC(firstYear, 0)), z.lt(Date.UTC(2200, 0))),
    z.transform((ms: number) => new Date(ms)),
  );

/** Time and id of the row, start of the range or null, signature. A default range up to 2000 starts in 1999. */
const written = z.tuple([instantFrom(2000), z.guid(), z.nullable(instantFrom(1999)), z.string()]);

/** The secret of this Worker's settings. The settings of an isolate never change. */
let secret = '';

/** Sets the secret of all cursors. With `''`, each isolate has its own. */
export function signCursorsWith(configured: string): void {
  secret = configured;
}

/** The signature of values under the secret, as a short text. */
export async function signatureOf(values: readonly unknown[]): Promise<string> {
  // JSON omits undefined members, so a missing filter and an unknown one sign alike.
  const signed = await hmac(secret, encoder.encode(JSON.stringify([PURPOSE, ...values])));
  return encodeBase64Url(signed.slice(0, SIGNATURE_BYTES).buffer);
}

/** Name of a list, and its filters. The page length is not part of a question. */
export type Question = readonly [list: string, ...narrowedBy: unknown[]];

export async function writeCursor(question: Question, { occurredAt, id, from }: Position): Promise<string> {
  const parts = [occurredAt.getTime(), id, from?.getTime() ?? null];
  return encodeBase64Url(encoder.encode(JSON.stringify([...parts, await signatureOf([question, parts])])).buffer);
}

/** Returns the position in a cursor; undefined when it is not a cursor of this question. */
export async function readCursor(question: Question, cursor: string): Promise<Position | undefined> {
  const parsed = written.safeParse(decoded(cursor));
  if (!parsed.success) return undefined;
  const [occurredAt, id, from, signature] = parsed.data;
  const parts = [occurredAt.getTime(), id, from?.getTime() ?? null];
  return signature === (await signatureOf([question, parts])) ? { occurredAt, id, from: from ?? undefined } : undefined;
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(decodeBase64Url(cursor)));
  } catch {
    return undefined;
  }
}
