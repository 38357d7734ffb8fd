/** Roles from KV to the token (design section 5). */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { EMAIL_NOT_TRUSTED } from '../../src/attempts/notes.ts';
import { recordInput } from '../../src/desk/admin/record-input.ts';
import { placesOf } from '../../src/entitlements/record-keys.ts';
import { claimOf, type Entitlements, entitledTo, ROLE_NAME, readStored } from '../../src/entitlements/stored-record.ts';
import { SAMPLE_EMAIL_KEY } from '../../src/platform/config.ts';
import { idpKey, oidKey } from '../../src/sign-in/event.ts';
import { call, callWith, newClient, newObjectId, rowsOfOnce } from '../support/call.ts';

const UPDATED_AT = '2026-11-01T12:00:00.000Z';
const aRecord = (changed: Partial<Entitlements> = {}): Entitlements => ({
  v: 1,
  roles: ['editor'],
  groups: [],
  attributes: {},
  applications: {},
  updatedAt: UPDATED_AT,
  updatedBy: 'admin',
  ...changed,
});
const store = (key: string, record: unknown) =>
  env.GATEHOUSE.put(`person:${key}`, typeof record === 'string' ? record : JSON.stringify(record));
const rolesGiven = async (body: object, bindings: object = {}) =>
  (await callWith(bindings, { step: 'PreTokenIssuance', ...body })).json.extension_Roles;
const google = (id: string) => ({ signInType: 'federated', issuer: 'google.com', issuerAssignedId: id });

/** A person with a unique address and unique ids. */
const newPerson = () => ({
  objectId: newObjectId(),
  email: `${crypto.randomUUID()}@example.com`,
  identities: [google(crypto.randomUUID())],
});

describe('roles in the token', () => {
  it('the token contains the roles of the record and of the calling application, without duplicates', async () => {
    const person = newPerson();
    const clientId = newClient();
    await store(
      `oid:${person.objectId}`,
      aRecord({ roles: ['editor', 'reader'], applications: { [clientId]: { roles: ['approver', 'editor'] } } }),
    );
    expect(await rolesGiven({ ...person, client_id: clientId.toUpperCase() })).toBe('editor reader approver');
    expect(await rolesGiven({ ...person, client_id: newClient() })).toBe('editor reader');
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([
      { roles: ['editor', 'reader', 'approver'], rolesUpdatedAt: new Date(UPDATED_AT) },
    ]);
  });

  it('the first record counts, in the order objectId, identity, e-mail', async () => {
    const person = newPerson();
    const trusted = { EMAIL_TRUSTED_ISSUERS: 'google.com' };
    await store(`email:${person.email}`, aRecord({ roles: ['by-email'] }));
    expect(await rolesGiven(person, trusted)).toBe('by-email');
    await store(`idp:google.com:${person.identities[0]?.issuerAssignedId}`, aRecord({ roles: ['by-identity'] }));
    expect(await rolesGiven(person, trusted)).toBe('by-identity');
    await store(`oid:${person.objectId}`, aRecord({ roles: ['by-object-id'] }));
    expect(await rolesGiven({ ...person, objectId: person.objectId.toUpperCase() }, trusted)).toBe('by-object-id');
  });

  it('the roles claim has the long name when EXTENSIONS_APP_ID is set, and is missing when ROLES_CLAIM is empty', async () => {
    const app = 'D683A96D-E17E-4F92-BB31-A015D243CA03';
    const { json } = await callWith({ EXTENSIONS_APP_ID: app }, { step: 'PreTokenIssuance' });
    expect(json).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_d683a96de17e4f92bb31a015d243ca03_Roles: '',
    });
    const { json: without } = await callWith({ ROLES_CLAIM: '' }, { step: 'PreTokenIssuance' });
    expect(without).toEqual({ version: '1.0.0', action: 'Continue' });
  });

  it('invalid names are dropped, and the attempt contains their number', async () => {
    const person = newPerson();
    const clientId = newClient();
    await store(
      `oid:${person.objectId}`,
      aRecord({ roles: ['ok', 'two words', '', '-dash', 'x'.repeat(65), 'also:ok'] }),
    );
    expect(await rolesGiven({ ...person, client_id: clientId })).toBe('ok also:ok');
    expect((await rowsOfOnce(clientId, 1))[0]?.notes.join()).toContain('names of roles or groups dropped: 4');
  });
});

