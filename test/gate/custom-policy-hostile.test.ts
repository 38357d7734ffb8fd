/** Properties of exchanges under any input (contract lines 57, 63, 65 to 67, 69, 105 and 111). */
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { B2C } from '../support/call.ts';
import { CUSTOM_POLICY, posted, send, TRANSPORTS } from '../support/exchange-call.ts';
import { publish } from '../support/policy-call.ts';
import { leftBy } from '../support/watched-stores.ts';

const OUTPUTS = {
  text: 'string',
  number: 'number',
  flag: 'boolean',
  list: 'list',
  'a-b.c': { type: 'list', join: ';' },
};
const inputs = {
  word: ['word', 'deep.word', 'list.0.word', '__proto__.word', 'constructor.name'],
  password: ['password', 'secret.password'],
  number: { from: 'number', type: 'number' },
  flag: { from: 'flag', type: 'boolean' },
};
const POLICY = {
  messages: { no: { en: 'No, {word} and {email}. {supportCode}', de: 'Nein. {supportCode}' } },
  exchanges: {
    Validate: { kind: 'validation', inputs, outputs: OUTPUTS },
    Orchestrate: { kind: 'orchestration', whenUnavailable: 'continue', inputs, outputs: OUTPUTS },
    Notify: { kind: 'orchestration', emptyReply: true },
  },
  rules: [
    { id: 'refuse', steps: ['Validate'], when: "has(claims.word) && claims.word.startsWith('no')", invalid: 'no' },
    { id: 'stop', steps: ['Orchestrate'], when: "has(claims.word) && claims.word.startsWith('no')", block: 'no' },
    {
      id: 'all',
      steps: ['Validate', 'Orchestrate'],
      set: {
        text: 'claims.word',
        number: 'claims.number',
        flag: "claims.flag || (has(claims.password) && claims.password == 'x')",
        list: "claims.word.split(',')",
        'a-b.c': "claims.word.split(',')",
      },
    },
  ],
};

beforeAll(async () => {
  await publish(POLICY);
});

const EXCHANGES = ['Validate', 'orchestrate', 'NOTIFY/', 'SignInStarted', 'SignInCompleted', 'NoSuchExchange'];
const odd = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'no',
    'no \ud800',
    '\udc00',
    '🦊,🦊',
    'a,b',
    ',',
    'true',
    '1',
    '1e999',
    'a@b.example',
    '{Culture:LCID}',
  ),
);
const name = fc.oneof(
  fc.constantFrom('word', 'WORD', 'number', 'flag', 'email', 'objectId', 'lang', 'clientId', 'deep', 'list', 'ip'),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'status', 'version', 'userMessage'),
  odd,
);
const flat = fc.array(fc.tuple(name, fc.oneof(odd, fc.jsonValue(), fc.constant(''))), { maxLength: 12 });

/** The transports, some of them with what a custom policy never sends. */
const request = fc.oneof(
  fc.tuple(fc.constantFrom(...EXCHANGES), flat).map(([path, members]) => {
    const text = members.map(([member, value]) => `${JSON.stringify(member)}:${JSON.stringify(value)}`).join(',');
    return posted(path, `{${text}}`);
  }),
  fc.tuple(fc.constantFrom(...EXCHANGES), fc.jsonValue()).map(([path, body]) => posted(path, JSON.stringify(body))),
  fc.tuple(fc.constantFrom(...EXCHANGES), fc.uint8Array()).map(([path, bytes]) => posted(path, new Uint8Array(bytes))),
  fc
    .tuple(fc.constantFrom(...EXCHANGES), fc.string(), fc.constantFrom('application/x-www-form-urlencoded', 'a/b'))
    .map(([path, text, type]) => posted(path, text, type)),
  fc
    .tuple(fc.constantFrom(...EXCHANGES), flat)
    .map(
      ([path, members]) =>
        new Request(
          `${CUSTOM_POLICY}/${path}?${members.map((pair) => pair.map((part) => encodeURIComponent(String(part).toWellFormed())).join('=')).join('&')}`,
          { headers: { Authorization: B2C } },
        ),
    ),
  fc
    .tuple(
      fc.constantFrom(...EXCHANGES),
      fc.dictionary(fc.constantFrom('word', 'number', 'flag', 'email', 'x-odd'), fc.string()),
    )
    .map(([path, claims]) => {
      const ascii = Object.entries(claims).map(([header, value]) => [header, value.replace(/[^!-~]/g, 'x')]);
      return TRANSPORTS.Header(path, Object.fromEntries(ascii));
    }),
);

type Reply = Awaited<ReturnType<typeof send>>;

