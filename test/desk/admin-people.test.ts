/** `/admin/people`: entitlements over HTTP, and the audit log of every write. */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/attempts/attempt.ts';
import { savePerson } from '../../src/desk/admin/person-records.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import { placesOf } from '../../src/entitlements/record-keys.ts';
import { SAMPLE_EMAIL_KEY } from '../../src/platform/config.ts';
import { admin, inPath, newKey } from '../support/admin-call.ts';
import { changesOfOnce } from '../support/admin-changes.ts';

const stored = async (key: string) => JSON.parse((await env.GATEHOUSE.get(`person:${key}`)) ?? 'null');

const onDesk = (request: Request, settings: object) =>
  managementApi.fetch(request, { ...env, ...settings }, createExecutionContext());

/** Everybody in the list, from all pages. */
async function everyone(bindings: object = {}): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (let path = '/people?limit=100'; path !== ''; ) {
    const { json } = await admin('GET', path, undefined, { bindings });
    found.push(...(json.people as Record<string, unknown>[]));
    path = json.next === undefined ? '' : `/people?limit=100&cursor=${encodeURIComponent(String(json.next))}`;
  }
  return found;
}

async function namesInKv(): Promise<string[]> {
  const names: string[] = [];
  for (let cursor: string | null | undefined = null; cursor !== undefined; ) {
    const page: KVNamespaceListResult<unknown> = await env.GATEHOUSE.list({ cursor });
    names.push(...page.keys.map(({ name }) => name));
    cursor = page.list_complete ? undefined : page.cursor;
  }
  return names;
}

const RECORD = {
  roles: ['editor', 'reader'],
  groups: ['sales'],
  attributes: { loyaltyId: '1234', level: 3, vip: true },
  applications: { shop: { roles: ['approver'] }, wiki: { groups: ['authors'] } },
};

