/** `GET /reference`: the API description for people, as one page. Import it lazily. */
import { html } from 'hono/html';
import { type Html, htmlPage } from '../http/page.ts';
import { type OpenApiDocument, type OperationObject, openApiDocument, type ParameterObject } from './document.ts';
import type { JsonSchema } from './named-schemas.ts';

let made: ReturnType<typeof htmlPage> | undefined;

/** The page is the same for everyone. */
export function referencePage(): ReturnType<typeof htmlPage> {
  made ??= htmlPage('Gatehouse: reference', contentOf(openApiDocument()));
  return made;
}

interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

function contentOf({ info, tags, paths, components }: OpenApiDocument): Html {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const groups = tags.map(({ name }) => ({ name, some: all.filter(({ operation }) => operation.tags.includes(name)) }));
  return html`${info.description.split('\n\n').map((paragraph) => html`<p>${withCode(paragraph)}</p>`)}
    <p>
      Programs read the same from <a href="/openapi.json">/openapi.json</a>. The examples need two variables of the shell:
      <code>GATEHOUSE</code>, the address of this page without its path, and <code>PAIR</code>, a user name and password
      with a colon between them.
    </p>
    ${groups.map(
      ({ name, some }) =>
        html`<h2>${name}</h2>
          <table>
            ${some.map(
              ({ method, path, operation }) =>
                html`<tr>
                  <td>${method}</td>
                  <td><a href="#${operation.operationId}">${path}</a></td>
                  <td>${withCode(operation.summary)}</td>
                </tr>`,
            )}
          </table>`,
    )}
    ${all.map(operationSection)}
    <h2>Objects</h2>
    ${Object.entries(components.schemas).map(
      ([name, schema]) =>
        html`<section id="schema-${name}">
          <h3>${name}</h3>
          ${schemaTable(schema)}
        </section>`,
    )}`;
}

function operationSection({ method, path, operation }: Described): Html {
  const { operationId, summary, description, security, parameters, requestBody, responses } = operation;
  const [right = ''] = security.flatMap((scheme) => Object.keys(scheme));
  const body = requestBody?.content['application/json'];
  const done = responses[200];
  const answers = done !== undefined && 'content' in done ? Object.entries(done.content) : [];
  const refusals = Object.entries(responses).filter(([status]) => status !== '200');
  return html`<section id="${operationId}">
    <h3>${method} ${path}</h3>
    <p>${withCode(summary)} ${withCode(description ?? '')} Credential: ${right}.</p>
    ${parameters.length === 0 ? '' : html`<table>${parameters.map(parameterRow)}</table>`}
    ${body === undefined ? '' : html`<p>Body: ${typeOf(body.schema)}.</p>`}
    <pre>${exampleOf(method, path, operation)}</pre>
    <p>200: ${answers.map(([type, { schema }]) => (type === 'application/json' ? typeOf(schema) : type))}.</p>
    <ul>
      ${refusals.map(([status, response]) => html`<li>${status}: ${withCode(meaningOf(response))}</li>`)}
    </ul>
  </section>`;
}

const meaningOf = (response: OperationObject['responses'][string]): string =>
  '$ref' in response ? `Refused: ${response.$ref.split('/').at(-1)}.` : response.description;

const parameterRow = ({ name, in: place, required, schema, description = '', example }: ParameterObject): Html =>
  html`<tr>
    <th>${name}</th>
    <td>${place}${required ? ', required' : ''}</td>
    <td>${typeOf(schema)}</td>
    <td>
      ${withCode(description)} ${example === undefined ? '' : html`Example: <code>${String(example)}</code>`}
    </td>
  </tr>`;

/** A line for a POSIX shell. */
function exampleOf(method: string, path: string, { parameters, requestBody }: OperationObject): string {
  const sampleOf = (name: string) => String(parameters.find((one) => one.name === name)?.example ?? '…');
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(sampleOf(name)));
  const json = requestBody?.content['application/json'].example;
  return [
    'curl -s -u "$PAIR"',
    ...(method === 'GET' || (method === 'POST' && json !== undefined) ? [] : [`-X ${method}`]),
    `"$GATEHOUSE${address}"`,
    ...(parameters.some(({ name }) => name === 'If-Match')
      ? [`-H ${inQuotes(`If-Match: ${sampleOf('If-Match')}`)}`]
      : []),
    ...(json === undefined
      ? []
      : [`-H ${inQuotes('Content-Type: application/json')}`, `-d ${inQuotes(JSON.stringify(json))}`]),
  ].join(' ');
}

const inQuotes = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Texts in backticks as code. */
const withCode = (text: string): Html =>
  html`${text.split('`').map((part, nth) => (nth % 2 === 1 ? html`<code>${part}</code>` : part))}`;

function schemaTable(schema: JsonSchema): Html {
  const rows = membersOf(schema, '');
  if (rows.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`<table>
    ${rows.map(
      ({ name, isOptional, member }) =>
        html`<tr>
          <th>${name}</th>
          <td>${typeOf(member)}${isOptional ? ', optional' : ''}</td>
          <td>${withCode(member.description ?? '')}</td>
        </tr>`,
    )}
  </table>`;
}

interface Member {
  readonly name: string;
  readonly isOptional: boolean;
  readonly member: JsonSchema;
}

const isSchema = (part: unknown): part is JsonSchema => typeof part === 'object' && part !== null;

/** The members of an object, of its parts and of its alternatives, by their path. A reference is not followed. */
function membersOf(schema: JsonSchema, path: string): Member[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    if (!isSchema(member)) return [];
    const isOptional = !(schema.required ?? []).includes(name);
    return [{ name: path + name, isOptional, member }, ...membersOf(member, `${path}${name}.`)];
  });
  const alternatives = (schema.anyOf ?? []).flatMap((one) => (isSchema(one) ? membersOf(one, path) : []));
  const listPath = path === '' ? '' : `${path.slice(0, -1)}[].`;
  const items = isSchema(schema.items) ? membersOf(schema.items as JsonSchema, listPath) : [];
  const names = new Set<string>();
  return [...own, ...alternatives, ...items].filter(({ name }) => !names.has(name) && names.add(name));
}

function typeOf(schema: JsonSchema): Html {
  const { $ref, anyOf, items, enum: values, const: only, type, format, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (anyOf !== undefined) {
    const parts = anyOf.filter(isSchema).map(typeOf);
    return html`${parts.map((part, nth) => html`${nth === 0 ? '' : ' or '}${part}`)}`;
  }
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`;
  if (values !== undefined)
    return html`${values.map((value, nth) => html`${nth === 0 ? '' : ', '}<code>${String(value)}</code>`)}`;
  if (isSchema(items)) return html`list of ${typeOf(items as JsonSchema)}`;
  if (type === 'object' && isSchema(additionalProperties))
    return html`object with ${typeOf(additionalProperties)} by name`;
  const words = [type ?? 'any value'].flat().join(' or ');
  return html`${format === undefined ? words : `${words} (${format})`}`;
}
