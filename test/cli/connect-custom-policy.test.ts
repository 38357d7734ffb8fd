/** `npm run connect -- custom-policy`: the files that it writes, and what it refuses. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AUTHENTICATION_KINDS } from '../../src/cli/connect/authentication-kinds.ts';
import { journeySteps, profilesOf } from '../../src/cli/connect/policy-chain.ts';
import { brokenRules } from '../../src/cli/connect/rules/policy-rules.ts';
import { exchangesOf } from '../../src/desk/policies/exchanges.ts';
import type { PolicyDocument } from '../../src/desk/policies/policy-document.ts';
import { readInputs } from '../../src/policy/exchange-inputs.ts';
import walkthroughs from '../fixtures/policy-custom/policy.json';
import { refused } from '../support/command.ts';
import {
  chainOf,
  connectPolicy,
  filesIn,
  newFolder,
  packText,
  schemaProblems,
  sentWith,
  TENANT,
} from '../support/policy-xml.ts';

const PACKS = ['LocalAccounts', 'SocialAccounts', 'SocialAndLocalAccounts', 'SocialAndLocalAccountsWithMfa'];
const WALKTHROUGHS = ['ValidateProfile', 'GetProfile'];
const EXTENSION = 'B2C_1A_Gatehouse.xml';
const PARTY = 'B2C_1A_Gatehouse_SignUpOrSignIn.xml';

let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});

const fromPack = (pack: string, out: string, ...options: string[]) =>
  connectPolicy(out, '--base', pack, '--tenant', TENANT, ...options);
const withAuth = (auth: string) => [
  '--auth',
  auth,
  ...(auth === 'bearer' ? ['--scope', 'api://gatehouse/.default'] : []),
];

describe('the files for', () => {
  it.each(
    PACKS.flatMap((pack) =>
      WALKTHROUGHS.flatMap((exchange) => AUTHENTICATION_KINDS.map((auth) => [pack, exchange, auth] as const)),
    ),
  )('%s, %s and %s are valid by the schema and by every rule', async (pack, exchange, auth) => {
    const out = join(folder, pack, exchange, auth);
    const { code, stderr, stdout } = await fromPack(pack, out, '--exchange', exchange, '--refresh', ...withAuth(auth));
    expect({ code, stderr: stderr.replace(/^Note: .*\n/gm, '') }).toEqual({ code: 0, stderr: '' });
    const files = await filesIn(out);
    expect(Object.keys(files)).toEqual([EXTENSION, PARTY]);
    expect(Object.values(files).flatMap(schemaProblems)).toEqual([]);
    expect(brokenRules(chainOf(pack, files))).toEqual([]);
    const keys = [...(files[EXTENSION] ?? '').matchAll(/StorageReferenceId="([^"]+)"/g)].map(([, key = '']) => key);
    for (const key of keys) expect(stdout.slice(0, stdout.indexOf('2. Upload'))).toContain(`\n${key} `);
    const called = `/connectors/custom-policy/${exchange}<`;
    expect(files[EXTENSION]).toContain(called);
  });

  it.each(PACKS)('%s: what is known of the pack is a base file that the schema accepts', (pack) => {
    expect(schemaProblems(packText(pack))).toEqual([]);
  });

  it.each([
    ['validate-profile', 'ValidateProfile'],
    ['get-profile', 'GetProfile'],
  ])("Microsoft's walkthrough are those in test/fixtures/policy-custom/%s", async (fixture, exchange) => {
    const out = join(folder, fixture);
    await fromPack('SocialAndLocalAccounts', out, '--exchange', exchange, '--refresh');
    expect(await filesIn(out)).toEqual(await filesIn(join('test/fixtures/policy-custom', fixture)));
  });
});

/** The technical profiles of a journey's steps, in their order. */
const stepsOf = (text: string, journey: string) =>
  chainOf('LocalAccounts', { [EXTENSION]: text })
    .journeys(journey)
    .flatMap(journeySteps)
    .map((step) => `${step.getAttribute('Order')} ${profilesOf(step)[0] ?? step.getAttribute('Type')}`);

