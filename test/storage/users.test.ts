/** `users`, `accounts` and `user_days` follow from the attempts, whatever happened in which order. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { forgetUsersBefore } from '../../src/database/retain-users.ts';
import { keepRetention } from '../../src/database/retention.ts';
import { attempts, erasedKeys } from '../../src/database/schema.ts';
import { erasePerson } from '../../src/desk/admin/erasure/erase.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import { digestOfKey } from '../../src/desk/erasure/erased-keys.ts';
import { readiness } from '../../src/desk/health/database-state.ts';
import { neonWarnings } from '../../src/desk/health/readiness.ts';
import { isMissingUsers } from '../../src/desk/users/missing-users.ts';
import { rebuildUsers } from '../../src/desk/users/rebuild-users.ts';
import { readConfig } from '../../src/platform/config.ts';
import { HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { memoryKv } from '../support/memory-kv.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, rows, url } = ownDatabase();
const KEY = 'a key for tests, long enough to count';
const config = () => readConfig({ DATABASE_URL: url(), SUPPORT_CODE_KEY: KEY });
const write = async (some: readonly Attempt[]) =>
  expect(await writeMessages(config(), some, 20_000)).toEqual({ refused: [] });

async function erase(key: string): Promise<void> {
  const kv = memoryKv().kv;
  const env = { DATABASE_URL: url(), SUPPORT_CODE_KEY: KEY, GATEHOUSE: kv, ATTEMPTS: {} as Queue };
  const author = { by: 'admin', now: Date.now() - HOUR_MS, logChange: async () => true };
  const records = { kv, emailKeys: [], gateKey: undefined };
  expect(await erasePerson(env, records, [key], author, true)).toMatchObject({ ok: true, value: { finished: true } });
}

it('a call that is written again while its person is being erased leaves nothing of them in users and accounts', async () => {
  const call = anAttempt({
    objectId: crypto.randomUUID(),
    oidKey: 'oid:again',
    idpKey: 'idp:google.com:again',
    emailKey: 'email:again@example.com',
    email: 'again@example.com',
  });
  const known = () =>
    rows(sql`
    select oid_key as key from users where oid_key = 'oid:again' union all
    select key from accounts where key = 'idp:google.com:again'`);
  await write([call]);
  expect(await known()).toHaveLength(2);
  // The first step of an erasure.
  await db()
    .insert(erasedKeys)
    .values({ digest: await digestOfKey(config(), 'oid:again'), erasedAt: new Date(Date.now() + 1_000) });
  await write([call]);
  expect(await known()).toEqual([]);
});

const one = (...values: string[]) => fc.constantFrom(...values);
const OIDS = ['oid:0', 'oid:1', 'oid:2'];
const IDPS = ['idp:google.com:1', 'idp:https%3A%2F%2Flogin.example%2Fv2:1', 'idp:contoso.onmicrosoft.com:anna'];
const EMAILS = ['email:a@example.com', 'email:b@example.com'];
/** Hours before now. An erasure is an hour ago, so that some calls come after it. */
const someCall = fc
  .record({
    hours: fc.constantFrom(0, 0.5, 2, 3, 25, 49, 400),
    oidKey: one('', ...OIDS, ...OIDS),
    idpKey: one('', ...IDPS),
    others: fc.subarray([...IDPS, 'name:+491701234567']),
    emailKey: one('', ...EMAILS),
    name: one('', 'Anna Berg', "Seán O'Neill"),
    step: one('PreTokenIssuance', 'PreTokenIssuance', 'PostFederationSignup', 'SignInCompleted'),
    channel: one('user-flow', 'user-flow', 'custom-policy'),
    reply: one('Continue', 'ShowBlockPage', 'Refusal'),
    outcome: one('continue', 'block'),
    signInType: one('', 'federated'),
    clientId: one('', 'shop', 'portal'),
    roles: fc.subarray(['editor', 'a "quoted", {role}']),
  })
  .map(({ hours, others, name, ...call }) =>
    anAttempt({
      ...call,
      // Some calls share their millisecond.
      id: uuidv7({ msecs: Date.now() - hours * HOUR_MS }),
      objectId: call.oidKey.slice('oid:'.length),
      email: call.emailKey.slice('email:'.length),
      otherKeys: others,
      keptClaims: name === '' ? {} : { displayName: name },
    }),
  );
