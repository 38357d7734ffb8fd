/** `npm run connect -- custom-policy` over an owner's files: what they keep, and which are refused. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { refused } from '../support/command.ts';
import {
  baseFile,
  connectPack,
  connectPolicy,
  EXTENSION,
  filesIn,
  newFolder,
  PARTY,
  packText,
  schemaProblems,
  TENANT,
} from '../support/policy-xml.ts';

let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});

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
      folder,
      'own',
      packText('LocalAccounts').replace(
        '<ClaimsSchema>',
        '<ClaimsSchema><ClaimType Id="Balance"><DisplayName>Saldo &amp; mehr</DisplayName><DataType>int</DataType></ClaimType>',
      ),
    );
    const party = await baseFile(folder, 'party', partyText());
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
    const base = await baseFile(folder, 'own', change(packText('LocalAccounts')));
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
    const base = await baseFile(folder, 'verified', change(packText(pack)));
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
    const base = await baseFile(folder, 'trusted', change(packText(pack)));
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
    const base = await baseFile(folder, 'asking', packText('LocalAccounts'));
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
    expect(await connectPack('SocialAndLocalAccounts', out, '--policy', policy)).toMatchObject({
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
      folder,
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
      folder,
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
    const base = await baseFile(folder, 'renewal', own);
    const party = await baseFile(
      folder,
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
    const base = await baseFile(folder, 'own', packText('LocalAccounts'));
    const providers =
      '<ClaimsProviders><ClaimsProvider><DisplayName>x</DisplayName></ClaimsProvider></ClaimsProviders>';
    const party = await baseFile(folder, 'more', partyText('', `<BuildingBlocks/>${providers}`));
    expect(await connectPolicy(folder, '--base', base, '--base', party)).toMatchObject(
      refused(1, /it has BuildingBlocks, ClaimsProviders, which .* Move them to your extensions/),
    );
  });

  it('two files that both have steps of a journey are refused, since B2C merges steps by their order', async () => {
    const base = await baseFile(folder, 'twice', packText('LocalAccounts'));
    const finished = await connectPolicy(folder, '--base', base, '--base', base);
    expect(finished).toMatchObject(refused(1, /two files have steps of the journey SignUpOrSignIn/));
  });
});
