/**
 * KV and queue for bare workerd, in the protocols that its bindings speak (those of Miniflare's own simulators): a bulk read
 * arrives as `POST /bulk/get {keys, type, cacheTtl}` and wants an object by key, a sent message as `POST /message` and wants
 * JSON with `metadata`. `GET /received` says what the queue got.
 */

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
  async fetch(request: Request): Promise<Response> {
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
    return new Response(`The stubs do not know ${request.method} ${path}.`, { status: 501 });
  },
};
