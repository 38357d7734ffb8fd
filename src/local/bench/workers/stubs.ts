/**
 * KV and queue for bare workerd, in the protocols of its bindings, as in Miniflare's own simulators:
 * - `POST /bulk/get {keys, type, cacheTtl}` returns an object by key.
 * - `GET /<key>?urlencoded=true` returns the value or 404.
 * - `POST /message` returns JSON with `metadata`.
 *
 * The bench sets the values in KV with `PUT /bench/values` and reads the totals of the queue at `GET /bench/received`.
 */

/** Texts are for bulk reads, bytes for single reads: encoding a large value is not part of the measurement. */
const texts = new Map<string, string>();
const bytes = new Map<string, Uint8Array>();
const received = { messages: 0, bytes: 0 };
const encoder = new TextEncoder();

export default {
  async fetch(request: Request): Promise<Response> {
    const [path = ''] = request.url.slice(request.url.indexOf('/', 'https://'.length) + 1).split('?', 1);
    switch (`${request.method} ${path}`) {
      case 'POST bulk/get': {
        const { keys } = await request.json<{ keys: string[] }>();
        return Response.json(Object.fromEntries(keys.map((key) => [key, texts.get(key) ?? null])));
      }
      case 'POST message': {
        const { byteLength } = await request.arrayBuffer();
        received.bytes += byteLength;
        received.messages += 1;
        const metrics = { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 };
        return Response.json({ metadata: { metrics } });
      }
      case 'PUT bench/values':
        for (const [key, value] of Object.entries(await request.json<Record<string, string>>())) {
          texts.set(key, value);
          bytes.set(key, encoder.encode(value));
        }
        return new Response();
      case 'GET bench/received':
        return Response.json(received);
    }
    if (request.method !== 'GET')
      return new Response(`The stubs do not know ${request.method} ${path}.`, { status: 501 });
    const value = bytes.get(decodeURIComponent(path));
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};