const TRUSTED = { EMAIL_TRUSTED_ISSUERS: 'google.com' };

describe('e-mail record', () => {
  const lookUp = async (issuers: string, body: object) => {
    const email = `${crypto.randomUUID()}@example.com`;
    const clientId = newClient();
    await store(`email:${email}`, aRecord({ roles: ['mine'] }));
    const roles = await rolesGiven(
      { email: ` ${email.toUpperCase()} `, client_id: clientId, ...body },
      { EMAIL_TRUSTED_ISSUERS: issuers },
    );
    const [row] = await rowsOfOnce(clientId, 1);
    return { roles, notUsed: row?.notes.includes(EMAIL_NOT_TRUSTED) };
  };

  it('the e-mail record is not used by default', async () => {
    expect(await lookUp('', {})).toEqual({ roles: '', notUsed: false });
    expect(await lookUp('', { identities: [google('1')] })).toEqual({ roles: '', notUsed: false });
  });

  it('where e-mail records are in use, the attempt of a call without another record says that its e-mail is not trusted', async () => {
    expect(await lookUp('google.com', {})).toEqual({ roles: '', notUsed: true });
    const person = newPerson();
    await store(`oid:${person.objectId}`, aRecord());
    const { objectId } = person;
    expect(await lookUp('facebook.com', { objectId, identities: [google('1')] })).toEqual({
      roles: 'editor',
      notUsed: false,
    });
  });

  it('a call reads an e-mail record only if its e-mail is trusted, under the digests of each EMAIL_KEY', async () => {
    const asked: string[] = [];
    const get = (keys: string | string[]) => {
      asked.push(...[keys].flat());
      return env.GATEHOUSE.get(keys as string[]);
    };
    const EMAIL_KEY = 'the newest key of this one test, long\nthe older key of this one test, also long';
    const bindings = { ...TRUSTED, EMAIL_KEY, GATEHOUSE: { get } };
    const person = newPerson();
    const [newest, older, plain] = await placesOf(EMAIL_KEY.split('\n'), `email:${person.email}`);
    await rolesGiven({ ...person, identities: [{ ...google('1'), issuer: 'facebook.com' }] }, bindings);
    expect(asked.filter((key) => [newest, older, plain].includes(key))).toEqual([]);
    expect(await rolesGiven(person, bindings)).toBe('');
    expect(asked).toEqual(expect.arrayContaining([newest, older, plain]));
    await env.GATEHOUSE.put(older ?? '', JSON.stringify(aRecord({ roles: ['older'] })));
    expect(await rolesGiven(person, bindings)).toBe('older');
    await env.GATEHOUSE.put(newest ?? '', JSON.stringify(aRecord({ roles: ['newest'] })));
    expect(await rolesGiven(person, bindings)).toBe('newest');
    const later = aRecord({ roles: ['changed-last'], updatedAt: '2026-11-02T12:00:00.000Z' });
    await env.GATEHOUSE.put(plain ?? '', JSON.stringify(later));
    expect(await rolesGiven(person, bindings)).toBe('changed-last');
    await env.GATEHOUSE.put(newest ?? '', '{"v":1,"removed":true,"updatedAt":"2026-11-03T12:00:00.000Z"}');
    expect(await rolesGiven(person, bindings)).toBe('');
    await env.GATEHOUSE.put(newest ?? '', 'not json');
    expect(await rolesGiven(person, bindings)).toBe('');
  });

  it('the record of a local account, whose identity is an address, is found under a digest', async () => {
    const address = `${crypto.randomUUID()}@example.com`;
    const local = { signInType: 'emailAddress', issuer: 'contoso.onmicrosoft.com', issuerAssignedId: address };
    const [place = ''] = await placesOf([SAMPLE_EMAIL_KEY], await idpKey(local.issuer, address));
    expect(place).not.toContain(address.slice(0, 36));
    await env.GATEHOUSE.put(place, JSON.stringify(aRecord({ roles: ['local'] })));
    expect(await rolesGiven({ objectId: newObjectId(), identities: [local] })).toBe('local');
  });

  it('the e-mail record is used for trusted issuers, and for calls without identities when the list has -', async () => {
    expect(await lookUp('google.com', { identities: [google('1')] })).toEqual({ roles: 'mine', notUsed: false });
    expect(await lookUp('-', {})).toEqual({ roles: 'mine', notUsed: false });
    expect(await lookUp('-', { identities: [] })).toEqual({ roles: 'mine', notUsed: false });
    expect(await lookUp('-', { identities: null })).toEqual({ roles: 'mine', notUsed: false });
  });

  it('the e-mail record is not used for an issuer named -, nor for a look-alike address', async () => {
    expect(await lookUp('-', { identities: [{ ...google('1'), issuer: '-' }] })).toEqual({ roles: '', notUsed: true });
    const plain = `k-${crypto.randomUUID()}@example.com`;
    await store(`email:${plain}`, aRecord({ roles: ['mine'] }));
    expect(await rolesGiven({ email: plain }, { EMAIL_TRUSTED_ISSUERS: '-' })).toBe('mine');
    expect(await rolesGiven({ email: `\u212A${plain.slice(1)}` }, { EMAIL_TRUSTED_ISSUERS: '-' })).toBe('');
  });

  it('the e-mail record is not used when an identity contains another address than the e-mail', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await store(`email:${email}`, aRecord({ roles: ['mine'] }));
    const by = (...ids: string[]) =>
      rolesGiven({ email, identities: ids.map((id) => ({ ...google('1'), issuerAssignedId: id })) }, TRUSTED);
    expect(await by(email.toUpperCase())).toBe('mine');
    expect(await by('1084512345678')).toBe('mine');
    expect(await by(`x${email}`)).toBe('');
    expect(await by(email, 'someone@else.example')).toBe('');
  });

  it('the e-mail record is not used when people can type their address on a page, or the setting is unusable', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await store(`email:${email}`, aRecord({ roles: ['mine'] }));
    const under = (EMAIL_COLLECTED_ON_PAGE: string) =>
      rolesGiven({ email, identities: [google('1')] }, { ...TRUSTED, EMAIL_COLLECTED_ON_PAGE });
    expect(await Promise.all(['', 'no', 'yes', 'maybe', 'NO'].map(under))).toEqual(['mine', 'mine', '', '', '']);
  });

  it('the e-mail record is not used when an identity has another issuer, is unreadable or is beyond the tenth', async () => {
    const facebook = { ...google('1'), issuer: 'facebook.com' };
    const both = 'google.com, -';
    for (const identities of [
      [google('1'), facebook],
      [google('1'), 'x'],
      [{}],
      'google.com',
      [...Array(10).fill(google('1')), facebook],
    ]) {
      expect(await lookUp(both, { identities })).toEqual({ roles: '', notUsed: true });
    }
  });
});

