/** Exchanges: lines 61 to 66 and 101 to 112 of the wire contract's checklist. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { B2C, newClient, newObjectId, rowsOfOnce } from '../support/call.ts';
import { CUSTOM_POLICY, posted, send, TRANSPORTS } from '../support/exchange-call.ts';
import { publish } from '../support/policy-call.ts';

const POLICY = {
  defaultLanguage: 'en',
  messages: {
    'no-such-loyalty-id': {
      en: "Loyalty ID '{loyaltyId}' is not associated with this email address.",
      de: "Die Kundennummer '{loyaltyId}' gehört nicht zu dieser E-Mail-Adresse.",
    },
  },
  exchanges: {
    ValidateProfile: {
      kind: 'validation',
      inputs: { loyaltyId: 'loyaltyId' },
      identifies: { email: { trusted: true } },
      outputs: { promoCode: 'string' },
    },
    Echo: {
      kind: 'orchestration',
      inputs: {
        word: ['word', 'deep.word', 'list.0.word'],
        count: { from: 'count', type: 'number' },
        flag: { from: 'flag', type: 'boolean' },
      },
      outputs: { word: 'string', count: 'number', flag: 'boolean', status: 'string', 'a-b.c': 'string' },
    },
    Letters: {
      kind: 'orchestration',
      outputs: {
        ...{ 'error-codes': 'string', 'a.B': 'string', Status: 'number', message: 'string', userMessage: 'string' },
        ...{ code: 'string', version: 'string', balanceText: 'string', balanceNumber: 'number' },
      },
    },
    Lists: { kind: 'orchestration', outputs: { roles: 'list', joined: { type: 'list', join: ',' } } },
    Notify: { kind: 'orchestration', emptyReply: true },
    Careful: {
      kind: 'validation',
      whenUnavailable: 'continue',
      inputs: { loyaltyId: 'loyaltyId' },
      outputs: { word: 'string' },
    },
    Contractor: {
      kind: 'orchestration',
      issuer: 'contoso',
      identifies: { objectId: { form: 'any' } },
      outputs: { balance: 'string' },
    },
  },
  rules: [
    {
      id: 'associated',
      steps: ['ValidateProfile'],
      when: '!has(person.attributes.loyaltyId) || !has(claims.loyaltyId) || claims.loyaltyId != person.attributes.loyaltyId',
      onError: 'apply',
      invalid: 'no-such-loyalty-id',
      developerMessage: 'The loyalty id is another one.',
    },
    { id: 'promo', steps: ['ValidateProfile'], set: { promoCode: 'person.attributes.promoCode' } },
    {
      id: 'word',
      steps: ['Echo'],
      when: 'has(claims.word)',
      set: { word: 'claims.word', status: 'claims.word', 'a-b.c': 'claims.word' },
    },
    { id: 'count', steps: ['Echo'], when: 'has(claims.count)', set: { count: 'claims.count' } },
    { id: 'flag', steps: ['Echo'], when: 'has(claims.flag)', set: { flag: 'claims.flag' } },
    {
      id: 'letters',
      steps: ['Letters'],
      set: {
        ...{ 'error-codes': "'e'", 'a.B': "'b'", Status: '1', message: "'m'", userMessage: "'u'", code: "'c'" },
        ...{ version: "'2'", balanceText: "'760.50'", balanceNumber: "'760.50'" },
      },
    },
    { id: 'lists', steps: ['Lists'], set: { roles: 'person.roles', joined: 'person.roles' } },
    { id: 'careful', steps: ['Careful'], set: { word: "'held ' + string(size(person.roles))" } },
    { id: 'contractor', steps: ['Contractor'], set: { balance: 'person.attributes.balance' } },
  ],
};

const record = (more: object) =>
  JSON.stringify({
    v: 1,
    roles: [],
    groups: [],
    attributes: {},
    applications: {},
    updatedAt: '2026-11-01T12:00:00.000Z',
    updatedBy: 'test',
    ...more,
  });

const json = (path: string, body: unknown) => send(posted(path, JSON.stringify(body)));

beforeAll(async () => {
  await publish(POLICY);
});

describe('transports (contract line 61)', () => {
  for (const [name, request] of Object.entries(TRANSPORTS)) {
    it(`${name} carries the same claims to the same rules`, async () => {
      const {
        status,
        contentType,
        json: body,
      } = await send(request('Echo', { word: 'a b+c', count: '3', flag: 'True' }));
      expect({ status, contentType, body }).toEqual({
        status: 200,
        contentType: 'application/json',
        body: { word: 'a b+c', status: 'a b+c', 'a-b.c': 'a b+c', count: 3, flag: true },
      });
    });

    it(`${name} leaves a claim without a value absent`, async () => {
      expect((await send(request('Echo', { word: '', count: '3' }))).json).toEqual({ count: 3 });
    });
  }

  it('a nested body and an array give the claims at their paths (contract line 103)', async () => {
    expect((await json('Echo', { Deep: { WORD: 'x' } })).json).toMatchObject({ word: 'x' });
    expect((await json('Echo', { list: [{ word: 'y' }] })).json).toMatchObject({ word: 'y' });
    expect((await json('Echo', [{ word: 'z' }])).json).toEqual({});
  });

  it('a form that is declared as JSON, and JSON that is declared as a form, are read as what they are', async () => {
    expect((await send(posted('Echo', 'word=a%2Bb+c', 'application/json'))).json).toMatchObject({ word: 'a+b c' });
    const form = 'application/x-www-form-urlencoded';
    expect((await send(posted('Echo', '{"word":"x"}', form))).json).toMatchObject({ word: 'x' });
  });

  it('of one name sent twice, the last value that is not empty counts, in JSON too (contract line 102)', async () => {
    for (const body of [
      '{"word":"a","word":""}',
      '{"word":"z","Word":"a","count":null}',
      '{"word":"a","x":{"word":"b"},"word":null}',
    ])
      expect((await send(posted('Echo', body))).json).toMatchObject({ word: 'a' });
    expect((await send(posted('Echo', 'word=b&word=a&word=', 'application/x-www-form-urlencoded'))).json).toMatchObject(
      { word: 'a' },
    );
  });

  it('the key in the URL is no claim, and a claim in the URL of a POST is none', async () => {
    const request = new Request(`${CUSTOM_POLICY}/Echo?word=query`, {
      method: 'POST',
      headers: { Authorization: B2C },
      body: '{"count":1}',
    });
    expect((await send(request)).json).toEqual({ count: 1 });
  });

  it('header values in UTF-8 arrive whole', async () => {
    const value = String.fromCharCode(...new TextEncoder().encode('Jürgen'));
    expect((await send(TRANSPORTS.Header('Echo', { word: value }))).json).toMatchObject({ word: 'Jürgen' });
  });

  it('two hundred query parameters are read, and those that no input reads are named in the attempt', async () => {
    const clientId = newClient();
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`p${at}`, 'x']));
    const { json: body } = await send(TRANSPORTS.QueryString('Echo', { ...many, word: 'w', clientId }));
    expect(body).toMatchObject({ word: 'w' });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row?.notes.join()).toMatch(/no input of the exchange reads: p0, .* and 180 more/);
  });
});

describe('claims', () => {
  it('the text of a claim resolver counts as absent, and the attempt names it (contract line 101)', async () => {
    const clientId = newClient();
    const { json: body } = await json('Echo', {
      word: '{OAUTH-KV:word}',
      lang: '{Culture:LCID}',
      clientId,
      count: '3',
    });
    expect(body).toEqual({ count: 3 });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row?.locale).toBe('');
    expect(row?.notes.join()).toMatch(/did not resolve.*word/s);
  });

  it.each([
    ['count', '007', { count: 7 }],
    ['count', '-1.5', { count: -1.5 }],
    ['count', '9007199254740993', {}],
    ['count', 'three', {}],
    ['count', true, {}],
    ['flag', 'FALSE', { flag: false }],
    ['flag', '1', {}],
    ['flag', 1, {}],
    ['word', 7, { word: '7' }],
    ['word', { a: 1 }, {}],
  ])('the value of %s given as %j is read by its declared type or counts as absent', async (name, value, expected) => {
    const { status, json: body } = await json('Echo', { [name]: value });
    expect(status).toBe(200);
    expect(body).toEqual('word' in expected ? { word: '7', status: '7', 'a-b.c': '7' } : expected);
  });

  it('a list goes out as an array or joined, and an empty list is left out (contract line 112)', async () => {
    const objectId = newObjectId();
    await env.GATEHOUSE.put(`person:oid:${objectId}`, record({ roles: ['editor', 'approver'] }));
    expect((await json('Lists', { objectId })).json).toEqual({
      roles: ['editor', 'approver'],
      joined: 'editor,approver',
    });
    expect((await json('Lists', { objectId: newObjectId() })).json).toEqual({});
  });

  it('outputs go out in the exact letters of the policy, and as text or number as it says (contract lines 70 and 104)', async () => {
    expect((await json('Letters', {})).text).toBe(
      JSON.stringify({
        ...{ 'error-codes': 'e', 'a.B': 'b', Status: 1, message: 'm', userMessage: 'u', code: 'c', version: '2' },
        ...{ balanceText: '760.50', balanceNumber: 760.5 },
      }),
    );
  });

  it('words for nothing identify no one, and an id that is no GUID is looked up under the issuer', async () => {
    const id = `c-${crypto.randomUUID().slice(0, 8)}`;
    await env.GATEHOUSE.put(`person:idp:contoso:${id}`, record({ attributes: { balance: '760.50' } }));
    expect((await json('Contractor', { objectId: id })).json).toEqual({ balance: '760.50' });
    const unseen = ['nu\u200bll', '\u2060\ufeff', '\uff10', 'ＮＵＬＬ'];
    for (const objectId of ['empty', 'NULL', 'unknown', '0', '00000000-0000-0000-0000-000000000000', ' ', ...unseen]) {
      const clientId = newClient();
      expect((await json('Contractor', { objectId, clientId })).json).toEqual({});
      const [row] = await rowsOfOnce(clientId, 1);
      expect([row?.oidKey, row?.idpKey]).toEqual(['', '']);
    }
  });

  it('a sign-in name is no trusted e-mail unless the exchange names it as its input', async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    await env.GATEHOUSE.put(`person:email:${email}`, record({ attributes: { loyaltyId: '1', promoCode: 'p' } }));
    const claims = { loyaltyId: '1' };
    expect((await json('ValidateProfile', { ...claims, email })).json).toEqual({ promoCode: 'p' });
    for (const name of ['signInName', 'signInNames.emailAddress', 'mail'])
      expect((await json('ValidateProfile', { ...claims, [name]: email })).status).toBe(409);
  });

  it('correlation id, application, policy and network are stored under any configured name', async () => {
    const clientId = newClient();
    const correlationId = crypto.randomUUID();
    await json('Notify', { CorrelationId: correlationId, ClientId: clientId, Policy: 'B2C_1A_x', IP: '203.0.113.7' });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row).toMatchObject({
      channel: 'custom-policy',
      step: 'Notify',
      correlationId,
      policyId: 'B2C_1A_x',
      ipNetwork: '203.0.113.0/24',
      callerKind: 'basic',
      outcome: 'continue',
    });
    expect(JSON.stringify(row)).not.toContain('203.0.113.7');
  });
});

describe('replies', () => {
  it('a refusal is 409 in the header and the body, in the language of an LCID (contract lines 62 and 65)', async () => {
    for (const [name, language, text] of [
      ['lang', '1031', 'gehört nicht'],
      ['language', 'de-AT', 'gehört nicht'],
      ['lang', '1033', 'is not associated'],
    ] as const) {
      const {
        status,
        contentType,
        json: body,
      } = await json('ValidateProfile', {
        email: 'stranger@example.com',
        loyaltyId: '1234',
        [name]: language,
      });
      expect({ status, contentType }).toEqual({ status: 409, contentType: 'application/json' });
      expect(body).toEqual({
        version: '1.0.0',
        status: 409,
        code: 'associated',
        userMessage: expect.stringContaining(text),
        developerMessage: 'The loyalty id is another one.',
        requestId: expect.stringMatching(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/),
      });
      expect(body.userMessage).toContain("'1234'");
    }
  });

  it('a success of an exchange with an empty reply is 200 without a body (contract line 64)', async () => {
    const { status, text } = await json('Notify', {});
    expect({ status, text }).toEqual({ status: 200, text: '' });
  });

  it('an unknown exchange gets 409 with a support code, and leaves an attempt', async () => {
    const { status, json: body } = await json('NoSuchExchange', { clientId: 'x' });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      version: '1.0.0',
      status: 409,
      code: 'unknown-exchange',
      requestId: expect.any(String),
    });
    expect(body.userMessage).toContain(body.requestId);
  });

  it.each(['validateprofile', 'VALIDATEPROFILE/', 'ValidateProfile//'])(
    '%s is the exchange ValidateProfile',
    async (path) => {
      expect((await json(path, { email: 'stranger@example.com', loyaltyId: '1' })).json).toMatchObject({
        code: 'associated',
      });
    },
  );

  it('an authenticated caller gets 200 or 409 for any method and path (contract line 111)', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      for (const path of ['', '/', '/Echo', '/a/b/c', '/%zz', '/..%2f', `/${'x'.repeat(5_000)}`]) {
        const { status, contentType } = await send(
          new Request(CUSTOM_POLICY + path, { method, headers: { Authorization: B2C } }),
        );
        expect([200, 409], `${method} ${path.slice(0, 20)}`).toContain(status);
        expect([null, 'application/json'], `${method} ${path.slice(0, 20)}`).toContain(contentType);
      }
  });

  it('HEAD, and GET on the root, answer 200 without a body and record nothing', async () => {
    for (const [method, path] of [
      ['HEAD', '/Echo'],
      ['HEAD', ''],
      ['GET', ''],
      ['GET', '/'],
    ] as const) {
      const { status, text } = await send(
        new Request(CUSTOM_POLICY + path, { method, headers: { Authorization: B2C } }),
      );
      expect({ status, text }).toEqual({ status: 200, text: '' });
    }
  });

  it('without a credential, every method and path gets 401 without a body', async () => {
    for (const path of ['', '/Echo', '/nothing']) {
      const { status, text } = await send(new Request(CUSTOM_POLICY + path, { method: 'POST', body: '{}' }));
      expect({ status, text }).toEqual({ status: 401, text: '' });
    }
  });
});

describe('onlyThese', () => {
  it('an application that the policy does not list is refused at an exchange, and a call that names none is decided', async () => {
    const listed = newClient();
    await publish({ ...POLICY, applications: { onlyThese: true, [listed]: 'Shop' } });
    expect(await json('Echo', { clientId: newClient(), word: 'x' })).toMatchObject({
      status: 409,
      json: { code: 'onlyThese', userMessage: expect.stringContaining('You cannot continue here.') },
    });
    expect((await json('Echo', { clientId: listed, word: 'x' })).json).toMatchObject({ word: 'x' });
    expect((await json('Echo', { word: 'x' })).json).toMatchObject({ word: 'x' });
    await publish(POLICY);
  });
});

describe('faults follow whenUnavailable', () => {
  const broken = '{"word":';
  it('an unreadable body is refused, or answered without claims', async () => {
    expect(await send(posted('Echo', broken))).toMatchObject({ status: 409, json: { code: 'not-json' } });
    expect(await send(posted('Careful', broken))).toMatchObject({ status: 200, json: {} });
  });

  it('a KV that does not answer refuses, or gives 200 without claims', async () => {
    const kv = {
      get: async (keys: unknown) =>
        Array.isArray(keys) && keys.length > 1 ? Promise.reject(new Error('down')) : env.GATEHOUSE.get(keys as string),
    };
    const body = (path: string) => posted(path, JSON.stringify({ email: 'a@example.com', loyaltyId: '1' }));
    expect(await send(body('ValidateProfile'), { GATEHOUSE: kv })).toMatchObject({
      status: 409,
      json: { code: 'whenUnavailable' },
    });
    expect(await send(body('Careful'), { GATEHOUSE: kv })).toMatchObject({ status: 200, json: {} });
  });

  it('a built-in exchange that the policy declares continues under any fault, unless it says block', async () => {
    const declared = (more: object) => ({
      exchanges: { SignInStarted: { kind: 'orchestration', emptyReply: true, ...more } },
      rules: [],
    });
    await publish(declared({}));
    expect(await send(posted('SignInStarted', broken))).toMatchObject({ status: 200, text: '' });
    await publish(declared({ whenUnavailable: 'block' }));
    expect(await send(posted('SignInStarted', broken))).toMatchObject({ status: 409 });
    await publish(POLICY);
  });

  it('the built-in exchanges answer 200 without a body under any fault', async () => {
    for (const name of ['SignInStarted', 'signincompleted/'])
      for (const body of ['{}', broken, 'x'.repeat(300_000)]) {
        const { status, text } = await send(posted(name, body));
        expect({ status, text }).toEqual({ status: 200, text: '' });
      }
  });
});
