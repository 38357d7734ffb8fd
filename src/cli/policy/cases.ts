/** The test cases beside a policy: calls and their expected replies. */
import * as z from 'zod/mini';
import { EXCHANGE_NAME } from '../../desk/policies/exchange-document.ts';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { MAX_ROLES, ROLE_NAME } from '../../entitlements/stored-record.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { readJson, shapedAs } from './json-file.ts';

const MAX_NAME_CHARS = 200;

/** A strict object. Unknown members are refused by name: a misspelt member would check nothing. */
const only = <Shape extends z.core.$ZodShape>(what: string, shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => {
      const members = Object.keys(shape).join(', ');
      return issue.code === 'unrecognized_keys'
        ? `unknown: ${issue.keys?.join(', ')}. The members of ${what} are ${members}`
        : `not a JSON object. The members of ${what} are ${members}`;
    },
  });

/** A step that no policy can have is refused with the file, an unknown exchange with the policy. */
const STEP_OR_EXCHANGE = EXCHANGE_NAME;

const isText = 'not a text';
const anyObject = (error: string) => z.record(z.string(), z.unknown(), error);

const names = z.optional(
  z
    .array(
      z
        .string(isText)
        .check(
          z.regex(
            ROLE_NAME,
            'not a role or group: use 1 to 64 letters, digits and . _ : / -, starting with a letter or digit',
          ),
        ),
      'not a list of names',
    )
    .check(z.maxLength(MAX_ROLES, `more than ${MAX_ROLES} names`)),
);

/** A person's record, as `/admin/people` takes it. */
export const entitlementsSchema = only('entitlements', {
  roles: names,
  groups: names,
  attributes: z.optional(
    z.record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()], 'not a text, a number, or true or false'),
      'not a JSON object of attributes',
    ),
  ),
  applications: z.optional(
    z
      .record(z.string(), only('an application', { roles: names, groups: names }), 'not a JSON object of client ids')
      .check(z.describe('Roles and groups in single applications, by client id.')),
  ),
}).check(z.describe('The record of the person, as npm run roles sets it. Default: no record.'));

const caseSchema = only('a case', {
  name: z
    .string(isText)
    .check(
      z.minLength(1, 'empty. Describe what this case shows'),
      z.maxLength(MAX_NAME_CHARS, `longer than ${MAX_NAME_CHARS} characters`),
      z.describe('What the case shows. Names are unique.'),
    ),
  step: z.optional(
    z
      .string(isText)
      .check(
        z.regex(STEP_OR_EXCHANGE, `not a step: ${STEPS.join(', ')}, or an exchange of the policy`),
        z.describe('The step or the exchange in the URL that B2C called. A step is used when the body has none.'),
      ),
  ),
  call: anyObject('not a JSON object. Write the body that B2C sends').check(
    z.describe('The body as B2C sends it, or the claims of an exchange.'),
  ),
  entitlements: z.optional(entitlementsSchema),
  entitlementsUnavailable: z.optional(
    z
      .literal(true, 'not true. Remove it when Workers KV is available')
      .check(z.describe('Workers KV is unavailable, so whenUnavailable applies.')),
  ),
  now: z.optional(
    z.iso
      .datetime({ offset: true, error: 'not a time. Write for example 2026-11-21T08:00:00Z' })
      .check(z.describe('The time of the call: request.time in rules. Default: now.')),
  ),
  settings: z.optional(
    only('settings', {
      ROLES_CLAIM: z.optional(z.string(isText)),
      EXTENSIONS_APP_ID: z.optional(z.string(isText)),
    }).check(z.describe('Settings that differ from wrangler.toml in this case.')),
  ),
  reply: anyObject('not a JSON object. Write the body that B2C must receive').check(
    z.describe(
      'The whole body that B2C must receive. {supportCode} in userMessage and requestId matches the code. {} is an empty body.',
    ),
  ),
  status: z.optional(
    z
      .union([z.literal(200), z.literal(400), z.literal(409)], 'not 200, 400 or 409')
      .check(
        z.describe(
          'The HTTP status. Default: the status in a ValidationError or in a refusal by an exchange, else 200.',
        ),
      ),
  ),
  rule: z.optional(
    z.string(isText).check(z.describe('The name of the rule that must turn the person away; "" means no rule.')),
  ),
}).check(
  z.refine(({ entitlements, entitlementsUnavailable }) => !entitlements || !entitlementsUnavailable, {
    path: ['entitlementsUnavailable'],
    error: 'not together with entitlements. Use either entitlements or entitlementsUnavailable',
  }),
);
export type Case = z.infer<typeof caseSchema>;

export const casesSchema = only('a file of cases', {
  $schema: z.optional(z.string(isText).check(z.describe('The path of the JSON Schema, for editors.'))),
  description: z.optional(z.string(isText)),
  cases: z.array(caseSchema, 'not a list of cases').check(z.minLength(1, 'no case. Write at least one')),
});

/** A case with its first line in the file. */
export type LocatedCase = Case & { readonly line: number };

/** Reads the cases of a file. Throws a refusal that lists every problem with its line. */
export async function readCases(file: string): Promise<readonly LocatedCase[]> {
  const { value, source } = await readJson(file, (parsed) => {
    const checked = shapedAs(casesSchema)(parsed);
    const problems = checked.ok ? duplicateNames(checked.value.cases) : [];
    return problems.length === 0 ? checked : { ok: false, problems };
  });
  const { lineOf } = source.positions();
  return value.cases.map((one, index) => ({ ...one, line: lineOf(`cases[${index}]`) }));
}

function duplicateNames(cases: readonly Case[]): Problem[] {
  const names = cases.map(({ name }) => name);
  return names.flatMap((name, index) => {
    if (names.indexOf(name) === index) return [];
    const message = `Two cases are called "${name}". Rename one.`;
    return [{ rule: '', path: `cases[${index}].name`, message }];
  });
}
