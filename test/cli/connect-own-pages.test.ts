/** `npm run connect -- custom-policy` over an owner's pages: which call an exchange, and with which address. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { refused } from '../support/command.ts';
import {
  baseFile,
  connectPack,
  connectPolicy,
  filesIn,
  newFolder,
  packText,
  profileIn,
  schemaProblems,
} from '../support/policy-xml.ts';

let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});

const addProfile = (id: string, inner: string) => (text: string) =>
  text.replace(
    '</TechnicalProfiles>',
    `<TechnicalProfile Id="${id}"><DisplayName>${id}</DisplayName><Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.${id.startsWith('Page') ? 'SelfAssertedAttributeProvider' : 'AzureActiveDirectoryProvider'}"/>${inner}</TechnicalProfile>$&`,
  );
const outputs = (...claims: string[]) =>
  `<OutputClaims>${claims.map((claim) => `<OutputClaim ClaimTypeReferenceId="${claim}"/>`).join('')}</OutputClaims>`;
const exchangeOf = (profile: string) =>
  `<ClaimsExchanges><ClaimsExchange Id="Call${profile}" TechnicalProfileReferenceId="${profile}"/></ClaimsExchanges>`;
/** In the pack LocalAccounts, which has three steps before the last. */
const addStep = (type: string, inner: string) => (text: string) =>
  text
    .replace(
      'Order="3" Type="ClaimsExchange">',
      `Order="3" Type="${type}">${inner}</OrchestrationStep><OrchestrationStep Order="4" Type="ClaimsExchange">`,
    )
    .replace('Order="4" Type="SendClaims"', 'Order="5" Type="SendClaims"');
const subJourney = (id: string, ...steps: string[]) =>
  `<SubJourneys><SubJourney Id="${id}" Type="Call"><OrchestrationSteps>${steps
    .map((step, index) => `<OrchestrationStep Order="${index + 1}" ${step}</OrchestrationStep>`)
    .join('')}</OrchestrationSteps></SubJourney></SubJourneys></TrustFrameworkPolicy>`;
const candidate = (id: string) => `<JourneyList><Candidate SubJourneyReferenceId="${id}"/></JourneyList>`;
const inTurn =
  (...changes: readonly ((text: string) => string)[]) =>
  (text: string) =>
    changes.reduce((changed, change) => change(changed), text);

