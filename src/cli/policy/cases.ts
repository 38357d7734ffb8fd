/** The file of cases beside a policy: calls, and the replies that they must get. */
import * as z from 'zod/mini';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { MAX_ROLES, ROLE_NAME } from '../../entitlements/stored-record.ts';
import { STEPS } from '../../sign-in/steps.ts';
import { readJson, shapedAs } from './json-file.ts';

const MAX_NAME_CHARS = 200;

/** An object with these members alone; unknown ones are refused by name, since a misspelt member would check nothing. */
const only = <Shape extends z.core.$ZodShape>(what: string, shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => {
      const members = Object.keys(shape).join(', ');
      return issue.code === 'unrecognized_keys'
        ? `unknown: ${issue.keys?.join(', ')}. The members of ${what} are ${members}`
        : `not a JSON object: ${what} has the members ${members}`;
    },
  });

const isText = 'not a text';
const anyObject = (error: string) => z.record(z.string(), z.unknown(), error);

const names = z.optional(
  z
    .array(
      z
        .string(isText)
        .check(
          z.regex(ROLE_NAME, 'not a role or group: 1 to 64 letters, digits and . _ : / -, a letter or digit first'),
        ),
      'not a list of names',
    )
    .check(z.maxLength(MAX_ROLES, `more than ${MAX_ROLES} names`)),
);

/** What is held about a person, as `/admin/people` takes it. */
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
      .check(z.describe('Roles and groups in one application alone, by client id.')),
  ),
}).check(z.describe('What is held about the person, as npm run roles would set it. Left out: nothing.'));

const caseSchema = only('a case', {
  name: z
    .string(isText)
    .check(
      z.minLength(1, 'empty: say what this case shows'),
      z.maxLength(MAX_NAME_CHARS, `longer than ${MAX_NAME_CHARS} characters`),
      z.describe('What the case shows. No two cases have one name.'),
    ),
  step: z.optional(
    z
      .enum(STEPS, `not a step: ${STEPS.join(', ')}`)
      .check(z.describe('The step in the address that B2C called; it counts when the body names none.')),
  ),
  call: anyObject('not a JSON object: give the body that B2C sends').check(z.describe('The body as B2C sends it.')),
  entitlements: z.optional(entitlementsSchema),
  entitlementsUnavailable: z.optional(
    z
      .literal(true, 'not true: leave it out where Workers KV answers')
      .check(z.describe('Workers KV does not say what is held: what whenUnavailable is about.')),
  ),
  now: z.optional(
    z.iso
      .datetime({ offset: true, error: 'not a time: write one such as 2026-11-21T08:00:00Z' })
      .check(z.describe('When the call comes; rules see it as request.time. Left out: now.')),
  ),
  settings: z.optional(
    only('settings', {
      ROLES_CLAIM: z.optional(z.string(isText)),
      EXTENSIONS_APP_ID: z.optional(z.string(isText)),
    }).check(z.describe('Settings that differ from wrangler.toml in this case.')),
  ),
  reply: anyObject('not a JSON object: give the body that B2C must get').check(
    z.describe(
      'The body that B2C must get, all of it. {supportCode} in its userMessage stands for the code. ValidationError means HTTP status 400.',
    ),
  ),
  rule: z.optional(
    z.string(isText).check(z.describe('Name of the rule that must have turned the person away; "" means none.')),
  ),
}).check(
  z.refine(({ entitlements, entitlementsUnavailable }) => !entitlements || !entitlementsUnavailable, {
    path: ['entitlementsUnavailable'],
    error: 'beside entitlements: what is held, or that nobody can say, but not both',
  }),
);
export type Case = z.infer<typeof caseSchema>;

export const casesSchema = only('a file of cases', {
  $schema: z.optional(z.string(isText).check(z.describe('Where the JSON Schema lies, for editors.'))),
  description: z.optional(z.string(isText)),
  cases: z
    .array(caseSchema, 'not a list of cases')
    .check(z.minLength(1, 'no case: a policy that nobody tried proves nothing. Write at least one')),
});

/** A case with the line of the file where it begins. */
export type LocatedCase = Case & { readonly line: number };

/** The cases of a file; refuses, with every problem and its line, a file that is none. */
export async function readCases(file: string): Promise<readonly LocatedCase[]> {
  const { value, source } = await readJson(file, (parsed) => {
    const checked = shapedAs(casesSchema)(parsed);
    const problems = checked.ok ? twice(checked.value.cases) : [];
    return problems.length === 0 ? checked : { ok: false, problems };
  });
  const { lineOf } = source.positions();
  return value.cases.map((one, index) => ({ ...one, line: lineOf(`cases[${index}]`) }));
}

function twice(cases: readonly Case[]): Problem[] {
  const names = cases.map(({ name }) => name);
  return names.flatMap((name, index) => {
    if (names.indexOf(name) === index) return [];
    const message = `There are two cases called "${name}": give each a name of its own.`;
    return [{ rule: '', path: `cases[${index}].name`, message }];
  });
}
