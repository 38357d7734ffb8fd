/** The JSON Schemas (draft 2020-12) of a policy and of its test cases, for completion and checks in editors. */
import * as z from 'zod/mini';
import { EXCHANGE_NAME, MAX_EXCHANGES, MAX_INPUTS, MAX_OUTPUTS } from '../../desk/policies/exchange-document.ts';
import { policySchema } from '../../desk/policies/policy-document.ts';
import { BUILT_IN_EXCHANGES } from '../../policy/exchange.ts';
import { DECIDED_WITHOUT_RULE } from '../../policy/policy.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { casesSchema } from './cases.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/**
 * The steps at which no rule may refuse (contract 2.1). B2C ignores a block at PreTokenIssuance, and
 * PostFederationSignup has no page to return to. Only `check` knows the kinds of exchanges.
 */
const NOT_BLOCKING = ['PreTokenIssuance'];
const NOT_INVALID = ['PreTokenIssuance', 'PostFederationSignup'];
/** Editors complete these. Any other name may be an exchange of the document. */
const KNOWN_STEPS = [...STEPS, ...BUILT_IN_EXCHANGES.map(({ name }) => name)];
/** Postgres does not store NUL. */
const NO_NUL = '^[^\\u0000]*$';
/** Nor has advice a brace: claims are not filled in. */
const NO_PLACEHOLDER = '^[^\\u0000{}]*$';

/**
 * Refuses everything that `policySchema` refuses, and invalid combinations of members. Only `check` finds invalid
 * expressions, unknown names and faulty messages.
 */
export function policyJsonSchema(): Schema {
  const schema = titled(
    policySchema,
    'Gatehouse policy',
    'Decides who may sign up, what the token contains, and what custom policies get.',
  );
  const { rules, messages, lists, description, exchanges } = membersOf(schema);
  Object.assign(texts(messages), { pattern: NO_NUL });
  Object.assign(objectIn(messages?.additionalProperties), { minProperties: 1 });
  Object.assign(objectIn(objectIn(lists?.additionalProperties).items), { pattern: NO_NUL });
  Object.assign(objectIn(description), { pattern: NO_NUL, description: 'For readers. Not shown at sign-in.' });
  tightenExchanges(objectIn(exchanges));
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
  const { id, steps, set, description, developerMessage, advice } = membersOf(rule);
  Object.assign(rule, {
    title: 'Rule',
    oneOf: [{ required: ['block'] }, { required: ['invalid'] }, { required: ['set'] }],
    dependentRequired: { onError: ['when'] },
    dependentSchemas: {
      block: { properties: { steps: { items: { not: { enum: NOT_BLOCKING } } } } },
      invalid: { properties: { steps: { items: { not: { enum: NOT_INVALID } } } } },
      set: { properties: { onError: false, developerMessage: false, advice: false } },
    },
    if: { required: ['set'], properties: { steps: { contains: { const: 'PreTokenIssuance' } } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { set: { propertyNames: { not: { pattern: '^[eE][mM][aA][iI][lL]$' } } } } },
  });
  Object.assign(objectIn(id), { not: { enum: Object.values(DECIDED_WITHOUT_RULE) } });
  Object.assign(objectIn(steps), {
    uniqueItems: true,
    items: { anyOf: [{ enum: KNOWN_STEPS }, { type: 'string', pattern: EXCHANGE_NAME.source }] },
  });
  Object.assign(objectIn(set), { minProperties: 1 });
  Object.assign(objectIn(description), { pattern: NO_NUL });
  Object.assign(objectIn(developerMessage), { pattern: NO_NUL });
  Object.assign(objectIn(advice), { minProperties: 1 });
  Object.assign(objectIn(objectIn(advice).additionalProperties), { pattern: NO_PLACEHOLDER });
}

function tightenExchanges(exchanges: Schema): void {
  const exchange = objectIn(exchanges.additionalProperties);
  const { description, issuer, inputs, outputs } = membersOf(exchange);
  Object.assign(exchanges, { maxProperties: MAX_EXCHANGES });
  Object.assign(exchange, {
    title: 'Exchange',
    if: { required: ['emptyReply'], properties: { emptyReply: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: { properties: { outputs: { maxProperties: 0 } } },
    anyOf: [{ required: ['issuer'] }, { not: NEEDS_ISSUER }],
  });
  Object.assign(objectIn(description), { pattern: NO_NUL, description: 'For readers. B2C does not see it.' });
  Object.assign(objectIn(issuer), { pattern: NO_NUL });
  Object.assign(objectIn(inputs), { maxProperties: MAX_INPUTS });
  Object.assign(objectIn(outputs), { maxProperties: MAX_OUTPUTS });
  for (const form of objectIn(objectIn(outputs).additionalProperties).anyOf ?? []) {
    const { join } = membersOf(objectIn(form));
    if (join !== undefined)
      Object.assign(form, { dependentSchemas: { join: { properties: { type: { const: 'list' } } } } });
  }
}

const NEEDS_ISSUER = {
  required: ['identifies'],
  properties: {
    identifies: {
      required: ['objectId'],
      properties: { objectId: { required: ['form'], properties: { form: { const: 'any' } } } },
    },
  },
};

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
