/** Reads a connector's body: any Content-Type, with a size limit, parsed once. A failure is a value. */
import type { BodyFault } from '../attempts/error-reasons.ts';
import { whyNotJson } from './encoding.ts';

/** Far above real values of several kB, such as captcha tokens (contract 1.6). */
export const MAX_BODY_BYTES = 256 * 1024;
/** Claims are flat, and identities have two levels. A deeper body is an attempt to exhaust resources. */
const MAX_DEPTH = 32;

export type Body =
  | { readonly ok: true; readonly text: string; readonly members: Record<string, unknown> }
  | { readonly ok: false; readonly reason: BodyFault; readonly text: string };

// Strips a byte order mark and replaces invalid UTF-8 by U+FFFD: a garbled name must not block a sign-up.
const decoder = new TextDecoder();
/** Members are validated one by one, so that an invalid member never fails the call. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A body as it arrived. */
export interface TextRead {
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** After a fault, the text before it, so that invalid bodies of different people have different support codes. */
  readonly text: string;
  readonly fault?: 'too-large' | 'cut-off' | undefined;
}

/** Never rejects. */
export async function readBodyText(request: Request): Promise<TextRead> {
  const { bytes, fault } = await readBytes(request);
  return { headers: request.headers, bytes, text: decoder.decode(bytes), fault };
}

export async function readBody(request: Request): Promise<Body> {
  const body = await readBodyText(request);
  const { text, fault } = body;
  if (fault !== undefined) return { ok: false, reason: fault, text };
  const read = parseBody(body, isObject);
  return read.ok ? { ok: true, text, members: read.value } : { ok: false, reason: read.fault, text };
}

type Json<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly fault: BodyFault };

/** An object or an array. */
export const isJsonRoot = (value: unknown): value is Record<string, unknown> | readonly unknown[] =>
  typeof value === 'object' && value !== null;

/** Parses JSON whose root has the expected form. */
export function parseBody<Value extends object>(
  body: TextRead,
  isExpected: (value: unknown) => value is Value,
): Json<Value> {
  let value: unknown;
  try {
    value = JSON.parse(body.text);
  } catch {
    return { ok: false, fault: whyNotJson(body.headers, body.bytes, body.text) };
  }
  if (!isExpected(value)) return { ok: false, fault: 'not-an-object' };
  return isShallow(value) ? { ok: true, value } : { ok: false, fault: 'nested-too-deep' };
}

interface BytesRead {
  readonly bytes: Uint8Array;
  readonly fault?: 'too-large' | 'cut-off';
}

async function readBytes(request: Request): Promise<BytesRead> {
  const declared = Number(request.headers.get('Content-Length') ?? Number.NaN);
  // The runtime enforces the declared length, so a length within the limit needs no counting.
  if (!(declared <= MAX_BODY_BYTES)) return readCounted(request);
  try {
    return { bytes: new Uint8Array(await request.arrayBuffer()) };
  } catch {
    return { bytes: new Uint8Array(), fault: 'cut-off' };
  }
}

/** Stops reading at the limit. */
async function readCounted(request: Request): Promise<BytesRead> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of request.body ?? []) {
      total += chunk.byteLength;
      chunks.push(chunk);
      if (total > MAX_BODY_BYTES) return { bytes: joined(chunks, MAX_BODY_BYTES), fault: 'too-large' };
    }
  } catch {
    return { bytes: joined(chunks, total), fault: 'cut-off' };
  }
  return { bytes: joined(chunks, total) };
}

function joined(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, total - offset), offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** Visits level by level without recursion, so a deep body cannot exhaust the stack. A flat body costs one loop. */
function isShallow(root: object): boolean {
  let level: object[] = [root];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const next: object[] = [];
    for (const item of level) {
      for (const value of Object.values(item)) if (typeof value === 'object' && value !== null) next.push(value);
    }
    if (next.length === 0) return true;
    level = next;
  }
  return false;
}
