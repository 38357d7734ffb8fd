/** JSON Schemas (draft 2020-12) that editors complete and check by: of a policy, and of the cases beside it. */
import * as z from 'zod/mini';
import { policySchema } from '../../desk/policies/policy-document.ts';
import { DECIDED_WITHOUT_RULE } from '../../policy/policy.ts';
import { casesSchema } from './cases.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/** Where a rule may say no (contract 2.1): B2C ignores a block at PreTokenIssuance, and goes back to no page before PostAttributeCollection. */
const BLOCKING_STEPS = ['PostFederationSignup', 'PostAttributeCollection'];
const INVALID_STEPS = ['PostAttributeCollection'];
/** Postgres takes no NUL. */
const NO_NUL = '^[^\\u0000]*$';

/**
 * A policy, as far as a schema can say it: everything that `policySchema` refuses, and what `check` refuses besides where
 * members go together. What only `check` finds is the meaning of expressions, names that are not there, and messages.
 */
export function policyJsonSchema(): Schema {
  const schema = titled(
    policySchema,
    'Gatehouse policy',
    'Decides what happens at sign-up and what goes into the token.',
  );
  const { rules, messages, lists, description } = membersOf(schema);
  Object.assign(texts(messages), { pattern: NO_NUL });
  Object.assign(objectIn(messages?.additionalProperties), { minProperties: 1 });
  Object.assign(objectIn(objectIn(lists?.additionalProperties).items), { pattern: NO_NUL });
  Object.assign(objectIn(description), { pattern: NO_NUL, description: 'For readers. Nobody signing in sees it.' });
  tightenRule(objectIn(rules?.items));
  return schema;
}

/** The cases that `npm run policy -- test` runs. */
export function casesJsonSchema(): Schema {
  const schema = titled(casesSchema, 'Cases of a Gatehouse policy', 'Calls, and the replies that they must get.');
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

/** What refinements say, which Zod cannot convert, and which members of a rule go together. */
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

/** A part of a schema that is neither left out nor true or false. */
function objectIn(part: unknown): Schema {
  if (typeof part === 'object' && part !== null && !Array.isArray(part)) return part as Schema;
  throw new TypeError('The policy has another shape than its JSON Schema was written for.');
}
