/** Whatever names and texts a policy has, the files are well-formed, valid by the schema, and break no rule but one. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { generatedPolicy, type PolicySettings } from '../../src/cli/connect/generated-policy.ts';
import { brokenRules } from '../../src/cli/connect/rules/policy-rules.ts';
import { xmlText } from '../../src/cli/connect/xml.ts';
import { exchangesOf } from '../../src/desk/policies/exchanges.ts';
import { type PolicyDocument, policySchema } from '../../src/desk/policies/policy-document.ts';
import { readInputs } from '../../src/policy/exchange-inputs.ts';
import { chainOf, schemaProblems, sentWith, TENANT } from '../support/policy-xml.ts';

const text = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((value) => value.isWellFormed() && !value.includes('\0'));
const awkward = fc.oneof(text, fc.constantFrom('a&b', '<b>', '"q"', "'", ']]>', 'Größe', '{Culture:LCID}', '\u0001'));
const sent = fc.oneof(
  fc.constantFrom('email', 'user.language', 'email.0.value', 'a&b', '<x>', '"q"', 'Größe', '@odata.type', 'x-y', '1st'),
  awkward.filter((name) => /^[^\p{Cc}\s]{1,200}$/u.test(name)),
);
const identifier = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,20}$/);
const type = fc.constantFrom('string', 'number', 'boolean', 'list');

const exchange = fc.record(
  {
    kind: fc.constantFrom('validation', 'orchestration'),
    description: awkward,
    inputs: fc.dictionary(identifier, fc.oneof(sent, fc.array(sent, { maxLength: 3 })), { maxKeys: 4 }),
    identifies: fc.constantFrom({}, { email: {} }, { email: { trusted: true } }, { objectId: {} }),
    outputs: fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/), type, { maxKeys: 3 }),
    emptyReply: fc.boolean(),
  },
  { requiredKeys: ['kind'] },
);

const settings = (userMessage: string, authentication: PolicySettings['authentication']): PolicySettings => ({
  tenant: TENANT,
  url: 'https://gatehouse.example.com',
  authentication,
  header: 'x-api-key',
  scope: 'api://gatehouse/.default',
  name: 'Gatehouse',
  journey: 'SignUpOrSignIn',
  isRefreshed: false,
  userMessage,
  basePolicy: 'B2C_1A_TrustFrameworkExtensions',
});

it('files of a policy with any names and texts are valid by the schema, and every exchange reads all that it is sent', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/), exchange, { maxKeys: 3 }),
      awkward.filter((value) => value.trim() !== ''),
      fc.constantFrom('basic', 'certificate', 'bearer', 'api-key'),
      (exchanges, userMessage, authentication) => {
        const parsed = policySchema.safeParse({ exchanges, rules: [] });
        fc.pre(parsed.success);
        const document = parsed.data as PolicyDocument;
        const pack = 'LocalAccounts';
        const made = generatedPolicy(
          chainOf(pack, {}),
          document,
          exchangesOf(document),
          settings(userMessage, authentication),
        );
        const files = { 'a.xml': xmlText(made.extension), 'b.xml': xmlText(made.relyingParty) };
        expect(Object.values(files).flatMap(schemaProblems)).toEqual([]);
        const broken = brokenRules(chainOf(pack, files)).map(({ rule }) => rule);
        const chain = chainOf(pack, files);
        for (const known of exchangesOf(document)) {
          const members = sentWith(chain, `Gatehouse-${known.name}`);
          const { unread } = readInputs(known, { members, root: Object.fromEntries(members) });
          expect({ exchange: known.name, unread }).toEqual({ exchange: known.name, unread: [] });
        }
        expect([...new Set(broken)].filter((rule) => rule !== 'input-before-output')).toEqual([]);
      },
    ),
    { numRuns: 20 },
  );
});
