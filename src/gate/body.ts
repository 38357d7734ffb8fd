/** Reads a connector's body: any Content-Type, with a size limit, parsed once. A failure is a value. */

/** Far above real values of several kB, such as captcha tokens (contract 1.6). */
export const MAX_BODY_BYTES = 256 * 1024;
/** Claims are flat, and identities have two levels. A deeper body is an attempt to exhaust resources. */
const MAX_DEPTH = 32;

export type BodyFault = 'too-large' | 'cut-off' | 'not-json' | 'not-an-object' | 'nested-too-deep';

export type Body =
  | { readonly ok: true; readonly text: string; readonly members: Record<string, unknown> }
  | { readonly ok: false; readonly reason: BodyFault; readonly text: string };

// As `Request.text()`: strips a byte order mark and replaces invalid UTF-8 by U+FFFD. A garbled name must not block a
// sign-up.
const decoder = new TextDecoder();
/** Members are validated one by one, so that an invalid member never fails the call. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export async function readBody(request: Request): Promise<Body> {
  const { text, fault } = await readText(request);
  if (fault !== undefined) return { ok: false, reason: fault, text };
  const read = readJson(text);
  if (!read.ok) return { ok: false, reason: read.fault, text };
  return isObject(read.value) ? { ok: true, text, members: read.value } : { ok: false, reason: 'not-an-object', text };
}

type Json =
  | { readonly ok: true; readonly value: Record<string, unknown> | readonly unknown[] }
  | { readonly ok: false; readonly fault: BodyFault };

/** Parses an object or an array. */
export function readJson(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'not-json' };
  }
  if (!isObject(value) && !Array.isArray(value)) return { ok: false, fault: 'not-an-object' };
  return isShallow(value) ? { ok: true, value } : { ok: false, fault: 'nested-too-deep' };
}

interface TextRead {
  /** After a fault, the text before it, so that invalid bodies of different people have different support codes. */
  readonly text: string;
  readonly fault?: 'too-large' | 'cut-off';
}

export async function readText(request: Request): Promise<TextRead> {
  const declared = Number(request.headers.get('Content-Length') ?? Number.NaN);
  // The runtime enforces the declared length, so a length within the limit needs no counting.
  if (!(declared <= MAX_BODY_BYTES)) return readCounted(request);
  try {
    return { text: await request.text() };
  } catch {
    return { text: '', fault: 'cut-off' };
  }
}

/** Stops reading at the limit. */
async function readCounted(request: Request): Promise<TextRead> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of request.body ?? []) {
      total += chunk.byteLength;
      chunks.push(chunk);
      if (total > MAX_BODY_BYTES) return { text: joined(chunks, MAX_BODY_BYTES), fault: 'too-large' };
    }
  } catch {
    return { text: joined(chunks, total), fault: 'cut-off' };
  }
  return { text: joined(chunks, total) };
}

function joined(chunks: readonly Uint8Array[], total: number): string {
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, total - offset), offset);
    offset += chunk.byteLength;
  }
  return decoder.decode(bytes);
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
