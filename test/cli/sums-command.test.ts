/** `npm run sums -- rebuild` as an operator runs it: what it prints, and its exit code. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { findDatabaseUrl } from '../../src/cli/database-url.ts';
import { isWrongAddress, rootCauseOf } from '../../src/cli/driver-error.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { npmRun, refused, run } from '../support/command.ts';
import { startEmptyNeon } from '../support/migrated-neon.ts';
import { ownDatabase } from '../support/own-database.ts';

const rebuild = (url: string, env = {}) => run('sums', ['rebuild', '--database-url', url], env);

describe('npm run sums -- rebuild', () => {
  const { db, rows, url } = ownDatabase();

  it('counts every kept attempt again, and names the database without its password', async () => {
    const at = new Date('2026-10-31T23:59:59Z');
    await keepAttempts(db(), [
      anAttempt({ at }),
      anAttempt({ at }),
      anAttempt({ at: new Date('2026-11-01T00:00:00Z') }),
    ]);
    // As after a restore: rows came without the trigger that marks them.
    await db().execute(sql`truncate dirty_hours`);
    const { code, stdout, stderr } = await npmRun('sums', 'rebuild', '--database-url', url());
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/Marked [\d,]+ hours in gatehouse at 127\.0\.0\.1:/);
    expect(stdout).toMatch(/Done: \d+ days are summed\.\n$/);
    expect(stdout).not.toContain(new URL(url()).password);
    expect(await rows(sql`select sum(attempts)::int as n from daily_counts where dims = 7`)).toEqual([{ n: 3 }]);
  });

  it('takes the database from the environment, but the one on the command line first', async () => {
    expect(await run('sums', ['rebuild'], { DATABASE_URL: url() })).toMatchObject({ code: 0 });
    const wrong = 'postgres://gatehouse:local@127.0.0.1:9/gatehouse';
    expect(await rebuild(url(), { DATABASE_URL: wrong })).toMatchObject({ code: 0 });
  });

  it('says what to do when the database is away, empty or refuses the password, and ends with 1', async () => {
    const empty = await startEmptyNeon();
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
    expect(isWrongAddress(rootCauseOf(wrapped).message)).toBe(true);
    expect(isWrongAddress('relation "attempts" does not exist')).toBe(false);
  });
});
