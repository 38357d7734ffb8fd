/** `npm run connect -- user-flow`: the portal's settings, and the same through Microsoft Graph. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { graphWith, retryAfterSeconds } from '../../src/cli/connect/graph.ts';
import { applyUserFlow } from '../../src/cli/connect/user-flow-apply.ts';
import { rolesAttributeName } from '../../src/cli/connect/user-flow-settings.ts';
import { done, refused, run, start } from '../support/command.ts';
import { type Failure, GraphServer } from '../support/graph-server.ts';
import { newFolder } from '../support/policy-xml.ts';

const TENANT = '11111111-2222-3333-4444-555555555555';
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`;
const VALID = token({ exp: NOW_SECONDS + 3600, tid: TENANT });
const SETTINGS = ['user-flow', '--flow', 'B2C_1_signupsignin', '--url', 'https://gatehouse.example.com'];
const STEPS = ['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance'];

let graph: GraphServer;
beforeEach(() => {
  graph = new GraphServer(VALID);
});

const apply = (options: readonly string[] = [], env: Record<string, string> = {}) =>
  start('connect', [...SETTINGS, '--apply', ...options], {
    env: { GRAPH_TOKEN: VALID, GATEHOUSE_CONNECTOR: 'b2c-2026a:a-password-of-good-length', ...env },
    fetch: graph.fetch,
  }).finished;

const writes = (calls: readonly string[]) => calls.filter((call) => !call.startsWith('GET '));

/** What Graph holds once the flow is connected. */
const CONNECTED = {
  connectors: STEPS.map((step) => ({
    displayName: `Gatehouse ${step}`,
    targetUrl: `https://gatehouse.example.com/connectors/user-flow/${step}`,
  })),
  attributes: [{ displayName: 'Roles', dataType: 'string' }],
};
const isConnected = () => {
  expect(graph).toMatchObject(CONNECTED);
  expect(graph.connectors).toHaveLength(3);
  expect(graph.attached).toEqual({
    postFederationSignup: graph.connectors[0]?.id,
    postAttributeCollection: graph.connectors[1]?.id,
  });
};

describe('without --apply', () => {
  it('prints every setting by page of the portal, and calls nothing', async () => {
    const { code, stdout } = await start('connect', SETTINGS, { fetch: graph.fetch }).finished;
    expect({ code, calls: graph.calls }).toEqual({ code: 0, calls: [] });
    for (const step of STEPS) expect(stdout).toContain(`https://gatehouse.example.com/connectors/user-flow/${step}\n`);
    for (const words of [
      'User attributes, Add',
      'Before including application claims in token',
      'Application claims: select Roles',
    ])
      expect(stdout).toContain(words);
  });

  it.each([
    [['--flow', 'signupsignin'], /--flow signupsignin is not a user flow/],
    [['--url', 'http://gatehouse.example.com'], /not an address that B2C can call/],
    [['--url', 'https://gatehouse.example.com/?code=x'], /more than a host/],
  ])('%j is refused', async (options, message) => {
    expect(await run('connect', [...SETTINGS, ...options])).toMatchObject(refused(2, message));
  });
});

