/** `npm run connect -- custom-policy` over Microsoft's starter packs: the files that it writes, and what it refuses. */
import { readFile } from 'node:fs/promises';
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
  baseFile,
  chainOf,
  connectPack,
  connectPolicy,
  EXTENSION,
  filesIn,
  newFolder,
  PARTY,
  packText,
  schemaProblems,
  sentWith,
  TENANT,
} from '../support/policy-xml.ts';

const PACKS = ['LocalAccounts', 'SocialAccounts', 'SocialAndLocalAccounts', 'SocialAndLocalAccountsWithMfa'];
const WALKTHROUGHS = ['ValidateProfile', 'GetProfile'];

let folder: string;
beforeAll(async () => {
  folder = await newFolder();
});

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
    const { code, stderr, stdout } = await connectPack(
      pack,
      out,
      '--exchange',
      exchange,
      '--refresh',
      ...withAuth(auth),
    );
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
    await connectPack('SocialAndLocalAccounts', out, '--exchange', exchange, '--refresh');
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
    await connectPack('LocalAccounts', out, '--exchange', 'GetProfile');
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
    await connectPack('LocalAccounts', out, '--exchange', 'GetProfile', '--refresh', ...withAuth('bearer'));
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
    await connectPack('LocalAccounts', out, '--exchange', 'GetProfile');
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
      const base = await baseFile(folder, 'tenant', packText('LocalAccounts').replaceAll(TENANT, tenant));
      expect(await connectPolicy(join(folder, name), '--base', base)).toMatchObject({ code: 0 });
      expect(await connectPolicy(join(folder, name), '--base', 'Local', '--tenant', tenant)).toMatchObject({ code: 0 });
    },
  );

  it('with a text of special characters is escaped, and what XML cannot hold is replaced', async () => {
    const out = join(folder, 'escaped');
    await connectPack('Local', out, '--user-message', 'Später & <bald> "oder" \u0001 nie');
    const files = await filesIn(out);
    expect(Object.values(files).flatMap(schemaProblems)).toEqual([]);
    expect(files[EXTENSION]).toContain('>Später &amp; &lt;bald&gt; "oder" \ufffd nie<');
  });
});

describe('existing files', () => {
  it('that differ are kept without --force, and equal ones are no obstacle', async () => {
    const out = join(folder, 'existing');
    await connectPack('Local', out);
    const before = await filesIn(out);
    expect(await connectPack('Local', out)).toMatchObject({ code: 0 });
    const other = ['--url', 'https://other.example.com'];
    expect(await connectPack('Local', out, ...other)).toMatchObject(
      refused(1, /exists and differs.*Nothing was written/),
    );
    expect(await filesIn(out)).toEqual(before);
    const refresh = ['--journey', 'RedeemRefreshToken', '--exchange', 'GetProfile'];
    expect(await connectPack('Local', out, ...refresh)).toMatchObject(
      refused(1, /For another journey, give another --name/),
    );
    expect(await connectPack('Local', out, ...other, '--force')).toMatchObject({ code: 0 });
    expect(JSON.stringify(await filesIn(out))).toContain('https://other.example.com');
  });
});
