/** Admin endpoints when KV, the queue or the database fails: a 503, and a complete audit log. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { admin, inPath, newKey } from '../support/admin-call.ts';
import { changesOf, changesOfOnce, deadLetterOf, noDeadLetters } from '../support/admin-changes.ts';

beforeEach(noDeadLetters);

const away = () => Promise.reject(new Error('KV is away'));
const silent = () => new Promise<never>(() => undefined);
const busy = () => Promise.reject(new Error('KV PUT failed: 429 Too Many Requests'));

/** The real KV, with some of its operations replaced. */
const kvWith = (replaced: object) => ({
  GATEHOUSE: {
    get: env.GATEHOUSE.get.bind(env.GATEHOUSE),
    put: env.GATEHOUSE.put.bind(env.GATEHOUSE),
    delete: env.GATEHOUSE.delete.bind(env.GATEHOUSE),
    list: env.GATEHOUSE.list.bind(env.GATEHOUSE),
    ...replaced,
  },
});
const refusingQueue = { ATTEMPTS: { send: () => Promise.reject(new Error('The queue is away')) } };
const noDatabase = { DATABASE_URL: '' };

const rolesOf = async (key: string) => (await admin('GET', inPath(key))).json.roles;

const everyCall = (key: string) =>
  [
    ['GET', inPath(key), undefined],
    ['PUT', inPath(key), { roles: ['editor'] }],
    ['DELETE', inPath(key), undefined],
    ['POST', '/people/search', { key }],
    ['PUT', '/people', { key, roles: ['editor'] }],
    ['POST', '/people/remove', { key }],
    ['GET', '/people', undefined],
    ['GET', '/dead-letters', undefined],
    ['GET', '/dead-letters/an-id', undefined],
    ['DELETE', '/dead-letters/an-id', undefined],
  ] as const;

describe('admin endpoints: KV failures', () => {
  it('when KV throws, every call is a 503 with Retry-After and changes nothing', async () => {
    const key = newKey();
    const bindings = { GATEHOUSE: { get: away, getWithMetadata: away, put: away, delete: away, list: away } };
    for (const [method, path, body] of everyCall(key)) {
      const { status, headers, json } = await admin(method, path, body, { bindings });
      expect([method, path, status, json.code]).toEqual([method, path, 503, 'kv-failed']);
      expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(json.detail).toContain('Nothing was changed');
    }
    expect(await rolesOf(key)).toBeUndefined();
  });

  it('when KV hangs, every call is a 503 after a timeout', async () => {
    const bindings = { GATEHOUSE: { get: silent, getWithMetadata: silent, put: silent, delete: silent, list: silent } };
    const answers = everyCall(newKey()).map(([method, path, body]) => admin(method, path, body, { bindings }));
    for (const { status, json } of await Promise.all(answers)) {
      expect([status, json.code]).toEqual([503, 'kv-timeout']);
    }
  });

  it('when KV limits writes to a key, the write is retried once', async () => {
    const key = newKey();
    let writes = 0;
    const put = (...written: Parameters<KVNamespace['put']>) => {
      writes += 1;
      return writes === 1 ? busy() : env.GATEHOUSE.put(...written);
    };
    expect((await admin('PUT', inPath(key), { roles: ['a'] }, { bindings: kvWith({ put }) })).status).toBe(200);
    expect(await rolesOf(key)).toEqual(['a']);

    const { headers, json } = await admin('PUT', inPath(key), { roles: ['b'] }, { bindings: kvWith({ put: busy }) });
    expect([json.status, json.code, headers.get('Retry-After')]).toEqual([503, 'kv-busy', '2']);
  });

  it('when a write to KV fails, the change is in the audit log, and a retry puts it in force and logs it again', async () => {
    const key = newKey();
    await admin('PUT', inPath(key), { roles: ['reader'] });
    const order = () => admin('PUT', inPath(key), { roles: ['editor'] }, { bindings: kvWith({ put: away }) });
    const failed = await order();
    expect([failed.status, failed.json.code]).toEqual([503, 'kv-failed']);
    expect(failed.json.detail).toMatch(
      /\/admin\/changes\) holds this change.*may or may not be in force.*same call again/,
    );
    expect(await rolesOf(key)).toEqual(['reader']);
    expect((await admin('PUT', inPath(key), { roles: ['editor'] })).json).toMatchObject({ changed: true });
    const ordered = { before: { roles: ['reader'] }, after: { roles: ['editor'] } };
    expect(await changesOfOnce(key, 3)).toMatchObject([{ before: null }, ordered, ordered]);

    expect((await admin('DELETE', inPath(key), undefined, { bindings: kvWith({ delete: away }) })).status).toBe(503);
    expect(await rolesOf(key)).toEqual(['editor']);
    expect((await admin('DELETE', inPath(key))).status).toBe(200);
    expect(await changesOfOnce(key, 5)).toMatchObject([{}, {}, {}, { after: null }, { after: null }]);
  });
});