describe('the journey', () => {
  it('has a name of its own, begins with SignInStarted, keeps every step of the base, and calls the exchange before the token', async () => {
    const out = join(folder, 'journey');
    await fromPack('LocalAccounts', out, '--exchange', 'GetProfile');
    expect(stepsOf((await filesIn(out))[EXTENSION] ?? '', 'Gatehouse-SignUpOrSignIn')).toEqual([
      '1 Gatehouse-SignInStarted',
      '2 SelfAsserted-LocalAccountSignin-Email',
      '3 LocalAccountSignUpWithLogonEmail',
      '4 AAD-UserReadUsingObjectId',
      '5 Gatehouse-GetProfile',
      '6 Gatehouse-SignInCompleted',
      '7 SendClaims',
    ]);
  });

  it('fetches a token before the first and before the last calls, since a page can be open for longer than a token is valid', async () => {
    const out = join(folder, 'bearer');
    await fromPack('LocalAccounts', out, '--exchange', 'GetProfile', '--refresh', ...withAuth('bearer'));
    const text = (await filesIn(out))[EXTENSION] ?? '';
    expect(stepsOf(text, 'Gatehouse-SignUpOrSignIn').filter((step) => step.includes('Gatehouse'))).toEqual([
      '1 GatehouseAccessToken',
      '2 Gatehouse-SignInStarted',
      '6 GatehouseAccessToken',
      '7 Gatehouse-GetProfile',
      '8 Gatehouse-SignInCompleted',
    ]);
    expect(stepsOf(text, 'Gatehouse-RedeemRefreshToken')).toContain('4 Gatehouse-GetProfile');
    expect(text).toContain('https://login.microsoftonline.com/gatehousedemo.onmicrosoft.com/oauth2/v2.0/token');
  });

  it('calls nothing at a refresh unless --refresh is given, and leaves the check for revoked tokens to the pack', async () => {
    const out = join(folder, 'no-refresh');
    await fromPack('LocalAccounts', out, '--exchange', 'GetProfile');
    const files = await filesIn(out);
    expect(JSON.stringify(files)).not.toContain('Gatehouse-RedeemRefreshToken');
    expect(files[PARTY]).toContain('<Endpoint Id="Token" UserJourneyReferenceId="RedeemRefreshToken"/>');
  });
});

describe('a call of the files', () => {
  it.each([
    ['validate-profile', 'ValidateProfile', { email: 'email', loyaltyId: 'loyaltyId' }],
    ['get-profile', 'GetProfile', { objectId: 'objectId' }],
    ['get-profile', 'SignInStarted', {}],
    ['get-profile', 'SignInCompleted', { email: 'email', objectId: 'objectId' }],
  ])('in %s to %s is read whole by the exchange', async (fixture, name, person) => {
    const files = await filesIn(join('test/fixtures/policy-custom', fixture));
    const exchange = exchangesOf(walkthroughs as PolicyDocument).find((known) => known.name === name);
    if (exchange === undefined) throw new Error(`no exchange ${name}`);
    const members = sentWith(chainOf('SocialAndLocalAccounts', files), `Gatehouse-${name}`);
    const { claims, unread, unexpected, unresolved } = readInputs(exchange, {
      members,
      root: Object.fromEntries(members),
    });
    expect({ unread, unexpected, unresolved }).toEqual({ unread: [], unexpected: [], unresolved: [] });
    const call = {
      correlationId: 'correlationId',
      policyId: 'policyId',
      client_id: 'clientId',
      ipAddress: 'ipAddress',
      ui_locales: 'language',
    };
    const expected = Object.entries({ ...call, ...person }).map(([claim, type]) => [claim, `value of ${type}`]);
    expect({ ...claims }).toEqual(Object.fromEntries(expected));
  });
});

/** Writes a base file of an owner. */
async function baseFile(name: string, text: string | Uint8Array): Promise<string> {
  await mkdir(join(folder, 'bases'), { recursive: true });
  const file = join(folder, 'bases', `${name}.xml`);
  await writeFile(file, text);
  return file;
}

