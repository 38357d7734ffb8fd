/** `/openapi.json` says what the API does: its routes, what they check, and how they refuse. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, expect, it, vi } from 'vitest';
import { PARAMETERS } from '../../src/desk/api/parameters.ts';
import { checkOf } from '../../src/desk/http/problem-details.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import {
  ajv,
  apiDoor,
  type Call,
  described,
  document,
  expectAsDescribed,
  inDocument,
  NO_DATABASE,
  pointer,
} from '../support/described-api.ts';
import { ifMatch } from '../support/policy-door.ts';

const { ask } = apiDoor();

/** Pages for people, and the description itself. */
const NOT_DESCRIBED = ['GET /', 'GET /openapi.json', 'GET /reference'];

const oid = `oid:${crypto.randomUUID()}`;

beforeAll(() => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
});

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
