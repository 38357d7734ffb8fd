/**
 * Public requests of custom policies get the reply of their index (`payloads-custom`), and what is secret in them is
 * nowhere: not in an attempt, a report, a log, a message or a dead letter.
 */
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placesOf } from '../../src/entitlements/record-keys.ts';
import { configOf } from '../../src/platform/config.ts';
import { B2C, newClient, newObjectId } from '../support/call.ts';
import { CUSTOM_POLICY, posted, send, TRANSPORTS } from '../support/exchange-call.ts';
import { publish } from '../support/policy-call.ts';
import { leftBy, storedBy } from '../support/watched-stores.ts';

type Json = Record<string, unknown>;
const bodies = import.meta.glob<Json>('../fixtures/payloads-custom/*.json', { eager: true, import: 'default' });
const raw = import.meta.glob<string>('../fixtures/payloads-custom/*.txt', {
  eager: true,
  import: 'default',
  query: '?raw',
});
const policies = import.meta.glob<{ exchanges: Json; rules: object[]; messages?: Json }>(
  '../fixtures/policy-custom/*policy.json',
  { eager: true, import: 'default' },
);

/** The exchanges of the payloads 33 to 3c. */
const EARLIER = {
  messages: { 'wrong-code': { en: 'The access code you entered is incorrect. Please try again.' } },
  exchanges: {
    ValidateUserData: { kind: 'validation', outputs: { promoCode: 'string' } },
    Resolvers: { kind: 'orchestration', outputs: { seen: 'string' } },
    ValidateAccessCode: { kind: 'validation', inputs: { accessCode: 'accessCode' }, emptyReply: true },
    Migrate: {
      kind: 'validation',
      inputs: { password: 'password' },
      outputs: { tokenSuccess: 'boolean', migrationRequired: 'boolean' },
    },
    SendSignupEvent: { kind: 'orchestration', emptyReply: true },
    Echo: {
      kind: 'orchestration',
      inputs: { clientNumber: 'clientNumber', clientOrg: 'clientOrg' },
      outputs: { clientNumber: 'string', clientOrg: 'string' },
    },
  },
  rules: [
    {
      id: 'known',
      steps: ['ValidateUserData'],
      when: "claims.email == 'emily@example.com' && request.locale == 'en-US'",
      set: { promoCode: "'24534'" },
    },
    { id: 'resolvers', steps: ['Resolvers'], set: { seen: "request.clientId + ' ' + request.locale" } },
    {
      id: 'access-code',
      steps: ['ValidateAccessCode'],
      when: "!has(claims.accessCode) || claims.accessCode != '88888'",
      invalid: 'wrong-code',
    },
    {
      id: 'migrate',
      steps: ['Migrate'],
      when: 'has(claims.password)',
      set: { tokenSuccess: "claims.password == '<user-typed password>'", migrationRequired: 'true' },
    },
    { id: 'echo', steps: ['Echo'], set: { clientNumber: 'claims.clientNumber', clientOrg: 'claims.clientOrg' } },
  ],
};

/** KV keys of the records. Other files call as the people of the documentation too, and expect no records. */
const places = new Set<string>();
afterAll(async () => {
  for (const place of places) await env.GATEHOUSE.delete(place);
});

beforeAll(async () => {
  const parts = [...Object.values(policies), EARLIER];
  await publish({
    messages: Object.assign({}, ...parts.map(({ messages }) => messages ?? {})),
    exchanges: Object.assign({}, ...parts.map(({ exchanges }) => exchanges)),
    rules: parts.flatMap(({ rules }) => rules),
  });
});

interface Held {
  readonly roles?: string[];
  readonly groups?: string[];
  readonly attributes?: Json;
}

async function hold(key: string, held: Held): Promise<void> {
  const [place = ''] = await placesOf(configOf(env).EMAIL_KEY, key);
  const updated = { updatedAt: '2026-11-01T12:00:00.000Z', updatedBy: 'test' };
  const record = { v: 1, key, roles: [], groups: [], attributes: {}, applications: {}, ...updated, ...held };
  places.add(place);
  await env.GATEHOUSE.put(place, JSON.stringify(record));
}

const FORM = 'application/x-www-form-urlencoded';

function textOf(file: string): string {
  const path = `../fixtures/payloads-custom/${file}`;
  const text = bodies[path] === undefined ? raw[path]?.trim() : JSON.stringify(bodies[path]);
  if (text === undefined) throw new Error(`There is no payload ${file}.`);
  return text;
}