/** The relying party of an owner. */
const partyText = (endpoints = '', sections = '') =>
  `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0"
    TenantId="${TENANT}" PolicyId="B2C_1A_Login" PublicPolicyUri="http://${TENANT}/B2C_1A_Login">
    <BasePolicy><TenantId>${TENANT}</TenantId><PolicyId>B2C_1A_Middle</PolicyId></BasePolicy>${sections}
    <RelyingParty><DefaultUserJourney ReferenceId="SignUpOrSignIn"/>${endpoints}
      <!-- our token --><TechnicalProfile Id="PolicyProfile"><DisplayName>Größe &lt;"1"&gt;</DisplayName><Protocol Name="OpenIdConnect"/>
      <OutputClaims><OutputClaim ClaimTypeReferenceId="objectId" PartnerClaimType="sub"/></OutputClaims>
      <SubjectNamingInfo ClaimType="sub"/></TechnicalProfile></RelyingParty></TrustFrameworkPolicy>`;

describe("an owner's files", () => {
  it('keep their claim types with their data types, and the relying party keeps its claims', async () => {
    const base = await baseFile(
      'own',
      packText('LocalAccounts').replace(
        '<ClaimsSchema>',
        '<ClaimsSchema><ClaimType Id="Balance"><DisplayName>Saldo &amp; mehr</DisplayName><DataType>int</DataType></ClaimType>',
      ),
    );
    const party = await baseFile('party', partyText());
    const out = join(folder, 'own');
    const { code, stderr } = await connectPolicy(
      out,
      '--base',
      base,
      '--base',
      party,
      '--exchange',
      'GetProfile',
      '--refresh',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('declare balance as int') });
    const files = await filesIn(out);
    expect(Object.values(files).flatMap(schemaProblems)).toEqual([]);
    expect(files[EXTENSION]).not.toMatch(/ClaimType Id="balance"/i);
    expect(files[EXTENSION]).toContain('<PolicyId>B2C_1A_Middle</PolicyId>');
    expect(files[PARTY]).toContain('Größe &lt;"1"&gt;');
    expect(files[PARTY]).toContain('<!-- our token -->');
    expect(files[PARTY]).toContain('ClaimTypeReferenceId="balance"');
    expect(files[PARTY]).toContain('<Endpoint Id="Token" UserJourneyReferenceId="Gatehouse-RedeemRefreshToken"/>');
  });

  it.each<[string, (text: string) => string | Uint8Array, RegExp]>([
    ['is not XML', () => '{"a": 1}', /not XML that B2C takes/],
    ['is not well-formed', (text) => text.replace('</BuildingBlocks>', ''), /own\.xml:\d+: not XML/],
    ['is not UTF-8', () => new Uint8Array([0xff, 0xfe, 0x3c]), /not UTF-8/],
    ['has a document type', (text) => text.replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>'), /document type/],
    ['has another root', () => '<Policy/>', /its root is Policy/],
    ['has another namespace', () => '<TrustFrameworkPolicy/>', /namespace/],
    [
      'has another schema version',
      (text) => text.replace('"0.3.0.0"', '"0.4.0.0"'),
      /PolicySchemaVersion is 0\.4\.0\.0/,
    ],
    ['has no such journey', (text) => text.replaceAll('SignUpOrSignIn', 'Other'), /no journey SignUpOrSignIn.*Other/],
    [
      'has a placeholder tenant',
      (text) => text.replaceAll(TENANT, 'yourtenant.onmicrosoft.com'),
      /placeholders: yourtenant/,
    ],
    [
      'has placeholder settings',
      (text) => text.replaceAll(TENANT, '{Settings:Tenant}'),
      /placeholders: \{Settings:Tenant\}/,
    ],
    [
      'has a tenant that the schema refuses',
      (text) => text.replaceAll(TENANT, 'my-firm.onmicrosoft.com'),
      /letters, digits and dots/,
    ],
    [
      'has a journey that sends no claims',
      (text) => text.replaceAll('SendClaims', 'ClaimsExchange'),
      /no step of the type SendClaims/,
    ],
    [
      'lacks a technical profile',
      (text) => text.replace('Id="SM-Noop"', 'Id="SM-Other"'),
      /^unknown-reference: .*SM-Noop/m,
    ],
    [
      'has the journey already',
      (text) => text.replace('"RedeemRefreshToken"', '"Gatehouse-SignUpOrSignIn"'),
      /^replaces-base: /m,
    ],
  ])('a base file that %s is refused, and nothing is written', async (_, change, message) => {
    const base = await baseFile('own', change(packText('LocalAccounts')));
    const out = join(folder, 'refused');
    const finished = await connectPolicy(out, '--base', base);
    expect(finished).toMatchObject({ stdout: '', stderr: expect.stringMatching(message) });
    expect(finished.code).toBeGreaterThan(0);
    await expect(readFile(join(out, EXTENSION))).rejects.toThrow('ENOENT');
  });

  it.each<[string, string, (text: string) => string]>([
    [
      'a page whose verification is off',
      'LocalAccounts',
      (text) =>
        text.replace(
          /(<TechnicalProfile Id="LocalAccountSignUpWithLogonEmail">[\s\S]*?<Protocol [^>]*>)/,
          '$1<Metadata><Item Key="EnforceEmailVerification">False</Item></Metadata>',
        ),
    ],
    ['a page that asks for an address of a provider', 'SocialAccounts', (text) => text],
  ])('%s verifies the e-mail that an exchange trusts, before the exchange is sent it', async (_, pack, change) => {
    const out = join(folder, `verified-${pack}`);
    const base = await baseFile('verified', change(packText(pack)));
    expect(await connectPolicy(out, '--base', base, '--exchange', 'ValidateProfile')).toMatchObject({ code: 0 });
    const { [EXTENSION]: text = '' } = await filesIn(out);
    expect(text).toContain(
      '<OutputClaim ClaimTypeReferenceId="email" PartnerClaimType="Verified.Email" Required="true"/>',
    );
    expect(text).toContain('<Item Key="EnforceEmailVerification">true</Item>');
  });

  it.each<[string, string, (text: string) => string, string | undefined]>([
    ['the address in the directory', 'LocalAccounts', (text) => text, 'signInNames.emailAddress'],
    ['the address in the directory', 'SocialAndLocalAccounts', (text) => text, 'signInNames.emailAddress'],
    ["no provider's address", 'SocialAccounts', (text) => text, undefined],
    ['no address that was typed', 'LocalAccounts', (text) => text.replace('"Verified.Email"', '"Email"'), undefined],
  ])('before the token, an exchange that trusts its e-mail is sent %s (%s)', async (_, pack, change, claim) => {
    const out = join(folder, `trusted-${pack}-${claim}`);
    const base = await baseFile('trusted', change(packText(pack)));
    const policy = join(folder, 'trusting.json');
    const exchange = { kind: 'orchestration', identifies: { email: { trusted: true } }, outputs: { tier: 'string' } };
    await writeFile(policy, JSON.stringify({ exchanges: { Tier: exchange }, rules: [] }));
    const finished = await connectPolicy(out, '--base', base, '--policy', policy);
    if (claim === undefined) expect(finished).toMatchObject(refused(1, /Tier trusts its e-mail, and no step/));
    else {
      expect(finished).toMatchObject({ code: 0 });
      const profile = /Id="Gatehouse-Tier"[\s\S]*?<\/TechnicalProfile>/.exec(
        (await filesIn(out))[EXTENSION] ?? '',
      )?.[0];
      expect(profile).toContain(`<InputClaim ClaimTypeReferenceId="${claim}" PartnerClaimType="email"/>`);
      expect(profile).not.toContain('ClaimTypeReferenceId="email"');
    }
  });

  it('a page asks for numbers as B2C shows them, and a claim type that no page can show is named', async () => {
    const base = await baseFile('asking', packText('LocalAccounts'));
    const policy = join(folder, 'asking.json');
    const inputs = { age: { from: 'age', type: 'number' }, nca: 'nca' };
    await writeFile(policy, JSON.stringify({ exchanges: { Age: { kind: 'validation', inputs } }, rules: [] }));
    const out = join(folder, 'asking');
    const { code, stdout, stderr } = await connectPolicy(out, '--base', base, '--policy', policy);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('asks for nca, whose claim type has no UserInputType'),
    });
    expect(stdout).toContain('The page LocalAccountSignUpWithLogonEmail asks for age, nca.');
    expect((await filesIn(out))[EXTENSION]).toMatch(
      /<ClaimType Id="age">\s*<DisplayName>age<\/DisplayName>\s*<DataType>int<\/DataType>\s*<UserInputType>TextBox</,
    );
  });

  it('pages that have other claims send them with technical profiles of their own', async () => {
    const policy = join(folder, 'provider.json');
    const exchange = { kind: 'validation', inputs: { name: ['userPrincipalName', 'authenticationSource'] } };
    await writeFile(policy, JSON.stringify({ exchanges: { Provider: exchange }, rules: [] }));
    const out = join(folder, 'provider');
    expect(await fromPack('SocialAndLocalAccounts', out, '--policy', policy)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('created: LocalAccountSignUpWithLogonEmail, SelfAsserted-Social.'),
    });
    const { [EXTENSION]: text = '' } = await filesIn(out);
    expect(schemaProblems(text)).toEqual([]);
    const calls = ['LocalAccountSignUpWithLogonEmail', 'SelfAsserted-Social'].map(
      (page) => new RegExp(`Id="${page}"[\\s\\S]*?ValidationTechnicalProfile ReferenceId="([^"]+)"`).exec(text)?.[1],
    );
    expect(new Set(calls).size).toBe(2);
  });

  it('a page that shows display claims and verifies no e-mail is refused to an exchange that trusts it', async () => {
    const base = await baseFile(
      'display',
      packText('LocalAccounts')
        .replace('"Verified.Email"', '"Email"')
        .replace(
          /(Id="LocalAccountSignUpWithLogonEmail">[\s\S]*?)<OutputClaims>/,
          '$1<DisplayClaims><DisplayClaim ClaimTypeReferenceId="email"/></DisplayClaims><OutputClaims>',
        ),
    );
    const finished = await connectPolicy(folder, '--base', base, '--exchange', 'ValidateProfile');
    expect(finished).toMatchObject(refused(1, /shows display claims and verifies no e-mail/));
  });

  it('an exchange without outputs has none in its profile, and a claim that only a subjourney outputs can be sent', async () => {
    const sub = `<SubJourneys><SubJourney Id="More" Type="Call"><OrchestrationSteps><OrchestrationStep Order="1" Type="ClaimsExchange"><ClaimsExchanges><ClaimsExchange Id="MoreExchange" TechnicalProfileReferenceId="More"/></ClaimsExchanges></OrchestrationStep></OrchestrationSteps></SubJourney></SubJourneys></TrustFrameworkPolicy>`;
    const base = await baseFile(
      'subjourney',
      packText('LocalAccounts')
        .replace(
          '</TechnicalProfiles>',
          '<TechnicalProfile Id="More"><OutputClaims><OutputClaim ClaimTypeReferenceId="nca"/></OutputClaims></TechnicalProfile>$&',
        )
        .replace(
          'Order="3" Type="ClaimsExchange">',
          'Order="3" Type="InvokeSubJourney"><JourneyList><Candidate SubJourneyReferenceId="More"/></JourneyList></OrchestrationStep><OrchestrationStep Order="4" Type="ClaimsExchange">',
        )
        .replace('Order="4" Type="SendClaims"', 'Order="5" Type="SendClaims"')
        .replace('</TrustFrameworkPolicy>', sub),
    );
    const policy = join(folder, 'without-outputs.json');
    await writeFile(
      policy,
      JSON.stringify({ exchanges: { Note: { kind: 'orchestration', inputs: { nca: 'nca' } } }, rules: [] }),
    );
    const out = join(folder, 'without-outputs');
    expect(await connectPolicy(out, '--base', base, '--policy', policy)).toMatchObject({ code: 0, stderr: '' });
    const files = await filesIn(out);
    expect(Object.values(files).flatMap(schemaProblems)).toEqual([]);
    expect(/Id="Gatehouse-Note"[\s\S]*?<\/TechnicalProfile>/.exec(files[EXTENSION] ?? '')?.[0]).not.toContain(
      'OutputClaims',
    );
  });

  it('call at a refresh in the journey that the endpoint Token names, in any case, and in none that is missing', async () => {
    const own = packText('LocalAccounts').replaceAll('RedeemRefreshToken', 'Renewal');
    const base = await baseFile('renewal', own);
    const party = await baseFile(
      'renewing',
      partyText('<Endpoints><Endpoint Id="token" UserJourneyReferenceId="Renewal"/></Endpoints>'),
    );
    const out = join(folder, 'renewal');
    const options = ['--exchange', 'GetProfile', '--refresh'];
    expect(await connectPolicy(out, '--base', base, '--base', party, ...options)).toMatchObject({ code: 0 });
    const files = await filesIn(out);
    expect(files[EXTENSION]).toContain('<UserJourney Id="Gatehouse-Renewal">');
    expect([...(files[PARTY] ?? '').matchAll(/<Endpoint .*/g)].map(([endpoint]) => endpoint)).toEqual([
      '<Endpoint Id="token" UserJourneyReferenceId="Gatehouse-Renewal"/>',
    ]);
    expect(await connectPolicy(out, '--base', base, ...options)).toMatchObject(
      refused(1, /no journey RedeemRefreshToken\. Remove --refresh, or give .*whose endpoint Token names it/),
    );
  });

  it('whose relying party has more than its relying party are refused, since the new one would not have it', async () => {
    const base = await baseFile('own', packText('LocalAccounts'));
    const providers =
      '<ClaimsProviders><ClaimsProvider><DisplayName>x</DisplayName></ClaimsProvider></ClaimsProviders>';
    const party = await baseFile('more', partyText('', `<BuildingBlocks/>${providers}`));
    expect(await connectPolicy(folder, '--base', base, '--base', party)).toMatchObject(
      refused(1, /it has BuildingBlocks, ClaimsProviders, which .* Move them to your extensions/),
    );
  });

  it('two files that both have steps of a journey are refused, since B2C merges steps by their order', async () => {
    const base = await baseFile('twice', packText('LocalAccounts'));
    const finished = await connectPolicy(folder, '--base', base, '--base', base);
    expect(finished).toMatchObject(refused(1, /two files have steps of the journey SignUpOrSignIn/));
  });
});

