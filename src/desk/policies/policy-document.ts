/**
 * The shape of the policy document that an operator writes. Neon and KV store it, and the published JSON Schema
 * describes it. `check.ts` checks what a shape cannot express.
 */
import * as z from 'zod/mini';
import { nameList } from '../../platform/name-list.ts';
import { STEPS } from '../../sign-in/steps.ts';

/** An isolate has 128 MB of memory, and a document takes several times its size. KV allows values of 25 MiB. */
export const MAX_DOCUMENT_BYTES = 8 * 1_000 * 1_000;
export const MAX_RULES = 500;
export const MAX_LIST_ENTRIES = 100_000;
export const MAX_ENTRIES_IN_ALL = 200_000;
const MAX_ENTRY_CHARS = 500;
const MAX_MESSAGE_CHARS = 1_000;
export const MAX_EXPRESSION_CHARS = 4_000;
export const DEFAULT_LANGUAGE = 'en';

const RULE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const MESSAGE_KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const EXCHANGE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const NOT_AN_EXCHANGE_NAME = 'not a name. Write a letter, then up to 62 letters, digits, hyphens or underscores';
/** Claims of exchanges: names that an expression can use as `claims.name`. */
const INPUT_CLAIM = /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,99}$/;
/** A member, parameter or header, or a path such as `email.0.emailValue`. */
const INPUT_NAME = /^[^\p{Cc}\s]{1,200}$/u;
/** B2C accepts hyphens and dots (contract line 104). */
const OUTPUT_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
export const MAX_EXCHANGES = 100;
export const MAX_INPUTS = 50;
export const MAX_OUTPUTS = 50;
/** Names that expressions can use as `lists.name`. */
const LIST_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,62}$/;
/** A custom policy names a claim with hyphens and dots too. */
const CLAIM_NAME = OUTPUT_NAME;

const isText = { error: 'not a text' };
const note = z.string(isText).check(z.maxLength(2_000));

const expression = z
  .string({ error: 'not a text. Write an expression in quotes, such as "has(claims.email)"' })
  .check(z.maxLength(MAX_EXPRESSION_CHARS, `longer than ${MAX_EXPRESSION_CHARS} characters`));

const id = z
  .string(isText)
  .check(
    z.regex(
      RULE_ID,
      'not a name. Write 1 to 63 letters, digits, dots, hyphens or underscores; the first is a letter or digit',
    ),
    z.describe('Name of the rule. Reports show it, so keep it when the rule changes.'),
  );

const messageOrTrue = (what: string) =>
  z
    .union([z.string().check(z.regex(MESSAGE_KEY)), z.literal(true)], {
      error: 'neither the name of a message nor true (which means the built-in text)',
    })
    .check(z.describe(what));

/** A text that people read, in one language. */
const message = z
  .string({ error: 'not a text. Write a text for each language, such as { "en": "…", "de": "…" }' })
  .check(z.minLength(1, 'empty'), z.maxLength(MAX_MESSAGE_CHARS, `longer than ${MAX_MESSAGE_CHARS} characters`));
const byLanguage = z.record(z.string(), message, {
  error: 'not an object of languages. Write one such as { "en": "…", "de": "…" }',
});

const NOT_A_STEP = `not a step: ${STEPS.join(', ')}, or an exchange`;

/** One rule. `check.ts` checks which members go together, so that all problems come at once. */
export const ruleSchema = z.strictObject(
  {
    id,
    description: z.optional(note.check(z.describe('For readers. People who sign in do not see it.'))),
    steps: z
      .array(z.string({ error: NOT_A_STEP }), { error: `not a list of steps: ${STEPS.join(', ')}, or exchanges` })
      .check(
        z.minLength(1, 'empty: name at least one step'),
        z.describe(
          'The steps at which the rule is evaluated: before the attribute page, before creating the user, before the token, or exchanges of custom policies.',
        ),
      ),
    when: z.optional(expression.check(z.describe('A CEL condition. Without it, the rule always applies.'))),
    onError: z.optional(
      z
        .enum(['skip', 'apply'], { error: 'not skip or apply' })
        .check(
          z.describe(
            'Whether the rule applies when its condition fails, because a claim is absent or has the wrong type.',
          ),
        ),
    ),
    block: z.optional(
      messageOrTrue('Ends the sign-up with a page that shows this message; true is the built-in text.'),
    ),
    invalid: z.optional(
      messageOrTrue('Sends the person back to the attribute page with this message; true is the built-in text.'),
    ),
    developerMessage: z.optional(
      z
        .string(isText)
        .check(
          z.minLength(1, 'empty'),
          z.maxLength(200, 'longer than 200 characters'),
          z.describe('For developers, in a refusal by an exchange. B2C shows it to everybody in DebugMode.'),
        ),
    ),
    advice: z.optional(
      byLanguage.check(
        z.describe(
          'What support tells a person whom this rule refused, by BCP 47 language. For staff: B2C and the person never get it. It has no placeholders.',
        ),
      ),
    ),
    set: z.optional(
      z.record(z.string().check(z.regex(CLAIM_NAME, 'not the name of a claim')), expression).check(
        z.refine((claims) => Object.keys(claims).length > 0, 'empty: name at least one claim'),
        z.describe('Claims that go into the reply, each with a CEL expression for its value.'),
      ),
    ),
  },
  {
    error: membersOf('a rule', 'id, description, steps, when, onError, block, invalid, developerMessage, advice, set'),
  },
);

