/**
 * Cursors of lists that run newest first. A cursor holds the last row's place, so that rows written meanwhile move nothing,
 * and a hash of the question: with another question it is refused, and an e-mail asked for does not stand in it.
 */
import { decodeBase64Url, encodeBase64Url } from 'hono/utils/encode';
import * as z from 'zod/mini';

/** The place of a row, or of all rows of its time when the id is {@link NO_ID}; the page after it holds older ones. */
export interface Position {
  readonly occurredAt: Date;
  readonly id: string;
  /** Where the range of the first page began, when that was the preset: it must not move on with the clock. */
  readonly from: Date | undefined;
}

/** Sorts before every id: the place before the rows of a time. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

const HASH_BYTES = 12;
const encoder = new TextEncoder();
const instant = z.pipe(
  z.int().check(z.gte(0), z.lte(8.64e15)),
  z.transform((ms: number) => new Date(ms)),
);

/** Time and id of the row, start of the range or null, hash of the question. */
const written = z.tuple([instant, z.uuid(), z.nullable(instant), z.string()]);

/** A question that a list answers: which list, and everything that narrows it. Limits do not belong to it. */
export type Question = readonly [list: string, ...narrowedBy: unknown[]];

export async function writeCursor(question: Question, { occurredAt, id, from }: Position): Promise<string> {
  const parts = [occurredAt.getTime(), id, from?.getTime() ?? null, await hashOf(question)];
  return encodeBase64Url(encoder.encode(JSON.stringify(parts)).buffer);
}

/** The place a cursor points to; undefined when it is not a cursor of this question. */
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

/** JSON leaves out what is undefined, so that a filter not given and one that does not exist are the same. */
async function hashOf(question: Question): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(JSON.stringify(question)));
  return encodeBase64Url(digest.slice(0, HASH_BYTES));
}
