/** `/admin/policy/lists/{name}`: one list is changed, and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withListChanged } from '../../src/desk/policies/list-change.ts';
import { aPolicy, type Call, FIRST, ifMatch, policyDoor } from '../support/policy-door.ts';

const door = policyDoor();
const { call, save } = door;

const withLists = (lists: Record<string, readonly string[]>) =>
  aPolicy({
    lists,
    rules: [
      ...aPolicy().rules,
      {
        id: 'no-throwaway-mail',
        steps: ['PostFederationSignup'],
        when: 'has(claims.email) && domain(claims.email) in lists.blockedDomains',
        block: true,
      },
    ],
    description: crypto.randomUUID(),
  });
const change = (name: string, body: unknown, given: Call = {}, query = '') =>
  call('POST', `/policy/lists/${name}${query}`, { body, ...given });
const listOf = async (name: string) => {
  const { json } = await call('GET', '/policy');
  return (json.lists as Record<string, string[]>)[name];
};

describe('POST /admin/policy/lists/{name}', () => {
  it('saves a version in which one list is changed, with its note, and every other member is as it was', async () => {
    const document = withLists({ blockedDomains: ['a.example', 'b.example', 'c.example'], other: ['x'] });
    const number = await save(document);
    const { status, json, headers } = await change(
      'blockedDomains',
      { add: ['d.example', 'a.example'], remove: ['b.example', 'z.example'] },
      { headers: ifMatch(number) },
      '?note=ticket%2012',
    );
    expect([status, json.changed, json.number, json.previous, json.note, headers.get('ETag')]).toEqual([
      200,
      true,
      number + 1,
      number,
      'ticket 12',
      `"${number + 1}"`,
    ]);
    expect(json.list).toEqual({ name: 'blockedDomains', entries: 3, added: 1, removed: 1 });
    expect(json.unchanged).toEqual([
      '"a.example" is on blockedDomains already.',
      // One letter away from it.
      expect.stringMatching(/^"z\.example" is not on blockedDomains\. "[a-c]\.example" is: write it so\.$/),
    ]);
    const { text } = await call('GET', '/policy');
    const lists = { blockedDomains: ['a.example', 'c.example', 'd.example'], other: ['x'] };
    expect(text).toBe(JSON.stringify({ ...document, lists }));
    expect(door.published(number + 1)).toBeTruthy();
  });

  it('writes the name of the list and the counts to the audit log, and no entry', async () => {
    await save(withLists({ blockedDomains: ['secret-one.example'] }));
    await change('blockedDomains', {
      add: ['secret-two.example', 'secret-three.example'],
      remove: ['secret-one.example'],
    });
    const log = (await door.changes('policy')).at(-1);
    expect(log?.after).toMatchObject({
      changes: { lists: [{ name: 'blockedDomains', change: 'changed', entriesAdded: 2, entriesRemoved: 1 }] },
    });
    expect(JSON.stringify(log)).not.toContain('secret');
  });

  it('says what did not change, and saves nothing when that is everything, however often it is sent', async () => {
    const number = await save(withLists({ blockedDomains: ['a.example'] }));
    const before = [await door.versions(), await door.changes('policy')];
    for (const body of [
      { add: ['a.example', 'a.example'] },
      { remove: ['gone.example'] },
      { add: ['a.example'], remove: ['gone.example'] },
    ]) {
      const { status, json } = await change('blockedDomains', body);
      expect([status, json.changed, json.number]).toEqual([200, false, number]);
      expect(json.list).toMatchObject({ entries: 1, added: 0, removed: 0 });
      expect(json.unchanged).not.toEqual([]);
    }
    expect([await door.versions(), await door.changes('policy')]).toEqual(before);
  });

  it('is safe to repeat with the precondition of the first call, as after a lost reply', async () => {
    const number = await save(withLists({ blockedDomains: ['a.example'] }));
    const again = () => change('blockedDomains', { add: ['b.example'] }, { headers: ifMatch(number) });
    expect((await again()).json).toMatchObject({ number: number + 1, changed: true });
    expect((await again()).json).toMatchObject({ number: number + 1, changed: false });
    const other = await change('blockedDomains', { add: ['c.example'] }, { headers: ifMatch(number) });
    expect(other.json).toMatchObject({ code: 'version-changed', current: number + 1 });
  });

  it('keeps every entry of two administrators who add at the same time without a precondition', async () => {
    await save(withLists({ blockedDomains: [] }));
    const all = ['a', 'b', 'c'].map((letter) => `${letter}.example`);
    const answers = await Promise.all(all.map((entry) => change('blockedDomains', { add: [entry] })));
    expect(answers.map(({ status, json }) => [status, json.changed])).toEqual(all.map(() => [200, true]));
    expect((await listOf('blockedDomains'))?.toSorted()).toEqual(all);
  });

  it('refuses an entry that can never match, at its place in the request and with the right spelling', async () => {
    const number = await save(withLists({ blockedDomains: ['a.example'] }));
    const { json } = await change('blockedDomains', {
      add: ['a.example', 'fine.example', 'Evil.Example', '@mail.example', 'x\ny'],
    });
    expect(json).toMatchObject({ status: 400, code: 'invalid-policy' });
    expect(json.errors).toMatchObject([{ path: 'add[4]', pointer: '#/add/4' }]);
    const spelled = await change('blockedDomains', {
      add: ['a.example', 'fine.example', 'Evil.Example', '@mail.example'],
    });
    expect(spelled.json.errors).toEqual([
      { path: 'add[2]', pointer: '#/add/2', message: expect.stringContaining('Write evil.example.') },
      { path: 'add[3]', pointer: '#/add/3', message: expect.stringContaining('Write mail.example.') },
    ]);
    expect(await door.versions()).toHaveLength(number);
  });

  it('says how an entry is written on the list when a typed one to remove differs by case, spaces or one letter', async () => {
    await save(withLists({ blockedDomains: ['mailinator.com', 'other.example'] }));
    for (const typed of ['Mailinator.com', ' mailinator.com', '@mailinator.com', 'mailinatr.com']) {
      const { json } = await change('blockedDomains', { remove: [typed] });
      expect(json.unchanged).toEqual([
        `${JSON.stringify(typed)} is not on blockedDomains. "mailinator.com" is: write it so.`,
      ]);
    }
  });

  it('refuses a list that the policy does not have with a 404 that names the near one', async () => {
    await save(withLists({ blockedDomains: ['a.example'], vip: [] }));
    const near = await change('blockeddomain', { add: ['b.example'] });
    expect(near.json).toMatchObject({
      status: 404,
      code: 'no-such-list',
      detail: expect.stringContaining('Did you mean blockedDomains? Its lists: blockedDomains, vip.'),
    });
    for (const name of ['__proto__', 'constructor', 'toString', 'x'.repeat(5_000), '%F0%9F%92%A9', '%'])
      expect((await change(name, { add: ['b.example'] })).json).toMatchObject({ code: 'no-such-list' });
    await save(aPolicy());
    expect((await change('vip', { add: ['x'] })).json.detail).toContain('It has no lists');
  });

  it('refuses everything before the first save, and a shadow that does not run', async () => {
    expect((await change('vip', { add: ['x'] })).json).toMatchObject({ status: 404, code: 'no-policy' });
    await save();
    expect((await call('POST', '/policy/shadow/lists/vip', { body: { add: ['x'] } })).json.code).toBe('no-shadow');
  });

  it('keeps the shadow while the policy changes, and changes a list of the shadow at the share of calls that it had', async () => {
    const number = await save(withLists({ blockedDomains: ['a.example'] }));
    const draft = withLists({ blockedDomains: ['s.example'] });
    await call('PUT', '/policy/shadow?sample=0.25', { body: draft, headers: FIRST });
    await change('blockedDomains', { add: ['b.example'] });
    expect(door.pointer()).toMatchObject({ number: number + 2, shadow: { number: number + 1, sample: 0.25 } });
    const shadow = await call('POST', '/policy/shadow/lists/blockedDomains', { body: { add: ['t.example'] } });
    expect(shadow.json).toMatchObject({ number: number + 3, use: 'shadow', sample: 0.25, previous: number + 1 });
    expect(await listOf('blockedDomains')).toEqual(['a.example', 'b.example']);
  });

  it.each<[what: string, body: unknown, path: string]>([
    ['nothing to do', {}, 'add'],
    ['empty lists', { add: [], remove: [] }, 'add'],
    ['a text instead of a list', { add: 'a.example' }, 'add'],
    ['a number among the entries', { add: ['a.example', 1] }, 'add.1'],
    ['an entry to add and to remove', { add: ['b.example'], remove: ['b.example'] }, 'remove'],
    ['an unknown member', { add: ['b.example'], replace: [] }, ''],
    ['a list as the body', ['b.example'], ''],
  ])('refuses %s and saves nothing', async (_, body, path) => {
    const number = await save(withLists({ blockedDomains: ['a.example'] }));
    const { json } = await change('blockedDomains', body);
    expect(json).toMatchObject({ status: 400, code: 'invalid-request', errors: [{ path }] });
    expect(await door.versions()).toHaveLength(number);
  });

  it('refuses a note that is too long, an unclear precondition, and another type of body', async () => {
    const number = await save(withLists({ blockedDomains: ['a.example'] }));
    const body = { add: ['b.example'] };
    expect((await change('blockedDomains', body, {}, `?note=${'x'.repeat(501)}`)).json.code).toBe('invalid-request');
    for (const headers of [{ 'If-Match': '' }, { ...ifMatch(number), ...FIRST }, { 'If-None-Match': '"1"' }])
      expect((await change('blockedDomains', body, { headers })).json.code).toBe('precondition-missing');
    for (const headers of [FIRST, ifMatch(number + 1)])
      expect((await change('blockedDomains', body, { headers })).json.code).toBe('version-changed');
    const typed = await change('blockedDomains', body, { headers: { 'Content-Type': 'text/plain' } });
    expect(typed.json.code).toBe('body-not-json');
    expect(await door.versions()).toHaveLength(number);
    expect((await change('blockedDomains', body, { headers: { 'If-Match': '*' } })).json.changed).toBe(true);
  });

  it('saves nothing and says so when Neon does not answer', async () => {
    await save(withLists({ blockedDomains: ['a.example'] }));
    door.neon(() => 'refused');
    const { json } = await change('blockedDomains', { add: ['b.example'] });
    expect(json).toMatchObject({ status: 503, code: 'database-unavailable' });
  });
});

it('a list with entries added and removed has exactly those, in the old order with the new ones last', () => {
  const entry = fc.constantFrom('a', 'b', 'c', 'd', 'e', '');
  const some = fc.array(entry, { maxLength: 8 });
  fc.assert(
    fc.property(some, some, some, (had, add, remove) => {
      const adding = add.filter((one) => !remove.includes(one));
      const changed = withListChanged({ rules: [], lists: { one: had } }, 'one', had, { add: adding, remove });
      const after = changed.document.lists?.one ?? [];
      expect(new Set(after)).toEqual(new Set([...had, ...adding].filter((one) => !remove.includes(one))));
      expect(after.slice(0, changed.kept)).toEqual(had.filter((one) => !remove.includes(one)));
      expect([...changed.added, ...changed.alreadyThere].toSorted()).toEqual([...new Set(adding)].toSorted());
      expect([...changed.removed, ...changed.notThere].toSorted()).toEqual([...new Set(remove)].toSorted());
    }),
  );
});