const list = z
  .array(
    z.string({ error: 'not a text. Write every entry of a list as a text' }).check(
      z.maxLength(MAX_ENTRY_CHARS, `an entry is longer than ${MAX_ENTRY_CHARS} characters`),
      z.refine((entry) => !entry.includes('\n'), 'it contains a line break. Write two entries'),
    ),
    {
      error: 'not a list of texts',
    },
  )
  .check(z.maxLength(MAX_LIST_ENTRIES, `more than ${MAX_LIST_ENTRIES} entries`));

const unavailable = z.optional(z.enum(['block', 'continue'], { error: 'not block or continue' }));

const inputName = z
  .string(isText)
  .check(z.regex(INPUT_NAME, 'not the name of a member, parameter or header, such as email or user.language'));
const inputNames = z.array(inputName, { error: 'not a list of names' }).check(z.maxLength(20, 'more than 20 names'));
const SCALARS = ['string', 'number', 'boolean'] as const;
const OUTPUT_TYPES = [...SCALARS, 'list'] as const;
const notAType = { error: `not a type: ${OUTPUT_TYPES.join(', ')}` };

const exchangeSchema = z.strictObject(
  {
    description: z.optional(note),
    kind: z
      .enum(['validation', 'orchestration'], { error: 'not validation or orchestration' })
      .check(
        z.describe(
          'validation: B2C shows a refusal on the page. orchestration: a refusal sends the person back to the application with an error.',
        ),
      ),
    issuer: z.optional(
      z
        .string(isText)
        .check(
          z.minLength(1, 'empty'),
          z.maxLength(200, 'longer than 200 characters'),
          z.describe('The issuer of object ids that are not GUIDs.'),
        ),
    ),
    whenUnavailable: z.optional(
      z
        .enum(['block', 'continue'], { error: 'not block or continue' })
        .check(
          z.describe(
            'What a fault does: refuse, or answer 200 without claims. Default: block; continue for SignInStarted and SignInCompleted.',
          ),
        ),
    ),
    inputs: z.optional(
      z
        .record(
          z.string().check(z.regex(INPUT_CLAIM, 'not the name of a claim. Write letters, digits and underscores')),
          z.union(
            [
              inputName,
              inputNames,
              z.strictObject(
                {
                  from: z.union([inputName, inputNames], { error: 'not a name or a list of names' }),
                  type: z.optional(z.enum(SCALARS, { error: `not a type: ${SCALARS.join(', ')}` })),
                },
                { error: membersOf('an input', 'from, type') },
              ),
            ],
            { error: 'not a name, a list of names, or an object such as { "from": "loyaltyId", "type": "string" }' },
          ),
          { error: namedObject('an input for each claim') },
        )
        .check(
          z.refine((inputs) => Object.keys(inputs).length <= MAX_INPUTS, `more than ${MAX_INPUTS} inputs`),
          z.describe('The incoming names of each claim, in any case. Common names need no entry.'),
        ),
    ),
    identifies: z.optional(
      z
        .strictObject(
          {
            email: z.optional(
              z.strictObject(
                { trusted: z.optional(z.boolean({ error: 'not true or false' })) },
                { error: membersOf('email', 'trusted') },
              ),
            ),
            objectId: z.optional(
              z.strictObject(
                { form: z.optional(z.enum(['guid', 'any'], { error: 'not guid or any' })) },
                { error: membersOf('objectId', 'form') },
              ),
            ),
          },
          { error: membersOf('identifies', 'email, objectId') },
        )
        .check(z.describe('The claims that identify the person. Default: objectId (a GUID), and email (not trusted).')),
    ),
    outputs: z.optional(
      z
        .record(
          z.string().check(z.regex(OUTPUT_NAME, 'not the name of an output claim')),
          z.union(
            [
              z.enum(OUTPUT_TYPES, notAType),
              z.strictObject(
                {
                  type: z.enum(OUTPUT_TYPES, notAType),
                  join: z.optional(
                    z.string(isText).check(z.minLength(1, 'empty'), z.maxLength(10, 'longer than 10 characters')),
                  ),
                },
                { error: membersOf('an output', 'type, join') },
              ),
            ],
            { error: `not a type (${OUTPUT_TYPES.join(', ')}) or an object such as { "type": "list", "join": "," }` },
          ),
          { error: namedObject('a type for each output') },
        )
        .check(
          z.refine((outputs) => Object.keys(outputs).length <= MAX_OUTPUTS, `more than ${MAX_OUTPUTS} outputs`),
          z.describe('The claims that rules may set, in the letters of the custom policy, each with its type.'),
        ),
    ),
    emptyReply: z.optional(
      z.boolean({ error: 'not true or false' }).check(z.describe('Success has an empty body. Default: false.')),
    ),
  },
  {
    error: membersOf(
      'an exchange',
      'description, kind, issuer, whenUnavailable, inputs, identifies, outputs, emptyReply',
    ),
  },
);