/** Contract 4.3 and 4.4. */
function expectAllowed({ status, contentType, text, json }: Reply, path: string): void {
  const values = Object.values(json);
  expect(values.flat().every((value) => typeof value !== 'string' || value.isWellFormed())).toBe(true);
  expect(values).not.toContain(null);
  if (status === 409) {
    expect(json).toMatchObject({ version: '1.0.0', status: 409 });
    expect(json.userMessage).toMatch(/\S/);
    expect(json.userMessage).not.toMatch(/[\p{Cc}\p{Bidi_Control}<>]/u);
    expect(json.code).toMatch(/^[\w.-]+$/);
    expect(json.requestId).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
    expect(['version', 'status', 'code', 'userMessage', 'requestId']).toEqual(
      expect.arrayContaining(Object.keys(json)),
    );
    expect(contentType).toBe('application/json');
    return;
  }
  expect(status).toBe(200);
  if (/notify|signin/i.test(path)) {
    // An isolate without a policy does not know of the empty reply.
    if (text !== '{}') expect([contentType, text]).toEqual([null, '']);
    return;
  }
  expect(contentType).toBe('application/json');
  expect(json).not.toHaveProperty('userMessage');
  for (const [output, value] of Object.entries(json)) {
    expect(Object.keys(OUTPUTS)).toContain(output);
    const type = { number: 'number', flag: 'boolean', list: 'object' }[output] ?? 'string';
    expect(typeof value).toBe(type);
    if (Array.isArray(value)) expect(value.every((entry) => typeof entry === 'string') && value.length > 0).toBe(true);
  }
}

describe('any exchange, transport and body', () => {
  it('gets a reply of the contract: 200 with flat JSON, no null and no error, or 409 with a whole refusal (lines 63, 65, 67)', async () => {
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        expectAllowed(await send(sent), new URL(sent.url).pathname);
      }),
      { numRuns: 300 },
    );
  });

  it('gets such a reply when Workers KV is down and no policy is known', async () => {
    const kv = { get: () => Promise.reject(new Error('down')) };
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        expectAllowed(await send(sent, { GATEHOUSE: kv }), new URL(sent.url).pathname);
      }),
      { numRuns: 50 },
    );
  });
});

/** Names that the deny-list knows, in several styles and languages. */
const SECRET_NAMES = [
  ...['password', 'newPassword', 'reenterPassword', 'passwort', 'mot_de_passe', 'otp', 'oneTimeCode', 'one-time-code'],
  ...[
    'verificationCode',
    'typingPattern',
    'typingpattern',
    'access_token',
    'id_token',
    'refreshToken',
    'client_secret',
  ],
  ...['ApiKey', 'auth_token', 'Authorization', 'code', 'pin', 'mfaCode', 'captcha', 'secret', 'x-functions-key'],
];
const JWT = `${btoa('{"alg":"RS256","kid":"1"}').replaceAll('=', '')}.${btoa('{"sub":"jane"}').replaceAll('=', '')}`;
const secretValue = fc
  .tuple(
    fc.stringMatching(/^[A-Za-z0-9]{12}$/),
    fc.constantFrom<(core: string) => string>(
      (core) => `Pa55-${core}!`,
      (core) => `0,3.2,${core},79,112|152`,
      (core) => `${core}/+==`,
      (core) => `${JWT}.${core}`,
    ),
  )
  .map(([core, form]) => ({ core, value: form(core) }));

type Way = (path: string, name: string, value: string) => Request;
const FORM = 'application/x-www-form-urlencoded';
/** The transports, and bodies that cannot be read. */
const WAYS: { readonly [way: string]: Way } = {
  ...Object.fromEntries(
    (['Body', 'Form', 'QueryString'] as const).map((transport): [string, Way] => [
      transport,
      (path, name, value) => TRANSPORTS[transport](path, { [name]: value, word: 'no', email: 'a@example.com' }),
    ]),
  ),
  Header: (path, name, value) => {
    const claims = {
      [`${name}-x`]: value,
      [/^(authorization|x-functions-key)$/i.test(name) ? 'password' : name]: value,
    };
    return TRANSPORTS.Header(path, claims);
  },
  nested: (path, name, value) => posted(path, JSON.stringify({ secret: { [name]: value }, list: [{ [name]: value }] })),
  array: (path, name, value) => posted(path, JSON.stringify([{ [name]: value }, value])),
  'cut off': (path, name, value) => posted(path, `{"${name}":"${value}"`),
  'text alone': (path, _, value) => posted(path, value),
  'form of a name alone': (path, _, value) => posted(path, `${encodeURIComponent(value)}&word=no`, FORM),
  'encoded twice': (path, name, value) => posted(path, encodeURIComponent(`${name}=${value}`), FORM),
  'as a name': (path, _, value) => posted(path, JSON.stringify({ [`my ${value}`]: 'x', word: 'no' })),
  'too deep': (path, name, value) => posted(path, `${'{"a":'.repeat(40)}{"${name}":"${value}"}${'}'.repeat(40)}`),
  'too large': (path, name, value) => posted(path, JSON.stringify({ [name]: value, more: 'x'.repeat(300_000) })),
  'in the path': (path, name, value) =>
    new Request(`${CUSTOM_POLICY}/${path}/${name}/${encodeURIComponent(value)}`, { headers: { Authorization: B2C } }),
  'in UTF-16': (path, name, value) =>
    posted(
      path,
      new Uint8Array(new Uint16Array([...`{"${name}":"${value}"}`].map((sign) => sign.charCodeAt(0))).buffer),
    ),
};