/** The technical profile of an id in the first file. */
const profileIn = async (out: string, id: string) =>
  new RegExp(`<TechnicalProfile Id="${id}">[\\s\\S]*?</TechnicalProfile>`).exec(
    (await filesIn(out))[EXTENSION] ?? '',
  )?.[0];

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
    expect(await fromPack('LocalAccounts', out, '--policy', policy)).toMatchObject({ code: 0 });
    const page = (await profileIn(out, 'LocalAccountSignUpWithLogonEmail')) ?? '';
    expect([...page.matchAll(/<OutputClaim .*/g)].map(([output]) => output)).toEqual([
      '<OutputClaim ClaimTypeReferenceId="level"/>',
      '<OutputClaim ClaimTypeReferenceId="tier"/>',
    ]);
    await write({ First: { ...call, inputs: { tier: 'Tier' } } });
    expect(await fromPack('LocalAccounts', folder, '--policy', policy)).toMatchObject(
      refused(1, /First reads Tier, which no step gives, and LocalAccountSignUpWithLogonEmail cannot ask for it/),
    );
  });

  it('that only changes an account creates none', async () => {
    const base = await baseFile(
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
    const base = await baseFile('one-page', change(packText(pack)));
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
    const own = async (claim: string) => baseFile(`control-${claim}`, control(claim)(packText('LocalAccounts')));
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
    const base = await baseFile('typing', change(packText('LocalAccounts')));
    const policy = join(folder, 'typing.json');
    const exchange = { kind: 'orchestration', identifies: { email: { trusted: true } }, outputs: { tier: 'string' } };
    await writeFile(policy, JSON.stringify({ exchanges: { Tier: exchange }, rules: [] }));
    const out = join(folder, what);
    expect(await connectPolicy(out, '--base', base, '--policy', policy)).toMatchObject({ code: 0 });
    expect(await profileIn(out, 'Gatehouse-Tier')).toContain(`<InputClaim ClaimTypeReferenceId="${claim}"`);
  });
});

