/** `npm run sums -- rebuild`: its effect, output and exit code. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { findDatabaseUrl } from '../../src/cli/database-url.ts';
import { isWrongAddress, rootCauseOf } from '../../src/cli/driver-error.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { readConfig } from '../../src/platform/config.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { refused, run } from '../support/command.ts';
import { startEmptyNeon } from '../support/migrated-neon.ts';
import { ownDatabase } from '../support/own-database.ts';

const rebuild = (url: string, env = {}) => run('sums', ['rebuild', '--database-url', url], env);

describe('npm run sums -- rebuild', () => {
  const { db, rows, url } = ownDatabase();

  it('aggregates every stored attempt again and prints the database without its password', async () => {
    const at = new Date('2026-10-31T23:59:59Z');
    await keepAttempts(db(), [
      anAttempt({ at }),
      anAttempt({ at }),
      anAttempt({ at: new Date('2026-11-01T00:00:00Z') }),
    ]);
    // As after a restore, which inserts rows without the trigger that marks their hours.
    await db().execute(sql`truncate dirty_hours`);
    const { code, stdout, stderr } = await run('sums', ['rebuild', '--database-url', url()]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/Marked [\d,]+ hours in gatehouse at 127\.0\.0\.1:/);
    expect(stdout).toMatch(/Done: \d+ days aggregated\.\n$/);
    expect(stdout).not.toContain(new URL(url()).password);
    expect(await rows(sql`select sum(attempts)::int as n from daily_counts where dims = 7`)).toEqual([{ n: 3 }]);
  });

  it('is named by `npm run migrate` while people of older attempts are not among the users, and not after it', async () => {
    const migrated = async () => (await run('migrate', ['--database-url', url()])).stdout;
    expect(await migrated()).not.toContain('sums');
    const person = anAttempt({ at: new Date('2026-10-31T12:00:00Z') });
    await keepAttempts(db(), [person]);
    // They signed in since the upgrade.
    const later = { ...person, id: anAttempt().id };
    expect(await writeMessages(readConfig({ DATABASE_URL: url() }), [later], 20_000)).toEqual({ refused: [] });
    expect(await migrated()).toMatch(
      /Nothing to apply.*\n.*After `npm run deploy`, run `npm run sums -- rebuild` once/,
    );
    await rebuild(url());
    expect(await migrated()).not.toContain('sums');
  });

  it('uses --database-url, else DATABASE_URL', async () => {
    expect(await run('sums', ['rebuild'], { DATABASE_URL: url() })).toMatchObject({ code: 0 });
    const wrong = 'postgres://gatehouse:local@127.0.0.1:9/gatehouse';
    expect(await rebuild(url(), { DATABASE_URL: wrong })).toMatchObject({ code: 0 });
  });

  it('exits with 1 and advice when the database is down, empty or refuses the password', async () => {
    const empty = await startEmptyNeon();
    const elsewhere = (change: object) => Object.assign(new URL(url()), change).href;
    const unmigrated = await rebuild(empty.url).finally(empty.close);
    for (const [finished, message] of [
      [unmigrated, /npm run migrate/],
      [await rebuild(elsewhere({ port: 2 })), /failed: .+ Check that it runs/],
      [
        await rebuild(elsewhere({ password: 'wrong' })),
        /password authentication failed for user 'gatehouse'\. Correct user, password and database/,
      ],
      [
        await rebuild(elsewhere({ pathname: '/nowhere' })),
        /database .*nowhere.* does not exist.*Correct user, password and database/,
      ],
    ] as const)
      expect(finished).toMatchObject(refused(1, message));
  });
});

describe('the database of a command', () => {
  it('is shown with its name and the source of its URL, without the password', () => {
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

  it('must be a postgres URL with a database name; a refusal does not repeat the URL', () => {
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

describe('a wrong database URL', () => {
  it.each([
    "password authentication failed for user 'neondb_owner'",
    'database "nowhere" does not exist',
    'Server error (HTTP status 500): {"message":"database \\"nowhere\\" does not exist","code":null}',
    'role "reader" does not exist',
  ])('is recognised by the message of Neon, which sends no SQLSTATE: %s', (message) => {
    const wrapped = new Error('Failed query', { cause: Object.assign(new Error(message), { code: '' }) });
    expect(isWrongAddress(rootCauseOf(wrapped).message)).toBe(true);
    expect(isWrongAddress('relation "attempts" does not exist')).toBe(false);
  });
});
