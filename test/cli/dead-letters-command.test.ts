/** `npm run dead-letters` against the built Worker. */
import { describe, expect, it } from 'vitest';
import { reasonInWords } from '../../src/cli/dead-letters/reasons.ts';
import { refused } from '../support/command.ts';
import { ownGatehouse } from '../support/gatehouse.ts';

const gatehouse = ownGatehouse();
const newKey = () => `oid:${crypto.randomUUID()}`;

describe('npm run dead-letters', () => {
  it('lists, shows, replays and removes dead letters, and exits with 1 when some cannot be replayed', async () => {
    expect((await gatehouse.run('dead-letters', 'list')).stdout).toContain('no dead letters');
    const kv = await gatehouse.kv();
    const id = '019aa3f1-7c00-7abc-8def-0123456789ab';
    const change = { kind: 'change', v: 1, id, changedBy: 'admin', subject: newKey(), before: null, after: null };
    const metadata = { reason: 'Neon was down', diedAt: '2026-11-20T08:00:00.000Z' };
    await kv.put(`dead-letter:outage:${id}`, JSON.stringify(change), { metadata });
    const listed = await gatehouse.run('dead-letters', 'list');
    expect(listed.stdout).toMatch(new RegExp(`2026-11-20T08:00:00.000Z +outage +Neon was down +${id}`));
    expect(await gatehouse.run('dead-letters', 'replay')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 sent to the queue again, 0 left'),
    });
    expect(await kv.get(`dead-letter:outage:${id}`)).toBeNull();

    const unwritable = { metadata: { ...metadata, reason: '22021' } };
    await kv.put(`dead-letter:refused:${id}`, '{"text":"a\\u009bb"}', unwritable);
    expect(await gatehouse.run('dead-letters', 'replay')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/0 sent to the queue again, 1 left.*show ID.*remove ID/s),
    });
    const words = 'a text has a character that Postgres does not store (22021)';
    expect((await gatehouse.run('dead-letters', 'list')).stdout).toContain(words);
    const shown = await gatehouse.run('dead-letters', 'show', id);
    expect(shown.code).toBe(0);
    for (const part of [id, 'refused', words, metadata.diedAt, '"text": "a\ufffdb"'])
      expect(shown.stdout).toContain(part);
    expect(await gatehouse.run('dead-letters', 'remove', id)).toMatchObject({
      code: 0,
      stdout: `Removed ${id}: its message will never be written.\n`,
    });
    for (const command of ['show', 'remove']) {
      const gone = await gatehouse.run('dead-letters', command, id);
      expect(gone).toMatchObject(refused(1, 'This dead letter was replayed'));
    }
  });
});

describe('the reason of a dead letter', () => {
  it.each([
    ['neon-away', /did not answer/],
    ['not-a-message', /not a message/],
    ['outside-retention', /RETENTION_DAYS/],
    ['22021', /character that Postgres does not store \(22021\)/],
    ['22P02', /format of its column/],
    ['22008', /calendar/],
    ['22999', /does not accept a value \(22999\)/],
    ['23505', /constraint of its table \(23505\)/],
    ['54000', /too large/],
    ['something else', /^something else$/],
    ['', /no reason was stored/],
  ])('stored as "%s" is shown in words', (reason, words) => {
    expect(reasonInWords(reason)).toMatch(words);
  });
});
