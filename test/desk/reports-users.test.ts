/** `/reports/users`, and the user and the accounts in the answer about a person. */
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import type { PersonAccounts } from '../../src/desk/reports/queries/accounts-of-person.ts';
import { listUsers, type UserList } from '../../src/desk/reports/queries/users.ts';
import { usersQuestion } from '../../src/desk/reports/users-question.ts';
import { readConfig } from '../../src/platform/config.ts';
import { HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { database, type Problem, report } from '../support/reports-call.ts';

const config = () => readConfig({ DATABASE_URL: env.DATABASE_URL });

interface Who extends Partial<Attempt> {
  readonly name?: string;
  readonly address?: string;
  readonly provider?: string;
  readonly subject?: string;
  readonly hoursAgo?: number;
}
/** The call at the token step. */
function signIn({
  name = '',
  address = '',
  provider = '',
  subject = 'x',
  hoursAgo = 0,
  ...changed
}: Who = {}): Attempt {
  return anAttempt({
    at: new Date(Date.now() - hoursAgo * HOUR_MS),
    email: address,
    emailKey: address && `email:${address}`,
    issuer: provider,
    idpKey: provider && `idp:${encodeURIComponent(provider)}:${subject}`,
    signInType: provider && 'federated',
    keptClaims: name === '' ? {} : { displayName: name },
    ...changed,
  });
}
const write = async (...some: Attempt[]) =>
  expect(await writeMessages(config(), some, 20_000)).toEqual({ refused: [] });
const search = async (body: object) => (await report('/users/search', body)).json<UserList>();
const found = async (body: object) =>
  (await search(body)).users?.map(({ objectId }) => objectId) ?? (await search(body));
const own = () => crypto.randomUUID().slice(0, 8);

describe('the list of users', () => {
  it('finds people by the beginnings of words of their name, by address, provider, role and last call', async () => {
    const word = own();
    const [anna, bob] = [
      signIn({
        name: `Anna-Maria ${word}`,
        address: `a-${word}@example.com`,
        provider: 'google.com',
        subject: word,
        hoursAgo: 1,
      }),
      signIn({
        name: `Bob ${word}`,
        address: `b-${word}@example.com`,
        provider: `https://login.${word}.example/v2`,
        roles: [word],
      }),
    ];
    await write(anna, bob);
    expect(await found({ name: word })).toEqual([bob.objectId, anna.objectId]);
    expect(await found({ name: `${word.slice(0, 7).toUpperCase()} MAR` })).toEqual([anna.objectId]);
    expect(await found({ name: `nna ${word}` })).toEqual([]);
    expect(await found({ email: `A-${word}@Example.com` })).toEqual([anna.objectId]);
    expect(await found({ issuer: `https://login.${word}.example/v2` })).toEqual([bob.objectId]);
    expect(await found({ role: word })).toEqual([bob.objectId]);
    expect(await found({ name: word, to: '-30m' })).toEqual([anna.objectId]);
    expect(await found({ name: word, from: '-30m', issuer: 'google.com' })).toEqual([]);
    const listed = await (await report(`/users?name=${word}&limit=1`)).json<UserList>();
    expect(listed).toMatchObject({
      users: [{ key: bob.oidKey, name: `Bob ${word}` }],
      matches: { count: 2, isMore: false },
    });
    expect(await found({ name: word, limit: 1, cursor: listed.next })).toEqual([anna.objectId]);
  });

  it('every sign of a name is literal: %, _, quotes, backslashes, operators of searches, right-to-left text', async () => {
    const names = ['100%', '_x', `O'Brien`, '"Bob"', 'a\\b', 'x:*', '!no', 'a|b', 'ليلى', '\u200fليلى', 'ÅSA', '(sic)'];
    const word = own();
    const people = names.map((name) => signIn({ name: `${name} ${word}` }));
    await write(...people);
    for (const [index, name] of names.entries()) {
      const same = people.filter((_, at) => (names[at] ?? '').replace('\u200f', '') === name.replace('\u200f', ''));
      const listed = await found({ name: `${name.toLowerCase()} ${word}` });
      expect([name, listed.toSorted()]).toEqual([name, same.map(({ objectId }) => objectId).toSorted()]);
      expect(listed).toContain(people[index]?.objectId);
    }
    expect(await found({ name: `% ${word}` })).toEqual([]);
    expect(await found({ name: `' ${word}` })).toEqual([]);
    expect(await found({ name: `brien ${word}` })).toEqual([people[2]?.objectId]);
    const { status, detail } = await (await report('/users/search', { name: '\u200f' })).json<Problem>();
    expect([status, detail]).toEqual([400, expect.stringContaining('name: no letters')]);
  });

  it('a search that many match reads a limited number of users a page, and the next pages find the rest', async () => {
    const [word, role] = [own(), own()];
    const people = Array.from({ length: 12 }, (_, index) =>
      signIn({ name: word, hoursAgo: 1_000 + index, roles: index % 5 === 4 ? [role] : [] }),
    );
    await write(...people);
    const ask = async (cursor?: string) =>
      listUsers(
        config(),
        await usersQuestion.parseAsync({
          name: word.slice(0, 7),
          role,
          to: `-${1_000 * 60 - 1}m`,
          ...(cursor && { cursor }),
        }),
        { found: 5, filtered: 3 },
      );
    const listed: string[] = [];
    let page = await ask();
    expect(page).toMatchObject({ users: [], searchedTo: expect.any(String), matches: { leftOut: expect.any(String) } });
    for (let pages = 0; page.next !== undefined && pages < 10; pages += 1) {
      page = await ask(page.next);
      listed.push(...page.users.map(({ objectId }) => objectId));
    }
    expect(listed).toEqual([people[4]?.objectId, people[9]?.objectId]);
  });

  it('a user has the last sign-in, the identities and the attempts by outcome, also in a file', async () => {
    const [word, objectId] = [own(), crypto.randomUUID()];
    const who = { objectId, name: `=${word}`, provider: 'google.com', subject: word };
    await write(
      signIn({ ...who, hoursAgo: 50, clientId: 'shop', roles: ['editor'] }),
      signIn({ ...who, hoursAgo: 49, step: 'PostFederationSignup', reply: 'ShowBlockPage', outcome: 'block' }),
    );
    await sumDue(database, new Date());
    const { users } = await search({ name: word });
    expect(users).toMatchObject([
      {
        objectId,
        lastSignIn: { clientId: 'shop', roles: ['editor'] },
        attempts: { block: 1, continue: 1 },
        accounts: [{ key: `idp:google.com:${word}`, provider: 'Google', isUnfinished: false }],
      },
    ]);
    const file = await (await report(`/users.csv?name=${word}`)).text();
    const [head, line] = file.split('\r\n');
    expect(head).toContain('lastSeen,objectId,email,name');
    expect(line).toContain(`${objectId},,'=${word},`);
  });
});

describe('the accounts of a person', () => {
  const ask = async (text: string) => (await report('/people/search', { text })).json<PersonAccounts>();

  it('say which provider they used last and before, and who else has the address', async () => {
    const [word, objectId] = [own(), crypto.randomUUID()];
    const address = `${word}@example.com`;
    const other = signIn({ address, provider: 'facebook.com', subject: `other-${word}`, hoursAgo: 9 });
    await write(
      signIn({ objectId, address, provider: 'facebook.com', subject: word, hoursAgo: 30 }),
      signIn({ objectId, address, provider: 'google.com', subject: word, hoursAgo: 3 }),
      other,
    );
    const { user, accounts, sameAddress, accountsInWords } = await ask(objectId);
    expect(user).toMatchObject({ objectId, email: address });
    expect(accounts.map(({ provider }) => provider)).toEqual(['Google', 'Facebook']);
    expect(sameAddress.users.map((one) => one.objectId)).toEqual([other.objectId]);
    expect(accountsInWords).toMatch(
      /^They signed in with Google last, at \S+Z\. Before that with Facebook, last at \S+Z\. One other user has the same address: /,
    );
    // From the address alone both are found: no provider is named, since it may be the other person's.
    const byAddress = await ask(address);
    expect([byAddress.user?.objectId, byAddress.sameAddress.users.map((one) => one.objectId)]).toEqual([
      objectId,
      [other.objectId],
    ]);
    expect(byAddress.accountsInWords).toMatch(/^2 users or sign-ups without an account have this address or name/);
    expect(byAddress.accountsInWords).not.toMatch(/Google|Facebook/);
  });

  it('begin with the last sign-in when its call named no identity', async () => {
    const [word, objectId] = [own(), crypto.randomUUID()];
    await write(
      signIn({ objectId, provider: 'google.com', subject: word, hoursAgo: 90 }),
      signIn({ objectId, hoursAgo: 3 }),
    );
    expect((await ask(objectId)).accountsInWords).toMatch(
      /^They signed in last at \S+Z; the call named no identity\. Before that with Google, last at \S+Z\.$/,
    );
  });

  it('a sign-up that no later call named is unfinished, and in words after half an hour, until a call has the objectId', async () => {
    const word = own();
    const signUp = { provider: 'apple.com', subject: word, step: 'PostFederationSignup', hoursAgo: 2 };
    await write(signIn({ ...signUp, objectId: '', address: `${word}@example.com` }));
    const before = await ask(`${word}@example.com`);
    expect(before).toMatchObject({ user: null, accounts: [{ isUnfinished: true, objectId: null }] });
    expect(before.accountsInWords).toMatch(/A sign-up with Apple was last seen at \S+, and no later call named it\.$/);
    await write(signIn({ ...signUp, objectId: '', hoursAgo: 0 }));
    expect((await ask(`${word}@example.com`)).accountsInWords).not.toContain('A sign-up');
    await write(signIn({ provider: 'apple.com', subject: word }));
    expect((await ask(`${word}@example.com`)).accounts).toMatchObject([{ isUnfinished: false }]);
  });
});