describe('/admin/people: records', () => {
  it('GET returns the record of PUT, with the time and the name of the credential', async () => {
    const key = newKey();
    const before = Date.now();
    const put = await admin('PUT', inPath(key), RECORD);
    expect(put).toMatchObject({ status: 200, json: { key, ...RECORD, updatedBy: 'admin', changed: true } });
    expect(put.json.inForce).toContain('within about a minute');
    expect(put.json.inForce).toContain('next interactive sign-in');
    const got = await admin('GET', inPath(key));
    expect(got.status).toBe(200);
    expect(got.json).toEqual({ key, ...RECORD, updatedAt: put.json.updatedAt, updatedBy: 'admin' });
    expect(Date.parse(String(got.json.updatedAt))).toBeGreaterThanOrEqual(before);
    expect(await stored(key)).toEqual({ v: 1, ...RECORD, updatedAt: put.json.updatedAt, updatedBy: 'admin' });
    expect(got.headers.get('Cache-Control')).toBe('no-store');
  });

  it('PUT replaces the whole record', async () => {
    const key = newKey();
    await admin('PUT', inPath(key), RECORD);
    await admin('PUT', inPath(key), { roles: ['reader'] });
    expect((await admin('GET', inPath(key))).json).toMatchObject({
      roles: ['reader'],
      groups: [],
      attributes: {},
      applications: {},
    });
  });

  it('a record can be saved, read and removed with its key in the body instead of the URL', async () => {
    const key = `email:${crypto.randomUUID()}@example.com`;
    expect(await admin('PUT', '/people', { key, roles: ['editor'] })).toMatchObject({ status: 200, json: { key } });
    expect(await admin('POST', '/people/search', { key })).toMatchObject({ status: 200, json: { roles: ['editor'] } });
    expect(await admin('POST', '/people/remove', { key })).toMatchObject({ status: 200, json: { key, removed: true } });
    expect((await admin('POST', '/people/search', { key })).status).toBe(404);
  });

  it('no key in KV contains an address, and the record and the list show it', async () => {
    const name = crypto.randomUUID();
    for (const key of [`email:${name}@example.com`, `idp:contoso.onmicrosoft.com:${name}%40example.com`]) {
      expect(await admin('PUT', '/people', { key, roles: ['editor'] })).toMatchObject({ status: 200, json: { key } });
      expect((await admin('GET', inPath(key))).json).toEqual({
        key,
        ...{ roles: ['editor'], groups: [], attributes: {}, applications: {} },
        ...{ updatedAt: expect.any(String), updatedBy: 'admin' },
      });
      expect(await changesOfOnce(key, 1)).toMatchObject([{ subject: key, after: { roles: ['editor'] } }]);
      const listed = await everyone();
      expect(listed.filter((one) => one.key === key)).toMatchObject([{ roles: ['editor'] }]);
      const names = await namesInKv();
      expect(names.filter((one) => one.includes(name))).toEqual([]);
      expect((await admin('DELETE', inPath(key))).json).toMatchObject({ key, removed: true });
      expect((await namesInKv()).length).toBe(names.length - 1);
    }
  });

  it('a desk behind a gate without the newest EMAIL_KEY saves under the key that the gate has', async () => {
    const [newer, older] = ['the newer key of this one test, long', 'the older key of this one test, long'];
    const key = `email:${crypto.randomUUID()}@example.com`;
    const [inNewer = '', inOlder = '', plain = ''] = await placesOf([newer, older], key);
    const held = async () => {
      const values = await env.GATEHOUSE.get([inNewer, inOlder, plain]);
      return [inNewer, inOlder, plain].map((place) => values.get(place) !== null);
    };
    const desk = { EMAIL_KEY: `${newer}\n${older}` };
    const save = async (gate: object, roles: string[]) => {
      const bindings = { ...desk, DESK: { fetch: (request: Request) => onDesk(request, desk) }, ...gate };
      expect((await admin('PUT', '/people', { key, roles }, { bindings })).status).toBe(200);
    };
    await save({ EMAIL_KEY: 'another key of this one test, so long' }, ['a']);
    expect(await held()).toEqual([false, false, true]);
    await save({ EMAIL_KEY: older }, ['b']);
    expect(await held()).toEqual([false, true, true]);
    await save(desk, ['c']);
    expect(await held()).toEqual([true, true, true]);
    for (const place of [inNewer, inOlder, plain]) {
      expect(JSON.parse((await env.GATEHOUSE.get(place)) ?? '')).toMatchObject({ roles: ['c'] });
    }
    expect((await everyone(desk)).filter((one) => one.key === key)).toMatchObject([{ roles: ['c'] }]);
    const bindings = desk;
    expect((await admin('DELETE', inPath(key), undefined, { bindings })).json).toMatchObject({ removed: true });
    expect((await admin('GET', inPath(key), undefined, { bindings })).status).toBe(404);
    expect((await everyone(desk)).filter((one) => one.key === key)).toEqual([]);
    await save(desk, ['d']);
    expect((await admin('GET', inPath(key), undefined, { bindings })).json).toMatchObject({ roles: ['d'] });
    await Promise.all([inNewer, inOlder, plain].map((place) => env.GATEHOUSE.delete(place)));
  });

  it('a record under an EMAIL_KEY that is not set is listed as unreadable, and can be removed', async () => {
    const key = `email:${crypto.randomUUID()}@example.com`;
    const [place = ''] = await placesOf(['a key that was removed, long enough'], key);
    await env.GATEHOUSE.put(
      place,
      JSON.stringify({ v: 1, key, ...RECORD, updatedAt: '2026-11-01T00:00:00Z', updatedBy: 'a' }),
    );
    const digest = place.slice('person:'.length);
    const listed = (await everyone()).filter((one) => one.key === digest || one.key === key);
    expect(listed).toMatchObject([{ key: digest, unreadable: expect.stringContaining(key) }]);
    expect((await admin('DELETE', inPath(digest))).json).toMatchObject({ removed: true });
    expect(await env.GATEHOUSE.get(place)).toBeNull();
  });

  it('reading and removing an unknown person is a 404 and logs nothing', async () => {
    const key = newKey();
    for (const answered of [
      await admin('GET', inPath(key)),
      await admin('DELETE', inPath(key)),
      await admin('POST', '/people/search', { key }),
      await admin('POST', '/people/remove', { key }),
    ]) {
      expect([answered.status, answered.json.code]).toEqual([404, 'no-such-person']);
      expect(answered.headers.get('Content-Type')).toBe('application/problem+json');
      expect(answered.json.requestId).toMatch(/./);
    }
    // The queue keeps its order: an earlier row would be there before this one.
    await admin('PUT', inPath(key), RECORD);
    expect(await changesOfOnce(key, 1)).toHaveLength(1);
  });

  it('a value in KV that is not a valid record is shown with a problem, and can be replaced or removed', async () => {
    const key = newKey();
    await env.GATEHOUSE.put(`person:${key}`, '{"roles":"editor"}');
    const held = { key, unreadable: '{"roles":"editor"}', problem: expect.stringContaining('Save the record again') };
    expect(await admin('GET', inPath(key))).toMatchObject({ status: 200, json: held });
    expect(await admin('POST', '/people/search', { key })).toMatchObject({ status: 200, json: held });
    expect((await admin('PUT', inPath(key), RECORD)).status).toBe(200);
    expect(await changesOfOnce(key, 1)).toMatchObject([
      { before: { unreadable: '{"roles":"editor"}' }, after: RECORD },
    ]);
    await env.GATEHOUSE.put(`person:${key}`, 'no json \0');
    expect((await admin('DELETE', inPath(key))).status).toBe(200);
    expect(await changesOfOnce(key, 2)).toHaveLength(2);
    expect((await admin('GET', inPath(key))).status).toBe(404);
  });

  it('a record under an e-mail key is saved with a warning when no issuer is trusted for e-mail', async () => {
    const key = `email:${crypto.randomUUID()}@example.com`;
    const put = (issuers: string) =>
      admin('PUT', '/people', { key, roles: ['a'] }, { bindings: { EMAIL_TRUSTED_ISSUERS: issuers } });
    expect((await put('')).json.warning).toContain('EMAIL_TRUSTED_ISSUERS');
    expect((await put('google.com')).json).not.toHaveProperty('warning');
  });
});

