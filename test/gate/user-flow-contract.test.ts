/** Lines 1 to 39 of the wire contract's checklist. */
import { describe, expect, it } from 'vitest';
import { basic, call, newClient, newObjectId, rowsOfOnce } from '../support/call.ts';

const payloads = import.meta.glob<Record<string, unknown>>('../fixtures/payloads/*.json', {
  eager: true,
  import: 'default',
});
const printedWithErrors = import.meta.glob<string>('../fixtures/payloads/*.txt', {
  eager: true,
  query: '?raw',
  import: 'default',
});
const replies = import.meta.glob<{ httpStatus: number; contentType: string; body: unknown }>(
  '../fixtures/replies/*.json',
  { eager: true, import: 'default' },
);

const STEPS = ['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance'] as const;
const CONTINUE = { version: '1.0.0', action: 'Continue' };
const NO_ROLES = { ...CONTINUE, extension_Roles: '' };

/** The reply for a person without a record. */
const toUnknownPerson = (step: string) => (step === 'PreTokenIssuance' ? NO_ROLES : CONTINUE);

describe('documented bodies', () => {
  for (const [file, body] of Object.entries(payloads)) {
    for (const step of STEPS) {
      it(`${file.split('/').at(-1)} at ${step} continues`, async () => {
        const answered = await call({ ...body, step });
        expect(answered).toMatchObject({ status: 200, contentType: 'application/json', json: toUnknownPerson(step) });
      });
      it(`${file.split('/').at(-1)} without a step, at the URL of ${step}, continues`, async () => {
        const { step: _, ...withoutStep } = body;
        const answered = await call(withoutStep, `/${step}`);
        expect(answered).toMatchObject({ status: 200, json: toUnknownPerson(step) });
        expect(Object.keys(answered.json)).toEqual(
          Object.keys(answered.json).filter((name) => answered.json[name] !== null),
        );
      });
    }
  }

  for (const [file, text] of Object.entries(printedWithErrors)) {
    it(`${file.split('/').at(-1)}, which is not JSON, gets the reply for unreadable bodies at each step`, async () => {
      expect(await call(text, '/PreTokenIssuance')).toMatchObject({ status: 200, json: NO_ROLES });
      expect(await call(text, '/PostFederationSignup')).toMatchObject({
        status: 200,
        json: { action: 'ShowBlockPage' },
      });
      expect(await call(text, '/PostAttributeCollection')).toMatchObject({
        status: 400,
        json: { action: 'ValidationError', status: 400 },
      });
      expect(await call(text)).toMatchObject({ status: 400, json: { action: 'ValidationError', status: 400 } });
    });
  }
});

describe('documented replies', () => {
  it('Continue without claims has version and action only', async () => {
    const { status, contentType, json } = await call({ step: 'PostFederationSignup', email: 'a@example.com' });
    const golden = replies['../fixtures/replies/b2c-continue.json'];
    expect({ httpStatus: status, contentType, body: json }).toEqual(golden);
  });

  it('ValidationError has 400 in the header and the body, and the documented members', async () => {
    const { status, contentType, json } = await call('{', '/PostAttributeCollection');
    const golden = replies['../fixtures/replies/b2c-validationerror.json'];
    expect({ status, contentType }).toEqual({ status: golden?.httpStatus, contentType: golden?.contentType });
    expect(Object.keys(json).sort()).toEqual(Object.keys(golden?.body as object).sort());
    expect(json).toMatchObject({ version: '1.0.0', status: 400 });
  });

  it('ShowBlockPage has status 200, the documented members and a message', async () => {
    const { status, json } = await call('{', '/PostFederationSignup');
    const golden = replies['../fixtures/replies/b2c-showblockpage.json'];
    expect(status).toBe(200);
    expect(Object.keys(json).sort()).toEqual(Object.keys(golden?.body as object).sort());
    expect(json.userMessage).toMatch(/[0-9A-Z]{5}-[0-9A-Z]{5}/);
  });

  it('a person without a record gets an empty roles claim at sign-in', async () => {
    expect((await call({ step: 'PreTokenIssuance', objectId: newObjectId() })).json).toEqual(NO_ROLES);
  });

  it('a roles claim typed at sign-up, under its long or short name, is replaced by an empty value', async () => {
    for (const name of ['extension_Roles', 'extension_d683a96de17e4f92bb31a015d243ca03_Roles', 'extension_roles']) {
      const { json } = await call({ step: 'PostAttributeCollection', email: 'a@example.com', [name]: 'admin' });
      expect(json).toEqual({ ...CONTINUE, extension_Roles: '' });
    }
  });

  it('GET and HEAD get status 200 without a body', async () => {
    const { exports } = await import('cloudflare:workers');
    for (const method of ['GET', 'HEAD']) {
      for (const path of ['', '/PreTokenIssuance']) {
        const answered = await exports.default.fetch(`https://gatehouse.example/connectors/user-flow${path}`, {
          method,
          headers: { Authorization: basic('Test:Test') },
        });
        expect([answered.status, await answered.text()]).toEqual([200, '']);
      }
    }
  });

  it('an unknown connector gets a JSON 404', async () => {
    const { exports } = await import('cloudflare:workers');
    const answered = await exports.default.fetch('https://gatehouse.example/connectors/somewhere', { method: 'POST' });
    expect([answered.status, answered.headers.get('Content-Type')]).toEqual([404, 'application/json']);
  });
});