function requestOf(file: string, exchange: string): Request {
  const text = textOf(file);
  if (!text.startsWith('GET ')) return posted(exchange, text, file.endsWith('.txt') ? FORM : 'application/json');
  const [first = '', ...lines] = text.split(/\r?\n/);
  const [, query = ''] = /\?(\S*)/.exec(first) ?? [];
  const headers = lines.filter((line) => line.includes(':')).map((line) => line.split(/:\s*/, 2) as [string, string]);
  return new Request(`${CUSTOM_POLICY}/${exchange}${query === '' ? '' : `?${query}`}`, {
    headers: { ...Object.fromEntries(headers), Authorization: B2C },
  });
}

const OBJECT_ID = 'ab3ec3b2-a435-45e4-b93a-56a005e88bb7';
const OID = `oid:${OBJECT_ID}`;
const LOYAL: Held = { attributes: { loyaltyId: '1234', promoCode: '24534' } };

interface Case {
  readonly file: string;
  readonly exchange: string;
  readonly held?: readonly [key: string, held: Held];
  readonly status?: number;
  /** `''`: no body. */
  readonly reply: Json | '';
  /** Values of the payload that are stored nowhere. */
  readonly nowhere?: readonly string[];
}

const david = ['email:david@contoso.com', LOYAL] as const;
const CASES: readonly Case[] = [
  { file: '30-cp-loyalty-language.json', exchange: 'ValidateProfile', held: david, reply: { promoCode: '24534' } },
  { file: '31-cp-loyalty-lang.json', exchange: 'ValidateProfile', held: david, reply: { promoCode: '24534' } },
  {
    file: '32-cp-objectId-lang.json',
    exchange: 'GetProfile',
    held: [OID, { attributes: { balance: '760.50' } }],
    reply: { balance: '760.50' },
  },
  { file: '33-cp-emailAddress-userLanguage.json', exchange: 'ValidateUserData', reply: { promoCode: '24534' } },
  {
    file: '34-cp-claim-resolvers.json',
    exchange: 'Resolvers',
    reply: { seen: '00001111-aaaa-2222-bbbb-3333cccc4444 en-US' },
    nowhere: ['openid'],
  },
  {
    file: '35-cp-form-accessCode.txt',
    exchange: 'ValidateAccessCode',
    status: 409,
    reply: {
      version: '1.0.0',
      status: 409,
      code: 'access-code',
      userMessage: 'The access code you entered is incorrect. Please try again.',
      requestId: expect.stringMatching(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/),
    },
    nowhere: ['54321'],
  },
  {
    file: '37-cp-jit-migration-password.json',
    exchange: 'Migrate',
    reply: { tokenSuccess: true, migrationRequired: true },
    nowhere: ['user-typed password', '5555550102'],
  },
  { file: '3b-cp-invite-redeemed-event.json', exchange: 'SendSignupEvent', reply: '' },
  {
    file: '3c-cp-querystring.txt',
    exchange: 'Echo',
    reply: { clientNumber: '123456789', clientOrg: 'Accounting' },
  },
  {
    file: '60-cp-verification-start-resolvers.json',
    exchange: 'VerificationStart',
    held: [OID, { attributes: { verification: 'tx-7f3a' } }],
    reply: { transactionReference: 'tx-7f3a', redirectUrl: 'https://verify.example.com/tx-7f3a' },
    nowhere: ['app.example.com/signin-oidc', 'offline_access'],
  },
  {
    file: '61-cp-typing-pattern-int.json',
    exchange: 'TypingCheck',
    held: ['idp:typing.example.com:6d0f0c1be61c4fbd', { attributes: { netscore: 84 } }],
    reply: { netscore: 84, promptMFA: false, saveTypingPattern: true },
    nowhere: ['2204513', '79,112'],
  },
  {
    file: '62-cp-boolean-inputs.json',
    exchange: 'ProfileCompletion',
    reply: { UserProfileCompletePercentage: 40 },
  },
  {
    file: '63-cp-unresolved-resolvers.json',
    exchange: 'MakeInvite',
    reply: { Url: 'https://invite.example.com/partners/1004711' },
    nowhere: ['OAUTH-KV'],
  },
  {
    file: '64-cp-generatejson-array-index.json',
    exchange: 'AccountCreation',
    reply: { decision: 'Approve' },
    nowhere: ['203.0.113.7', '3f1c9a52-5d0e', '0d7f6f2e-1111'],
  },
  {
    file: '65-cp-form-secret.txt',
    exchange: 'CaptchaCheck',
    reply: { success: true },
    nowhere: ['shared secret', 'shared+secret', '03AGdBq26-token_with', '%2Fand%3Dsigns'],
  },
  {
    file: '66-cp-querystring-empty-value.txt',
    exchange: 'GetTenantsForUser',
    held: [OID, { roles: ['Tenant.admin'], attributes: { tenantId: '8d7f-tenant', allTenants: 'Contoso Ltd' } }],
    reply: {
      tenantId: '8d7f-tenant',
      roles: ['Tenant.admin'],
      tenantName: 'Contoso Ltd',
      requireMFA: false,
      allTenants: ['Contoso Ltd'],
    },
  },
  {
    file: '67-cp-header-objectId.txt',
    exchange: 'GetRolesAndGroups',
    held: [OID, { roles: ['Member'], groups: ['Blue'] }],
    reply: { roles: ['Member'], groups: ['Blue'] },
  },
];