describe('/admin/people: keys', () => {
  it('a key in any case and with spaces around it names the same person', async () => {
    const id = crypto.randomUUID();
    await admin('PUT', inPath(` OID:${id.toUpperCase()} `), { roles: ['by-oid'] });
    expect((await admin('GET', inPath(`oid:${id}`))).json).toMatchObject({ key: `oid:${id}`, roles: ['by-oid'] });

    await admin('PUT', '/people', { key: `email: ${id}@EXAMPLE.com `, roles: ['by-mail'] });
    expect((await admin('GET', inPath(`email:${id}@example.com`))).json.roles).toEqual(['by-mail']);

    const issuer = encodeURIComponent('https://login.example/a?b');
    await admin('PUT', inPath(`idp:${issuer}:${id}%2F%25`), { roles: ['by-idp'] });
    expect(await stored(`idp:${issuer}:${id}%2F%25`)).toMatchObject({ roles: ['by-idp'] });
    expect((await admin('GET', inPath(`idp:${issuer}:${id}%2F%25`))).json.roles).toEqual(['by-idp']);
  });

  it('an invalid key is a 400 that shows every form of a key', async () => {
    for (const typed of [
      'anna',
      'oid:',
      'idp:google.com',
      'idp:a:b:c',
      'idp:%zz:1',
      'email: ',
      'sha256:1',
      'oid:a\u0000b',
      'email:an\u0007na@example.com',
      'email:anna@example.com\u0085 x',
      'oid:a\u2028b',
      'idp:google.com:1%00',
      'x'.repeat(3_000),
    ]) {
      for (const answered of [
        await admin('GET', inPath(typed)),
        await admin('PUT', inPath(typed), RECORD),
        await admin('DELETE', inPath(typed)),
        await admin('PUT', '/people', { key: typed, ...RECORD }),
        await admin('POST', '/people/search', { key: typed }),
        await admin('POST', '/people/remove', { key: typed }),
      ]) {
        expect(answered).toMatchObject({ status: 400, json: { code: 'invalid-request', errors: [{ path: 'key' }] } });
        if (typed.length < 2_000) {
          expect(answered.json.detail).toMatch(/oid:<objectId>.*idp:<issuer>:<id>.*percent-encoded.*email:<address>/);
        }
      }
    }
  });
});

