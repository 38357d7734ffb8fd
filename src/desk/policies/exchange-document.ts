/** The shape of an exchange in the policy document: what a custom policy sends to Gatehouse, and what it gets. */
import * as z from 'zod/mini';
import { isText, membersOf, namedObject, note, shortText } from './document-texts.ts';

export const EXCHANGE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
export const NOT_AN_EXCHANGE_NAME = 'not a name. Write a letter, then up to 62 letters, digits, hyphens or underscores';
/** Claims of exchanges: names that an expression can use as `claims.name`. */
const INPUT_CLAIM = /^(?!__)[A-Za-z_][A-Za-z0-9_]{0,99}$/;
/** A member, parameter or header, or a path such as `email.0.emailValue`. */
const INPUT_NAME = /^[^\p{Cc}\s]{1,200}$/u;
/** B2C accepts hyphens and dots (contract line 104). */
export const OUTPUT_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
export const MAX_EXCHANGES = 100;
export const MAX_INPUTS = 50;
export const MAX_OUTPUTS = 50;

const inputName = z
  .string(isText)
  .check(z.regex(INPUT_NAME, 'not the name of a member, parameter or header, such as email or user.language'));
const inputNames = z.array(inputName, { error: 'not a list of names' }).check(z.maxLength(20, 'more than 20 names'));
const SCALARS = ['string', 'number', 'boolean'] as const;
const OUTPUT_TYPES = [...SCALARS, 'list'] as const;
const notAType = { error: `not a type: ${OUTPUT_TYPES.join(', ')}` };

/** One exchange. `check-exchanges.ts` checks which members go together. */
export const exchangeSchema = z.strictObject(
  {
    description: z.optional(note),
    kind: z
      .enum(['validation', 'orchestration'], { error: 'not validation or orchestration' })
      .check(
        z.describe(
          'validation: B2C shows a refusal on the page. orchestration: a refusal sends the person back to the application with an error.',
        ),
      ),
    issuer: z.optional(shortText.check(z.describe('The issuer of object ids that are not GUIDs.'))),
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

export type ExchangeDocument = z.infer<typeof exchangeSchema>;
