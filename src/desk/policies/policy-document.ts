/**
 * The policy document: what the owner of a tenant writes, what lies in Neon and KV, and what the published JSON Schema
 * describes. Here stands its shape alone; `check.ts` says what it must mean to be saved.
 */
import * as z from 'zod/mini';
import { STEPS } from '../../sign-in/steps.ts';

/** KV takes values of 25 MiB; an isolate has 128 MB for everything, and a document in memory takes several times its text. */
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
/** Names that stand in an expression as `lists.name`. */
const LIST_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const CLAIM_NAME = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;

const isText = { error: 'not a text' };
/** Postgres takes neither NUL nor a lone surrogate. */
const storable = (text: string) => text.isWellFormed() && !text.includes('\0');
const STORABLE = 'holds characters that cannot be stored (NUL or half a character)';
const note = z.string(isText).check(z.maxLength(2_000), z.refine(storable, STORABLE));

const expression = z
  .string({ error: 'not a text: an expression is written in quotes, such as "has(claims.email)"' })
  .check(z.maxLength(MAX_EXPRESSION_CHARS, `longer than ${MAX_EXPRESSION_CHARS} characters`));

const id = z
  .string(isText)
  .check(
    z.regex(RULE_ID, 'not a name: 1 to 63 letters, digits, dots, hyphens or underscores, a letter or digit first'),
    z.describe('Name of the rule. Reports show it, so keep it when the rule changes.'),
  );

const messageOrTrue = (what: string) =>
  z
    .union([z.string().check(z.regex(MESSAGE_KEY)), z.literal(true)], {
      error: 'neither the name of a message nor true (which means the built-in text)',
    })
    .check(z.describe(what));

/** One rule. Which members go together is `check.ts`'s to say, so that all of it is said at once. */
export const ruleSchema = z.strictObject(
  {
    id,
    description: z.optional(note.check(z.describe('For readers. Nobody signing in sees it.'))),
    steps: z
      .array(z.enum(STEPS, { error: `not a step: ${STEPS.join(', ')}` }), {
        error: `not a list of steps: ${STEPS.join(', ')}`,
      })
      .check(
        z.minLength(1, 'empty: name at least one step'),
        z.describe(
          'The steps at which the rule is looked at: before the attribute page, before creating the user, before the token.',
        ),
      ),
    when: z.optional(expression.check(z.describe('A CEL condition. Left out, the rule always applies.'))),
    onError: z.optional(
      z
        .enum(['skip', 'apply'], { error: 'not skip or apply' })
        .check(
          z.describe(
            'What happens when the condition cannot be evaluated, because a claim is absent or not of the right kind.',
          ),
        ),
    ),
    block: z.optional(
      messageOrTrue('Ends the sign-up with a page that shows this message; true is the built-in text.'),
    ),
    invalid: z.optional(
      messageOrTrue('Sends the person back to the attribute page with this message; true is the built-in text.'),
    ),
    set: z.optional(
      z.record(z.string().check(z.regex(CLAIM_NAME, 'not the name of a claim')), expression).check(
        z.refine((claims) => Object.keys(claims).length > 0, 'empty: name at least one claim'),
        z.describe('Claims that go into the reply, each with a CEL expression for its value.'),
      ),
    ),
  },
  { error: membersOf('a rule', 'id, description, steps, when, onError, block, invalid, set') },
);

const list = z
  .array(
    z.string({ error: 'not a text: every entry of a list is one' }).check(
      z.maxLength(MAX_ENTRY_CHARS, `an entry is longer than ${MAX_ENTRY_CHARS} characters`),
      z.refine(storable, STORABLE),
      z.refine((entry) => !entry.includes('\n'), 'holds a line break: write one entry a line of text'),
    ),
    {
      error: 'not a list of texts',
    },
  )
  .check(z.maxLength(MAX_LIST_ENTRIES, `more than ${MAX_LIST_ENTRIES} entries`));

const message = z
  .string({ error: 'not a text: a message has a text for each language, such as { "en": "…", "de": "…" }' })
  .check(
    z.minLength(1, 'empty'),
    z.maxLength(MAX_MESSAGE_CHARS, `longer than ${MAX_MESSAGE_CHARS} characters`),
    z.refine(storable, STORABLE),
  );

const unavailable = z.optional(z.enum(['block', 'continue'], { error: 'not block or continue' }));

/** The whole document. Unknown members are refused by name: a misspelt one would be a rule that nobody follows. */
export const policySchema = z.strictObject(
  {
    $schema: z.optional(z.string(isText).check(z.describe('Where the JSON Schema lies, for editors.'))),
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
            .check(z.regex(LIST_NAME, 'not a name that an expression could use: letters, digits and underscores')),
          list,
        )
        .check(z.describe('Lists that expressions ask with "value in lists.name".')),
    ),
    messages: z.optional(
      z
        .record(
          z.string().check(z.regex(MESSAGE_KEY, 'not a name: letters, digits, dots, hyphens or underscores')),
          z.record(z.string(), message, { error: 'not an object of languages, such as { "en": "…", "de": "…" }' }),
        )
        .check(
          z.describe(
            'Texts that people read, by name and BCP 47 language. {supportCode}, {email} and names of claims in braces are filled in.',
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
                .check(
                  z.describe('Calls for any other client id are blocked at sign-up and get no roles in the token.'),
                ),
            ),
          }),
          z
            .string({ error: 'not a text: give the name of the application' })
            .check(z.minLength(1, 'empty'), z.maxLength(100, 'longer than 100 characters')),
        )
        .check(z.describe('Names of applications by client id, which expressions see as request.application.')),
    ),
    whenUnavailable: z.optional(
      z
        .strictObject(
          { PostFederationSignup: unavailable, PostAttributeCollection: unavailable },
          { error: membersOf('whenUnavailable', 'PostFederationSignup, PostAttributeCollection') },
        )
        .check(
          z.describe(
            'What happens at a sign-up step whose rules ask about the person when Workers KV cannot say, and when time runs out. Default: block.',
          ),
        ),
    ),
    rules: z
      .array(ruleSchema, { error: 'not a list of rules' })
      .check(
        z.maxLength(MAX_RULES, `more than ${MAX_RULES} rules`),
        z.describe('Evaluated in their order; the first block or invalid ends.'),
      ),
  },
  {
    error: membersOf(
      'a policy',
      '$schema, description, defaultLanguage, lists, messages, applications, whenUnavailable, rules',
    ),
  },
);

export type PolicyDocument = z.infer<typeof policySchema>;
export type RuleDocument = z.infer<typeof ruleSchema>;

/** Sentences for a part that is no object, or has members that we do not know. */
function membersOf(what: string, members: string) {
  return (issue: { code?: string; keys?: string[] }) =>
    issue.code === 'unrecognized_keys'
      ? `unknown: ${issue.keys?.join(', ')}. The members of ${what} are ${members}`
      : `not a JSON object: ${what} has the members ${members}`;
}