describe('a secret that is sent in any way to any exchange', () => {
  it('is in no message, log line, header or reply (contract lines 57, 66, 69, 105)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(WAYS)),
        fc.constantFrom('Validate', 'Orchestrate', 'Notify', 'SignInStarted', 'NoSuchExchange'),
        fc.constantFrom(...SECRET_NAMES),
        secretValue,
        fc.constantFrom('*', SECRET_NAMES.join()),
        async (way, path, name, { core, value }, kept) => {
          const sent = WAYS[way]?.(path, name, value) ?? posted(path, '');
          const KEEP_CLAIMS = kept === '*' ? 'password, word' : kept;
          const { everywhere, answered } = await leftBy(sent, { KEEP_CLAIMS });
          expect([200, 409]).toContain(answered.status);
          expect(everywhere).not.toContain(core);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is in no log line when queue and database fail, and every attempt is lost', async () => {
    const down = { send: () => Promise.reject(new Error('down')) };
    const lost = { record: () => Promise.reject(new Error('down')) };
    for (const way of Object.values(WAYS)) {
      for (const path of ['Validate', 'NoSuchExchange']) {
        const sent = way(path, 'password', 'Pa55-Core4711Secret');
        const { everywhere } = await leftBy(sent, { ATTEMPTS: down, RECORDER: lost });
        expect(everywhere).toContain('attempt-lost');
        expect(everywhere).not.toContain('Core4711Secret');
      }
    }
  });

  it('authenticates no caller as a member of a body, of a query or as a claim in a header (contract line 105)', async () => {
    const KEY = 'a-right-key-of-24-chars!';
    const settings = { LOCAL: '', CONNECTOR_KEYS: `gateway:${KEY}`, CONNECTOR_TOKENS: `policy:${KEY}` };
    const names = ['ApiKey', 'auth_token', 'Authorization', 'x-functions-key', 'x-api-key', 'access_token', 'code'];
    for (const name of names) {
      const value = name === 'Authorization' ? `Bearer ${KEY}` : KEY;
      for (const sent of [
        posted('Validate', JSON.stringify({ [name]: value })),
        posted('Validate', new URLSearchParams({ [name]: value }).toString(), FORM),
        new Request(`${CUSTOM_POLICY}/Validate?${name === 'code' ? 'x' : name}=${encodeURIComponent(value)}`),
      ]) {
        sent.headers.delete('Authorization');
        const { status, text } = await send(sent, { ...settings, SUPPORT_CODE_KEY: env.SUPPORT_CODE_KEY });
        expect({ name, status, text }).toEqual({ name, status: 401, text: '' });
      }
    }
  });
});

describe('names of exchanges', () => {
  it.each([
    ['a path with claims', 'Validate/david@contoso.com/1234', 'Validate…'],
    ['an encoded slash', 'Validate%2Fdavid@contoso.com', 'Validate…'],
    ['5 kB', 'x'.repeat(5_000), '…'],
    ['letters that fold to others', '%C4%B0%C4%B1', '…'],
    ['the Kelvin sign', '%E2%84%AAey', '…'],
    ['an escape that is none', '%zz', '…'],
    ['a prototype', '__proto__', '__proto__'],
    ['a token', `${JWT}.abc`, '…'],
    ['slashes within', `a${'/'.repeat(8_000)}b`, 'a…'],
    ['slashes at the end', `NoSuch${'/'.repeat(8_000)}`, 'NoSuch'],
  ])('%s is no exchange, and the attempt has only what may be a name', async (_, path, step) => {
    const { answered, message, everywhere } = await leftBy(posted(path, '{}'));
    expect(answered).toMatchObject({ status: 409, json: { code: 'unknown-exchange' } });
    expect(message).toMatchObject({ step, reason: 'unknown-exchange' });
    expect(everywhere).not.toContain('contoso');
  });
});

describe('texts that are slow to search', () => {
  it('an address of 250,000 dots, and a wide body under many paths, are answered within the limit of a call', async () => {
    for (const email of [`a@${'.'.repeat(250_000)} x`, `${'a'.repeat(125_000)}@${'a.'.repeat(60_000)} `])
      expect(await send(posted('Validate', JSON.stringify({ email })))).toMatchObject({ status: 200, json: {} });
  });
});