describe('admin endpoints: audit log failures', () => {
  it('when the queue refuses a change, it is written to the database directly', async () => {
    const key = newKey();
    const put = await admin('PUT', inPath(key), { roles: ['editor'] }, { bindings: refusingQueue });
    expect(put.status).toBe(200);
    expect(await changesOf(key)).toMatchObject([{ before: null, after: { roles: ['editor'] } }]);
  });

  it('when neither queue nor database accepts a change, nothing changes, and a retry is in force and in the log', async () => {
    const key = newKey();
    await admin('PUT', inPath(key), { roles: ['reader'] });
    const bindings = { ...refusingQueue, ...noDatabase };
    for (const [method, path, body] of [
      ['PUT', inPath(key), { roles: ['editor'] }],
      ['DELETE', inPath(key), undefined],
    ] as const) {
      const { status, headers, json } = await admin(method, path, body, { bindings });
      expect([status, json.code, headers.get('Retry-After')]).toEqual([503, 'not-logged', '30']);
      expect(json.detail).toContain('Nothing was changed');
      expect(await rolesOf(key)).toEqual(['reader']);
    }
    await admin('PUT', inPath(key), { roles: ['editor'] });
    expect(await rolesOf(key)).toEqual(['editor']);
    expect(await changesOfOnce(key, 2)).toMatchObject([
      {},
      { before: { roles: ['reader'] }, after: { roles: ['editor'] } },
    ]);
  });
});

describe('admin endpoints: without a database', () => {
  it('GET /admin/changes and its search are a 503 with Retry-After', async () => {
    for (const [method, path, body] of [
      ['GET', '/changes', undefined],
      ['POST', '/changes/search', {}],
    ] as const) {
      const { json, headers } = await admin(method, path, body, { bindings: noDatabase });
      expect([path, json.status, json.code]).toEqual([path, 503, 'database-unavailable']);
      expect(headers.get('Retry-After')).toBe('5');
    }
  });

  it('a replay of dead letters succeeds, because it needs only KV and the queue', async () => {
    const letter = await deadLetterOf(newKey());
    const { status, json } = await admin('POST', '/dead-letters/replay', undefined, { bindings: noDatabase });
    expect([status, json]).toEqual([200, { written: 1, refused: 0 }]);
    expect(await env.GATEHOUSE.get(letter)).toBeNull();
  });
});

describe('replay of dead letters: failures', () => {
  it('when the queue refuses a message, the replay is a 503 and the dead letter stays', async () => {
    const letter = await deadLetterOf(newKey());
    const { status, headers } = await admin('POST', '/dead-letters/replay', undefined, { bindings: refusingQueue });
    expect([status, headers.get('Retry-After')]).toEqual([503, '30']);
    expect(await env.GATEHOUSE.get(letter)).not.toBeNull();
    expect((await admin('POST', '/dead-letters/replay')).json).toEqual({ written: 1, refused: 0 });
    expect(await env.GATEHOUSE.get(letter)).toBeNull();
  });

  it('when KV does not delete a dead letter, the replay is a 503, and the next one sends it again and deletes it', async () => {
    const letter = await deadLetterOf(newKey());
    const bindings = kvWith({ delete: away });
    expect((await admin('POST', '/dead-letters/replay', undefined, { bindings })).status).toBe(503);
    expect((await admin('POST', '/dead-letters/replay')).json).toEqual({ written: 1, refused: 0 });
    expect(await env.GATEHOUSE.get(letter)).toBeNull();
  });
});