describe('/admin/people: keys that no call can have', () => {
  const guid = '0f8fad5b-d9cb-469f-a165-70867728950e';
  it.each([
    ['an address as objectId', 'oid:jane@example.com', /oid:.*email:<address>/],
    ['a GUID with one digit missing', `oid:${guid.slice(1)}`, /31 hexadecimal digits.*one character is missing/],
    ['a GUID with a digit too many', `oid:${guid}0`, /33 hexadecimal digits.*one character is too many/],
    ['a GUID with the letter O for a zero', `oid:${guid.replace('0', 'o')}`, /letters a to f only, and it has o\./],
    ['an address without @', 'email:jane', /needs one @/],
    ['an address without a domain', 'email:jane@', /needs one @/],
    ['an address with two @', 'email:a@b@example.com', /needs one @/],
  ])('a record under %s is not saved, and the refusal says what to write', async (_, key, remedy) => {
    for (const answered of [
      await admin('PUT', inPath(key), RECORD),
      await admin('PUT', '/people', { key, ...RECORD }),
      await admin('POST', '/people/search', { key }),
      await admin('GET', inPath(key)),
      await admin('DELETE', inPath(key)),
    ]) {
      expect(answered).toMatchObject({ status: 400, json: { code: 'invalid-request', errors: [{ path: 'key' }] } });
      expect(answered.json.detail).toMatch(remedy);
    }
    expect(await env.GATEHOUSE.get(`person:${key}`)).toBeNull();
  });

  it('a record that an earlier version saved under such a key can be read and removed', async () => {
    const upper = crypto.randomUUID().toUpperCase();
    for (const key of [
      `oid:${crypto.randomUUID()}@example.com`,
      `oid:{${upper}}`,
      `email:\u200b${upper}@example.com`,
    ]) {
      await env.GATEHOUSE.put(`person:${key.toLowerCase()}`, '{"v":1}');
      expect((await admin('POST', '/people/search', { key })).status).toBe(200);
      expect((await admin('POST', '/people/remove', { key })).status).toBe(200);
      expect((await admin('POST', '/people/remove', { key })).status).toBeGreaterThanOrEqual(400);
      expect((await everyone()).filter((one) => one.key === key.toLowerCase())).toEqual([]);
    }
  });

  it('a GUID in braces, in quotes, as a URN or without hyphens is the same key', async () => {
    const id = crypto.randomUUID();
    const upper = id.toUpperCase();
    const forms = [
      `{${upper}}`,
      `"${id}"`,
      `urn:uuid:${upper}`,
      id.replaceAll('-', ''),
      `\u200b${id}\u202c`,
      `(${id})`,
    ];
    for (const [nth, form] of forms.entries()) {
      const key = `oid:${form}`;
      const saved = await admin('PUT', '/people', { key, roles: [`role${nth}`] });
      expect(saved).toMatchObject({ status: 200, json: { key: `oid:${id}` } });
      expect((await admin('GET', inPath(key))).json).toMatchObject({ key: `oid:${id}`, roles: [`role${nth}`] });
    }
  });
});

