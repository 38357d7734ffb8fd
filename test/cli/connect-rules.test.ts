/** The rules that Microsoft's schema does not check: each fails on a file that breaks it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { brokenRules, POLICY_RULES, type PolicyRule } from '../../src/cli/connect/rules/policy-rules.ts';
import { chainOf, filesIn, schemaProblems } from '../support/policy-xml.ts';

const PACK = 'SocialAndLocalAccountsWithMfa';
let files: { readonly [name: string]: string };
beforeAll(async () => {
  files = await filesIn('test/fixtures/policy-custom/validate-profile');
});

const STEP = /<OrchestrationStep Order="3"[\s\S]*?<\/OrchestrationStep>/;
const item = (key: string) => new RegExp(`<Item Key="${key}">[^<]*</Item>`);
const precondition = (claim: string, value: string) =>
  `$&<Precondition Type="ClaimEquals" ExecuteActionsIf="true"><Value>${claim}</Value><Value>${value}</Value><Action>SkipThisOrchestrationStep</Action></Precondition>`;

/** By rule: what is replaced in every file, by what. A rule without a mutation does not compile. */
const MUTATIONS: { readonly [rule in PolicyRule]: readonly (readonly [what: RegExp | string, by: string])[] } = {
  'unknown-reference': [
    ['ReferenceId="Gatehouse-ValidateProfile"', 'ReferenceId="Gatehouse-Nowhere"'],
    ['TechnicalProfileReferenceId="Facebook-OAUTH"', 'TechnicalProfileReferenceId="Google-OAUTH"'],
    ['ClaimTypeReferenceId="loyaltyId"', 'ClaimTypeReferenceId="loyaltyNumber"'],
    ['CpimIssuerTechnicalProfileReferenceId="JwtIssuer"', 'CpimIssuerTechnicalProfileReferenceId="SamlIssuer"'],
    ['ContentDefinitionReferenceId="api.signuporsignin"', 'ContentDefinitionReferenceId="api.none"'],
    ['TargetClaimsExchangeId="FacebookExchange"', 'TargetClaimsExchangeId="GoogleExchange"'],
    ['DefaultUserJourney ReferenceId="Gatehouse-SignUpOrSignIn"', 'DefaultUserJourney ReferenceId="Gatehouse-None"'],
    ['<Value>objectId</Value>', '<Value>objectID2</Value>'],
  ],
  'input-before-output': [
    [/<InputClaim ClaimTypeReferenceId="language"/, '<InputClaim ClaimTypeReferenceId="objectId"/>$&'],
    [/<OutputClaim ClaimTypeReferenceId="loyaltyId"\/>/g, ''],
  ],
  'token-claim-without-output': [[/<OutputClaim ClaimTypeReferenceId="promoCode"\/>(?=[\s\S]*Validation)/g, '']],
  'several-exchanges': [
    [
      '<ClaimsExchange Id="SelfAsserted-Social"',
      '<ClaimsExchange Id="Other" TechnicalProfileReferenceId="Facebook-OAUTH"/>$&',
    ],
  ],
  'step-orders': [
    ['Order="3"', 'Order="30"'],
    [STEP, ''],
    [/<OrchestrationStep Order="\d+" Type="SendClaims"[^>]*>/, ''],
  ],
  'replaces-base': [
    [/Gatehouse-SignUpOrSignIn/g, 'SignUpOrSignIn'],
    [/"Gatehouse-ValidateProfile"/g, '"AAD-UserReadUsingObjectId"'],
    ['<ClaimType Id="loyaltyId">', '<ClaimType Id="Email"><DataType>int</DataType></ClaimType>$&'],
  ],
  'repeated-id': [
    [
      '<TechnicalProfile Id="SelfAsserted-Social">',
      '<TechnicalProfile Id="SelfAsserted-Social"><DisplayName>again</DisplayName></TechnicalProfile>$&',
    ],
    ['<ClaimType Id="loyaltyId">', '<ClaimType Id="LoyaltyID"><DataType>string</DataType></ClaimType>$&'],
    ['Id="SelfAsserted-Social" TechnicalProfileReferenceId', 'Id="FacebookExchange" TechnicalProfileReferenceId'],
  ],
  'policy-name': [
    ['PolicyId="B2C_1A_Gatehouse"', 'PolicyId="Gatehouse"'],
    ['StorageReferenceId="B2C_1A_GatehouseUser"', 'StorageReferenceId="GatehouseUser"'],
  ],
  'other-tenant': [['<TenantId>gatehousedemo.', '<TenantId>other.']],
  'key-ids': [
    ['<Item Key="AuthenticationType">Basic<', '<Item Key="AuthenticationType">Bearer<'],
    ['<Item Key="AuthenticationType">Basic<', '<Item Key="AuthenticationType">ClientCertificate<'],
    ['<Item Key="AuthenticationType">Basic<', '<Item Key="AuthenticationType">ApiKeyHeader<'],
    [/<Key Id="BasicAuthenticationPassword"[^>]*>/, ''],
  ],
  metadata: [
    ['<Item Key="UserMessageIfCircuitOpen">Please try again later.<', '<Item Key="UserMessageIfCircuitOpen"> <'],
    [/<Item Key="SendClaimsIn">/, '<Item Key="sendClaimsIn">Body</Item>$&'],
  ],
  'precondition-boolean': [
    ['<Preconditions>', precondition('newUser', 'true')],
    ['<Preconditions>', precondition('newPhoneNumberEntered', 'FALSE')],
  ],
  'forbidden-setting': [
    ['Metadata>', 'Metadata><Item Key="DebugMode">true</Item>'],
    ['Metadata>', 'Metadata><Item Key="AllowInsecureAuthInProduction">false</Item>'],
    ['<Item Key="SendClaimsIn">Body<', '<Item Key="SendClaimsIn">Header<'],
    ['<Item Key="SendClaimsIn">Body<', '<Item Key="SendClaimsIn">QueryString<'],
    ['custom-policy/SignInStarted<', 'custom-policy/SignInStarted?code=x<'],
    ['https://gatehouse', 'http://gatehouse'],
    [item('ServiceUrl'), ''],
  ],
  'password-input': [
    [/<InputClaim ClaimTypeReferenceId="loyaltyId"\/>/, '<InputClaim ClaimTypeReferenceId="newPassword"/>$&'],
  ],
  'unresolved-claim': [
    [' AlwaysUseDefaultValue="true"', ''],
    [item('IncludeClaimResolvingInClaimsHandling'), ''],
  ],
  'user-messages': [
    [item('DefaultUserMessageIfRequestFailed'), ''],
    [item('UserMessageIfCircuitOpen'), ''],
    [item('UserMessageIfDnsResolutionFailed'), ''],
    [item('UserMessageIfRequestTimeout'), ''],
  ],
  'session-management': [
    [/<UseTechnicalProfileForSessionManagement [^>]*>/, ''],
    ['ReferenceId="SM-Noop"', 'ReferenceId="JwtIssuer"'],
  ],
};