describe('step of a call', () => {
  it('the older name PreTokenApplicationClaims is PreTokenIssuance, and clientId is client_id', async () => {
    const clientId = newClient();
    const { json } = await call({ step: 'PreTokenApplicationClaims', clientId });
    expect(json).toEqual(NO_ROLES);
    expect(await rowsOfOnce(clientId, 1)).toMatchObject([{ step: 'PreTokenIssuance', clientId, outcome: 'continue' }]);
  });

  it('the step of the body is used when the URL names another, and the attempt has a note', async () => {
    const clientId = newClient();
    const { json } = await call({ step: 'PreTokenIssuance', client_id: clientId }, '/PostFederationSignup');
    expect(json).toEqual(NO_ROLES);
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row).toMatchObject({ step: 'PreTokenIssuance', urlStep: 'PostFederationSignup' });
    expect(row?.notes.join()).toContain('PostFederationSignup');
  });

  it('the step of the URL, in any case, is used when the body has none or an unknown one', async () => {
    expect((await call({ client_id: newClient() }, '/pretokenissuance')).json).toEqual(NO_ROLES);
    expect((await call({ step: '<step-name>' }, '/PRETOKENISSUANCE')).json).toEqual(NO_ROLES);
  });

  it('an unknown step continues without claims, and its attempt is an error with a support code', async () => {
    const clientId = newClient();
    const { status, json } = await call({ step: 'PostSomethingNew', client_id: clientId }, '/nonsense');
    expect([status, json]).toEqual([200, CONTINUE]);
    const rows = await rowsOfOnce(clientId, 1);
    expect(rows).toMatchObject([
      { step: 'PostSomethingNew', outcome: 'error', reason: 'unknown-step', reply: 'Continue', status: 200 },
    ]);
    expect(rows[0]?.supportCode).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
  });
});

describe('members of a body', () => {
  it('null counts as absent, and the canonical name wins over its aliases at any position', async () => {
    const clientId = newClient();
    await call({
      client_id: clientId,
      clientId: 'other',
      step: 'PostAttributeCollection',
      email: null,
      'signInNames.emailAddress': 'Jane@Example.com',
      lastName: 'Old',
      surname: 'Doe',
      surName: 'Older',
      identities: null,
      givenName: null,
    });
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row).toMatchObject({
      email: 'Jane@Example.com',
      emailKey: 'email:jane@example.com',
      issuer: '',
      unexpectedClaims: [],
    });
    expect(row?.claimNames.toSorted()).toEqual(['client_id', 'email', 'step', 'surname']);
  });

  it('a claim of an unexpected type counts as absent, and the attempt contains its name', async () => {
    const clientId = newClient();
    const { status } = await call({
      client_id: clientId,
      step: 'PostAttributeCollection',
      email: 42,
      displayName: ['x'],
      identities: 'me',
      extension_Age: 42,
      extension_Ok: true,
      extension_Odd: {},
    });
    expect(status).toBe(200);
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row?.unexpectedClaims.toSorted()).toEqual(['displayName', 'email', 'extension_Odd', 'identities']);
    expect(row).toMatchObject({ email: '', keptClaims: {} });
    expect(row?.claimNames).toEqual(expect.arrayContaining(['extension_Age', 'extension_Ok']));
  });

  it('a body may repeat a key, begin with a byte order mark and have any content type', async () => {
    const clientId = newClient();
    const twice = `\ufeff{"objectId":"first","step":"PreTokenIssuance","client_id":"${clientId}","objectId":"Second"}`;
    for (const contentType of [
      'application/json; charset=utf-8',
      'text/plain',
      'application/x-www-form-urlencoded',
      '',
    ]) {
      expect(await call(new TextEncoder().encode(twice), '', { 'Content-Type': contentType })).toMatchObject({
        status: 200,
        json: NO_ROLES,
      });
    }
    const rows = await rowsOfOnce(clientId, 4);
    expect(new Set(rows.map(({ objectId }) => objectId))).toEqual(new Set(['second']));
  });

  it('a body with any script, long values, NUL and a lone surrogate is accepted', async () => {
    const clientId = newClient();
    const displayName = "Zoë 🦊 O'Neil 王小明 محمد";
    await call(
      `{"step":"PostAttributeCollection","client_id":"${clientId}","displayName":${JSON.stringify(displayName)},"country":"\\u0000\\ud800","extension_Captcha":"${'x'.repeat(8_000)}"}`,
    );
    const [row] = await rowsOfOnce(clientId, 1);
    expect(row?.keptClaims).toEqual({ displayName, country: '\ufffd\ufffd' });
  });

  it('an unknown member, even __proto__, never fails a call', async () => {
    const clientId = newClient();
    const { status } = await call(
      `{"step":"PreTokenIssuance","client_id":"${clientId}","__proto__":"x","constructor":1,"toString":true}`,
    );
    expect(status).toBe(200);
    expect((await rowsOfOnce(clientId, 1))[0]?.claimNames).toContain('__proto__');
  });
});
