/** The JSON Schemas (draft 2020-12) of a policy and of its test cases, for completion and checks in editors. */
import * as z from 'zod/mini';
import { policySchema } from '../../desk/policies/policy-document.ts';
import { DECIDED_WITHOUT_RULE } from '../../policy/policy.ts';
import { casesSchema } from './cases.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/**
 * The steps at which a rule may refuse (contract 2.1). B2C ignores a block at PreTokenIssuance, and only
 * PostAttributeCollection has a page to return to.
 */
const BLOCKING_STEPS = ['PostFederationSignup', 'PostAttributeCollection'];
const INVALID_STEPS = ['PostAttributeCollection'];
/** Postgres does not store NUL. */
const NO_NUL = '^[^\\u0000]*$';

/**
 * Refuses everything that `policySchema` refuses, and invalid combinations of members. Only `check` finds invalid
 * expressions, unknown names and faulty messages.
 */
export function policyJsonSchema(): Schema {
  const schema = titled(policySchema, 'Gatehouse policy', 'Decides who may sign up and what the token contains.');
  const { rules, messages, lists, description } = membersOf(schema);
  Object.assign(texts(messages), { pattern: NO_NUL });
  Object.assign(objectIn(messages?.additionalProperties), { minProperties: 1 });
  Object.assign(objectIn(objectIn(lists?.additionalProperties).items), { pattern: NO_NUL });
  Object.assign(objectIn(description), { pattern: NO_NUL, description: 'For readers. Not shown at sign-in.' });
  tightenRule(objectIn(rules?.items));
  return schema;
}

/** The cases that `npm run policy -- test` runs. */
export function casesJsonSchema(): Schema {
  const schema = titled(casesSchema, 'Cases of a Gatehouse policy', 'Calls and their expected replies.');
  const { cases } = membersOf(schema);
  Object.assign(objectIn(cases?.items), {
    title: 'Case',
    not: { required: ['entitlements', 'entitlementsUnavailable'] },
  });
  return schema;
}

function titled(schema: z.ZodMiniType, title: string, description: string): Schema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' });
  return { ...($schema === undefined ? {} : { $schema }), title, description, ...rest };
}

/** Adds what Zod cannot convert: refinements, and which members of a rule go together. */
function tightenRule(rule: Schema): void {
  const { id, steps, set, description } = membersOf(rule);
  Object.assign(rule, {
    title: 'Rule',
    oneOf: [{ required: ['block'] }, { required: ['invalid'] }, { required: ['set'] }],
    dependentRequired: { onError: ['when'] },
    dependentSchemas: {
      block: { properties: { steps: { items: { enum: BLOCKING_STEPS } } } },
      invalid: { properties: { steps: { items: { enum: INVALID_STEPS } } } },
      set: { properties: { onError: false } },
    },
    if: { required: ['set'], properties: { steps: { contains: { const: 'PreTokenIssuance' } } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { set: { propertyNames: { not: { pattern: '^[eE][mM][aA][iI][lL]$' } } } } },
  });
  Object.assign(objectIn(id), { not: { enum: Object.values(DECIDED_WITHOUT_RULE) } });
  Object.assign(objectIn(steps), { uniqueItems: true });
  Object.assign(objectIn(set), { minProperties: 1 });
  Object.assign(objectIn(description), { pattern: NO_NUL });
}

const membersOf = (schema: Schema): Partial<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, member]) => [name, objectIn(member)]));

/** The texts of a message, by language. */
const texts = (messages: Schema | undefined): Schema =>
  objectIn(objectIn(messages?.additionalProperties).additionalProperties);

/** The part as an object schema. Throws when it is missing or a boolean schema. */
function objectIn(part: unknown): Schema {
  if (typeof part === 'object' && part !== null && !Array.isArray(part)) return part as Schema;
  throw new TypeError('The policy schema changed its shape. Adapt its JSON Schema.');
}
