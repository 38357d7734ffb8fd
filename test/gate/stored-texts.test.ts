/** No store and no log line contains the value of a claim that the settings do not allow: read after real calls. */
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { admin } from '../support/admin-call.ts';
import { b2cRequest, NEON_AWAY, newClient, newObjectId, rowsOfOnce } from '../support/call.ts';
import { isolate, publish } from '../support/policy-call.ts';
import { report } from '../support/reports-call.ts';
import worker from '../support/worker.ts';

const SIGN_UP = 'PostAttributeCollection';
const TOKEN = 'PreTokenIssuance';

/** Claims of which 36 were once stored in messages, under names of secrets in several languages, and harmless ones. */
const QUOTED = [
  ...['givenName', 'surname', 'streetAddress', 'city', 'postalCode', 'state'],
  ...`LoyaltyNumber Code VoucherCode SSN Iban Passwort Kennwort TAN CreditCard CVV Passphrase ApiKey PUK MFA Answer
    MotDePasse Contrasena Wachtwoord ActivationCode InviteCode AuthCode SecurityCode PromoCode Pass PWD Credential
    RecoveryKey BirthDate TaxId Passport Password InvitationCode Mpin SpinClass Shipping ShoppingBag`
    .trim()
    .split(/\s+/)
    .map((name) => `extension_${name}`),
];

/** A message may quote ten claims. */
const inParts = (names: readonly string[]) =>
  Array.from({ length: Math.ceil(names.length / 8) }, (_, at) => names.slice(at * 8, at * 8 + 8));

/** A value that no other text contains. */
const recognisable = () => `v${crypto.randomUUID().replaceAll('-', '')}`;

/** Sends calls to an isolate, and returns the attempts that it sent to the queue. */
function gateWith(bindings: object = {}) {
  const sent: Attempt[] = [];
  const ATTEMPTS = { ...env.ATTEMPTS, send: async (message: Attempt) => void sent.push(message) };
  const gate = isolate({ ATTEMPTS, ...bindings });
  return { sent, call: gate.call };
}

/** Every line that is written to the console. */
function linesLogged(): () => string {
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation(() => undefined),
  );
  return () => JSON.stringify(spies.flatMap(({ mock }) => mock.calls));
}

async function deliver(...bodies: unknown[]) {
  const deliveries = bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch<unknown>('gatehouse-attempts', deliveries);
  const ctx = createExecutionContext();
  await worker.queue(batch, env);
  return (await getQueueResult(batch, ctx)).explicitAcks;
}

/** The rows, reports, files and dead letters of these attempts, which are written first. */
async function storesOf(attempts: readonly Attempt[], clientId: string, objectId: string): Promise<string[]> {
  // Postgres refuses the status, so the second copy becomes a dead letter.
  const refused = attempts.map((attempt) => ({
    ...attempt,
    id: attempt.id.replace(/.{12}$/, '0'.repeat(12)),
    status: 1e9,
  }));
  await deliver(...attempts, ...refused);
  const rows = await rowsOfOnce(clientId, attempts.length);
  const letters = await Promise.all(refused.map(({ id }) => admin('GET', `/dead-letters/${id}`)));
  expect(letters.map(({ status }) => status)).toEqual(refused.map(() => 200));
  const raw = await Promise.all(refused.map(({ id }) => env.GATEHOUSE.get(`dead-letter:refused:${id}`)));
  const texts = await Promise.all([
    ...[`/attempts?clientId=${clientId}`, `/attempts.csv?clientId=${clientId}`].map((path) => report(path)),
    ...rows.map(({ id }) => report(`/attempts/${id}`)),
    report('/people/search', { text: objectId }),
  ]).then((responses) => Promise.all(responses.map((response) => response.text())));
  return [JSON.stringify(attempts), JSON.stringify(rows), JSON.stringify(letters), ...raw.map(String), ...texts];
}

afterEach(() => vi.restoreAllMocks());

/** Publishes a policy with one message that quotes all of `names`. */
const quoting = (names: readonly string[]) =>
  publish({
    messages: { no: { en: `Sorry, ${names.map((name) => `{${name}}`).join('+')}. {displayName} {supportCode}` } },
    rules: [{ id: 'no', steps: [SIGN_UP], when: 'has(claims.displayName)', block: 'no' }],
  });