const mutated = (what: RegExp | string, by: string) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replace(what, by)]));

describe('the rule', () => {
  it.each(
    Object.entries(MUTATIONS).flatMap(([rule, changes]) => changes.map(([what, by]) => [rule, what, by] as const)),
  )('%s refuses files in which %s is %s', (rule, what, by) => {
    const changed = mutated(what, by);
    expect(changed).not.toEqual(files);
    expect([...new Set(brokenRules(chainOf(PACK, changed)).map((problem) => problem.rule))]).toContain(rule);
  });

  it('none of the rules refuses the files that the command writes, and each message ends in what to do', () => {
    expect(brokenRules(chainOf(PACK, files))).toEqual([]);
    const all = Object.values(MUTATIONS).flatMap((changes) =>
      changes.flatMap(([what, by]) => brokenRules(chainOf(PACK, mutated(what, by)))),
    );
    expect(new Set(all.map(({ rule }) => rule))).toEqual(new Set(Object.keys(POLICY_RULES)));
    for (const { message } of all) expect(message).toMatch(/\. [A-Z][^.]+(?:\.[^ ][^.]*)*\.$/);
  });

  it('of each rule finds something that the schema accepts, so that both are needed', () => {
    const accepted = Object.entries(MUTATIONS).filter(([, changes]) =>
      changes.some(([what, by]) => Object.values(mutated(what, by)).flatMap(schemaProblems).length === 0),
    );
    expect(accepted.map(([rule]) => rule)).toEqual(Object.keys(POLICY_RULES));
  });
});