describe('KV failure', () => {
  const throwing = { get: () => Promise.reject(new Error('KV is away')) };
  const hanging = { get: () => new Promise(() => undefined) };

  it('the token step continues with empty roles at the timeout of KV, and the attempt has the fault', async () => {
    const odd = (answer: unknown) => ({ get: () => Promise.resolve(answer) });
    for (const kv of [throwing, hanging, {}, odd(null), odd({}), odd([]), odd('text'), odd(undefined)]) {
      const clientId = newClient();
      expect(await rolesGiven({ ...newPerson(), client_id: clientId }, { GATEHOUSE: kv, KV_TIMEOUT_MS: '50' })).toBe(
        '',
      );
      expect(await rowsOfOnce(clientId, 1)).toMatchObject([
        { outcome: 'continue', degraded: 'kv-unavailable', roles: [] },
      ]);
    }
  });

  it('a stale copy is used up to STALE_ROLES_MAX_SECONDS, and the attempt has the fault', async () => {
    const person = newPerson();
    const clientId = newClient();
    await store(`oid:${person.objectId}`, aRecord());
    const body = { ...person, client_id: clientId };
    expect(await rolesGiven(body)).toBe('editor');
    expect(await rolesGiven(body, { GATEHOUSE: throwing })).toBe('editor');
    const start = Date.now();
    const clock = vi.spyOn(Date, 'now');
    clock.mockReturnValue(start + 890_000);
    expect(await rolesGiven(body, { GATEHOUSE: throwing })).toBe('editor');
    clock.mockReturnValue(start + 901_000);
    expect(await rolesGiven(body, { GATEHOUSE: throwing })).toBe('');
    clock.mockReturnValue(start - 901_000);
    expect(await rolesGiven(body, { GATEHOUSE: throwing })).toBe('');
    clock.mockRestore();
    const rows = await rowsOfOnce(clientId, 5);
    expect(rows.map(({ degraded }) => degraded).toSorted()).toEqual([
      '',
      'kv-stale-copy',
      'kv-stale-copy',
      'kv-unavailable',
      'kv-unavailable',
    ]);
  });

  it('a response from KV after the timeout is used for the next call', async () => {
    const person = newPerson();
    const record = JSON.stringify(aRecord());
    const slow = {
      get: (keys: string[]) =>
        new Promise((resolve) => setTimeout(() => resolve(new Map(keys.map((key) => [key, record]))), 120)),
    };
    const bindings = { GATEHOUSE: slow, KV_TIMEOUT_MS: '40' };
    expect(await rolesGiven(person, bindings)).toBe('');
    expect(await rolesGiven(person, bindings)).toBe('editor');
  });

  it('the stale copy is used also after a slow body, and when KV_TIMEOUT_MS is not below DECISION_TIMEOUT_MS', async () => {
    const person = newPerson();
    await store(`oid:${person.objectId}`, aRecord());
    expect(await rolesGiven(person)).toBe('editor');
    expect(await rolesGiven(person, { GATEHOUSE: hanging, KV_TIMEOUT_MS: '400', DECISION_TIMEOUT_MS: '400' })).toBe(
      'editor',
    );
    const text = new TextEncoder().encode(JSON.stringify({ step: 'PreTokenIssuance', ...person }));
    const slowly = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        controller.enqueue(text);
        controller.close();
      },
    });
    const limits = { GATEHOUSE: hanging, KV_TIMEOUT_MS: '300', DECISION_TIMEOUT_MS: '450' };
    expect((await callWith(limits, slowly)).json.extension_Roles).toBe('editor');
  });

  it('the stale copy of one person is never used for another', async () => {
    const person = newPerson();
    await store(`oid:${person.objectId}`, aRecord());
    expect(await rolesGiven(person)).toBe('editor');
    const other = { ...person, objectId: newObjectId() };
    expect(await rolesGiven(other, { GATEHOUSE: throwing })).toBe('');
  });

  it('a stale copy of an e-mail record is not used when the e-mail is no longer trusted', async () => {
    const person = newPerson();
    await store(`email:${person.email}`, aRecord());
    expect(await rolesGiven(person, { EMAIL_TRUSTED_ISSUERS: 'google.com' })).toBe('editor');
    expect(await rolesGiven(person, { GATEHOUSE: throwing })).toBe('');
  });

  it('an unreadable record gives no roles, and a lesser key does not replace it', async () => {
    for (const value of ['not json', '{}', '{"v":2}', JSON.stringify({ ...aRecord(), roles: 'editor' })]) {
      const person = newPerson();
      const clientId = newClient();
      await store(`oid:${person.objectId}`, value);
      await store(`idp:google.com:${person.identities[0]?.issuerAssignedId}`, aRecord());
      expect(await rolesGiven({ ...person, client_id: clientId })).toBe('');
      expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ degraded: 'entitlements-unreadable' }]);
    }
  });

  it('sign-up continues under the built-in policy, which reads no record there, and the attempt has the fault', async () => {
    for (const step of ['PostFederationSignup', 'PostAttributeCollection']) {
      const clientId = newClient();
      const { json } = await callWith({ GATEHOUSE: throwing }, { step, ...newPerson(), client_id: clientId });
      expect(json).toEqual({ version: '1.0.0', action: 'Continue' });
      expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ outcome: 'continue', degraded: 'kv-unavailable' }]);
    }
  });
});

