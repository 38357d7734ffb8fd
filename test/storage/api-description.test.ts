/** `/openapi.json` says what the API does: its routes, what they check, and what they answer. */
import { timingSafeEqual } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, it, vi } from 'vitest';
import type { Message } from '../../src/attempts/attempt.ts';
import { probes, refusedCalls } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import {
  type JsonSchema,
  type OperationObject,
  openApiDocument,
  type ResponseObject,
} from '../../src/desk/api/document.ts';
import { GROUPS } from '../../src/desk/api/operations.ts';
import { PARAMETERS } from '../../src/desk/api/parameters.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import type { Operation } from '../../src/desk/http/operation.ts';
import { checkOf } from '../../src/desk/http/problem-details.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import { readConfig } from '../../src/platform/config.ts';
import { anAttempt } from '../support/attempt.ts';
import { memoryKv } from '../support/memory-kv.ts';
import { ownDatabase } from '../support/own-database.ts';

// workerd has this function on `crypto.subtle`, Node in `node:crypto`.
Object.assign(crypto.subtle, { timingSafeEqual });

const { db, url } = ownDatabase({ isFilledOnce: true });
const { kv } = memoryKv();

/** Pages for people, and the description itself. */
const NOT_DESCRIBED = ['GET /', 'GET /openapi.json', 'GET /reference'];

const described = new Map<string, Operation>(GROUPS.flatMap(({ operations }) => Object.entries(operations)));
const rightOf = (address: string) => GROUPS.find(({ operations }) => address in operations)?.right ?? 'admin';
const document = openApiDocument();
const inDocument = (address: string) => {
  const [method = '', path = ''] = address.split(' ');
  const template = path.replaceAll(/:(\w+)/g, '{$1}');
  return { template, operation: document.paths[template]?.[method.toLowerCase()] as OperationObject };
};

const isOfObjects = (part: unknown): part is { properties: object } =>
  typeof part === 'object' && part !== null && 'properties' in part && !('$ref' in part);
const shapeOf = ({ properties }: { properties: object }) => Object.keys(properties).join();

/** The description, with unknown members of answers forbidden. `shape` notes the objects that ajv met. */
const closed: unknown = JSON.parse(JSON.stringify(document), (_name, part: unknown) =>
  isOfObjects(part) ? { additionalProperties: false, ...part, shape: shapeOf(part) } : part,
);
const met = new Set<string>();
const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
ajv.addKeyword({
  keyword: 'shape',
  type: 'object',
  validate: (shape: string, value: object, { required = [], properties = {} }: JsonSchema = {}) => {
    // Of a union, ajv tries every member.
    if (required.every((name) => name in value) && Object.keys(value).every((name) => name in properties))
      met.add(shape);
    return true;
  },
});
ajv.addSchema(closed as object, 'api');

/** Only a list that takes more than a second to count has it. */
const NOT_MET = ['leftOut'];

/** The shapes of all objects that answers can have. */
function describedShapes(): string[] {
  const shapes = new Set<string>();
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (name.endsWith('Body')) continue;
    JSON.stringify(schema, (_name, part: unknown) => {
      if (isOfObjects(part)) shapes.add(shapeOf(part));
      return part;
    });
  }
  return [...shapes];
}

const write = async (...messages: Message[]) =>
  expect(await writeMessages(readConfig({ DATABASE_URL: url() }), messages, 20_000)).toEqual({ refused: [] });

interface Call {
  path?: string;
  body?: unknown;
  headers?: Record<string, string>;
  settings?: Record<string, unknown>;
}

