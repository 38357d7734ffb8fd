/** `npm run sums -- rebuild` as an operator runs it: what it prints, and its exit code. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { findDatabaseUrl } from '../../local/commands/database-url.ts';
import { isWrongAddress, rootOf } from '../../local/commands/driver-error.ts';
import { startNeon } from '../../local/neon.ts';
import { anAttempt, keepAttempts } from '../attempt.ts';
import { npmRun, refused, run } from './command.ts';
import { ownDatabase } from './own-database.ts';

const rebuild = (url: string, env = {}) => run('sums', ['rebuild', '--database-url', url], env);

describe('npm run sums -- rebuild', () => {
  const { db, rows, url } = ownDatabase();

  it('counts every kept attempt, says so month by month, and names the database without its password', async () => {
    const at = new Date('2026-10-31T23:59:59Z');
    await keepAttempts(db(), [
      anAttempt({ at }),
      anAttempt({ at }),
      anAttempt({ at: new Date('2026-11-01T00:00:00Z') }),
    ]);
    await db().execute(sql`update summing_progress set summed_before = '800000000000'`);
    const { code, stdout, stderr } = await npmRun('sums', 'rebuild', '--database-url', url());
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('gatehouse at 127.0.0.1:');
    expect(stdout).toContain('attempts_2026_10: 2\nattempts_2026_11: 1\n');
    expect(stdout).toContain('Done: 3 attempts in 2 months are summed.');
    expect(stdout).not.toContain(new URL(url()).password);
    expect(await rows(sql`select sum(attempts)::int as n from hourly_counts`)).toEqual([{ n: 3 }]);
  });

  it('says how many attempts of its total the months do not name, because they came after the last sum', async () => {
    await rebuild(url());
    await keepAttempts(db(), [anAttempt({ at: new Date('2026-11-02T00:00:00Z') }), anAttempt({})]);
    const { stdout: out } = await rebuild(url());
    const listed = [...out.matchAll(/^attempts_\d{4}_\d\d: (\d+)$/gm)].map(([, counted]) => Number(counted));
    const total = Number(/^Done: (\d+) attempts/m.exec(out)?.[1]);
    expect(out).toMatch(/^and 2 written since the last sum/m);
    expect(listed.reduce((sum, counted) => sum + counted, 2)).toBe(total);
    expect((await rebuild(url())).stdout).not.toContain('since the last sum');
  });

  it('takes the database from the environment, but the one on the command line first', async () => {
    expect(await run('sums', ['rebuild'], { DATABASE_URL: url() })).toMatchObject({ code: 0 });
    const wrong = 'postgres://gatehouse:local@127.0.0.1:9/gatehouse';
    expect(await rebuild(url(), { DATABASE_URL: wrong })).toMatchObject({ code: 0 });
  });

  it('says what to do when the database is away, empty or refuses the password, and ends with 1', async () => {
    const empty = await startNeon();
    const elsewhere = (change: object) => Object.assign(new URL(url()), change).href;
    const unmigrated = await rebuild(empty.url).finally(empty.close);
    for (const [answer, said] of [
      [unmigrated, /npm run migrate/],
      [await rebuild(elsewhere({ port: 2 })), /broke off: .+ Is it running/],
      [
        await rebuild(elsewhere({ password: 'wrong' })),
        /password authentication failed for user 'gatehouse'\. Correct user, password and database/,
      ],
      [
        await rebuild(elsewhere({ pathname: '/nowhere' })),
        /database .*nowhere.* does not exist.*Correct user, password and database/,
      ],
    ] as const)
      expect(answer).toMatchObject(refused(1, said));
  });
});

describe('the database of a command', () => {
  it('is known by name and by where it was said, never by its password', () => {
    const option = 'postgresql://owner:secret@ep-one.eu-central-1.aws.neon.tech/main?sslmode=require';
    const found = findDatabaseUrl(option, { DATABASE_URL: 'postgres://a:b@c/d' });
    expect(found).toEqual({
      ok: true,
      url: option,
      name: 'main at ep-one.eu-central-1.aws.neon.tech (from --database-url)',
    });
    expect(findDatabaseUrl(undefined, { DATABASE_URL: ' postgres://a:b@c/d\n' })).toMatchObject({
      ok: true,
      url: 'postgres://a:b@c/d',
    });
  });

  it('must be a postgres URL with a database, and a refusal does not repeat it', () => {
    for (const wrong of [
      '',
      'secret',
      'https://owner:secret@host/db',
      'postgres://owner:secret@host',
      'postgres://owner:secret@host/',
    ]) {
      const found = findDatabaseUrl(wrong, {});
      expect(found.ok).toBe(false);
      expect(JSON.stringify(found)).not.toContain('secret');
    }
  });
});

describe('an address that is wrong', () => {
  it.each([
    "password authentication failed for user 'neondb_owner'",
    'database "nowhere" does not exist',
    'Server error (HTTP status 500): {"message":"database \\"nowhere\\" does not exist","code":null}',
    'role "nobody" does not exist',
  ])('is known by Neon’s words, since it gives no code: %s', (message) => {
    const wrapped = new Error('Failed query', { cause: Object.assign(new Error(message), { code: '' }) });
    expect(isWrongAddress(rootOf(wrapped).message)).toBe(true);
    expect(isWrongAddress('relation "attempts" does not exist')).toBe(false);
  });
});
