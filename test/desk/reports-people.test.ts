import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import type { Attempt, Change } from '../../src/attempts/attempt.ts';
import type { AttemptJson } from '../../src/desk/reports/attempt-json.ts';
import { anAttempt } from '../support/attempt.ts';
import { idsOf, keep, keepChange, type Listed, type Problem, report } from '../support/reports-call.ts';

interface Person extends Listed {
  key: string;
  keys: string[];
  standing: string;
  sameEmail: AttemptJson[];
}

const MINUTE_MS = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS);
const person = async (key: string, page: object = {}): Promise<Person> => {
  const response = await report('/people/search', { key, ...page });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};

/** A person with an account, an identity at a provider and an e-mail address. Their attempts are `minutes` ago. */
function newPerson() {
  const objectId = crypto.randomUUID();
  const oidKey = `oid:${objectId}`;
  const idpKey = `idp:google.com:${objectId}`;
  const emailKey = `email:${objectId}@example.com`;
  const all = { objectId, oidKey, idpKey, emailKey, roles: ['editor'] };
  return {
    ...all,
    token: (minutes: number, changed: Partial<Attempt> = {}) => anAttempt({ ...all, at: ago(minutes), ...changed }),
    signUp: (minutes: number, changed: Partial<Attempt> = {}) =>
      anAttempt({
        objectId: '',
        oidKey: '',
        idpKey,
        emailKey,
        step: 'PostFederationSignup',
        at: ago(minutes),
        ...changed,
      }),
  };
}

const change = (subject: string, minutes: number, after: Change['after'] = { roles: ['editor'] }) =>
  keepChange({
    kind: 'change',
    v: 1,
    id: uuidv7({ msecs: ago(minutes).getTime() }),
    changedBy: 'Grace',
    subject,
    before: null,
    after,
  });

test('the timeline joins all keys that occur in one attempt, except that a shared e-mail address joins no accounts', async () => {
  const { oidKey, idpKey, emailKey, token, signUp } = newPerson();
  const other = newPerson();
  const [sixth, fifth, fourth, third, second, first] = [
    other.token(1, { emailKey }),
    token(2, { idpKey: '', emailKey: '' }),
    token(3),
    anAttempt({ at: ago(4), oidKey: '', objectId: '', idpKey: other.idpKey, otherKeys: [idpKey] }),
    signUp(5, { idpKey: '', step: 'PostAttributeCollection' }),
    signUp(6),
  ] as const;
  await keep(first, second, third, fourth, fifth, sixth);

  const byAccount = await person(oidKey);
  expect(byAccount).toMatchObject({ key: oidKey, keys: [oidKey, idpKey, emailKey] });
  expect(idsOf(byAccount)).toEqual([fifth, fourth, third, first].map(({ id }) => id));
  expect(byAccount.sameEmail.map(({ id }) => id)).toEqual([sixth.id, second.id]);

  const byIdentity = await person(idpKey);
  expect(new Set(byIdentity.keys)).toEqual(new Set([idpKey, oidKey, emailKey, other.idpKey, other.oidKey]));
  expect(idsOf(byIdentity)).toEqual([sixth, fifth, fourth, third, first].map(({ id }) => id));

  const byEmail = await person(emailKey);
  expect(idsOf(byEmail)).toEqual([sixth, fifth, fourth, third, second, first].map(({ id }) => id));
  expect(byEmail.sameEmail).toEqual([]);
  // Anyone can type an address: this comes before what happened to one of the accounts.
  expect(byEmail.standing).toMatch(/^2 accounts have used this address, and the address alone identifies no one: /);
});

test('the pages of a timeline contain each attempt once, also an attempt with two keys of the person', async () => {
  const { oidKey, token, signUp } = newPerson();
  const all = [token(1), signUp(2), token(3), token(4), signUp(5)];
  await keep(...all);

  const seen: string[] = [];
  let page = await person(oidKey, { limit: 2 });
  seen.push(...idsOf(page));
  while (page.next !== undefined) {
    await keep(token(0));
    const response = await report(`/people/${encodeURIComponent(oidKey)}?limit=2&cursor=${page.next}`);
    page = await response.json();
    seen.push(...idsOf(page));
  }
  expect(seen).toEqual(all.map(({ id }) => id));
});

test('a person is found by a key in any case and spacing, percent-encoded in a path or unencoded in a body', async () => {
  const objectId = crypto.randomUUID();
  const idpKey = `idp:${encodeURIComponent('https://issuer.example/')}:${encodeURIComponent(`a:b/${objectId}`)}`;
  const emailKey = `email:${objectId}@example.com`;
  const attempt = anAttempt({ objectId, oidKey: `oid:${objectId}`, idpKey, emailKey });
  await keep(attempt);

  for (const typed of [` OID:${objectId.toUpperCase()} `, idpKey, `Email: ${objectId.toUpperCase()}@EXAMPLE.com`]) {
    expect(idsOf(await person(typed)), typed).toEqual([attempt.id]);
    const inPath = await report(`/people/${encodeURIComponent(typed)}`);
    expect(idsOf(await inPath.json()), typed).toEqual([attempt.id]);
  }
});

