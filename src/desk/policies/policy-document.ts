/**
 * The shape of the policy document that an operator writes. Neon and KV store it, and the published JSON Schema
 * describes it. `check.ts` checks what a shape cannot express.
 */
import * as z from 'zod/mini';
import { STEPS } from '../../sign-in/steps.ts';
import { isText, membersOf, namedObject, note, shortText } from './document-texts.ts';
import {
  EXCHANGE_NAME,
  exchangeSchema,
  MAX_EXCHANGES,
  NOT_AN_EXCHANGE_NAME,
  OUTPUT_NAME,
} from './exchange-document.ts';

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
/** Names that expressions can use as `lists.name`. */
const LIST_NAME = /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,62}$/;
/** A custom policy names a claim with hyphens and dots too. */
const CLAIM_NAME = OUTPUT_NAME;

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
      shortText.check(
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
export type RuleDocument = z.infer<typeof ruleSchema>;
