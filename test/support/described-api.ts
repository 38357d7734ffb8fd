/** The management API beside its description: makes a call, and compares the answer. */
import { timingSafeEqual } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import type { Message } from '../../src/attempts/attempt.ts';
import { type OperationObject, openApiDocument, type ResponseObject } from '../../src/desk/api/document.ts';
import type { JsonSchema } from '../../src/desk/api/named-schemas.ts';
import { GROUPS } from '../../src/desk/api/operations.ts';
import { writeMessages } from '../../src/desk/consume/write-messages.ts';
import type { Operation } from '../../src/desk/http/operation.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import { readConfig } from '../../src/platform/config.ts';
import { memoryKv } from './memory-kv.ts';
import { ownDatabase } from './own-database.ts';

// workerd has this function on `crypto.subtle`, Node in `node:crypto`.
Object.assign(crypto.subtle, { timingSafeEqual });

export const described = new Map<string, Operation>(GROUPS.flatMap(({ operations }) => Object.entries(operations)));
const rightOf = (address: string) => GROUPS.find(({ operations }) => address in operations)?.right ?? 'admin';
export const document = openApiDocument();
export const inDocument = (address: string) => {
  const [method = '', path = ''] = address.split(' ');
  const template = path.replaceAll(/:(\w+)/g, '{$1}');
  return { template, operation: document.paths[template]?.[method.toLowerCase()] as OperationObject };
};

const isOfObjects = (part: unknown): part is { properties: object } =>
  typeof part === 'object' && part !== null && 'properties' in part && !('$ref' in part);
const shapeOf = ({ properties }: { properties: object }) => Object.keys(properties).join();

/** The description, with unknown members of answers forbidden. `shape` notes them in {@link met}. */
const closed: unknown = JSON.parse(JSON.stringify(document), (_name, part: unknown) =>
  isOfObjects(part) ? { additionalProperties: false, ...part, shape: shapeOf(part) } : part,
);
/** The shapes of the objects in answers so far. */
export const met = new Set<string>();
export const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
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

/** The shapes of all objects that answers can have. */
export function describedShapes(): string[] {
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

export const pointer = (...parts: string[]) =>
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

export const expectAsDescribed = (asked: Asked) =>
  expect([asked.address, asked.status, ...faultsOf(asked)]).toEqual([asked.address, asked.status]);

interface Asked {
  readonly address: string;
  readonly status: number;
  readonly type: string;
  readonly json: Record<string, unknown>;
  readonly code: unknown;
}

export interface Call {
  path?: string;
  body?: unknown;
  headers?: Record<string, string>;
  settings?: Record<string, unknown>;
}

export const NO_DATABASE = { DATABASE_URL: 'postgres://gatehouse:gatehouse@127.0.0.1:1/gatehouse' };

/** A Gatehouse in Node whose tables all tests of the file fill. */
export function apiDoor() {
  const { db, url } = ownDatabase({ isFilledOnce: true });
  const { kv } = memoryKv();
  const write = async (...messages: Message[]) =>
    expect(await writeMessages(readConfig({ DATABASE_URL: url() }), messages, 20_000)).toEqual({ refused: [] });

  /** Makes the call. */
  async function ask(address: string, { path, body, headers, settings }: Call = {}): Promise<Asked> {
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

  return { db, kv, write, ask };
}