describe('a setting', () => {
  it.each<[string, string[], RegExp]>([
    ['without --base', [], /^--base is missing/],
    ['with an unknown pack', ['--base', 'LocalAcounts'], /The starter packs are LocalAccounts/],
    ['with a pack and no tenant', ['--base', 'LocalAccounts'], /^--tenant is missing/],
    ['with a placeholder tenant', ['--base', 'Local', '--tenant', 'contoso.onmicrosoft.com'], /placeholder contoso/],
    ['with a tenant with a quote', ['--base', 'Local', '--tenant', 'a"&<ü.com'], /letters, digits and dots/],
    ['with http', ['--base', 'Local', '--url', 'http://gatehouse.example.com'], /not an address that B2C can call/],
    ['with localhost', ['--base', 'Local', '--url', 'https://localhost:8787'], /not an address that B2C can call/],
    ['with a key in the URL', ['--base', 'Local', '--url', 'https://g.example.com/?code=s3cret'], /more than a host/],
    ['with a password in the URL', ['--base', 'Local', '--url', 'https://u:s3cret@g.example.com'], /more than a host/],
    ['with a placeholder URL', ['--base', 'Local', '--url', 'https://your-gatehouse.example.com'], /not an address/],
    ['with bearer and no scope', ['--base', 'Local', '--auth', 'bearer'], /^--scope is missing/],
    [
      'with a scope with a placeholder',
      ['--base', 'Local', '--auth', 'bearer', '--scope', 'https://contoso.onmicrosoft.com/gatehouse/.default'],
      /^--scope .* has a placeholder/,
    ],
    [
      'with a scope of an unnamed application',
      ['--base', 'Local', '--auth', 'bearer', '--scope', 'api://your-app-id/.default'],
      /^--scope .* has a placeholder/,
    ],
    ['with a scope of people', ['--base', 'Local', '--auth', 'bearer', '--scope', 'openid'], /not a scope of client/],
    [
      'with no credential',
      ['--base', 'Local', '--auth', 'none'],
      /Allowed choices are basic, certificate, bearer, api-key/,
    ],
    [
      'with an unknown exchange',
      ['--base', 'Local', '--exchange', 'Nope'],
      /no exchange Nope\. It has ValidateProfile/,
    ],
    ['with a name with a space', ['--base', 'Local', '--tenant', TENANT, '--name', 'a b'], /--name a b/],
    ['with a header with a colon', ['--base', 'Local', '--tenant', TENANT, '--header', 'a:b'], /--header a:b is none/],
    [
      'with a header that Gatehouse does not read',
      ['--base', 'Local', '--tenant', TENANT, '--header', 'x-other'],
      /x-other is none that Gatehouse reads\. .*x-functions-key/,
    ],
  ])('%s is refused before anything is written, and no secret is repeated', async (_, options, message) => {
    const out = join(folder, 'settings');
    const finished = await connectPolicy(out, ...options);
    expect(finished).toMatchObject(refused(finished.code === 1 ? 1 : 2, message));
    expect(finished.stderr).not.toContain('s3cret');
    await expect(readFile(join(out, EXTENSION))).rejects.toThrow('ENOENT');
  });

  it.each(['yourellb2c', 'contosofoods', 'yourb2c2'])(
    'with the tenant %s is accepted, since it is no placeholder',
    async (name) => {
      const tenant = `${name}.onmicrosoft.com`;
      const base = await baseFile('tenant', packText('LocalAccounts').replaceAll(TENANT, tenant));
      expect(await connectPolicy(join(folder, name), '--base', base)).toMatchObject({ code: 0 });
      expect(await connectPolicy(join(folder, name), '--base', 'Local', '--tenant', tenant)).toMatchObject({ code: 0 });
    },
  );

  it('with a text of special characters is escaped, and what XML cannot hold is replaced', async () => {
    const out = join(folder, 'escaped');
    await fromPack('Local', out, '--user-message', 'Später & <bald> "oder" \u0001 nie');
    const files = await filesIn(out);
    expect(Object.values(files).flatMap(schemaProblems)).toEqual([]);
    expect(files[EXTENSION]).toContain('>Später &amp; &lt;bald&gt; "oder" \ufffd nie<');
  });
});

describe('existing files', () => {
  it('that differ are kept without --force, and equal ones are no obstacle', async () => {
    const out = join(folder, 'existing');
    await fromPack('Local', out);
    const before = await filesIn(out);
    expect(await fromPack('Local', out)).toMatchObject({ code: 0 });
    const other = ['--url', 'https://other.example.com'];
    expect(await fromPack('Local', out, ...other)).toMatchObject(refused(1, /exists and differs.*Nothing was written/));
    expect(await filesIn(out)).toEqual(before);
    const refresh = ['--journey', 'RedeemRefreshToken', '--exchange', 'GetProfile'];
    expect(await fromPack('Local', out, ...refresh)).toMatchObject(
      refused(1, /For another journey, give another --name/),
    );
    expect(await fromPack('Local', out, ...other, '--force')).toMatchObject({ code: 0 });
    expect(JSON.stringify(await filesIn(out))).toContain('https://other.example.com');
  });
});
