/**
 * KV and queue for bare workerd, in the protocols that its bindings speak (those of Miniflare's own simulators): a bulk read
 * arrives as `POST /bulk/get {keys, type, cacheTtl}` and wants an object by key, a sent message as `POST /message` and wants
 * JSON with `metadata`. `GET /received` says what the queue got.
 */

/** What KV holds of a policy, as text; neither where there is none. */
interface Settings {
  readonly POLICY_POINTER?: string;
  readonly POLICY_DOCUMENT?: string;
}

/** What KV holds under every objectId; nothing under any other key. */
const RECORD = JSON.stringify({
  v: 1,
  roles: ['editor'],
  groups: [],
  attributes: { loyaltyId: '1234', promoCode: '24534' },
  applications: { '231c70e8-8424-48ac-9b5d-5623b9e4ccf3': { roles: ['approver'] } },
  updatedAt: '2026-11-01T12:00:00.000Z',
  updatedBy: 'admin',
});

let messages = 0;
let bytes = 0;

export default {
  async fetch(request: Request, settings: Settings): Promise<Response> {
    const path = request.url.slice(request.url.indexOf('/', 'https://'.length));
    if (path.startsWith('/bulk/get')) {
      const { keys } = await request.json<{ keys: string[] }>();
      return Response.json(Object.fromEntries(keys.map((key) => [key, key.startsWith('person:oid:') ? RECORD : null])));
    }
    if (path.startsWith('/message')) {
      const { byteLength } = await request.arrayBuffer();
      bytes += byteLength;
      messages += 1;
      return Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } } });
    }
    if (path.startsWith('/received')) return Response.json({ messages, bytes });
    if (request.method === 'GET') return stored(decodeURIComponent(path.slice(1).split('?', 1)[0] ?? ''), settings);
    return new Response(`The stubs do not know ${request.method} ${path}.`, { status: 501 });
  },
};

/** A single read: `GET /<key>?urlencoded=true`, 404 when there is nothing. */
function stored(key: string, { POLICY_POINTER, POLICY_DOCUMENT }: Settings): Response {
  const value = key.startsWith('policy:version:')
    ? POLICY_DOCUMENT
    : key === 'policy:active'
      ? POLICY_POINTER
      : undefined;
  return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
}