describe('values of claims that a message quotes', () => {
  it('are in the reply, and in no row, report, file, dead letter or log line; the names of the claims are', async () => {
    const logged = linesLogged();
    const [clientId, objectId] = [newClient(), newObjectId()];
    const gate = gateWith();
    expect(QUOTED).toHaveLength(42);
    const values: string[] = [];
    for (const names of inParts(QUOTED)) {
      const shown = names.map(recognisable);
      values.push(...shown);
      await quoting(names);
      const claims = Object.fromEntries(names.map((name, at) => [name, shown[at]]));
      const { json } = await gate.call({ step: SIGN_UP, client_id: clientId, objectId, displayName: 'Ann', ...claims });
      const attempt = gate.sent.at(-1);
      expect(json.userMessage).toBe(`Sorry, ${shown.join('+')}. Ann ${attempt?.supportCode}`);
      expect(attempt?.message).toBe(`Sorry, ${names.map(() => '…').join('+')}. Ann ${attempt?.supportCode}`);
      expect(attempt).toMatchObject({ messageKey: 'no', quotedClaims: [...names, 'displayName'] });
    }

    const stores = (await storesOf(gate.sent, clientId, objectId)).concat(logged());
    for (const text of stores) for (const value of values) expect(text).not.toContain(value);
    const { attempts } = (await (await report(`/attempts?clientId=${clientId}`)).json()) as { attempts: Attempt[] };
    expect(attempts.toReversed().map(({ quotedClaims }) => quotedClaims)).toEqual(
      inParts(QUOTED).map((names) => [...names, 'displayName']),
    );
    const file = await (await report(`/attempts.csv?clientId=${clientId}`)).text();
    for (const names of inParts(QUOTED)) expect(file).toContain(`,${[...names, 'displayName'].join(' ')},`);
  });

  it('the e-mail counts as the claim email, another name of a claim as the claim, and the support code is kept', async () => {
    await publish({
      messages: { no: { en: '{email} {surname} {extension_Plan} {city} {country} {supportCode}' } },
      rules: [{ id: 'no', steps: [SIGN_UP], when: 'has(claims.displayName)', block: 'no' }],
    });
    const body = {
      step: SIGN_UP,
      displayName: 'Ann',
      email: 'ann@example.com',
      lastName: 'Ann',
      extension_PLAN: 'gold',
    };
    const messageWith = async (KEEP_CLAIMS: string, more: object = {}) => {
      const gate = gateWith({ KEEP_CLAIMS });
      await gate.call({ ...body, country: ' ', ...more });
      const { message, supportCode, quotedClaims } = gate.sent[0] ?? {};
      expect(quotedClaims).toEqual(['email', 'surname', 'extension_PLAN', ...Object.keys(more)]);
      return message?.replace(String(supportCode), 'CODE');
    };
    expect(await messageWith('displayName')).toBe('… … …    CODE');
    expect(await messageWith('email,SURNAME')).toBe('ann@example.com Ann …    CODE');
    expect(await messageWith('lastname,extension_PLAN')).toBe('… Ann gold    CODE');
    expect(await messageWith('extension_Pin,city', { city: 'Ann' })).toBe('… … … Ann   CODE');
  });

  it('a message of absent claims only is stored as shown', async () => {
    await publish({
      messages: { no: { en: '{city}{extension_Pin}' } },
      rules: [{ id: 'no', steps: [SIGN_UP], when: 'has(claims.displayName)', block: 'no' }],
    });
    const gate = gateWith();
    const { json } = await gate.call({ step: SIGN_UP, displayName: 'Ann', city: ' ', extension_Pin: '' });
    expect(gate.sent[0]).toMatchObject({ message: json.userMessage, quotedClaims: [] });
  });

  it('for any claim outside KEEP_CLAIMS no stored text contains its value', async () => {
    const name = fc.oneof(
      fc.stringMatching(/^[A-Za-z0-9_]{1,30}$/).map((rest) => `extension_${rest}`),
      fc.constantFrom('country', 'jobTitle', 'extension_supportCode', 'extension___proto__', ...QUOTED),
    );
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 8, selector: (one) => one.toLowerCase() });
    const bindings = { KEEP_CLAIMS: 'displayName,extension_Pin,extension_ApiKey' };
    await fc.assert(
      fc.asyncProperty(names, fc.boolean(), fc.nat({ max: 9 }), async (quoted, isNumber, at) => {
        const digits = String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(10, `${at}`);
        // Built-in attributes are texts.
        const value =
          isNumber && quoted.every((one) => one.startsWith('extension_'))
            ? Number(`7${digits}`)
            : `<${'x'.repeat(at)}${recognisable()}>`;
        await quoting(quoted);
        const members = Object.fromEntries(quoted.map((one) => [one, value]));
        // A new isolate reads the policy that is in force.
        const gate = gateWith(bindings);
        const { json } = await gate.call({ step: SIGN_UP, displayName: 'Ann', ...members });
        const shown = String(value).replaceAll(/[<>]/g, '');
        expect(json.userMessage).toContain(shown);
        expect(JSON.stringify(gate.sent.at(-1))).not.toContain(shown);
        expect(gate.sent.at(-1)?.quotedClaims).toHaveLength(quoted.length + 1);
      }),
      { numRuns: 60 },
    );
  });
});

const base64Url = (json: object) =>
  btoa(JSON.stringify(json)).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_');