const some = fc.array(someCall, { minLength: 1, maxLength: 8 });
const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('write' as const), some }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('write again' as const), pick: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('erase' as const), key: one(...OIDS, ...IDPS, ...EMAILS) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('sum' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('rebuild' as const) }) },
);

type Row = typeof attempts.$inferSelect;
const isLetIn = ({ channel, step, reply }: Row) =>
  (step === 'PreTokenIssuance' && reply === 'Continue') ||
  (channel === 'custom-policy' && step === 'SignInCompleted' && reply !== 'Refusal');
/** Oldest first. */
const inOrder = (some: readonly Row[]) => some.toSorted((a, b) => (a.id < b.id ? -1 : 1));
const last = <T>(some: readonly T[], is: (one: T) => boolean) => some.findLast(is);
const at = (row: Row | undefined) => row?.occurredAt.toISOString() ?? null;

function plainUsers(all: readonly Row[]) {
  const keys = [...new Set(all.map(({ oidKey }) => oidKey))].filter((key) => key !== '').toSorted();
  return keys.map((key) => {
    const own = inOrder(all.filter(({ oidKey }) => oidKey === key));
    const mail = last(own, ({ emailKey }) => emailKey !== '');
    const named = last(own, ({ keptClaims }) => keptClaims.displayName !== undefined);
    const letIn = last(own, isLetIn);
    return {
      key,
      first: at(own[0]),
      last: at(own.at(-1)),
      email: [mail?.email ?? '', mail?.emailKey ?? ''],
      name: named?.keptClaims.displayName ?? '',
      signIn: [at(letIn), letIn?.clientId ?? '', letIn?.roles ?? []],
    };
  });
}

function plainAccounts(all: readonly Row[]) {
  const idpsOf = ({ idpKey, otherKeys }: Row) => [idpKey, ...otherKeys].filter((key) => key.startsWith('idp:'));
  return [...new Set(all.flatMap(idpsOf))].toSorted().map((key) => {
    const own = inOrder(all.filter((row) => idpsOf(row).includes(key)));
    const mail = last(own, ({ emailKey }) => emailKey !== '');
    const used = own.filter((row) => row.idpKey === key && isLetIn(row));
    return {
      key,
      issuer: key.split(':')[1],
      type: last(own, ({ idpKey, signInType }) => idpKey === key && signInType !== '')?.signInType ?? '',
      oid: last(own, ({ oidKey }) => oidKey !== '')?.oidKey ?? '',
      email: [mail?.email ?? '', mail?.emailKey ?? ''],
      seen: [at(own[0]), at(own.at(-1))],
      signIns: [at(used[0]), at(used.at(-1))],
    };
  });
}

function plainDays(all: readonly Row[]) {
  const counts = new Map<string, number>();
  for (const { oidKey, occurredAt, outcome } of all.filter((row) => row.oidKey !== '')) {
    const name = `${occurredAt.toISOString().slice(0, 10)} ${oidKey} ${outcome}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${name}: ${count}`).toSorted();
}

