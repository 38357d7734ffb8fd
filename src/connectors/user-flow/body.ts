/** A connector's body: bytes whatever their Content-Type, counted, parsed once. Never throws; what cannot be used is a reason. */
import * as z from 'zod';

/** Values of several kB are real (captcha tokens, contract 1.6); this is far above them. */
export const MAX_BODY_BYTES = 256 * 1024;
/** Claims are flat; identities are two levels deep. Deeper than this is no claim but an attempt to exhaust something. */
const MAX_DEPTH = 32;

export type BodyFault = 'too-large' | 'cut-off' | 'not-json' | 'not-an-object' | 'nested-too-deep';

export type Body =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly members: Record<string, unknown> }
  | { readonly ok: false; readonly reason: BodyFault; readonly bytes: Uint8Array };

const NO_BYTES = new Uint8Array();
// Strips a byte order mark; what is not UTF-8 becomes U+FFFD, since a garbled name is no reason to turn a person away.
const decoder = new TextDecoder();
/** Everything further is read member by member (`claims.ts`), so that one odd member never fails the call. */
const members = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

export async function readBody(request: Request): Promise<Body> {
  const bytes = await readBytes(request);
  if (typeof bytes === 'string') return { ok: false, reason: bytes, bytes: NO_BYTES };
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes));
  } catch {
    return { ok: false, reason: 'not-json', bytes };
  }
  const checked = members.safeParse(parsed);
  if (!checked.success) return { ok: false, reason: 'not-an-object', bytes };
  if (!shallowEnough(checked.data)) return { ok: false, reason: 'nested-too-deep', bytes };
  return { ok: true, bytes, members: checked.data };
}

async function readBytes(request: Request): Promise<Uint8Array | 'too-large' | 'cut-off'> {
  const declared = Number(request.headers.get('Content-Length') ?? Number.NaN);
  if (declared > MAX_BODY_BYTES) return 'too-large';
  try {
    // The runtime holds the body to its declared length.
    if (declared >= 0) return new Uint8Array(await request.arrayBuffer());
    return await readCounted(request);
  } catch {
    return 'cut-off';
  }
}

/** A chunked body has no declared length: stop reading at the limit instead of holding whatever is sent. */
async function readCounted(request: Request): Promise<Uint8Array | 'too-large'> {
  if (request.body === null) return NO_BYTES;
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of request.body) {
    total += chunk.byteLength;
    if (total > MAX_BODY_BYTES) return 'too-large';
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** Walks level by level instead of calling itself: depth is what must not exhaust the stack. Flat bodies cost one loop. */
function shallowEnough(root: Record<string, unknown>): boolean {
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