/** Makes the call, and checks status, media type and body against the description. */
async function ask(address: string, { path, body, headers, settings }: Call = {}) {
  const [method = '', own = ''] = address.split(' ');
  const right = rightOf(address) === 'reports' ? 'support:support' : 'admin:admin';
  const env = {
    LOCAL: 'yes',
    POLICY: 'stored',
    DATABASE_URL: url(),
    SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
    GATEHOUSE: kv,
    ATTEMPTS: { send: write },
    ...settings,
  };
  const after: Promise<unknown>[] = [];
  const response = await managementApi.fetch(
    new Request(`https://gatehouse.example${path ?? own}`, {
      method,
      headers: {
        Authorization: `Basic ${btoa(right)}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
    env,
    { waitUntil: (work: Promise<unknown>) => after.push(work), passThroughOnException: () => undefined } as never,
  );
  const text = await response.text();
  await Promise.allSettled(after);
  const [type = ''] = (response.headers.get('Content-Type') ?? '').split(';');
  const json: Record<string, unknown> = type.endsWith('json') ? JSON.parse(text) : {};
  const code = type === 'application/problem+json' ? json.code : undefined;
  return { address, status: response.status, type, json, code };
}
type Asked = Awaited<ReturnType<typeof ask>>;

const pointer = (...parts: string[]) =>
  `api#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

/** What is wrong with an answer by the description; `[]` when nothing is. */
function faultsOf({ address, status, type, json }: Asked): unknown[] {
  const [method = ''] = address.split(' ');
  const { template, operation } = inDocument(address);
  let response = operation.responses[status];
  let place = ['paths', template, method.toLowerCase(), 'responses', String(status)];
  if (response !== undefined && '$ref' in response) {
    place = response.$ref.slice(2).split('/');
    response = document.components.responses[place[2] ?? ''];
  }
  if (response === undefined) return [`the status ${status} is not described`, json];
  if (!(type in (response as ResponseObject).content)) return [`the type ${type} is not described`];
  if (!type.endsWith('json')) return [];
  const validate = ajv.getSchema(pointer(...place, 'content', type, 'schema'));
  if (validate === undefined) return ['the schema is not found'];
  return validate(json) ? [] : [...(validate.errors ?? []), json];
}

const expectAsDescribed = (asked: Asked) =>
  expect([asked.address, asked.status, ...faultsOf(asked)]).toEqual([asked.address, asked.status]);

const oid = `oid:${crypto.randomUUID()}`;
const inPath = (path: string) => `/admin/people/${encodeURIComponent(oid)}${path}`;
const refused = anAttempt({
  ...{ objectId: '', step: 'PostAttributeCollection', outcome: 'block', rule: 'no-mail', supportCode: '7K3QX-9M2TB' },
  ...{
    clientId: 'shop',
    issuer: 'google.com',
    message: 'No.',
    email: 'jane@example.com',
    emailKey: 'email:jane@example.com',
  },
});
const known = {
  ...{ oidKey: oid, keptClaims: { age: 3, displayName: 'Jane Doe' }, email: 'jane@example.com' },
  ...{ emailKey: 'email:jane@example.com', issuer: 'google.com', idpKey: 'idp:google.com:1', signInType: 'federated' },
};
const failed = anAttempt({
  ...{ objectId: '', policyVersion: 1, outcome: 'error', reason: 'not-json' },
  ...{ degraded: 'kv-timeout', failedRules: ['no-mail'] },
});
const started = anAttempt({
  ...{ channel: 'custom-policy', step: 'SignInStarted', correlationId: crypto.randomUUID(), policyId: 'B2C_1A_signin' },
  ...{ shadowVersion: 2, shadowOutcome: 'block', shadowDiffers: true, otherKeys: ['name:jane'], oidKey: oid },
});

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const old = {
    at: new Date(Date.now() - 26 * 3_600_000),
    clientId: 'shop',
    rule: 'no-mail',
    outcome: 'block',
  } as const;
  await write(refused, failed, started, anAttempt(known), anAttempt(known), anAttempt(old));
  const [occurredAt, run] = [new Date(), crypto.randomUUID()];
  const probe = { id: uuidv7(), occurredAt, run, status: 200, durationMs: 3, reason: 'not-json' };
  await db().insert(probes).values(probe);
  const refusals = { occurredAt, route: 'connector', reason: 'wrong-credential' };
  const named = ['', 'Test'].map((name) => ({ id: uuidv7(), name, ...refusals }));
  await db().insert(refusedCalls).values(named);
  await sumDue(db, new Date());
  await kv.put('dead-letter:refused:a', '{"kind":"unknown"}', { metadata: { reason: '22021', diedAt: '2026-11-21' } });
  await kv.put('dead-letter:refused:b', 'not JSON');
  await kv.put('person:oid:broken', 'not JSON');
});

const rule = (id: string) => ({ id, steps: ['PostAttributeCollection'], block: true });
const policy = (...ids: string[]) => ({ rules: ids.map(rule), lists: { vip: ['jane@example.com'] } });
const changed = {
  rules: [
    {
      ...{ ...rule('a'), description: 'Changed.', advice: { en: 'Wait.' } },
      ...{ when: 'claims.email in lists.vip', onError: 'apply' },
    },
    rule('b'),
    { id: 'c', steps: ['PreTokenIssuance'], when: 'claims.extension_age > 3', set: { extension_loyalty: '"gold"' } },
  ],
  lists: { vip: ['jane@example.com'] },
  applications: { onlyThese: true, shop: 'Shop' },
  whenUnavailable: { PostFederationSignup: 'continue' },
};
const ifMatch = (number: number) => ({ 'If-Match': `"${number}"` });
const FIRST = { 'If-None-Match': '*' };

const NO_DATABASE = { DATABASE_URL: 'postgres://gatehouse:gatehouse@127.0.0.1:1/gatehouse' };

/** Calls in their order, with the status and code of their answers. */
const CALLS: readonly (readonly [address: string, call: Call, status: number, code?: string])[] = [
  ['GET /health/ready', {}, 503],
  ['GET /health/ready', { settings: NO_DATABASE }, 503],
  ['GET /reports/summary', { path: '/reports/summary?include=durations,facets,minutes,people' }, 200],
  ['GET /reports/summary', { path: '/reports/summary?interval=day&rule=no-mail&clientId=shop&include=facets' }, 200],
  ['GET /reports/summary', { path: '/reports/summary?from=-99d' }, 400, 'invalid-request'],
  ['GET /reports/summary.csv', {}, 200],
  ['GET /reports/callers', {}, 200],
  ['GET /reports/attempts', { path: '/reports/attempts?limit=1' }, 200],
  ['GET /reports/attempts', {}, 200],
  ['POST /reports/attempts/search', { body: { email: 'jane@example.com' } }, 200],
  ['GET /reports/attempts.csv', {}, 200],
  ['GET /reports/attempts/:attempt', { path: `/reports/attempts/${started.id}` }, 200],
  ['GET /reports/attempts/:attempt', { path: '/reports/attempts/7K3QX-9M2TB' }, 200],
  ['GET /reports/attempts/:attempt', { path: '/reports/attempts/7K3QX-9M2TC' }, 404, 'no-such-attempt'],
  ['POST /reports/people/search', { body: { text: 'jane@example.com' } }, 200],
  ['POST /reports/people/search', { body: { text: started.id } }, 200],
  ['POST /reports/people/search', { body: { text: failed.id } }, 200],
  ['POST /reports/people/search', { body: { text: 'unknown@example.com' } }, 200],
  ['GET /reports/completeness', {}, 200],
  ['GET /reports/completeness', { path: '/reports/completeness?from=-99d' }, 400, 'invalid-request'],
  ['GET /reports/users', {}, 200],
  ['POST /reports/users/search', { body: { name: 'jane' } }, 200],
  ['GET /reports/users.csv', {}, 200],
  ['GET /reports/probes', {}, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/a' }, 404, 'no-policy'],
  ['GET /reports/roles/:key', { path: `/reports/roles/${encodeURIComponent(oid)}` }, 200],
  ['GET /reports/people/:key', { path: `/reports/people/${encodeURIComponent(oid)}?limit=1` }, 200],
  ['GET /admin/people/:key', { path: inPath('') }, 404, 'no-such-person'],
  [
    'PUT /admin/people/:key',
    {
      path: inPath(''),
      body: { roles: ['editor'], attributes: { age: 3 }, applications: { shop: { roles: ['buyer'] } } },
    },
    200,
  ],
  ['PUT /admin/people', { body: { key: 'email:jane@example.com', applications: { Shop: { roles: ['a'] } } } }, 200],
  ['GET /admin/people/:key', { path: inPath('') }, 200],
  ['POST /admin/people/search', { body: { key: oid } }, 200],
  ['GET /admin/people', { path: '/admin/people?limit=1' }, 200],
  ['GET /admin/people', {}, 200],
  ['GET /admin/people/:key/data', { path: inPath('/data') }, 200],
  ['POST /admin/people/data/preview', { body: { key: oid } }, 200],
  ['GET /reports/roles/:key', { path: `/reports/roles/${encodeURIComponent(oid)}` }, 200],
  ['POST /reports/roles/search', { body: { text: 'unknown@example.com' } }, 200],
  ['POST /reports/roles/search', { body: { text: failed.id } }, 404, 'no-person-named'],
  ['POST /reports/changes/search', { body: { text: failed.id } }, 404, 'no-person-named'],
  ['GET /reports/changes/:key', { path: `/reports/changes/${encodeURIComponent(oid)}` }, 200],
  ['POST /reports/changes/search', { body: { text: 'jane@example.com' } }, 200],
  ['DELETE /admin/people/:key', { path: inPath('') }, 200],
  ['DELETE /admin/people/:key', { path: inPath('') }, 404, 'no-such-person'],
  ['POST /admin/people/remove', { body: { key: oid } }, 404, 'no-such-person'],
  ['POST /admin/people/remove', { body: { key: 'email:jane@example.com' } }, 200],
  ['DELETE /admin/people/:key/data', { path: inPath('/data') }, 200],
  ['POST /admin/people/data/erase', { body: { key: oid } }, 200],
  ['GET /admin/policy', {}, 404, 'no-policy'],
  ['GET /admin/policy/shadow', {}, 404, 'no-shadow'],
  ['PUT /admin/policy/shadow', { body: policy('a'), headers: FIRST }, 409, 'no-policy-to-shadow'],
  ['PUT /admin/policy', { body: policy('a') }, 428, 'precondition-missing'],
  ['PUT /admin/policy', { body: { rules: [{}] }, headers: FIRST }, 400, 'invalid-policy'],
  ['PUT /admin/policy', { body: policy('a'), headers: ifMatch(1) }, 412, 'version-missing'],
  ['PUT /admin/policy', { body: policy('a'), headers: FIRST }, 200],
  ['PUT /admin/policy', { path: '/admin/policy?note=x', body: changed, headers: ifMatch(1) }, 200],
  ['PUT /admin/policy', { body: policy('c', 'b', 'd'), headers: ifMatch(1) }, 412, 'version-changed'],
  ['POST /admin/policy/rollback', { body: { to: 9 }, headers: ifMatch(2) }, 404, 'no-such-version'],
  ['POST /admin/policy/rollback', { body: { to: 1 }, headers: ifMatch(2) }, 200],
  ['GET /admin/policy', {}, 200],
  ['PUT /admin/policy/shadow', { path: '/admin/policy/shadow?sample=0.5', body: policy('d'), headers: FIRST }, 200],
  ['GET /admin/policy/shadow', {}, 200],
  [
    'POST /admin/policy/lists/:name',
    { path: '/admin/policy/lists/vip', body: { add: ['a', 'jane@example.com'] } },
    200,
  ],
  ['POST /admin/policy/lists/:name', { path: '/admin/policy/lists/vi', body: { add: ['a'] } }, 404, 'no-such-list'],
  ['POST /admin/policy/shadow/lists/:name', { path: '/admin/policy/shadow/lists/vip', body: { add: ['a'] } }, 200],
  ['DELETE /admin/policy/shadow', { headers: ifMatch(6) }, 200],
  ['GET /reports/rules', {}, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/a' }, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/onlyThese' }, 200],
  ['GET /reports/rules/:id', { path: '/reports/rules/x' }, 404, 'no-such-rule'],
  ['GET /reports/rules', { path: '/reports/rules?version=7' }, 404, 'version-without-document'],
  ['GET /reports/rules', { path: '/reports/rules?version=0' }, 200],
  ['GET /reports/rules', { path: '/reports/rules?version=2' }, 200],
  ['GET /reports/rules', { path: '/reports/rules?version=99' }, 404, 'no-such-version'],
  ['GET /reports/policy/versions', { path: '/reports/policy/versions?limit=1' }, 200],
  ['GET /reports/policy/versions', {}, 200],
  ['GET /reports/policy/differences', {}, 200],
  ['GET /reports/policy/differences', { path: '/reports/policy/differences?from=1&to=2' }, 200],
  ['GET /reports/policy/differences', { path: '/reports/policy/differences?from=7' }, 404, 'version-without-document'],
  ['GET /admin/policy/versions', { path: '/admin/policy/versions?limit=1' }, 200],
  ['GET /admin/policy/versions', {}, 200],
  ['GET /admin/policy/versions/:number', { path: '/admin/policy/versions/7' }, 200],
  ['GET /admin/policy/versions/:number', { path: '/admin/policy/versions/70' }, 404, 'no-such-version'],
  ['POST /admin/policy/try', { body: { call: { step: 'PostAttributeCollection', email: 'a@example.com' } } }, 200],
  ['POST /admin/policy/try', { body: { call: { step: 'PreTokenIssuance' }, policy: policy('a') } }, 200],
  [
    'POST /admin/policy/try',
    {
      body: {
        call: { step: 'PostAttributeCollection', email: 'jane@example.com' },
        policy: { ...changed, applications: {} },
      },
    },
    200,
  ],
  [
    'POST /admin/policy/try',
    { body: { call: { step: 'PreTokenIssuance' }, policy: { ...changed, applications: {} } } },
    200,
  ],
  ['GET /admin/changes', {}, 200],
  ['POST /admin/changes/search', { body: { subject: 'policy', limit: 1 } }, 200],
  ['GET /admin/dead-letters', { path: '/admin/dead-letters?limit=1' }, 200],
  ['GET /admin/dead-letters', {}, 200],
  ['GET /admin/dead-letters/:id', { path: '/admin/dead-letters/a' }, 200],
  ['GET /admin/dead-letters/:id', { path: '/admin/dead-letters/x' }, 404, 'no-such-dead-letter'],
  ['DELETE /admin/dead-letters/:id', { path: '/admin/dead-letters/b' }, 200],
  ['POST /admin/dead-letters/replay', {}, 200],
  ['GET /health/ready', {}, 200],
];

it('every route of the management API is described, and no other one is', () => {
  const routes = managementApi.routes.filter(({ method }) => method !== 'ALL');
  const addresses = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  // Those with an asterisk refuse a key with unencoded slashes.
  const isDescribed = (address: string) => !address.endsWith('/*') && !NOT_DESCRIBED.includes(address);
  expect([...addresses].filter(isDescribed).toSorted()).toEqual([...described.keys()].toSorted());
});

it('a description names the very schemas with which its route checks path, query and body', () => {
  for (const [address, { param, query, json }] of described) {
    const handlers = managementApi.routes.filter(({ method, path }) => `${method} ${path}` === address);
    const checks = handlers.flatMap(({ handler }) => checkOf(handler) ?? []);
    const checked = Object.fromEntries(checks.map(({ target, schema }) => [target, schema]));
    // These read the document themselves, to keep its text.
    const body = /^PUT \/admin\/policy(?:\/shadow)?$/.test(address) ? undefined : json;
    const same = [checked.param === param, checked.query === query, checked.json === body];
    expect([address, ...same]).toEqual([address, true, true, true]);
  }
});

it('the description is valid OpenAPI 3.1', async () => {
  expect(await new Validator().validate(JSON.parse(JSON.stringify(document)))).toEqual({ valid: true });
});

it('every answer is as described: each operation answers 200, and each kind of object in an answer occurs', async () => {
  const answered = new Set<string>();
  for (const [address, call, status, code] of CALLS) {
    const asked = await ask(address, call);
    expect([address, call, asked.status, asked.code], JSON.stringify(asked.json.errors)).toEqual([
      address,
      call,
      status,
      code,
    ]);
    expectAsDescribed(asked);
    if (status === 200) answered.add(address);
  }
  expect(describedShapes().filter((shape) => !met.has(shape))).toEqual(NOT_MET);
  expect([...described.keys()].filter((address) => !answered.has(address))).toEqual([]);
});

it('every operation refuses as described: credential, parameters, other sites, bodies, and what is away', async () => {
  const away = async () => Promise.reject(new Error('away'));
  const settings = {
    ...NO_DATABASE,
    GATEHOUSE: { get: away, put: away, list: away, delete: away, getWithMetadata: away },
    ATTEMPTS: { send: away },
  };
  for (const [address, { json, example, precondition, query }] of described) {
    const path = address
      .replace(/^\w+ /, '')
      .replace(/:\w+/, (name) => (name === ':number' ? '1' : encodeURIComponent(oid)));
    const call: Call = { path, body: example, headers: precondition === 'required' ? ifMatch(1) : {} };
    const isChange = !address.startsWith('GET');
    const refusals: readonly (readonly [Call, number, string?])[] = [
      [{ ...call, headers: { Authorization: '' } }, 401, 'not-authenticated'],
      [{ ...call, path: `${path}?pretty=maybe` }, 400, 'invalid-request'],
      ...(query === undefined ? [] : [[{ ...call, path: `${path}?unknown=x` }, 400, 'invalid-request'] as const]),
      ...(isChange ? [[{ ...call, headers: { Origin: 'https://a.example' } }, 403, 'cross-site'] as const] : []),
      ...(json === undefined
        ? []
        : [
            [{ ...call, headers: { ...call.headers, 'Content-Type': 'text/plain' } }, 415, 'body-not-json'] as const,
            [{ ...call, headers: { ...call.headers, 'Content-Length': '9999999' } }, 413, 'body-too-large'] as const,
          ]),
    ];
    for (const [refusal, status, code] of refusals) {
      const asked = await ask(address, refusal);
      expect([address, asked.status, asked.code]).toEqual([address, status, code]);
      expectAsDescribed(asked);
    }
    const asked = await ask(address, { ...call, settings });
    expect([address, [200, 400, 404, 428, 503].includes(asked.status), asked.status]).toEqual([
      address,
      true,
      asked.status,
    ]);
    expectAsDescribed(asked);
  }
});

it('every example of a body is accepted, and every parameter and member of a body is explained, with a valid example', async () => {
  const explained = new Set<string>();
  for (const [address, { json, example, described: own }] of described) {
    expect([address, example === undefined]).toEqual([address, json === undefined]);
    const { operation } = inDocument(address);
    const [, , , body = ''] = operation.requestBody?.content['application/json'].schema.$ref?.split('/') ?? [];
    if (json !== undefined) {
      await expect(json.parseAsync(example)).resolves.toBeDefined();
      const validate = ajv.getSchema(pointer('components', 'schemas', body));
      expect([address, validate?.(example)]).toEqual([address, true]);
    }
    const members = Object.entries(document.components.schemas[body]?.properties ?? {}).map(([name, member]) => {
      const { description, examples = [] } = member as { description?: string; examples?: unknown[] };
      return { name, schema: member as object, description, example: examples[0] };
    });
    for (const { name, schema, description, example: value } of [...members, ...operation.parameters]) {
      const isValid = value === undefined || ajv.validate(schema, value);
      expect([address, name, typeof description, isValid]).toEqual([address, name, 'string', true]);
      if (own?.[name] === undefined) explained.add(name);
    }
  }
  expect(Object.keys(PARAMETERS).filter((name) => !explained.has(name))).toEqual([]);
});