describe('with --apply', () => {
  it('creates the attribute and the connectors, attaches two, reads everything back, and names the step that remains', async () => {
    expect(await apply()).toMatchObject(done(/Read back: .* agree[\s\S]*Before including application claims in token/));
    isConnected();
    expect(writes(graph.calls)).toEqual([
      'POST /identity/userFlowAttributes',
      ...STEPS.map(() => 'POST /identity/apiConnectors'),
      ...['postFederationSignup', 'postAttributeCollection'].map(
        (step) => `PUT /identity/b2cUserFlows/B2C_1_signupsignin/apiConnectorConfiguration/${step}/$ref`,
      ),
    ]);
    expect(graph.calls.slice(0, 3).every((call) => call.startsWith('GET '))).toBe(true);
    expect(graph.calls.at(-1)).toMatch(/^GET /);
  });

  it('a second run changes nothing, and a new credential or address changes the connectors alone', async () => {
    await apply();
    graph.calls.length = 0;
    expect(await apply()).toMatchObject(done('Nothing was changed'));
    expect(writes(graph.calls)).toEqual([]);
    await apply([], { GATEHOUSE_CONNECTOR: 'b2c-2026b:another-password-of-good-length' });
    expect(writes(graph.calls).map((call) => call.split('/')[0])).toEqual(['PATCH ', 'PATCH ', 'PATCH ']);
    isConnected();
    expect(graph.connectors[0]?.authenticationConfiguration).toMatchObject({ username: 'b2c-2026b' });
  });

  it('uploads a certificate, leaves a valid one, and replaces it with --renew', async () => {
    const pfx = join(await newFolder(), 'b2c.pfx');
    await writeFile(pfx, new Uint8Array([48, 130, 1]));
    const certificate = ['--auth', 'certificate', '--certificate', pfx];
    await apply();
    graph.calls.length = 0;
    expect(await apply(certificate, { CERTIFICATE_PASSWORD: 'pfx' })).toMatchObject(done('agree'));
    expect(graph.calls.filter((call) => call.endsWith('/uploadClientCertificate'))).toHaveLength(3);
    isConnected();
    graph.calls.length = 0;
    expect(await apply(certificate)).toMatchObject(done('Nothing was changed'));
    await apply([...certificate, '--renew']);
    expect(graph.calls.filter((call) => call.endsWith('/uploadClientCertificate'))).toHaveLength(3);
    graph = new GraphServer(VALID);
    expect(await apply(certificate, { CERTIFICATE_PASSWORD: 'pfx' })).toMatchObject(done('agree'));
    isConnected();
  });

  it('leaves the connector of another API unless --force is given', async () => {
    graph.connectors.push({
      id: 'theirs',
      displayName: 'Größe & <Co>',
      targetUrl: 'https://other.example.com',
      authenticationConfiguration: {},
    });
    graph.attached.postAttributeCollection = 'theirs';
    expect(await apply()).toMatchObject(
      refused(1, /another connector after postAttributeCollection: Größe & <Co>.*Nothing was changed/),
    );
    expect(writes(graph.calls)).toEqual([]);
    expect(await apply(['--force'])).toMatchObject(done('agree'));
    expect(graph.attached.postAttributeCollection).not.toBe('theirs');
  });

  it('refuses an attribute Roles that is no text, and two connectors of one name', async () => {
    graph.attributes.push({ id: 'extension_0_Roles', displayName: 'Roles', dataType: 'int64' });
    expect(await apply()).toMatchObject(refused(1, /Roles has the type int64/));
    graph.attributes.length = 0;
    for (const id of ['a', 'b'])
      graph.connectors.push({
        id,
        displayName: 'Gatehouse PreTokenIssuance',
        targetUrl: 'https://x.example.com',
        authenticationConfiguration: {},
      });
    expect(await apply()).toMatchObject(refused(1, /Two connectors have the name Gatehouse PreTokenIssuance/));
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['no token', [], { GRAPH_TOKEN: '' }, /^GRAPH_TOKEN is not set/],
    ['an expired token', [], { GRAPH_TOKEN: token({ exp: NOW_SECONDS - 60 }) }, /^GRAPH_TOKEN expired at 20/],
    [
      'a token of another tenant',
      ['--tenant', TENANT],
      { GRAPH_TOKEN: token({ tid: 'aaaa' }) },
      /is of the tenant aaaa/,
    ],
    [
      'a tenant that is not named by its ID',
      ['--tenant', 'gatehousedemo.onmicrosoft.com'],
      {},
      /is no tenant ID.* overview page/,
    ],
    [
      'a token in two lines',
      [],
      { GRAPH_TOKEN: `${VALID.slice(0, 9)}\n${VALID.slice(9)}` },
      /^GRAPH_TOKEN has a space or line break/,
    ],
    ['no credential', [], { GATEHOUSE_CONNECTOR: 'b2c' }, /^GATEHOUSE_CONNECTOR has no user:password/],
    ['no certificate', ['--auth', 'certificate'], {}, /^--certificate is missing/],
    [
      'a certificate that does not exist',
      ['--auth', 'certificate', '--certificate', 'none.pfx'],
      {},
      /^none\.pfx could not be read/,
    ],
  ])('%s is refused before anything is called, and no secret is repeated', async (_, options, env, message) => {
    const { code, stdout, stderr } = await apply(options, env);
    expect({ stdout, calls: graph.calls }).toEqual({ stdout: '', calls: [] });
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/good-length|e30\./);
  });

  it.each<[string, Failure, RegExp]>([
    ['401', { status: 401 }, /Get a new one and set GRAPH_TOKEN/],
    ['403', { status: 403 }, /lacks a right.*APIConnectors\.ReadWrite\.All/],
    ['404, as for a token of another tenant', { status: 404 }, /answered 404 .*b2cUserFlows/],
    [
      '429 for longer than a person waits',
      { status: 429, headers: { 'Retry-After': '3600' } },
      /wait for 3600 seconds/,
    ],
    ['500', { status: 500 }, /Run the command again/],
    ['the head in time, and not the body', 'stalled', /did not answer in time.*Run the command again/],
    ['nothing in time', 'timeout', /did not answer in time.*Run the command again/],
  ])('Graph that answers %s is named, with what to do, and no secret', async (_, failure, message) => {
    graph.failures.set(1, failure);
    const { code, stdout, stderr } = await apply();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/good-length|e30\./);
  });

  it('what reads back otherwise is named, and the run counts as not done', async () => {
    graph.forgets = 'PUT';
    expect(await apply()).toMatchObject(
      refused(
        1,
        /^Read back, postFederationSignup of B2C_1_signupsignin is not Gatehouse PostFederationSignup; postAttr/,
      ),
    );
    graph.forgets = 'PATCH';
    expect(await apply([], { GATEHOUSE_CONNECTOR: 'b2c-2026b:another-password-of-good-length' })).toMatchObject(
      refused(1, /^Read back, the connector Gatehouse PostFederationSignup has another address or credential/),
    );
  });

  it('knows an attribute by its name in any case, and connectors of other APIs without a user name', async () => {
    graph.attributes.push({ id: 'extension_0_roles', displayName: 'roles', dataType: 'string' });
    graph.connectors.push({
      id: 'theirs',
      displayName: 'Another',
      targetUrl: 'https://other.example.com',
      authenticationConfiguration: { '@odata.type': '#microsoft.graph.basicAuthentication', username: null },
    });
    expect(await apply()).toMatchObject(done('agree'));
    expect(graph.attributes).toHaveLength(1);
  });

  it('replaces a certificate that is no longer valid', async () => {
    const pfx = join(await newFolder(), 'b2c.pfx');
    await writeFile(pfx, new Uint8Array([48, 130, 1]));
    const certificate = ['--auth', 'certificate', '--certificate', pfx];
    await apply(certificate);
    for (const connector of graph.connectors)
      connector.authenticationConfiguration = { certificateList: [{ isActive: true, notAfter: NOW_SECONDS - 1 }] };
    expect(await apply(certificate)).toMatchObject(done('agree'));
    expect(graph.calls.filter((call) => call.endsWith('/uploadClientCertificate'))).toHaveLength(3);
  });

  it('names the attribute as ROLES_CLAIM does', async () => {
    expect(['extension_Roles', `extension_${'0a'.repeat(16)}_Groups`, 'jobTitle'].map(rolesAttributeName)).toEqual([
      'Roles',
      'Groups',
      undefined,
    ]);
    await applyUserFlow(graphWith(graph, VALID), {
      flow: 'B2C_1_signupsignin',
      url: 'https://gatehouse.example.com',
      authentication: 'basic',
      attribute: 'Groups',
      credential: { kind: 'basic', username: 'b2c-2026a', password: 'a-password-of-good-length' },
      isForced: false,
    });
    expect(graph.attributes).toMatchObject([{ displayName: 'Groups', dataType: 'string' }]);
  });

  it('reads how long Graph asks to wait as seconds or a date', () => {
    const now = Date.parse('2026-11-27T10:00:00Z');
    const headers = ['7', 'Fri, 27 Nov 2026 10:01:30 GMT', 'Fri, 27 Nov 2026 09:00:00 GMT', 'soon', null];
    expect(headers.map((header) => retryAfterSeconds(header, now))).toEqual([7, 90, 0, 10, 10]);
  });

  it('waits as long as Graph asks, and goes on', async () => {
    for (const call of [1, 4, 5]) graph.failures.set(call, { status: 429, headers: { 'Retry-After': '0' } });
    expect(await apply()).toMatchObject(done('agree'));
    isConnected();
  });

  it.each<[string, Failure]>([
    ['answers 500', { status: 500 }],
    ['answers 403', { status: 403 }],
    ['does not answer', 'timeout'],
    ['does what it was asked, and the answer is lost', 'lost'],
  ])('whichever call Graph %s at, a second run completes, and nothing is made twice', async (_, failure) => {
    await apply();
    const total = graph.calls.length;
    expect(total).toBeGreaterThan(10);
    for (let call = 1; call <= total; call++) {
      graph = new GraphServer(VALID);
      graph.failures.set(call, failure);
      expect({ call, code: (await apply()).code }).toEqual({ call, code: 1 });
      expect(await apply()).toMatchObject(done('agree'));
      isConnected();
    }
  });
});