describe("an owner's page", () => {
  it('that creates an account in a subjourney calls the exchange like one in the journey', async () => {
    const base = await baseFile(
      folder,
      'sub-page',
      packText('SocialAndLocalAccounts')
        .replace(/<ClaimsExchange Id="SignUpWithLogonEmailExchange"[^>]*>/, '')
        .replace(
          /(Order="5" )Type="ClaimsExchange">[\s\S]*?<\/OrchestrationStep>/,
          `$1Type="InvokeSubJourney">${candidate('SignUp')}</OrchestrationStep>`,
        )
        .replace(
          '</TrustFrameworkPolicy>',
          subJourney('SignUp', `Type="ClaimsExchange">${exchangeOf('LocalAccountSignUpWithLogonEmail')}`),
        ),
    );
    const out = join(folder, 'sub-page');
    expect(await connectPolicy(out, '--base', base, '--exchange', 'ValidateProfile')).toMatchObject({ code: 0 });
    for (const page of ['LocalAccountSignUpWithLogonEmail', 'SelfAsserted-Social'])
      expect(await profileIn(out, page)).toContain('-ValidateProfile"');
  });

  it('is not called in a journey whose subjourney sends the claims', async () => {
    const base = await baseFile(
      folder,
      'transfer',
      inTurn(addStep('InvokeSubJourney', candidate('End')), (text) =>
        text.replace(
          '</TrustFrameworkPolicy>',
          subJourney('End', 'Type="SendClaims" CpimIssuerTechnicalProfileReferenceId="JwtIssuer">').replace(
            '"Call"',
            '"Transfer"',
          ),
        ),
      )(packText('LocalAccounts')),
    );
    expect(await connectPolicy(folder, '--base', base, '--exchange', 'GetProfile')).toMatchObject(
      refused(1, /subjourney of the journey SignUpOrSignIn sends the claims/),
    );
  });

  it('is not asked for a claim that an exchange there returns, and outputs a claim once', async () => {
    const policy = join(folder, 'returning.json');
    const write = (exchanges: object) => writeFile(policy, JSON.stringify({ exchanges, rules: [] }));
    const call = { kind: 'validation', outputs: { tier: 'string' } };
    const out = join(folder, 'returning');
    await write({ First: { ...call, inputs: { level: 'level' } }, Second: { ...call, inputs: { Level: 'Level' } } });
    expect(await connectPack('LocalAccounts', out, '--policy', policy)).toMatchObject({ code: 0 });
    const page = (await profileIn(out, 'LocalAccountSignUpWithLogonEmail')) ?? '';
    expect([...page.matchAll(/<OutputClaim .*/g)].map(([output]) => output)).toEqual([
      '<OutputClaim ClaimTypeReferenceId="level"/>',
      '<OutputClaim ClaimTypeReferenceId="tier"/>',
    ]);
    await write({ First: { ...call, inputs: { tier: 'Tier' } } });
    expect(await connectPack('LocalAccounts', folder, '--policy', policy)).toMatchObject(
      refused(1, /First reads Tier, which no step gives, and LocalAccountSignUpWithLogonEmail cannot ask for it/),
    );
  });

  it('that only changes an account creates none', async () => {
    const base = await baseFile(
      folder,
      'edit',
      packText('LocalAccounts').replace(
        '<Item Key="Operation">Write</Item>',
        '$&<Item Key="RaiseErrorIfClaimsPrincipalDoesNotExist">True</Item>',
      ),
    );
    expect(await connectPolicy(folder, '--base', base, '--exchange', 'ValidateProfile')).toMatchObject(
      refused(1, /has no page that creates an account/),
    );
  });

  it.each<[string, string, (text: string) => string]>([
    [
      'that two steps show',
      'SocialAccounts',
      (text) => text.replace(/(Id="AADUserWrite" TechnicalProfileReferenceId=)"[^"]*"/, '$1"SelfAsserted-Social"'),
    ],
    [
      'that creates an account at a sign-in',
      'LocalAccounts',
      (text) =>
        text.replace(
          '<ValidationTechnicalProfile ReferenceId="login-NonInteractive"/>',
          '$&<ValidationTechnicalProfile ReferenceId="AAD-UserWriteUsingLogonEmail"/>',
        ),
    ],
  ])('%s is one technical profile with all its calls', async (_, pack, change) => {
    const base = await baseFile(folder, 'one-page', change(packText(pack)));
    const out = join(folder, `one-page-${pack}`);
    expect(await connectPolicy(out, '--base', base, '--exchange', 'ValidateProfile')).toMatchObject({ code: 0 });
    expect(Object.values(await filesIn(out)).flatMap(schemaProblems)).toEqual([]);
    if (pack === 'LocalAccounts')
      expect(await profileIn(out, 'SelfAsserted-LocalAccountSignin-Email')).toMatch(
        /ReferenceId="GatehouseTyped-SignInStarted" ContinueOnError="true"[\s\S]*ReferenceId="Gatehouse-ValidateProfile"\/>/,
      );
  });

  it('that verifies the address for the directory sends this address, and not one of a provider', async () => {
    const base = await baseFile(
      folder,
      'directory',
      packText('SocialAndLocalAccounts').replace(
        /(Id="SelfAsserted-Social">[\s\S]*?<OutputClaims>)/,
        '$1<OutputClaim ClaimTypeReferenceId="signInNames.emailAddress" PartnerClaimType="Verified.Email"/>',
      ),
    );
    const out = join(folder, 'directory');
    expect(await connectPolicy(out, '--base', base, '--exchange', 'ValidateProfile')).toMatchObject({ code: 0 });
    const call = /"(\w+-ValidateProfile)"/.exec((await profileIn(out, 'SelfAsserted-Social')) ?? '')?.[1];
    expect(await profileIn(out, call ?? '')).toContain(
      '<InputClaim ClaimTypeReferenceId="signInNames.emailAddress" PartnerClaimType="email"/>',
    );
    expect(await profileIn(out, call ?? '')).not.toContain('ClaimTypeReferenceId="email"');
  });

  const control = (claim: string) => (text: string) =>
    text
      .replace('"Verified.Email"', '"Email"')
      .replace(
        '</BuildingBlocks>',
        `<DisplayControls><DisplayControl Id="code" UserInterfaceControlType="VerificationControl"><DisplayClaims><DisplayClaim ClaimTypeReferenceId="${claim}" Required="true"/></DisplayClaims></DisplayControl></DisplayControls>$&`,
      )
      .replace(
        /(Id="LocalAccountSignUpWithLogonEmail">[\s\S]*?)<OutputClaims>/,
        '$1<DisplayClaims><DisplayClaim DisplayControlReferenceId="code"/></DisplayClaims><OutputClaims>',
      );

  it('verifies an e-mail that it shows in a verification control, and none that it shows beside it', async () => {
    const out = join(folder, 'control');
    const own = async (claim: string) =>
      baseFile(folder, `control-${claim}`, control(claim)(packText('LocalAccounts')));
    const options = ['--exchange', 'ValidateProfile'];
    expect(await connectPolicy(out, '--base', await own('email'), ...options)).toMatchObject({ code: 0 });
    expect(await profileIn(out, 'LocalAccountSignUpWithLogonEmail')).not.toContain('Verified.Email');
    expect(await connectPolicy(out, '--base', await own('displayName'), ...options)).toMatchObject(
      refused(1, /shows display claims and verifies no e-mail/),
    );
  });

  const shown = addStep('ClaimsExchange', exchangeOf('Page'));
  it.each<[string, (text: string) => string, string]>([
    [
      'types the address for the directory',
      inTurn(addProfile('Page', outputs('signInNames.emailAddress')), shown),
      'email',
    ],
    [
      'verifies the address for the directory',
      inTurn(
        addProfile(
          'Page',
          '<OutputClaims><OutputClaim ClaimTypeReferenceId="signInNames.emailAddress" PartnerClaimType="Verified.Email"/></OutputClaims>',
        ),
        shown,
      ),
      'signInNames.emailAddress',
    ],
    [
      'types a claim that is written as the address',
      inTurn(
        addProfile(
          'Page',
          `${outputs('nca')}<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Change"/></ValidationTechnicalProfiles>`,
        ),
        addProfile(
          'Change',
          '<Metadata><Item Key="Operation">Write</Item></Metadata><PersistedClaims><PersistedClaim ClaimTypeReferenceId="nca" PartnerClaimType="signInNames.emailAddress"/></PersistedClaims>',
        ),
        shown,
      ),
      'email',
    ],
    [
      'copies an address of a provider',
      inTurn(addProfile('Page', outputs('signInNames.emailAddress')), shown, (text) =>
        text.replace('SelfAssertedAttributeProvider"/>', 'ClaimsTransformationProtocolProvider"/>'),
      ),
      'email',
    ],
    ['types something else', inTurn(addProfile('Page', outputs('nca')), shown), 'signInNames.emailAddress'],
    ['verifies by a control', control('email'), 'signInNames.emailAddress'],
  ])('that %s decides which address is trusted before the token', async (what, change, claim) => {
    const base = await baseFile(folder, 'typing', change(packText('LocalAccounts')));
    const policy = join(folder, 'typing.json');
    const exchange = { kind: 'orchestration', identifies: { email: { trusted: true } }, outputs: { tier: 'string' } };
    await writeFile(policy, JSON.stringify({ exchanges: { Tier: exchange }, rules: [] }));
    const out = join(folder, what);
    expect(await connectPolicy(out, '--base', base, '--policy', policy)).toMatchObject({ code: 0 });
    expect(await profileIn(out, 'Gatehouse-Tier')).toContain(`<InputClaim ClaimTypeReferenceId="${claim}"`);
  });
});