test('a person is found by a key that is stored as its digest because of its length', async () => {
  const id = crypto.randomUUID();
  const email = `${'a'.repeat(400)}${id}@example.com`;
  const digest = new Uint8Array(
    await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`email:${email}`)),
  ).reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), 'sha256:');
  const attempt = anAttempt({ objectId: '', oidKey: '', emailKey: digest });
  await keep(attempt);

  expect(await person(`email:${email}`)).toMatchObject({ key: digest, attempts: [{ id: attempt.id }], sameEmail: [] });
});

test.each(['ada@example.com', 'oid:', 'idp:google.com', 'phone:1', 'idp:https://a:b', '%zz'])(
  'the invalid person key %s is a 400 that shows all three forms',
  async (typed) => {
    for (const response of [
      await report(`/people/${encodeURIComponent(typed)}`),
      await report('/people/search', { key: typed }),
    ]) {
      expect(response.status).toBe(400);
      const { detail } = await response.json<Problem>();
      for (const form of ['oid:', 'idp:', 'email:']) expect(detail).toContain(form);
    }
  },
);

test.each([
  ['decoded once', `idp:${encodeURIComponent('https://issuer.example/')}:1`],
  ['not encoded at all', 'idp:https://issuer.example/:1'],
  ['with an invalid escape sequence', 'oid:%ZZ'],
  ['with bytes that are not UTF-8', 'oid:%FF'],
])('a person key %s in a path is a 400 that shows how to encode it', async (_, path) => {
  const response = await report(`/people/${path}`);
  expect(response.status).toBe(400);
  const { detail, errors } = await response.json<Problem>();
  expect(detail).toContain('POST /reports/people/search');
  expect(errors).toEqual([{ path: expect.stringMatching(/^(key)?$/), message: expect.stringContaining('encoded') }]);
});

test('an unknown person has an empty timeline, and a status with the start of retention', async () => {
  const { oidKey } = newPerson();
  const ninetyDaysAgo = ago(90 * 24 * 60).toISOString();
  expect(await person(oidKey)).toEqual({
    key: oidKey,
    keys: [oidKey],
    standing: expect.stringContaining(`No attempt recorded since ${ninetyDaysAgo.slice(0, 7)}-01 has ${oidKey}. `),
    attempts: [],
    matches: { count: 0, isMore: false },
    tries: [],
    sameEmail: [],
  });
});

test('of too many keys the timeline follows the most recent ones, and the status says so', async () => {
  const emailKey = `email:${crypto.randomUUID()}@example.com`;
  const office = Array.from({ length: 25 }, (_, nth) => anAttempt({ emailKey, at: ago(nth) }));
  await keep(...office);

  const { keys, standing, attempts } = await person(emailKey);
  expect(keys).toHaveLength(21);
  expect(standing).toContain('too many other keys');
  // They all have the requested e-mail key, so the number of accounts does not matter.
  expect(attempts).toHaveLength(25);
});

test.each<[string, Partial<Attempt>, RegExp]>([
  ['let in with roles', { roles: ['editor', 'approver'] }, /let in with the roles editor, approver\. /],
  ['let in without roles', { roles: [] }, /let in without roles\. /],
  ['let in while KV was away', { roles: ['editor'], degraded: 'kv-stale-copy' }, /editor \(kv-stale-copy: .*\)\. /],
  [
    'blocked',
    {
      step: 'PostFederationSignup',
      outcome: 'block',
      rule: 'no-mail',
      supportCode: 'ABCDE-FGHJK',
      reply: 'ShowBlockPage',
    },
    /blocked at PostFederationSignup by rule no-mail, support code ABCDE-FGHJK\. /,
  ],
  [
    'blocked without a rule',
    { step: 'PostAttributeCollection', outcome: 'block', messageKey: 'unavailable', supportCode: 'ABCDE-FGHJK' },
    /blocked at PostAttributeCollection \(unavailable\), support code/,
  ],
  [
    'asked to correct the input',
    { step: 'PostAttributeCollection', outcome: 'invalid', rule: 'postal-code', supportCode: 'ABCDE-FGHJK' },
    /asked at PostAttributeCollection to correct the input by rule postal-code, support code ABCDE-FGHJK\. /,
  ],
  [
    'whose call failed at the token step',
    { outcome: 'error', reason: 'exception', roles: [], supportCode: 'ABCDE-FGHJK' },
    /let in without roles, because the call at PreTokenIssuance .*\(exception\), support code ABCDE-FGHJK\. /,
  ],
  [
    'whose call failed at sign-up',
    {
      step: 'PostFederationSignup',
      outcome: 'error',
      reason: 'not-json',
      reply: 'ShowBlockPage',
      supportCode: 'ABCDE-FGHJK',
    },
    /stopped, because the call at PostFederationSignup .*\(not-json\), support code ABCDE-FGHJK\. /,
  ],
  [
    'whose call came compressed',
    { step: 'PostFederationSignup', outcome: 'error', reason: 'compressed', reply: 'ShowBlockPage', supportCode: '' },
    /failed: its body was compressed, which Gatehouse does not read \(compressed\)\. /,
  ],
  ['in the middle of sign-up', { step: 'PostAttributeCollection' }, /continued after PostAttributeCollection/],
])('the status of a person %s says so, with time and application', async (_, changed, sentence) => {
  const clientId = crypto.randomUUID();
  const attempt = anAttempt({ clientId, ...changed });
  await keep(attempt);

  const { standing, attempts } = await person(attempt.oidKey);
  expect(standing).toMatch(sentence);
  if (attempt.outcome === 'error') expect(attempts[0]?.explanation).toMatch(/^The call failed: [^.]+\. .+\.$/);
  const seen = attempts[0]?.occurredAt.slice(0, 19);
  expect(standing).toMatch(new RegExp(`^Last try ${seen}Z in application ${clientId}: `));
});

