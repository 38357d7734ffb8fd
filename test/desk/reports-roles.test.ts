/** `/reports/roles` and `/reports/changes`: what support reads of a person's roles. */
import { env } from 'cloudflare:workers';
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import type { Attempt, Change } from '../../src/attempts/attempt.ts';
import { EMAIL_NOT_TRUSTED } from '../../src/attempts/notes.ts';
import type { PersonChanges } from '../../src/desk/reports/queries/person-changes.ts';
import { placesOf } from '../../src/entitlements/record-keys.ts';
import { configOf } from '../../src/platform/config.ts';
import { anAttempt } from '../support/attempt.ts';
import { keep, keepChange, type Problem, report, reportWith } from '../support/reports-call.ts';

const MINUTE_MS = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS);
/** As sentences have it. */
const second = (instant: Date) => `${instant.toISOString().slice(0, 19)}Z`;

interface Roles {
  takenFor?: string;
  key: string;
  code: string;
  sentence: string;
  now: { key: string; roles: string[]; groups: string[]; applications: object[] } | null;
  records: { key: string; state: string; counts: boolean }[];
  lastToken: { roles: string[]; occurredAt: string } | null;
}

async function rolesOf(asked: object, bindings: object = {}): Promise<Roles> {
  const response = await reportWith(bindings, '/roles/search', asked);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

const MARK = 'value-of-an-attribute';
/** A person, with ways to give them tokens, records and changes. */
function newPerson() {
  const objectId = crypto.randomUUID();
  const keys = { oid: `oid:${objectId}`, idp: `idp:google.com:${objectId}`, email: `email:${objectId}@example.com` };
  return {
    ...keys,
    objectId,
    token: (minutes: number, changed: Partial<Attempt> = {}) =>
      anAttempt({
        objectId,
        oidKey: keys.oid,
        idpKey: keys.idp,
        emailKey: keys.email,
        issuer: 'google.com',
        clientId: 'shop',
        at: ago(minutes),
        ...changed,
      }),
    async record(key: string, changedAt: Date, roles: string[]) {
      const more = { groups: ['staff'], attributes: { loyaltyId: MARK }, applications: { shop: { roles: ['buyer'] } } };
      const record = { v: 1, roles, ...more, updatedAt: changedAt.toISOString(), updatedBy: 'Grace' };
      const [place = ''] = await placesOf(configOf(env).EMAIL_KEY, key);
      await env.GATEHOUSE.put(place, JSON.stringify({ ...record, key }));
    },
  };
}

const change = (subject: string, at: Date, before: Change['before'], after: Change['after']) =>
  keepChange({ kind: 'change', v: 1, id: uuidv7({ msecs: at.getTime() }), changedBy: 'Grace', subject, before, after });

test('a role that was granted after the last token is named, with both times and what to tell the person', async () => {
  const { oid, objectId, token, record } = newPerson();
  const granted = ago(20);
  const last = token(29, { roles: ['buyer'], rolesUpdatedAt: ago(500).toISOString() });
  await keep(last);
  await record(oid, granted, ['editor']);

  for (const [asked, takenFor] of [
    [{ key: oid }, undefined],
    [{ text: objectId }, 'objectId'],
    [{ text: last.id }, 'attempt id'],
  ] as const) {
    const answer = await rolesOf(asked);
    expect(answer.takenFor).toBe(takenFor);
    expect(answer).toMatchObject({
      code: 'sign-in-again',
      now: {
        key: oid,
        roles: ['editor'],
        groups: ['staff'],
        applications: [{ clientId: 'shop', roles: ['editor', 'buyer'] }],
      },
      lastToken: { id: last.id, roles: ['buyer'] },
    });
    expect(answer.sentence).toBe(
      `Their roles changed ${second(granted)} by Grace. The last token is of ${second(new Date(answer.lastToken?.occurredAt ?? 0))}, in shop, ` +
        'before the change, and lacks the role editor. Ask them to sign out, wait a minute, and sign in again: a token that is refreshed keeps its claims.',
    );
  }
});

test('an address that no attempt has is an unknown person, and not one without roles', async () => {
  const unseen = newPerson();
  expect(await rolesOf({ text: unseen.email.slice(6) })).toMatchObject({ code: 'unknown-person', now: null });
  const seen = newPerson();
  await keep(seen.token(5));
  expect(await rolesOf({ text: seen.email.slice(6) })).toMatchObject({ code: 'no-record' });
});

test('a token after the change carries the roles, may lack them within two minutes, or differs by the rules', async () => {
  const fresh = newPerson();
  await fresh.record(fresh.oid, ago(60), ['editor']);
  await keep(fresh.token(30, { roles: ['buyer', 'editor'] }));
  expect(await rolesOf({ key: fresh.oid })).toMatchObject({ code: 'in-token' });

  const early = newPerson();
  await early.record(early.oid, ago(61), ['editor']);
  await keep(early.token(60));
  expect(await rolesOf({ key: early.oid })).toMatchObject({
    code: 'may-lack-change',
    sentence: expect.stringContaining('lacks the roles editor, buyer'),
  });

  const other = newPerson();
  await other.record(other.oid, ago(600), ['editor']);
  await keep(other.token(60, { roles: ['guest'], policyVersion: 7 }));
  expect(await rolesOf({ key: other.oid })).toMatchObject({
    code: 'token-differs',
    sentence: expect.stringMatching(
      /lacks the roles editor, buyer and also has the role guest.*\/reports\/rules\?version=7/,
    ),
  });
});

test('the record that counts is the one that the gate reads: objectId, then identity, then a trusted address', async () => {
  const { oid, idp, email, token, record } = newPerson();
  await keep(token(5, { notes: [EMAIL_NOT_TRUSTED] }));
  await record(email, ago(60), ['by-mail']);
  const trusting = { EMAIL_TRUSTED_ISSUERS: 'google.com', EMAIL_COLLECTED_ON_PAGE: 'no' };
  const counted = async (settings = {}) => {
    const { records, now } = await rolesOf({ key: oid }, settings);
    return [records.map(({ state, counts }) => [state, counts]), now?.key];
  };
  const none = ['none', false];
  expect(await counted(trusting)).toEqual([[none, none, ['record', false]], undefined]);
  expect((await rolesOf({ key: oid }, trusting)).sentence).toContain(`The record under ${email} does not count`);
  await keep(token(4));
  expect(await counted(trusting)).toEqual([[none, none, ['record', true]], email]);
  expect(await counted({ ...trusting, EMAIL_TRUSTED_ISSUERS: 'facebook.com' })).toEqual([
    [none, none, ['record', false]],
    undefined,
  ]);
  await record(idp, ago(60), ['by-identity']);
  expect(await counted(trusting)).toEqual([[none, ['record', true], ['record', false]], idp]);
  const declared = newPerson();
  await declared.record(declared.email, ago(60), ['by-mail']);
  expect(await rolesOf({ text: declared.email.slice(6) })).toMatchObject({
    code: 'no-token',
    sentence: expect.stringContaining('it counts only where the address is verified'),
  });
  await env.GATEHOUSE.put(`person:${oid}`, 'no record');
  expect(await counted(trusting)).toEqual([
    [
      ['unreadable', true],
      ['record', false],
      ['record', false],
    ],
    undefined,
  ]);
  expect(await rolesOf({ key: oid })).toMatchObject({ code: 'unreadable-record', now: null });
});

test('an address that several accounts used gets no merged roles, and a person without attempts gets those of the key', async () => {
  const [one, other] = [newPerson(), newPerson()];
  await keep(one.token(5), other.token(4, { emailKey: one.email }));
  await one.record(one.oid, ago(60), ['editor']);
  const shared = await rolesOf({ key: one.email });
  expect(shared).toMatchObject({ code: 'several-accounts', now: null });
  expect(shared.sentence).toContain(`${other.oid}, ${one.oid}`);
  expect(await (await report('/changes/search', { key: one.email })).json()).toMatchObject({
    note: expect.stringContaining('identifies none of them'),
  });
  const stranger = newPerson();
  const alone = newPerson();
  await keep(
    alone.token(5),
    stranger.token(4, { objectId: '', oidKey: '', emailKey: alone.email, step: 'PostFederationSignup' }),
  );
  await stranger.record(stranger.idp, ago(60), ['owner']);
  expect(await rolesOf({ key: alone.email })).toMatchObject({ code: 'several-accounts', now: null });
  expect(await rolesOf({ key: alone.oid })).toMatchObject({ code: 'no-record', now: null });

  const unseen = newPerson();
  await unseen.record(unseen.oid, ago(60), ['editor']);
  expect(await rolesOf({ key: unseen.oid })).toMatchObject({ code: 'no-token', now: { roles: ['editor'] } });
  expect(await rolesOf({ text: `unknown ${crypto.randomUUID().slice(0, 6)}` })).toMatchObject({
    code: 'unknown-person',
  });
  expect(await rolesOf({ key: newPerson().oid })).toMatchObject({ code: 'no-record', now: null });
});

test('a removed record, and a change that Workers KV does not show yet, are named with time and author', async () => {
  const { oid, token, record } = newPerson();
  await keep(token(30, { roles: ['editor'] }));
  const removed = ago(10);
  await change(oid, removed, { roles: ['editor'] }, null);
  expect(await rolesOf({ key: oid })).toMatchObject({
    code: 'sign-in-again',
    sentence: expect.stringContaining(`It was removed ${second(removed)} by Grace. The last token`),
  });
  await record(oid, ago(20), ['editor']);
  const again = ago(1);
  await change(oid, again, null, { roles: ['editor', 'owner'] });
  expect((await rolesOf({ key: oid })).sentence).toContain(
    `The audit log has a change of ${second(again)} by Grace, which Workers KV may show only from `,
  );
});

test('roles that rules gave without a record are no reason to sign in again, and those of a record that is gone are', async () => {
  const ruled = newPerson();
  await keep(ruled.token(5, { roles: ['member'], policyVersion: 7 }));
  const answer = await rolesOf({ key: ruled.oid });
  expect(answer).toMatchObject({ code: 'no-record', now: null });
  expect(answer.sentence).toMatch(/has the role member without a record, from the rules of policy version 7: see GET /);
  await change(ruled.oid, ago(60), { roles: ['editor'] }, null);
  expect(await rolesOf({ key: ruled.oid })).toMatchObject({ code: 'no-record' });
  const byHand = newPerson();
  await keep(byHand.token(5, { roles: ['editor'], rolesUpdatedAt: ago(60).toISOString() }));
  expect(await rolesOf({ key: byHand.oid })).toMatchObject({ code: 'sign-in-again' });
});

test('changes of roles are listed newest first, page by page, under all keys of the person, with names and no values', async () => {
  const { oid, idp, token } = newPerson();
  await keep(token(5));
  const record = (roles: string[], value: string) => ({
    roles,
    groups: [],
    attributes: { loyaltyId: value, level: 3 },
    applications: { shop: { roles: ['buyer'] } },
    updatedBy: MARK,
  });
  await change(oid, ago(50), null, record(['reader'], MARK));
  await change(idp, ago(40), { unreadable: `{"attributes":"${MARK}"}` }, record([], MARK));
  await change(oid, ago(30), record(['reader'], MARK), record(['editor'], `another ${MARK}`));
  await change(oid, ago(20), record(['editor'], MARK), null);
  await change(`oid:${crypto.randomUUID()}`, ago(10), null, record([], MARK));

  const first = await report('/changes/search', { key: oid, limit: 3 });
  const page: PersonChanges = await first.json();
  expect(page.matches).toEqual({ count: 4, isMore: false });
  expect(page.changes.map(({ sentence }) => sentence.slice(22))).toEqual([
    'Grace removed the record, took away the role editor, took away the role buyer in application shop, removed the attributes level, loyaltyId.',
    'Grace granted the role editor, took away the role reader, changed the attribute loyaltyId.',
    'Grace replaced a value that was no record, granted the role buyer in application shop, added the attributes level, loyaltyId.',
  ]);
  expect(page.changes[1]).toMatchObject({
    changedBy: 'Grace',
    key: oid,
    before: { roles: ['reader'], attributeNames: ['level', 'loyaltyId'] },
    after: { roles: ['editor'], applications: { shop: { roles: ['buyer'], groups: [] } } },
  });
  const cursor = encodeURIComponent(page.next ?? '');
  const inPath = await report(`/changes/${encodeURIComponent(oid)}?limit=3&cursor=${cursor}`);
  const rest: PersonChanges = await inPath.json();
  expect(rest).not.toHaveProperty('next');
  expect(rest.changes.map(({ sentence }) => sentence.slice(22))).toEqual([
    'Grace saved the first record, granted the role reader, granted the role buyer in application shop, added the attributes level, loyaltyId.',
  ]);
  expect(JSON.stringify([page, rest])).not.toContain(MARK);
});

test('roles and changes show no value of an attribute, need the reports right, and take a key in one segment', async () => {
  const { oid, record, token } = newPerson();
  await keep(token(5));
  await record(oid, ago(60), ['editor']);
  const inPath = await report(`/roles/${encodeURIComponent(oid)}`);
  expect([inPath.status, await inPath.text()]).toEqual([200, expect.not.stringContaining(MARK)]);
  for (const path of ['/roles', '/changes']) {
    const stranger = await report(`${path}/search`, { key: oid }, { Authorization: `Basic ${btoa('admin:admin')}` });
    expect(stranger.status).toBe(401);
    const unencoded = await report(`${path}/idp:https://issuer.example/:x`);
    const { errors }: Problem = await unencoded.json();
    expect([unencoded.status, errors?.[0]?.path]).toEqual([400, 'key']);
    const unnamed = anAttempt({ objectId: '', supportCode: '' });
    await keep(unnamed);
    const answer = await report(`${path}/search`, { text: unnamed.id });
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 'no-person-named' })]);
  }
});

test('roles are refused with a code when Workers KV does not answer', async () => {
  const failing = { get: () => Promise.reject(new Error('KV GET failed: 500 Internal Server Error')) };
  const response = await reportWith({ GATEHOUSE: failing }, '/roles/search', { key: newPerson().oid });
  expect([response.status, await response.json()]).toEqual([503, expect.objectContaining({ code: 'kv-failed' })]);
});
