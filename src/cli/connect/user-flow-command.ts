/** `npm run connect -- user-flow`: prints the settings of a user flow, or makes them. */
import { readFile } from 'node:fs/promises';
import { type Io, print } from '../io.ts';
import { claimNamesGiven } from '../policy/settings.ts';
import { CommandRefusal, calledWrongly } from '../refusal.ts';
import { graphWith, tokenFacts } from './graph.ts';
import { checkedAddress } from './tenant-settings.ts';
import { applyUserFlow, type ConnectorCredential } from './user-flow-apply.ts';
import { type FlowSettings, portalOnlyText, portalText, rolesAttributeName } from './user-flow-settings.ts';

/** As commander parses them. */
export interface UserFlowOptions {
  readonly flow?: string;
  readonly url?: string;
  readonly auth: FlowSettings['authentication'];
  readonly apply?: true;
  readonly tenant?: string;
  readonly certificate?: string;
  readonly renew?: true;
  readonly force?: true;
}

export async function connectUserFlow(io: Io, options: UserFlowOptions): Promise<number> {
  const settings: FlowSettings = {
    flow: checkedFlow(options.flow),
    url: checkedAddress(options.url),
    authentication: options.auth,
    attribute: await attributeForRoles(),
  };
  if (options.apply !== true) {
    print(io, portalText(settings));
    return 0;
  }
  const token = checkedToken(io.env.GRAPH_TOKEN, options.tenant, Date.now());
  const credential = await credentialOf(io, options);
  const graph = graphWith(io, token);
  const done = await applyUserFlow(graph, { ...settings, credential, isForced: options.force === true });
  print(io, done.length === 0 ? 'All was as it should be. Nothing was changed.' : done.join('\n'));
  print(io, `Read back: the connectors, the attribute and ${settings.flow} agree.\n\n${portalOnlyText(settings)}`);
  return 0;
}

async function attributeForRoles(): Promise<string> {
  const { rolesClaim } = await claimNamesGiven();
  const name = rolesAttributeName(rolesClaim);
  if (name !== undefined) return name;
  throw new CommandRefusal(
    `ROLES_CLAIM is ${rolesClaim}, which is no custom attribute of a user flow. Set it in wrangler.toml to extension_ and a name.`,
  );
}

function checkedFlow(flow: string | undefined): string {
  if (flow !== undefined && /^B2C_1_[A-Za-z0-9_.-]{1,60}$/.test(flow)) return flow;
  throw calledWrongly(
    `--flow ${flow === undefined ? 'is missing' : `${flow} is not a user flow`}. Write its name, such as B2C_1_signupsignin.`,
    'connect',
  );
}

const TENANT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function checkedToken(token: string | undefined, tenant: string | undefined, nowMs: number): string {
  if (tenant !== undefined && !TENANT_ID.test(tenant))
    throw calledWrongly(
      `--tenant ${tenant} is no tenant ID, which is what a token names. Write the ID that the overview page of the tenant shows.`,
      'connect',
    );
  if (token === undefined || token.trim() === '')
    throw calledWrongly(
      'GRAPH_TOKEN is not set. Set it to an access token for Microsoft Graph of your B2C tenant, with the rights ' +
        'APIConnectors.ReadWrite.All and IdentityUserFlow.ReadWrite.All.',
      'connect',
    );
  if (!/^[\x21-\x7e]+$/.test(token.trim()))
    throw calledWrongly(
      'GRAPH_TOKEN has a space or line break in it. Set it to the token alone, in one line.',
      'connect',
    );
  const { exp, tid } = tokenFacts(token.trim());
  if (exp !== undefined && exp * 1000 <= nowMs)
    throw new CommandRefusal(`GRAPH_TOKEN expired at ${new Date(exp * 1000).toISOString()}. Get a new one.`);
  if (tenant !== undefined && tid !== undefined && tid.toLowerCase() !== tenant.toLowerCase())
    throw new CommandRefusal(
      `GRAPH_TOKEN is of the tenant ${tid}, and not of ${tenant}. Sign in to the B2C tenant, then get a token.`,
    );
  return token.trim();
}

async function credentialOf(io: Io, { auth, certificate, renew }: UserFlowOptions): Promise<ConnectorCredential> {
  if (auth === 'basic') {
    const line = io.env.GATEHOUSE_CONNECTOR ?? '';
    const colon = line.indexOf(':');
    if (colon < 1 || colon === line.length - 1)
      throw calledWrongly(
        'GATEHOUSE_CONNECTOR has no user:password in it. Set it to a line of CONNECTOR_BASIC.',
        'connect',
      );
    return { kind: 'basic', username: line.slice(0, colon), password: line.slice(colon + 1) };
  }
  if (certificate === undefined)
    throw calledWrongly(
      '--certificate is missing. Name the .pfx file with the certificate and its private key.',
      'connect',
    );
  const bytes = await readFile(certificate).catch((error: unknown) => {
    throw new CommandRefusal(
      `${certificate} could not be read: ${error instanceof Error ? error.message : error}. Name the .pfx file.`,
      2,
    );
  });
  return {
    kind: 'certificate',
    pkcs12: bytes.toString('base64'),
    password: io.env.CERTIFICATE_PASSWORD ?? '',
    isRenewed: renew === true,
  };
}