/** The whole document. Unknown members are errors, so that no misspelt member is silently ignored. */
export const policySchema = z.strictObject(
  {
    $schema: z.optional(z.string(isText).check(z.describe('The path of the JSON Schema, for editors.'))),
    description: z.optional(note),
    defaultLanguage: z.optional(
      z
        .string(isText)
        .check(
          z.minLength(1),
          z.maxLength(35),
          z.describe('BCP 47 tag of the language that every message has. Default: en.'),
        ),
    ),
    lists: z.optional(
      z
        .record(
          z
            .string()
            .check(
              z.regex(LIST_NAME, 'not a name that an expression could use. Write letters, digits and underscores'),
            ),
          list,
        )
        .check(z.describe('Lists for expressions such as "value in lists.name".')),
    ),
    messages: z.optional(
      z
        .record(
          z.string().check(z.regex(MESSAGE_KEY, 'not a name. Write letters, digits, dots, hyphens or underscores')),
          byLanguage,
        )
        .check(
          z.describe(
            'Texts that people read, by name and BCP 47 language. The placeholders are {supportCode}, {email} and names of claims.',
          ),
        ),
    ),
    applications: z.optional(
      z
        .catchall(
          z.object({
            onlyThese: z.optional(
              z
                .boolean({ error: 'not true or false' })
                .check(z.describe('Other client ids are blocked at sign-up and get no roles in the token.')),
            ),
          }),
          z
            .string({ error: 'not a text. Write the name of the application' })
            .check(z.minLength(1, 'empty'), z.maxLength(100, 'longer than 100 characters')),
        )
        .check(z.describe('Names of applications by client id. Expressions read the name as request.application.')),
    ),
    whenUnavailable: z.optional(
      z
        .strictObject(
          { PostFederationSignup: unavailable, PostAttributeCollection: unavailable },
          { error: membersOf('whenUnavailable', 'PostFederationSignup, PostAttributeCollection') },
        )
        .check(
          z.describe(
            'What a sign-up step does when its rules read the person and Workers KV fails, or on a timeout. Default: block.',
          ),
        ),
    ),
    exchanges: z.optional(
      z
        .record(z.string().check(z.regex(EXCHANGE_NAME, NOT_AN_EXCHANGE_NAME)), exchangeSchema, {
          error: namedObject('an object for each exchange'),
        })
        .check(
          z.refine(
            (exchanges) => Object.keys(exchanges).length <= MAX_EXCHANGES,
            `more than ${MAX_EXCHANGES} exchanges`,
          ),
          z.describe('Calls of custom policies, by the name in their URL: /connectors/custom-policy/{name}.'),
        ),
    ),
    rules: z
      .array(ruleSchema, { error: 'not a list of rules' })
      .check(
        z.maxLength(MAX_RULES, `more than ${MAX_RULES} rules`),
        z.describe('Evaluated in order. The first block or invalid ends the evaluation.'),
      ),
  },
  {
    error: membersOf(
      'a policy',
      '$schema, description, defaultLanguage, lists, messages, applications, whenUnavailable, exchanges, rules',
    ),
  },
);

export type PolicyDocument = z.infer<typeof policySchema>;
export type ExchangeDocument = z.infer<typeof exchangeSchema>;
export type RuleDocument = z.infer<typeof ruleSchema>;

/** The message for a record that is not an object. The problems of its members have their own. */
function namedObject(what: string) {
  return (issue: { code?: string }) => (issue.code === 'invalid_type' ? `not a JSON object. Write ${what}` : undefined);
}

/** The message for a value that is not an object or has unknown members. */
function membersOf(what: string, members: string) {
  return (issue: { code?: string; keys?: string[] }) =>
    issue.code === 'unrecognized_keys'
      ? `unknown: ${nameList(issue.keys ?? [])}. The members of ${what} are ${members}`
      : `not a JSON object. The members of ${what} are ${members}`;
}