describe('person keys', () => {
  it('a key over 400 bytes is replaced by its digest, so that it does not fail the bulk read', async () => {
    const issuerAssignedId = 'ü'.repeat(500);
    const key = await idpKey('google.com', issuerAssignedId);
    expect(key).toMatch(/^sha256:[0-9a-f]{64}$/);
    await store(key, aRecord({ roles: ['long'] }));
    const clientId = newClient();
    const { json } = await call({
      step: 'PreTokenIssuance',
      client_id: clientId,
      objectId: newObjectId(),
      identities: [google(issuerAssignedId)],
    });
    expect(json.extension_Roles).toBe('long');
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ idpKey: key }]);
  });

  it('different parts give different keys', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(fc.string(), fc.string()), fc.tuple(fc.string(), fc.string()), async (one, other) => {
        const same = one[0] === other[0] && one[1] === other[1];
        expect((await idpKey(...one)) === (await idpKey(...other))).toBe(same);
      }),
    );
    expect(oidKey(' ABC ')).toBe('oid:abc');
  });

  it('records of at most ten identities are read', async () => {
    const id = crypto.randomUUID();
    await store(`idp:google.com:${id}-10`, aRecord({ roles: ['tenth'] }));
    await store(`idp:google.com:${id}-11`, aRecord({ roles: ['eleventh'] }));
    const identities = (from: number) => Array.from({ length: 11 }, (_, index) => google(`${id}-${from + index}`));
    expect(await rolesGiven({ identities: identities(1) })).toBe('tenth');
    expect(await rolesGiven({ identities: identities(0) })).toBe('');
  });
});