describe('public payloads', () => {
  it.each(CASES)('$file gets the reply of its index from $exchange', async (one) => {
    const { file, exchange, held, status = 200, reply, nowhere = [] } = one;
    if (held !== undefined) await hold(...held);
    const left = await leftBy(requestOf(file, exchange));
    expect(left.answered.status).toBe(status);
    expect(left.answered.contentType).toBe(reply === '' ? null : 'application/json');
    if (reply === '') expect(left.answered.text).toBe('');
    else expect(left.answered.json).toEqual(reply);
    expect(left.message).toMatchObject({ channel: 'custom-policy', step: exchange, outcome: outcomeOf(status) });
    for (const secret of nowhere) expect(left.everywhere, secret).not.toContain(secret);
  });

  it('every payload of the folder has a case', () => {
    const files = [...Object.keys(bodies), ...Object.keys(raw)].map((path) => path.split('/').at(-1));
    expect(files.toSorted()).toEqual(CASES.map(({ file }) => file).toSorted());
  });

  it('what is nowhere is in no row, report, CSV, dead letter or other value of KV either', async () => {
    for (const { file, exchange, nowhere = [] } of CASES) {
      if (nowhere.length === 0) continue;
      const clientId = newClient();
      const isForm = file.endsWith('.txt');
      const body = withClientId(textOf(file), clientId);
      const stored = await storedBy(posted(exchange, body, isForm ? FORM : 'application/json'), clientId);
      // The row, both reports.
      expect(stored.split(clientId).length, file).toBeGreaterThan(3);
      for (const secret of nowhere) expect(stored, `${file} ${secret}`).not.toContain(secret);
    }
  });

  it('texts of claim resolvers are named in the attempt of payload 63, and its language is the default', async () => {
    const { message } = await leftBy(requestOf('63-cp-unresolved-resolvers.json', 'MakeInvite'));
    expect(message).toMatchObject({ locale: '', notes: expect.arrayContaining([expect.stringMatching(/Culture/)]) });
  });

  it('the address of payload 64 is kept only as its network', async () => {
    const { message } = await leftBy(requestOf('64-cp-generatejson-array-index.json', 'AccountCreation'));
    expect(message).toMatchObject({ ipNetwork: '203.0.113.0/24', email: 'kim@example.com', locale: 'en-US' });
  });
});

const outcomeOf = (status: number) => (status === 409 ? 'invalid' : 'continue');

/** The body with the client id of a test. */
function withClientId(text: string, clientId: string): string {
  if (!text.startsWith('{')) return `${text}&client_id=${clientId}`;
  const { clientId: _, ClientId: __, ...others } = JSON.parse(text) as Json;
  return JSON.stringify({ ...others, ClientId: clientId });
}

describe('the walkthroughs of Microsoft, over all four transports', () => {
  for (const [transport, request] of Object.entries(TRANSPORTS)) {
    it(`ValidateProfile answers a claim or the sentence of the page, sent in ${transport} (contract lines 61, 62, 65)`, async () => {
      const email = `${crypto.randomUUID()}@contoso.com`;
      await hold(`email:${email}`, LOYAL);
      for (const [lang, loyaltyId] of [
        ['lang', '1234'],
        ['language', '1234'],
      ] as const) {
        const right = await send(request('ValidateProfile', { email, loyaltyId, [lang]: '1033' }));
        expect([right.status, right.text]).toEqual([200, '{"promoCode":"24534"}']);
      }
      const wrong = await send(request('ValidateProfile', { email, loyaltyId: '9999', lang: '1033' }));
      expect([wrong.status, wrong.contentType]).toEqual([409, 'application/json']);
      expect(wrong.json).toEqual({
        version: '1.0.0',
        status: 409,
        code: 'loyalty-number',
        userMessage: "Loyalty ID '9999' is not associated with this email address.",
        requestId: expect.stringMatching(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/),
      });
    });

    it(`GetProfile answers the balance with its zero, sent in ${transport} (contract line 70)`, async () => {
      const objectId = newObjectId();
      await hold(`oid:${objectId}`, { attributes: { balance: '760.50' } });
      const known = await send(request('GetProfile', { objectId, lang: '1033' }));
      expect([known.status, known.text]).toEqual([200, '{"balance":"760.50"}']);
      const unknown = await send(request('GetProfile', { objectId: newObjectId(), lang: '1033' }));
      expect([unknown.status, unknown.text]).toEqual([200, '{}']);
    });
  }
});
