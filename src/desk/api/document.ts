/**
 * The API description (OpenAPI 3.1), made from the schemas that check requests and from those of answers. It is the
 * same for everyone: no settings, no data. Import it lazily: only two addresses need it.
 */
import type * as z from 'zod/mini';
import { type Code, type Entry, REFUSALS } from '../http/error-codes.ts';
import type { Described, Operation } from '../http/operation.ts';
import { type PROBLEM_CODES, problemAnswer } from '../http/problem-answer.ts';
import { inputSchema, type JsonSchema, type NamedSchemas, namedSchemas } from './named-schemas.ts';
import { GROUPS, type OperationGroup } from './operations.ts';
import { PARAMETERS } from './parameters.ts';

export interface ParameterObject {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: true;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface ResponseObject {
  readonly description: string;
  readonly headers?: { readonly [name: string]: { readonly description: string; readonly schema: JsonSchema } };
  readonly content: { readonly [mediaType: string]: { readonly schema: JsonSchema } };
}

export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly { readonly [scheme: string]: readonly [] }[];
  readonly parameters: readonly ParameterObject[];
  readonly requestBody?: {
    readonly required: true;
    readonly content: { readonly 'application/json': { readonly schema: JsonSchema; readonly example?: unknown } };
  };
  readonly responses: { readonly [status: string]: ResponseObject | { readonly $ref: string } };
}

export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: { readonly [path: string]: { readonly [method: string]: OperationObject } };
  readonly components: {
    readonly securitySchemes: { readonly [name: string]: object };
    readonly responses: { readonly [code: string]: ResponseObject };
    readonly schemas: { readonly [name: string]: JsonSchema };
  };
}

let made: OpenApiDocument | undefined;

export function openApiDocument(): OpenApiDocument {
  made ??= makeDocument();
  return made;
}

const DESCRIPTION = `What support staff and administrators ask a Gatehouse. Every GET also takes HEAD.

Times are ISO 8601, in UTC. New members may be added to an answer; those that exist stay.

A refusal is a problem document (RFC 9457). Its \`code\` is for programs and never changes.

The addresses that Azure AD B2C calls are not described here: their contract is Microsoft's.`;

const SCHEMES = {
  reports: { type: 'http', scheme: 'basic', description: 'A pair of the secret REPORTS_BASIC.' },
  admin: { type: 'http', scheme: 'basic', description: 'A pair of the secret ADMIN_BASIC.' },
} as const satisfies Record<OperationGroup['right'], object>;

function makeDocument(): OpenApiDocument {
  const all = GROUPS.flatMap((group) =>
    Object.entries(group.operations).map(([address, operation]) => {
      const [method = '', path = ''] = address.split(' ');
      return { group, method, path, operation };
    }),
  );
  const schemas = namedSchemas(all.map(({ operation }) => operation));
  const responses: Record<string, ResponseObject> = {};
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const { group, method, path, operation } of all) {
    const address = path.replaceAll(/:(\w+)/g, '{$1}');
    paths[address] ??= {};
    paths[address][method.toLowerCase()] = operationObject(group, method, operation, schemas.refer, responses);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Gatehouse', version: '1', description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: GROUPS.map(({ tag }) => ({ name: tag })),
    paths,
    components: { securitySchemes: SCHEMES, responses, schemas: schemas.converted },
  };
}

function operationObject(
  { right, tag }: OperationGroup,
  method: string,
  operation: Operation,
  refer: NamedSchemas['refer'],
  shared: Record<string, ResponseObject>,
): OperationObject {
  const { id, summary, description, json, example } = operation;
  const body = json && { schema: refer(json), ...(example === undefined ? {} : { example }) };
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: [{ [right]: [] }],
    parameters: parametersOf(operation),
    ...(body && { requestBody: { required: true, content: { 'application/json': body } } }),
    responses: responsesOf(method, operation, refer, shared),
  };
}

const PRETTY: JsonSchema = { enum: ['yes', 'no'] };
const TEXT: JsonSchema = { type: 'string' };

function parametersOf({ param, query, precondition, answer, described }: Operation): ParameterObject[] {
  const named = (
    place: ParameterObject['in'],
    name: string,
    schema: JsonSchema,
    required: boolean,
  ): ParameterObject => {
    const [description, example]: Described | readonly [] = described?.[name] ?? PARAMETERS[name] ?? [];
    return {
      name,
      in: place,
      ...(required ? { required } : {}),
      ...(description === undefined ? {} : { description }),
      schema,
      ...(example === undefined ? {} : { example }),
    };
  };
  const membersOf = (place: 'path' | 'query', schema: z.ZodMiniType | undefined) => {
    const { properties = {}, required = [] } = schema === undefined ? {} : inputSchema(schema);
    return Object.entries(properties).map(([name, member]) =>
      named(place, name, member as JsonSchema, place === 'path' || required.includes(name)),
    );
  };
  const headers = precondition === undefined ? [] : ['If-Match', 'If-None-Match'];
  return [
    ...membersOf('path', param),
    ...membersOf('query', query),
    ...(answer === 'text/csv' ? [] : [named('query', 'pretty', PRETTY, false)]),
    ...headers.map((name) => named('header', name, TEXT, false)),
  ];
}

/** The codes with which an operation can be refused: its own, and those of guards, validators and the gate. */
function codesOf(method: string, { json, refusals = [] }: Operation): typeof PROBLEM_CODES {
  return [
    'invalid-request',
    'not-authenticated',
    ...(method === 'GET' ? [] : (['cross-site'] as const)),
    ...(json === undefined ? [] : (['body-too-large', 'body-not-json'] as const)),
    'too-many-guesses',
    ...refusals,
    'internal-error',
    'desk-unavailable',
  ];
}

const statusOf = (code: (typeof PROBLEM_CODES)[number]): number =>
  code === 'desk-unavailable' ? 503 : (REFUSALS[code as Code] as Entry)[0];

const ETAG = { ETag: { description: 'The number of the version, in quotes.', schema: TEXT } };

/** A refusal with one code is the same everywhere: it goes to `shared`, and operations refer to it. */
function responsesOf(
  method: string,
  operation: Operation,
  refer: NamedSchemas['refer'],
  shared: Record<string, ResponseObject>,
): OperationObject['responses'] {
  const { answer, also, precondition, id } = operation;
  const content =
    typeof answer === 'string' ? { [answer]: { schema: TEXT } } : { 'application/json': { schema: refer(answer) } };
  const hasEtag = precondition !== undefined || id === 'readPolicy' || id === 'readShadow';
  const done: ResponseObject = { description: 'Done.', ...(hasEtag ? { headers: ETAG } : {}), content };
  const responses: Record<string, ResponseObject | { $ref: string }> = { '200': done };
  const byStatus = Map.groupBy(codesOf(method, operation), statusOf);
  for (const [status, codes] of byStatus) {
    const problem = { ...refer(problemAnswer), properties: { code: { enum: [...codes] } } };
    const refused = {
      description: `Refused: ${codes.join(', ')}.`,
      content: { 'application/problem+json': { schema: problem } },
    };
    const [only = '', ...more] = codes;
    if (also?.status === status)
      responses[status] = {
        description: `${also.meaning} ${refused.description}`,
        content: { ...content, ...refused.content },
      };
    else if (more.length > 0) responses[status] = refused;
    else {
      shared[only] = refused;
      responses[status] = { $ref: `#/components/responses/${only}` };
    }
  }
  if (also?.status === 202) responses[202] = { description: also.meaning, content };
  return responses;
}