describe('entitledTo', () => {
  const anyRecord = fc.record({
    roles: fc.array(fc.string()),
    own: fc.array(fc.stringMatching(/^[a-z]{1,64}$/), { maxLength: 200 }),
  });

  it('the claim is never too long, has valid names only, and splits into the same names', () => {
    fc.assert(
      fc.property(anyRecord, ({ roles, own }) => {
        const found = entitledTo(aRecord({ roles, applications: { app: { roles: own } } }), 'APP');
        expect(found.roles.every((role) => ROLE_NAME.test(role))).toBe(true);
        expect(found.roles.length).toBeLessThanOrEqual(100);
        expect(claimOf(found.roles).length).toBeLessThanOrEqual(2_000);
        expect(claimOf(found.roles).split(' ').filter(Boolean)).toEqual(found.roles);
        expect(found.roles.length + found.dropped).toBe(new Set([...roles, ...own]).size);
      }),
    );
  });

  it('no name is dropped from a record that the management API accepts', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,20}$/);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 50 }), fc.array(name, { maxLength: 50 }), (roles, own) => {
        const input = recordInput.safeParse({ roles, applications: { app: { roles: own } } });
        fc.pre(input.success);
        const record = readStored(JSON.stringify({ ...input.data, v: 1, updatedAt: UPDATED_AT, updatedBy: 'a' }));
        expect(record && 'roles' in record && entitledTo(record, 'app').dropped).toBe(0);
      }),
    );
  });
});