/** A signed and an encrypted token, each with a mark that is found in any letter case. */
function tokens() {
  const mark = recognisable();
  const header = base64Url({ typ: 'JWT', alg: 'RS256', kid: mark });
  return [`${header}.${mark}.${mark}`, `${header}..${mark}.${mark}.${mark}`].map((token) => ({ token, mark, header }));
}

describe('values with a JSON Web Token', () => {
  it('are stored and logged nowhere, in whatever member of the call, even if KEEP_CLAIMS lists it', async () => {
    const logged = linesLogged();
    const identity = { signInType: 'federated', issuer: 'google.com', issuerAssignedId: '1' };
    const [, encrypted] = tokens();
    for (const { token, mark, header } of tokens()) {
      const members: readonly object[] = [
        ...['displayName', 'country', 'extension_Plan', 'email', 'ui_locales', 'extension_Roles'].map((name) => ({
          [name]: token,
        })),
        { objectId: token },
        { client_id: token },
        { step: token },
        { [token]: 'x' },
        { [token]: [] },
        ...Object.keys(identity).map((name) => ({ identities: [{ ...identity, [name]: token }] })),
        { emails: [token], otherMails: [`${token}@example.com`] },
        { displayName: `Bearer ${token}`, country: `x ${encrypted?.token}` },
      ];
      await publish({
        messages: { no: { en: '{displayName}{country}{email}{objectId}{ui_locales} {supportCode}' } },
        rules: [
          { id: 'no', steps: [SIGN_UP], when: 'has(claims.city)', block: 'no' },
          {
            id: 'roles',
            steps: [TOKEN],
            set: { extension_Roles: "has(claims.extension_Roles) ? claims.extension_Roles : ''" },
          },
        ],
      });
      const gate = gateWith({ KEEP_CLAIMS: 'displayName,country,extension_Plan,email,ui_locales,objectId,client_id' });
      const lost = isolate({
        ATTEMPTS: { ...env.ATTEMPTS, send: () => Promise.reject(new Error(token)) },
        ...NEON_AWAY,
      });
      const [clientId, objectId] = [newClient(), newObjectId()];
      for (const more of members) {
        for (const step of [SIGN_UP, TOKEN]) {
          const body = { step, client_id: clientId, objectId, city: 'no', displayName: 'Ann', ...more };
          await gate.call(body, `?code=${token}`);
          await lost.call(body);
        }
      }
      expect(gate.sent).toHaveLength(2 * members.length);
      const ours = gate.sent.filter((attempt) => attempt.clientId === clientId);
      const stores = (await storesOf(ours, clientId, objectId)).concat(JSON.stringify(gate.sent), logged());
      for (const text of stores)
        for (const secret of [token, mark, header]) expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
      const withNote = gate.sent.filter(({ notes }) => notes.join().includes('JSON Web Token'));
      expect(withNote.length).toBeGreaterThanOrEqual(14);
      expect(gate.sent.some(({ roles }) => roles.join().includes('eyJ'))).toBe(false);
    }
  });
});

describe('a message in the queue that is not Gatehouse’s', () => {
  it('becomes a dead letter without the JSON Web Tokens in it', async () => {
    const logged = linesLogged();
    for (const { token, mark, header } of tokens()) {
      const id = crypto.randomUUID();
      const body = { id, token, more: [{ [token]: 1, text: `Bearer ${token}`, other: 'kept.as.it.is' }], none: null };
      expect(await deliver(body)).toEqual(['m0']);
      const stored = await env.GATEHOUSE.get(`dead-letter:refused:${id}`);
      expect(JSON.parse(stored ?? '')).toEqual({
        ...{ id, token: '…', none: null },
        more: [{ '…': 1, text: '…', other: 'kept.as.it.is' }],
      });
      for (const secret of [token, mark, header]) expect(`${stored} ${logged()}`).not.toContain(secret);
    }
  });
});

describe('log lines', () => {
  it('a lost attempt is logged without what a caller sends as step and objectId', async () => {
    const logged = linesLogged();
    const bindings = { ATTEMPTS: { ...env.ATTEMPTS, send: () => Promise.reject(new Error('no')) }, ...NEON_AWAY };
    const gate = isolate(bindings);
    const value = recognisable();
    const all = Object.fromEntries([...QUOTED, 'objectId', 'step', 'ui_locales'].map((name) => [name, value]));
    await publish({ rules: [] });
    for (const body of [all, { ...all, step: SIGN_UP }, { ...all, step: TOKEN }, `{"a": "${value}"`, '[]'])
      await gate.call(body, `?code=${value}`);
    await worker.fetch(
      b2cRequest(all, `/${value}`, { Authorization: value }) as Parameters<typeof worker.fetch>[0],
      gate.env as typeof env,
      createExecutionContext(),
    );
    expect(logged()).toContain('attempt-lost');
    expect(logged()).not.toContain(value);
  });
});