const iso = (column: string) => sql.raw(`to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);
async function stored() {
  const users = await rows(sql`
    select oid_key as key, ${iso('first_seen')} as first, ${iso('last_seen')} as last, json_build_array(email, email_key) as email, name,
      json_build_array(${iso('last_sign_in')}, client_id, roles) as "signIn" from users order by oid_key collate "C"`);
  const accounts = await rows(sql`
    select key, issuer, sign_in_type as type, oid_key as oid, json_build_array(email, email_key) as email,
      json_build_array(${iso('first_seen')}, ${iso('last_seen')}) as seen,
      json_build_array(${iso('first_sign_in')}, ${iso('last_sign_in')}) as "signIns" from accounts order by key collate "C"`);
  const days = await rows<{ line: string }>(sql`
    select day || ' ' || key || ' ' || outcome || ': ' || attempts as line
    from user_days join unnest(array['oid:0', 'oid:1', 'oid:2']) as key on md5(key)::uuid = user_id`);
  return { users, accounts, days: days.map(({ line }) => line).toSorted() };
}

it('users, accounts and their days equal a plain computation from the attempts after any history', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 8 }), async (actions) => {
      await empty(db());
      const written: Attempt[] = [];
      for (const done of actions) {
        if (done.does === 'write') {
          await write(done.some);
          written.push(...done.some);
        } else if (done.does === 'write again') await write(written.slice(done.pick, done.pick + 5).toReversed());
        else if (done.does === 'erase') await erase(done.key);
        else if (done.does === 'sum') await sumDue(db, new Date());
        else await rebuildUsers(db);
      }
      await sumDue(db, new Date(Date.now() + 2 * HOUR_MS));
      const all = await db().select().from(attempts);
      expect(await stored()).toEqual({ users: plainUsers(all), accounts: plainAccounts(all), days: plainDays(all) });
      expect(await isMissingUsers(db())).toBe(false);
    }),
    { numRuns: Number(process.env.HISTORIES ?? 8) },
  );
});

it('/health/ready says that users are missing from the upgrade until a rebuild has ended, and names the command', async () => {
  const warnings = async () => neonWarnings(await readiness(config(), 20_000)).join();
  const at = (days: number) => new Date(Date.now() - days * 24 * HOUR_MS);
  const seen = (days: number) => anAttempt({ oidKey: `oid:${days}`, at: at(days) });
  await write([seen(3), seen(2), seen(1)]);
  expect(await warnings()).not.toContain('users');
  await db().execute(sql`truncate users, accounts`);
  await write([seen(0)]);
  expect(await warnings()).toContain('npm run sums -- rebuild');
  const interrupted = rebuildUsers(db, ({ left }) => {
    if (left === at(3).getUTCDate()) throw new Error('before the oldest day');
  });
  await expect(interrupted).rejects.toThrow('before the oldest day');
  expect((await stored()).users.map(({ key }) => key)).toEqual(['oid:0', 'oid:1', 'oid:2']);
  expect(await warnings()).toContain('npm run sums -- rebuild');
  await rebuildUsers(db);
  expect(await warnings()).not.toContain('users');
});

it('a person, an identity and each of their values go with the month of the attempts that they are from', async () => {
  const month = (ago: number) => Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - ago);
  const [newer, end] = [new Date(month(4)), new Date(month(4) - 1)];
  const seen = (at: Date, who: string, changed: Partial<Attempt> = {}) =>
    anAttempt({ at, oidKey: `oid:${who}`, idpKey: `idp:x.com:${who}`, ...changed });
  const named = { email: 'a@example.com', emailKey: 'email:a@example.com', keptClaims: { displayName: 'Anna Berg' } };
  const some = [
    seen(end, '0', named),
    seen(end, '1', { ...named, signInType: 'federated', roles: ['editor'], clientId: 'shop' }),
    seen(newer, '1', { reply: 'ShowBlockPage', outcome: 'block' }),
    seen(newer, '2', named),
  ];
  const longer = readConfig({ DATABASE_URL: url(), SUPPORT_CODE_KEY: KEY, RETENTION_DAYS: '400' });
  expect(await writeMessages(longer, some, 20_000)).toEqual({ refused: [] });
  await forgetUsersBefore(db(), new Date(month(5)), 1);
  const { users, accounts } = await stored();
  expect([users.length, accounts.length]).toEqual([3, 3]);
  await sumDue(db, new Date());
  expect(await keepRetention(db(), new Date(month(3)), 20)).toMatchObject({ held: [], complete: true });
  const left = await stored();
  const kept = { first: end.toISOString(), last: newer.toISOString() };
  const empty = { email: ['', ''], name: '', signIn: [null, '', []] };
  expect(left.users).toEqual([{ key: 'oid:1', ...kept, ...empty }, users[2]]);
  expect(left.accounts).toEqual([
    { ...accounts[1], type: '', email: ['', ''], signIns: [kept.first, null] },
    accounts[2],
  ]);
  await forgetUsersBefore(db(), new Date(), 1);
  expect(await stored()).toMatchObject({ users: [], accounts: [] });
});

it('an erasure removes what no stored attempt says any more, and what other attempts say of other people stays', async () => {
  const anna = anAttempt({
    oidKey: 'oid:0',
    idpKey: 'idp:x.com:0',
    email: 'a@example.com',
    emailKey: 'email:a@example.com',
  });
  const bob = anAttempt({ oidKey: 'oid:1', email: 'a@example.com', emailKey: 'email:a@example.com' });
  await write([anna, bob]);
  await db().execute(sql`delete from attempts`);
  await write([anAttempt({ oidKey: 'oid:1', clientId: 'shop', at: new Date(Date.now() - 2 * HOUR_MS) })]);
  await erase('email:a@example.com');
  expect(await rows(sql`select oid_key, email, client_id from users`)).toEqual([
    { oid_key: 'oid:1', email: '', client_id: 'shop' },
  ]);
  expect(await rows(sql`select key from accounts`)).toEqual([]);
});
