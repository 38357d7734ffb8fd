/** What all addresses of administrators and reports have in common: cursors, methods, credentials. */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { managementApi } from '../../src/desk/management-api.ts';
import { ADMIN, admin, inPath, newKey } from '../support/admin-call.ts';
import { deadLetterOf } from '../support/admin-changes.ts';

describe('/admin: cursors', () => {
  it('a damaged or foreign cursor, or one of another list, is a 400 that says where to take it from', async () => {
    for (let made = 0; made < 3; made += 1) await admin('PUT', inPath(newKey()), { roles: ['editor'] });
    for (let made = 0; made < 2; made += 1) await deadLetterOf(newKey());
    const next = async (list: string) => String((await admin('GET', `${list}?limit=1`)).json.next);
    const [people, letters] = [await next('/people'), await next('/dead-letters')];
    const faulty = (cursor: string, other: string) => [
      ...['abc', 'people.abc', 'dead-letters.abc', '000000000000', other],
      ...[cursor.slice(1), cursor.slice(0, -1), cursor.slice(0, 12), cursor.slice(12), `${cursor}=`],
    ];
    for (const [list, own, other] of [
      ['/people', people, letters],
      ['/dead-letters', letters, people],
    ] as const) {
      expect((await admin('GET', `${list}?limit=1&cursor=${encodeURIComponent(own)}`)).status).toBe(200);
      for (const cursor of faulty(own, other)) {
        const { status, json } = await admin('GET', `${list}?cursor=${encodeURIComponent(cursor)}`);
        expect([cursor, status, json.detail]).toEqual([
          cursor,
          400,
          expect.stringMatching(/^cursor: .*Send all of "next"/),
        ]);
      }
      const list400 = () => Promise.reject(new Error('KV GET failed: 400 Invalid cursor'));
      const bindings = { GATEHOUSE: { list: list400 } };
      const expired = await admin('GET', `${list}?cursor=${encodeURIComponent(own)}`, undefined, { bindings });
      expect([expired.status, expired.json.detail]).toEqual([400, expect.stringContaining('Send all of "next"')]);
      expect((await admin('GET', list, undefined, { bindings })).status).toBe(503);
    }
    expect((await admin('POST', '/dead-letters/replay')).status).toBe(200);
  });
});

describe('/admin: methods', () => {
  it('a 405 lists exactly the methods that the endpoint accepts in Allow', async () => {
    const key = newKey();
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
    for (const path of [
      '/people',
      '/people/search',
      '/people/remove',
      inPath(key),
      '/changes',
      '/changes/search',
      '/dead-letters',
      '/dead-letters/replay',
      '/dead-letters/an-id',
    ]) {
      const taken = [];
      let allow: string | null = null;
      for (const method of methods) {
        const { status, headers, json } = await admin(method, path);
        if (status !== 405) {
          taken.push(method);
          continue;
        }
        allow = headers.get('Allow');
        // A response to HEAD has no body.
        if (method !== 'HEAD') expect(json).toMatchObject({ title: 'Method not allowed', code: 'method-not-allowed' });
      }
      expect([path, allow?.split(', ').sort()]).toEqual([path, taken.sort()]);
    }
    expect((await admin('GET', '/nothing')).json).toMatchObject({ status: 404, code: 'no-such-address' });
  });
});

describe('management API: credentials', () => {
  it('every endpoint except /, /health, the API description and the connectors needs a credential', async () => {
    const isPublic = ['/', '/openapi.json', '/reference'];
    const routes = managementApi.routes.filter(({ method, path }) => method !== 'ALL' && !isPublic.includes(path));
    expect(routes.length).toBeGreaterThan(25);
    for (const { method, path } of routes) {
      const request = new Request(`https://gatehouse.example${path}`, { method });
      const { status } = await managementApi.fetch(request, env, createExecutionContext());
      expect([method, path, status]).toEqual([method, path, 401]);
    }
  });

  it('every call to /admin without an admin credential is a 401, for any body', async () => {
    const wrong = [
      '',
      `Basic ${btoa('admin:wrong')}`,
      `Basic ${btoa('support:support')}`,
      `Basic ${btoa('Test:Test')}`,
    ];
    for (const Authorization of wrong) {
      for (const [method, path, body] of [
        ['GET', '/people', undefined],
        ['PUT', '/people', 'no json'],
        ['POST', '/people/search', '{}'],
        ['POST', '/people/remove', '{}'],
        ['GET', '/people/x', undefined],
        ['PUT', '/people/x', 'x'.repeat(100_000)],
        ['DELETE', '/people/x', undefined],
        ['GET', '/nothing', undefined],
      ] as const) {
        const { status, headers } = await admin(method, path, body, { headers: { Authorization } });
        expect([method, path, status]).toEqual([method, path, 401]);
        expect(headers.get('WWW-Authenticate')).toMatch(/^Basic /);
      }
    }
  });

  it('every call is a 401 when no credential is configured outside a local run', async () => {
    const bindings = { LOCAL: '', ADMIN_BASIC: '' };
    expect((await admin('GET', '/people', undefined, { bindings, headers: { Authorization: ADMIN } })).status).toBe(
      401,
    );
  });
});