describe('/admin/people: the audit log', () => {
  it('every change in force is in the audit log, for any characters in the key', async () => {
    const mark = crypto.randomUUID();
    const piece = fc.oneof(
      fc.constantFrom('\0', '\u001b', '\u0085', '\u202e', '\u2028', '\ud800', '%00', '%', ':', '\u0130', ' ', '\ufffd'),
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.string({ unit: 'grapheme', minLength: 100, maxLength: 300 }),
    );
    const hostile = fc
      .tuple(fc.constantFrom('oid:', 'email:a@', 'idp:issuer:', 'IDP:'), fc.array(piece, { maxLength: 3 }))
      .map(([kind, pieces]) => `${kind}${mark}${pieces.join('')}`);
    const inForce: string[] = [];
    for (const key of fc.sample(hostile, 80)) {
      const { status, json } = await admin('PUT', '/people', { key, roles: ['boss'] });
      expect([key, status]).toEqual([key, json.changed === undefined ? 400 : 200]);
      if (status === 200 && json.changed === true) inForce.push(String(json.key));
    }
    expect(inForce.length).toBeGreaterThan(5);
    for (const key of inForce) {
      const [place = ''] = await placesOf([SAMPLE_EMAIL_KEY], key);
      expect(await env.GATEHOUSE.get(place)).not.toBeNull();
      expect(await changesOfOnce(key, 1)).toMatchObject([{ subject: key, after: { roles: ['boss'] } }]);
    }
  });

  it('every PUT and DELETE is logged with the record before and after', async () => {
    const key = newKey();
    await admin('PUT', inPath(key), { roles: ['reader'] });
    await admin('PUT', inPath(key), { roles: ['editor'], attributes: { a: 1 } });
    await admin('DELETE', inPath(key));
    const rows = await changesOfOnce(key, 3);
    expect(rows).toMatchObject([
      { changedBy: 'admin', before: null, after: { roles: ['reader'] } },
      { changedBy: 'admin', before: { roles: ['reader'] }, after: { roles: ['editor'], attributes: { a: 1 } } },
      { changedBy: 'admin', before: { roles: ['editor'] }, after: null },
    ]);
  });

  it('characters in a key that Postgres rejects are replaced in the audit log', async () => {
    const key = `oid:${crypto.randomUUID()}\0b`;
    const logged: Change[] = [];
    const logChange = (change: Change) => Promise.resolve(logged.push(change) > 0);
    const author = { by: 'admin', now: Date.now(), logChange };
    const input = { roles: ['boss'], groups: [], attributes: {}, applications: {} };
    const records = { kv: env.GATEHOUSE, emailKeys: [], gateKey: undefined };
    expect(await savePerson(records, key, input, author)).toMatchObject({ ok: true });
    expect(logged).toMatchObject([{ subject: key.replace('\0', '\ufffd') }]);
    await env.GATEHOUSE.delete(`person:${key}`);
  });

  it('a PUT of an equal record is written to KV, but keeps updatedAt and updatedBy and is not logged', async () => {
    const key = newKey();
    const first = await admin('PUT', inPath(key), RECORD);
    const { applications, attributes, groups, roles } = RECORD;
    const other = {
      bindings: { ADMIN_BASIC: 'second:secret' },
      headers: { Authorization: `Basic ${btoa('second:secret')}` },
    };
    let written = '';
    const kv = {
      get: env.GATEHOUSE.get.bind(env.GATEHOUSE),
      put: (_key: string, value: string) => {
        written = value;
        return Promise.resolve();
      },
    };
    const again = await admin(
      'PUT',
      inPath(key),
      { applications, attributes: { vip: attributes.vip, level: 3, loyaltyId: '1234' }, groups, roles },
      { ...other, bindings: { ...other.bindings, GATEHOUSE: kv } },
    );
    expect(again.json).toMatchObject({ changed: false, updatedAt: first.json.updatedAt, updatedBy: 'admin' });
    expect(JSON.parse(written)).toEqual(await stored(key));
    await admin('PUT', inPath(key), { ...RECORD, roles: ['reader', 'editor'] }, other);
    expect(await changesOfOnce(key, 2)).toMatchObject([{ changedBy: 'admin' }, { changedBy: 'second' }]);
  });
});

describe('/admin/people: the list', () => {
  it('GET /admin/people lists each person once, page by page, with unreadable records', async () => {
    const mark = crypto.randomUUID().slice(0, -1);
    const keys = Array.from({ length: 7 }, (_, index) => `oid:${mark}${index}`);
    for (const key of keys) await admin('PUT', inPath(key), { roles: ['editor'], groups: [key.slice(-1)] });
    await env.GATEHOUSE.put(`person:oid:${mark}x`, 'no json');
    const seen: Record<string, unknown>[] = [];
    let path = '/people?limit=3';
    for (;;) {
      const { status, json } = await admin('GET', path);
      expect(status).toBe(200);
      const people = json.people as Record<string, unknown>[];
      expect(people.length).toBeLessThanOrEqual(3);
      seen.push(...people);
      if (json.next === undefined) break;
      path = `/people?limit=3&cursor=${encodeURIComponent(String(json.next))}`;
    }
    const ours = seen.filter(({ key }) => String(key).startsWith(`oid:${mark}`));
    expect(ours.map(({ key }) => key)).toEqual([...keys, `oid:${mark}x`]);
    expect(ours[3]).toMatchObject({ roles: ['editor'], groups: ['3'], updatedBy: 'admin' });
    expect(ours[7]).toMatchObject({ unreadable: 'no json' });
  });

  it('an unknown parameter or an invalid limit is a 400 that names it', async () => {
    const refused = async (query: string) => {
      const { status, json } = await admin('GET', `/people?${query}`);
      return [status, json.detail];
    };
    for (const limit of ['0', '101', 'x', 'abc', '0x10', '1e1', '1.5', '-1', '', '1&limit=2']) {
      expect([limit, ...(await refused(`limit=${limit}`))]).toEqual([limit, 400, 'limit: not a number from 1 to 100']);
    }
    expect((await admin('GET', '/people?limit=100')).status).toBe(200);
    expect(await refused('limt=3')).toEqual([400, 'unknown: limt. Known here: cursor, limit']);
  });
});
