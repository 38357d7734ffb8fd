/**
 * Cursors of lists that run newest first. A cursor holds the position of the last row, so rows that are written
 * meanwhile do not shift pages. It also holds a hash of the question: another question refuses it, and it discloses
 * no e-mail address.
 */
import { decodeBase64Url, encodeBase64Url } from 'hono/utils/encode';
import * as z from 'zod/mini';

/**
 * The position of a row, or of all rows of its time when the id is {@link NO_ID}. The page after it holds older rows.
 */
export interface Position {
  readonly occurredAt: Date;
  readonly id: string;
  /** Start of the first page's default range. Later pages keep it, whatever the clock says. */
  readonly from: Date | undefined;
}

/** Sorts before every id: the position before all rows of a time. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

const HASH_BYTES = 12;
const encoder = new TextEncoder();
const instant = z.pipe(
  z.int().check(z.gte(0), z.lte(8.64e15)),
  z.transform((ms: number) => new Date(ms)),
);

/** Time and id of the row, start of the range or null, hash of the question. */
const written = z.tuple([instant, z.uuid(), z.nullable(instant), z.string()]);

/** Name of a list, and its filters. The page length is not part of a question. */
export type Question = readonly [list: string, ...narrowedBy: unknown[]];

export async function writeCursor(question: Question, { occurredAt, id, from }: Position): Promise<string> {
  const parts = [occurredAt.getTime(), id, from?.getTime() ?? null, await hashOf(question)];
  return encodeBase64Url(encoder.encode(JSON.stringify(parts)).buffer);
}

/** Returns the position in a cursor; undefined when it is not a cursor of this question. */
export async function readCursor(question: Question, cursor: string): Promise<Position | undefined> {
  const parsed = written.safeParse(decoded(cursor));
  if (!parsed.success) return undefined;
  const [occurredAt, id, from, hash] = parsed.data;
  return hash === (await hashOf(question)) ? { occurredAt, id, from: from ?? undefined } : undefined;
}

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(decodeBase64Url(cursor)));
  } catch {
    return undefined;
  }
}

/** JSON omits undefined members, so a missing filter and an unknown one hash alike. */
async function hashOf(question: Question): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(JSON.stringify(question)));
  return encodeBase64Url(digest.slice(0, HASH_BYTES));
}