test('the status names the token before the last call, and changes of roles that this token cannot contain', async () => {
  const changed = newPerson();
  await keep(changed.token(60), changed.signUp(30, { outcome: 'block', rule: 'closed' }));
  expect((await person(changed.oidKey)).standing).not.toContain('roles were changed');
  await change(changed.idpKey, 20);
  const { standing } = await person(changed.oidKey);
  expect(standing).toMatch(/blocked at PostFederationSignup by rule closed; last let in .* with the roles editor; /);
  expect(standing).toContain('changed after that token: the next interactive sign-in gets the change');
  expect(standing).toContain('by Grace');

  const before = newPerson();
  await keep(before.token(20));
  await change(before.oidKey, 60);
  expect((await person(before.oidKey)).standing).toMatch(/editor\. /);

  const spreading = newPerson();
  await keep(spreading.token(20));
  await change(spreading.oidKey, 20.5);
  expect((await person(spreading.oidKey)).standing).toContain('sign in again');

  const waiting = newPerson();
  await keep(waiting.signUp(5));
  await change(waiting.idpKey, 3);
  expect((await person(waiting.idpKey)).standing).toContain('counts from the next sign-in');
});

test('the status mentions only changes of the record that counts, and the condition under which a lower key counts', async () => {
  const outranked = newPerson();
  await keep(outranked.token(20));
  await change(outranked.oidKey, 60);
  await change(outranked.idpKey, 10);
  await change(outranked.emailKey, 5);
  expect((await person(outranked.oidKey)).standing).toMatch(/with the roles editor\. /);
  await change(outranked.oidKey, 3);
  expect((await person(outranked.oidKey)).standing).toMatch(
    /editor; their roles were changed after that token: [^;]*\. /,
  );

  const byIdentity = newPerson();
  await keep(byIdentity.token(20));
  await change(byIdentity.idpKey, 10);
  await change(byIdentity.emailKey, 5);
  const lower = (await person(byIdentity.oidKey)).standing;
  expect(lower).toContain(`the record under ${byIdentity.idpKey} (it counts only while no oid: key`);
  expect(lower).not.toMatch(/their roles were|email:/);

  const byEmail = newPerson();
  await keep(byEmail.token(20));
  await change(byEmail.emailKey, 10);
  const lowest = (await person(byEmail.oidKey)).standing;
  expect(lowest).toContain(`the record under ${byEmail.emailKey} (it counts only if EMAIL_TRUSTED_ISSUERS`);
  expect(lowest).not.toContain('their roles were');

  const removed = newPerson();
  await keep(removed.token(20));
  await change(removed.idpKey, 15);
  await change(removed.oidKey, 10, null);
  expect((await person(removed.oidKey)).standing).toMatch(
    /editor; their roles were changed after that token: [^;]*\. /,
  );
  await change(removed.idpKey, 5);
  expect((await person(removed.oidKey)).standing).toMatch(/editor; the record under idp:[^;]*changed after that token/);
});

test('the status distinguishes an account that was deleted from the account that was created again', async () => {
  const deleted = newPerson();
  const again = newPerson();
  await keep(deleted.token(60), again.token(20, { idpKey: deleted.idpKey }));
  await change(deleted.oidKey, 10);

  const found = await person(deleted.oidKey);
  expect(found.keys).toEqual([deleted.oidKey, again.oidKey, deleted.idpKey, deleted.emailKey]);
  expect(found.standing).toMatch(new RegExp(`^Last try [^;]* as account ${again.objectId}: let in with the roles`));
  expect(found.standing).toContain('2 accounts have used this key');
  // The token belongs to the other account.
  expect(found.standing).not.toContain('changed');
  await change(again.oidKey, 5);
  expect((await person(deleted.oidKey)).standing).toContain('their roles were changed after that token');
  expect((await person(again.oidKey)).standing).toMatch(/^Last try \S+ in an unknown application: let in/);
});
