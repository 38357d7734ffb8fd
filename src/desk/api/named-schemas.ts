/** The schemas of answers and bodies as JSON Schema, each with a name. */
import * as z from 'zod/mini';
import type { Operation } from '../http/operation.ts';
import { COMPONENTS } from './operations.ts';
import { PARAMETERS } from './parameters.ts';

/** JSON Schema, draft 2020-12. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;
export type Reference = { readonly $ref: string } & JsonSchema;

export interface NamedSchemas {
  readonly converted: { readonly [name: string]: JsonSchema };
  /** A reference to the schema of an answer or a body. */
  readonly refer: (schema: z.ZodMiniType) => Reference;
}

/** Answers and bodies, each with a name: that of {@link COMPONENTS}, or one made from the first operation with it. */
export function namedSchemas(operations: readonly Operation[]): NamedSchemas {
  const answers = z.registry<{ id: string }>();
  const bodies = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) answers.add(schema, { id });
  const described = new Map<string, Operation['described']>();
  for (const { id, answer, json, described: own } of operations) {
    const name = id.charAt(0).toUpperCase() + id.slice(1);
    if (typeof answer !== 'string' && !answers.has(answer)) answers.add(answer, { id: `${name}Answer` });
    if (json === undefined || bodies.has(json)) continue;
    bodies.add(json, { id: `${name}Body` });
    described.set(`${name}Body`, own);
  }
  const converted = {
    ...convertAll(answers, 'output'),
    ...mapValues(convertAll(bodies, 'input'), (schema, name) => withDescriptions(schema, described.get(name))),
  };
  const refer = (schema: z.ZodMiniType) => {
    const id = (bodies.get(schema) ?? answers.get(schema))?.id ?? '';
    return { $ref: `#/components/schemas/${id}` };
  };
  return { converted, refer };
}

const convertAll = (
  registry: z.core.$ZodRegistry<{ id: string }>,
  io: 'input' | 'output',
): { [name: string]: JsonSchema } =>
  z.toJSONSchema(registry, { ...conversion(io), uri: (id) => `#/components/schemas/${id}` }).schemas;

const conversion = (io: 'input' | 'output') =>
  ({
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => tidy(zodSchema, jsonSchema, io),
  }) as const satisfies z.core.ToJSONSchemaParams;

/** Removes what says nothing, and what would forbid new members of answers. */
function tidy(schema: z.core.$ZodTypes, json: JsonSchema, io: 'input' | 'output') {
  delete json.$schema;
  delete json.$id;
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
  if (io === 'output' && json.additionalProperties === false) delete json.additionalProperties;
  const { def } = schema._zod;
  // A check of the whole body comes before the schema of its members.
  if (def.type === 'pipe' && (def.in as z.core.$ZodTypes)._zod.def.type === 'unknown')
    Object.assign(json, z.toJSONSchema(def.out, conversion(io)));
}

const mapValues = <Value>(members: { [name: string]: Value }, change: (value: Value, name: string) => Value) =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value, name)]));

function withDescriptions(schema: JsonSchema, own: Operation['described']): JsonSchema {
  if (schema.properties === undefined) return schema;
  const properties = Object.entries(schema.properties).map(([name, member]) => {
    const known = own?.[name] ?? PARAMETERS[name];
    if (known === undefined || typeof member === 'boolean' || member.description !== undefined) return [name, member];
    const [description, example] = known;
    return [name, { ...member, description, ...(example === undefined ? {} : { examples: [example] }) }];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The schema of a path, a query or a body. */
export const inputSchema = (schema: z.ZodMiniType): JsonSchema => z.toJSONSchema(schema, conversion('input'));
