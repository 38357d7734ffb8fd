/** Calls the admin endpoints. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import worker from './worker.ts';

export const ADMIN = `Basic ${btoa('admin:admin')}`;

export interface Answered {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

export interface Call {
  /** Bindings and settings that replace the real ones. */
  bindings?: object;
  headers?: Record<string, string>;
}

/** Text and streams are sent unchanged, other values as JSON. */
export async function admin(method: string, path: string, body?: unknown, call: Call = {}): Promise<Answered> {
  const raw = typeof body === 'string' || body instanceof ReadableStream;
  const request = new Request(`https://gatehouse.example/admin${path}`, {
    method,
    headers: {
      Authorization: ADMIN,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...call.headers,
    },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const ctx = createExecutionContext();
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], { ...env, ...call.bindings }, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  return { status: response.status, headers: response.headers, json: text === '' ? {} : JSON.parse(text) };
}

/** The key of a new person. */
export const newKey = () => `oid:${crypto.randomUUID()}`;

export const inPath = (key: string) => `/people/${encodeURIComponent(key)}`;
