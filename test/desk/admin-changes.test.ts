/** `/admin/changes` and `/admin/dead-letters`: the audit log and the dead letters. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { admin, inPath, newKey } from '../support/admin-call.ts';
import { changesOf, changesOfOnce, deadLetterOf, noDeadLetters, ownQueue } from '../support/admin-changes.ts';

describe('/admin/changes', () => {
  it('the changes of a person are listed newest first, page by page, with before and after', async () => {
    const key = newKey();
    for (const role of ['a', 'b', 'c']) await admin('PUT', inPath(key), { roles: [role] });
    await changesOfOnce(key, 3);
    const subject = encodeURIComponent(key.toUpperCase());
    const first = await admin('GET', `/changes?subject=${subject}&limit=2`);
    expect(first).toMatchObject({
      status: 200,
      json: {
        changes: [
          { subject: key, changedBy: 'admin', before: { roles: ['b'] }, after: { roles: ['c'] } },
          { subject: key, before: { roles: ['a'] }, after: { roles: ['b'] } },
        ],
      },
    });
    expect(first.json.matches).toEqual({ count: 3, isMore: false });
    const next = encodeURIComponent(String(first.json.next));
    const second = await admin('GET', `/changes?subject=${subject}&limit=2&cursor=${next}`);
    expect(second.json).toEqual({ changes: [expect.objectContaining({ before: null, after: expect.anything() })] });
    expect((await admin('GET', `/changes?changedBy=other&cursor=${next}`)).status).toBe(400);
  });

  it('the pages of changes from -1h are one list, and a zone that does not exist is refused', async () => {
    const key = newKey();
    for (const role of ['a', 'b', 'c']) await admin('PUT', inPath(key), { roles: [role] });
    await changesOfOnce(key, 3);
    const asked = `/changes?subject=${encodeURIComponent(key)}&from=-1h&tz=Europe/Berlin&limit=2`;
    const { json } = await admin('GET', asked);
    const second = await admin('GET', `${asked}&cursor=${encodeURIComponent(String(json.next))}`);
    expect(second.json).toMatchObject({ changes: [{ subject: key, before: null }] });
    expect((await admin('GET', '/changes?to=-1h')).status).toBe(200);
    const refused = await admin('GET', '/changes?from=today&tz=Europe/Berlim');
    expect(refused.json).toMatchObject({ status: 400, errors: [{ path: 'tz' }] });
  });

  it('POST /admin/changes/search takes an e-mail key in the body instead of the URL', async () => {
    const key = `email:${crypto.randomUUID()}@example.com`;
    await admin('PUT', '/people', { key, roles: ['a'] });
    await changesOfOnce(key, 1);
    const { json } = await admin('POST', '/changes/search', { subject: key });
    expect(json).toMatchObject({ changes: [{ subject: key }] });
  });
});

describe('/admin/dead-letters', () => {
  beforeEach(noDeadLetters);

  it('dead letters of both kinds are listed page by page with id, kind, reason and time', async () => {
    const kinds = ['outage', 'refused', 'refused'] as const;
    const letters = [];
    for (const kind of kinds) letters.push(await deadLetterOf(newKey(), kind));
    const first = await admin('GET', '/dead-letters?limit=2');
    expect(first.json.deadLetters).toHaveLength(2);
    const rest = await admin('GET', `/dead-letters?cursor=${encodeURIComponent(String(first.json.next))}`);
    expect([...(first.json.deadLetters as []), ...(rest.json.deadLetters as [])]).toEqual(
      letters.map((name, index) => ({
        id: name.split(':')[2],
        kind: kinds[index],
        reason: '22021',
        diedAt: expect.stringMatching(/Z$/),
      })),
    );
    for (const name of letters) await env.GATEHOUSE.delete(name);
    expect((await admin('GET', '/dead-letters')).json).toEqual({ deadLetters: [] });
  });

  it('a replay sends each dead letter to the queue once and deletes it, and two deliveries make one row', async () => {
    const keys = [newKey(), newKey(), newKey()];
    for (const [index, key] of keys.entries()) await deadLetterOf(key, index === 0 ? 'outage' : 'refused');
    const queue = ownQueue();
    expect((await queue.replay()).json).toEqual({ written: 3, refused: 0 });
    expect((await queue.replay()).json).toEqual({ written: 0, refused: 0 });
    expect((await admin('GET', '/dead-letters')).json).toEqual({ deadLetters: [] });
    await queue.deliver();
    await queue.deliver();
    for (const key of keys) expect(await changesOf(key)).toHaveLength(1);
  });

  it('a replayed message is delayed by 60 s, and is a dead letter again when the database refuses it again', async () => {
    const letter = await deadLetterOf('x'.repeat(3_000).replaceAll(/x/g, () => crypto.randomUUID()));
    const queue = ownQueue();
    expect((await queue.replay()).json).toEqual({ written: 1, refused: 0 });
    expect(queue.sent.map(({ options }) => options)).toEqual([{ delaySeconds: 60 }]);
    expect(await env.GATEHOUSE.get(letter)).toBeNull();
    await queue.deliver();
    expect((await env.GATEHOUSE.getWithMetadata(letter)).metadata).toMatchObject({ reason: '54000' });
    await env.GATEHOUSE.delete(letter);
  });

  it('a replay deletes a dead letter only after the queue has accepted it', async () => {
    const letter = await deadLetterOf(newKey());
    const seen: unknown[] = [];
    const send = async () => void seen.push(await env.GATEHOUSE.get(letter));
    await admin('POST', '/dead-letters/replay', undefined, { bindings: { ATTEMPTS: { send } } });
    expect([seen, await env.GATEHOUSE.get(letter)]).toEqual([[expect.stringContaining('change')], null]);
  });

  it('a replay skips dead letters that are not valid messages, and can be limited to one kind', async () => {
    const key = newKey();
    const poison = `dead-letter:refused:${crypto.randomUUID()}`;
    await env.GATEHOUSE.put(poison, '{"kind":"change"}');
    const outage = await deadLetterOf(key, 'outage');
    const queue = ownQueue();
    expect((await queue.replay('?kind=refused')).json).toEqual({ written: 0, refused: 1 });
    expect(await env.GATEHOUSE.get(outage)).not.toBeNull();
    expect((await queue.replay()).json).toEqual({ written: 1, refused: 1 });
    expect(queue.sent).toMatchObject([{ message: { subject: key } }]);
    expect(await env.GATEHOUSE.get(poison)).not.toBeNull();
    await env.GATEHOUSE.delete(poison);
  });

  it('GET returns one dead letter with its message, and DELETE removes it', async () => {
    const key = newKey();
    const letter = await deadLetterOf(key, 'outage');
    const outage = letter.split(':')[2] ?? '';
    const odd = `no id/${crypto.randomUUID()}`;
    const metadata = { reason: '22021', diedAt: '2026-11-20T08:00:00.000Z' };
    await env.GATEHOUSE.put(`dead-letter:refused:${odd}`, 'no json \0', { metadata });
    const at = (id: string) => `/dead-letters/${encodeURIComponent(id)}`;
    expect(await admin('GET', at(outage))).toMatchObject({
      status: 200,
      json: { id: outage, kind: 'outage', reason: '22021', message: { kind: 'change', subject: key } },
    });
    expect((await admin('GET', at(odd))).json).toEqual({
      id: odd,
      kind: 'refused',
      ...metadata,
      message: 'no json \0',
    });

    for (const id of [odd, outage])
      expect(await admin('DELETE', at(id))).toMatchObject({ status: 200, json: { id, removed: true } });
    expect(await env.GATEHOUSE.get(`dead-letter:refused:${odd}`)).toBeNull();
    expect(await env.GATEHOUSE.get(letter)).toBeNull();
    for (const method of ['GET', 'DELETE']) {
      const { status, json } = await admin(method, at(odd));
      expect([status, json.detail]).toEqual([404, expect.stringContaining('GET /admin/dead-letters')]);
    }
    expect((await admin('GET', at('x'.repeat(151)))).json.detail).toContain('GET /admin/dead-letters lists them');
  });

  it('an id with a letter of each kind is shown as refused, and DELETE removes both', async () => {
    const id = crypto.randomUUID();
    for (const kind of ['outage', 'refused']) await env.GATEHOUSE.put(`dead-letter:${kind}:${id}`, '{}');
    expect((await admin('GET', `/dead-letters/${id}`)).json).toMatchObject({ kind: 'refused' });
    expect((await admin('DELETE', `/dead-letters/${id}`)).status).toBe(200);
    expect((await admin('GET', '/dead-letters')).json).toEqual({ deadLetters: [] });
  });

  it('an invalid limit, cursor or kind is a 400', async () => {
    for (const path of ['/dead-letters?limit=501', '/dead-letters?cursor=people.x', '/dead-letters?kind=x']) {
      expect([path, (await admin('GET', path)).status]).toEqual([path, 400]);
    }
    const { json } = await admin('POST', '/dead-letters/replay?kind=x');
    expect(json.detail).toBe('kind: not a kind. Write outage or refused, or omit it for both');
  });
});
