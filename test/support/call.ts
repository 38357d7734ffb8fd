/** Calls the gate as B2C does, and reads the recorded attempts. */

import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { and, asc, eq } from 'drizzle-orm';
import { inject, vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { attempts } from '../../src/database/schema.ts';
import worker from './worker.ts';

export const basic = (pair: string) => `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(pair)))}`;
export const B2C = basic('Test:Test');
export const USER_FLOW = 'https://gatehouse.example/connectors/user-flow';

/** Bindings with a Neon that answers only errors. */
export const NEON_AWAY = { DATABASE_URL: inject('awayUrl') };

export interface Answered {
  status: number;
  contentType: string | null;
  text: string;
  json: Record<string, unknown>;
}

/** A request as B2C sends it. Strings and bytes are sent unchanged, anything else as JSON. */
export function b2cRequest(body: unknown, path = '', headers: Record<string, string> = {}): Request {
  const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
  return new Request(USER_FLOW + path, {
    method: 'POST',
    headers: { Authorization: B2C, 'Content-Type': 'application/json', ...headers },
    body: raw ? body : JSON.stringify(body),
  });
}

/** Calls the whole Worker, including its real queue. */
export const call = async (body: unknown, path = '', headers: Record<string, string> = {}): Promise<Answered> =>
  readAnswer(await exports.default.fetch(b2cRequest(body, path, headers)));

/** Calls the Worker's handler with some bindings replaced. Waits for all work after the reply. */
export async function callWith(
  bindings: object,
  body: unknown,
  path = '',
  headers: Record<string, string> = {},
): Promise<Answered> {
  const ctx = createExecutionContext();
  const response = await worker.fetch(
    b2cRequest(body, path, headers) as Parameters<typeof worker.fetch>[0],
    { ...env, ...bindings },
    ctx,
  );
  const answered = await readAnswer(response);
  await waitOnExecutionContext(ctx);
  return answered;
}

export async function readAnswer(response: Response): Promise<Answered> {
  const text = await response.text();
  const contentType = response.headers.get('Content-Type');
  const json = contentType === 'application/json' && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, contentType, text, json };
}

/** The queue and Postgres take milliseconds, and on a busy machine many seconds. No test measures it. */
export const WRITTEN_WITHIN_MS = 60_000;

/** Rows of one application, oldest first. Each test has its own client id. */
export const rowsOf = (clientId: string) =>
  connect(env.DATABASE_URL, WRITTEN_WITHIN_MS)
    .db.select()
    .from(attempts)
    .where(and(eq(attempts.clientId, clientId)))
    .orderBy(asc(attempts.occurredAt));

/** Waits until the consumer has written `count` rows. */
export const rowsOfOnce = (clientId: string, count: number) =>
  vi.waitUntil(
    async () => {
      const rows = await rowsOf(clientId);
      return rows.length >= count ? rows : false;
    },
    { timeout: WRITTEN_WITHIN_MS, interval: 50 },
  );

export const newClient = () => crypto.randomUUID();
export const newObjectId = () => crypto.randomUUID();
