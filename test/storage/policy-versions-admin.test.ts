/** `/admin/policy/versions`, rollback, shadow and the audit log of policies over HTTP. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { policyVersions } from '../../src/database/schema.ts';
import { aPolicy, FIRST, ifMatch, newPolicy, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, put, save } = door;

describe('/admin/policy/versions', () => {
  it('versions are listed newest first, page by page, without documents', async () => {
    for (let index = 0; index < 5; index += 1) await save(newPolicy({ lists: { a: [], b: [] } }));
    const first = await call('GET', '/policy/versions?limit=2');
    expect(first.json.versions).toEqual(
      [5, 4].map((number) => ({
        number,
        use: 'active',
        author: 'admin',
        note: '',
        createdAt: expect.stringMatching(/Z$/),
        rules: 1,
        lists: 2,
        messages: 0,
      })),
    );
    const cursor = encodeURIComponent(String(first.json.next));
    const second = await call('GET', `/policy/versions?limit=3&cursor=${cursor}`);
    expect((second.json.versions as { number: number }[]).map(({ number }) => number)).toEqual([3, 2, 1]);
    expect(second.json).not.toHaveProperty('next');
  });

  it('a version can be read by number, with its document', async () => {
    const document = newPolicy();
    await save(document);
    await save();
    expect((await call('GET', '/policy/versions/1')).json).toMatchObject({ number: 1, use: 'active', document });
  });
});

describe('/admin/policy/rollback', () => {
  const rollBack = (body: unknown, headers: Record<string, string>) =>
    call('POST', '/policy/rollback', { body, headers });

  it('a rollback makes a new version of an old document', async () => {
    const document = newPolicy();
    await save(document);
    await save();
    const { status, json, headers } = await rollBack({ to: 1, note: 'too strict' }, ifMatch(2));
    expect([status, headers.get('ETag')]).toEqual([200, '"3"']);
    expect(json).toMatchObject({ number: 3, previous: 2, note: 'too strict', changes: { others: ['description'] } });
    expect((await call('GET', '/policy')).text).toBe(JSON.stringify(document));
    expect(door.pointer()).toEqual({ v: 1, number: 3 });
    expect((await door.changes('policy')).at(-1)?.after).toMatchObject({
      version: 3,
      documentOf: 1,
      note: 'too strict',
    });
    expect((await rollBack({ to: 1 }, ifMatch(2))).json).toMatchObject({ number: 3, changed: false });
  });

  it('a rollback to a document that today’s check refuses is refused', async () => {
    await save();
    const outdated = { number: 2, use: 'active', author: 'admin', createdAt: new Date() } as const;
    await door.database
      .db()
      .insert(policyVersions)
      .values({ ...outdated, document: { rules: [{ id: 'old' }] } });
    await save();
    const { status, json } = await rollBack({ to: 2 }, ifMatch(3));
    expect([status, json.code, json.detail]).toEqual([400, 'invalid-policy', expect.stringContaining('version 2')]);
    expect(json.errors).toMatchObject([{ path: 'rules[0].steps' }]);
  });

  it('a rollback to a shadow version puts it in force, and one to a version without a document is refused', async () => {
    await save();
    const document = newPolicy();
    await call('PUT', '/policy/shadow', { body: document, headers: FIRST });
    expect((await rollBack({ to: 2 }, ifMatch(1))).json).toMatchObject({ number: 3, use: 'active' });
    expect(door.published(3)).toEqual(document);
    await call('DELETE', '/policy/shadow', { headers: ifMatch(2) });
    const without = await rollBack({ to: 4 }, ifMatch(3));
    expect([without.status, without.json.errors]).toEqual([
      400,
      [{ path: 'to', pointer: '#/to', message: expect.stringContaining('it has no document') }],
    ]);
  });
});

describe('/admin/policy/shadow', () => {
  const shadow = (method: string, headers: Record<string, string>, body?: unknown, query = '') =>
    call(method, `/policy/shadow${query}`, { headers, ...(body === undefined ? {} : { body }) });

  it('a shadow is saved beside the policy with its own precondition, and stays when the policy changes', async () => {
    const document = newPolicy();
    await save();
    const saved = await shadow('PUT', FIRST, document, '?sample=0.25&note=dry%20run');
    expect([saved.status, saved.headers.get('ETag')]).toEqual([200, '"2"']);
    expect(saved.json).toMatchObject({
      number: 2,
      use: 'shadow',
      sample: 0.25,
      previous: null,
      comparedWith: 1,
      changes: { others: ['description'] },
      inForce: expect.stringContaining('beside the policy that decides'),
    });
    const pointed = { v: 1, number: 1, shadow: { number: 2, sample: 0.25 } };
    expect([door.pointer(), door.published(2)]).toEqual([pointed, document]);
    const got = await shadow('GET', {});
    expect([got.headers.get('ETag'), got.json]).toEqual(['"2"', expect.objectContaining({ sample: 0.25, document })]);
    expect((await call('GET', '/policy')).headers.get('ETag')).toBe('"1"');

    await save();
    expect(door.pointer()).toEqual({ ...pointed, number: 3 });
    expect((await shadow('PUT', ifMatch(3), document)).status).toBe(412);
    expect((await shadow('PUT', ifMatch(2), document)).json).toMatchObject({ number: 4, sample: 1, previous: 2 });
    expect((await shadow('PUT', ifMatch(4), document, '?sample=1.0')).json).toMatchObject({
      number: 4,
      changed: false,
    });
    expect(door.pointer()).toEqual({ v: 1, number: 3, shadow: { number: 4, sample: 1 } });
  });

  it('a shadow can be removed, and another one saved after that', async () => {
    await save();
    await shadow('PUT', FIRST, newPolicy());
    expect((await shadow('DELETE', {})).status).toBe(428);
    expect((await shadow('DELETE', ifMatch(1))).status).toBe(412);
    const gone = await shadow('DELETE', ifMatch(2), undefined, '?note=seen%20enough');
    expect(gone).toMatchObject({ status: 200, json: { number: 3, use: 'no-shadow', previous: 2, published: true } });
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
    for (const method of ['GET', 'DELETE']) expect((await shadow(method, ifMatch(2))).status).toBe(404);
    expect((await call('GET', '/policy/versions/3')).json).toMatchObject({ use: 'no-shadow', document: null });
    expect((await shadow('PUT', FIRST, newPolicy())).json).toMatchObject({ number: 4 });
  });

  it('a shadow is checked like a policy', async () => {
    await save();
    expect((await shadow('PUT', FIRST, { rules: [{ id: 'x' }] })).json.errors).toMatchObject([
      { path: 'rules[0].steps' },
    ]);
  });
});

describe('/admin/policy: the audit log', () => {
  const logged = async (subject: string) =>
    (await call('GET', `/changes?subject=${encodeURIComponent(subject)}`)).json.changes;

  it('changes of the policy and of its shadow are logged with their author, without entries of lists', async () => {
    await save(aPolicy({ lists: { vip: ['anna@example.com'] } }));
    await put(aPolicy({ lists: { vip: ['ben@example.com'] } }), ifMatch(1), '?note=Ben%20for%20Anna');
    await call('PUT', '/policy/shadow?sample=0.5', { body: aPolicy(), headers: FIRST });
    await call('DELETE', '/policy/shadow', { headers: ifMatch(3) });
    const policy = await logged('policy');
    expect(policy).toEqual([
      {
        id: expect.any(String),
        occurredAt: (await call('GET', '/policy/versions/2')).json.createdAt,
        changedBy: 'admin',
        subject: 'policy',
        before: { version: 1 },
        after: {
          version: 2,
          note: 'Ben for Anna',
          comparedWith: 1,
          changes: { lists: [{ name: 'vip', change: 'changed', entriesAdded: 1, entriesRemoved: 1 }] },
        },
      },
      expect.objectContaining({ before: null, after: expect.objectContaining({ version: 1, comparedWith: null }) }),
    ]);
    const gone = { name: 'vip', change: 'removed', entriesAdded: 0, entriesRemoved: 1 };
    const shadows = await logged('policy:shadow');
    expect(shadows).toMatchObject([
      { before: { version: 3, sample: 0.5 }, after: { version: 4, removed: true } },
      { before: null, after: { version: 3, sample: 0.5, comparedWith: 2, changes: { lists: [gone] } } },
    ]);
    expect(JSON.stringify([policy, shadows])).not.toContain('@');
  });

  it('when the audit row cannot be written, the version is not saved', async () => {
    await save();
    await door.database
      .db()
      .execute(sql`alter table changes add constraint closed check (subject <> 'policy') not valid`);
    try {
      const refused = await put(newPolicy(), ifMatch(1));
      expect([refused.status, refused.json.code]).toEqual([503, 'database-unavailable']);
    } finally {
      await door.database.db().execute(sql`alter table changes drop constraint closed`);
    }
    expect(await door.versions()).toHaveLength(1);
    expect(door.pointer()).toEqual({ v: 1, number: 1 });
    expect(door.due()).toEqual([]);
  });
});
