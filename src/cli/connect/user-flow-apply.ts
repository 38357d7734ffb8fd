/** Makes a user flow as it should be, through Graph, and reads it back. Changes only what differs. */
import * as z from 'zod/mini';
import { STEPS, type UserFlowStep } from '../../sign-in/steps.ts';
import { CommandRefusal } from '../refusal.ts';
import { GRAPH, type GraphCall } from './graph.ts';
import { connectorName, connectorUrl, type FlowSettings, GRAPH_STEPS, rolesAttribute } from './user-flow-settings.ts';

/** The credential of the connectors. */
export type ConnectorCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'certificate';
      /** A .pfx in base64. */
      readonly pkcs12: string;
      readonly password: string;
      /** Uploads it although the connector has a valid one. */
      readonly isRenewed: boolean;
    };

/** `notAfter`: Unix time in seconds. */
const certificate = z.object({
  isActive: z.optional(z.nullable(z.boolean())),
  notAfter: z.optional(z.nullable(z.number())),
});
const connectorSchema = z.object({
  id: z.string(),
  displayName: z.optional(z.nullable(z.string())),
  targetUrl: z.optional(z.nullable(z.string())),
  authenticationConfiguration: z.optional(
    z.nullable(
      z.object({
        '@odata.type': z.optional(z.nullable(z.string())),
        username: z.optional(z.nullable(z.string())),
        certificateList: z.optional(z.nullable(z.array(certificate))),
      }),
    ),
  ),
});
type Connector = z.output<typeof connectorSchema>;

const attributeSchema = z.object({
  id: z.string(),
  displayName: z.optional(z.nullable(z.string())),
  dataType: z.optional(z.nullable(z.string())),
});
const attached = z.optional(z.nullable(z.object({ id: z.string(), displayName: z.optional(z.nullable(z.string())) })));
const configuration = z.object({ postFederationSignup: attached, postAttributeCollection: attached });

export interface ApplyOptions extends FlowSettings {
  readonly credential: ConnectorCredential;
  /** Replaces a connector of another API. */
  readonly isForced: boolean;
}

/** Returns what was changed, a sentence each; `[]` when all was as it should be. */
export async function applyUserFlow(graph: GraphCall, options: ApplyOptions): Promise<string[]> {
  const flow = encodeURIComponent(options.flow);
  // Everything is read before anything is written, so that a wrong token or name changes nothing.
  const before = await attachedTo(graph, flow);
  const connectors = await listOf(graph, '/identity/apiConnectors', connectorSchema);
  const attributes = await listOf(graph, '/identity/userFlowAttributes', attributeSchema);
  checkAttached(before, connectors, options);
  const done = await withRoles(graph, attributes, options.attribute);

  const ids = new Map<UserFlowStep, string>();
  for (const step of STEPS) {
    const { id, change } = await withConnector(graph, connectors, step, options);
    ids.set(step, id);
    if (change !== undefined) done.push(change);
  }
  for (const { step, member } of GRAPH_STEPS) {
    const id = ids.get(step);
    if (before[member]?.id === id) continue;
    await graph('PUT', `/identity/b2cUserFlows/${flow}/apiConnectorConfiguration/${member}/$ref`, {
      '@odata.id': `${GRAPH}/identity/apiConnectors/${id}`,
    });
    done.push(`${options.flow} calls ${connectorName(step)}.`);
  }
  await readBack(graph, flow, ids, options);
  return done;
}

type Attribute = z.output<typeof attributeSchema>;

/** Names of attributes have no case. */
const attributeNamed = (attributes: readonly Attribute[], name: string): Attribute | undefined =>
  attributes.find(({ displayName }) => displayName?.toLowerCase() === name.toLowerCase());

async function withRoles(graph: GraphCall, attributes: readonly Attribute[], name: string): Promise<string[]> {
  const known = attributeNamed(attributes, name);
  if (known === undefined) {
    await graph('POST', '/identity/userFlowAttributes', rolesAttribute(name));
    return [`The attribute ${name} was created.`];
  }
  if (known.dataType !== 'string')
    throw new CommandRefusal(
      `The attribute ${known.displayName} has the type ${known.dataType}. Gatehouse needs a string: delete it, or set ROLES_CLAIM in wrangler.toml to extension_ and another name.`,
    );
  return [];
}

async function withConnector(
  graph: GraphCall,
  connectors: readonly Connector[],
  step: UserFlowStep,
  { url, credential }: ApplyOptions,
): Promise<{ readonly id: string; readonly change?: string }> {
  const displayName = connectorName(step);
  const targetUrl = connectorUrl(url, step);
  const known = ownConnector(connectors, step);
  if (known === undefined) {
    const made = await graph('POST', '/identity/apiConnectors', {
      displayName,
      targetUrl,
      authenticationConfiguration: authenticationOf(credential),
    });
    return { id: read(connectorSchema, made).id, change: `The connector ${displayName} was created.` };
  }
  const { id } = known;
  const path = `/identity/apiConnectors/${encodeURIComponent(id)}`;
  const isAuthenticated = hasCredential(known, credential);
  if (known.targetUrl === targetUrl && isAuthenticated) return { id };
  await graph('PATCH', path, {
    displayName,
    targetUrl,
    ...(isAuthenticated || credential.kind === 'certificate'
      ? {}
      : { authenticationConfiguration: authenticationOf(credential) }),
  });
  if (!isAuthenticated && credential.kind === 'certificate')
    await graph('POST', `${path}/uploadClientCertificate`, {
      pkcs12Value: credential.pkcs12,
      password: credential.password,
    });
  return { id, change: `The connector ${displayName} was changed.` };
}

function ownConnector(connectors: readonly Connector[], step: UserFlowStep): Connector | undefined {
  const [known, second] = connectors.filter(({ displayName }) => displayName === connectorName(step));
  if (second !== undefined)
    throw new CommandRefusal(
      `Two connectors have the name ${connectorName(step)}. Delete one in the portal, then run the command again.`,
    );
  return known;
}

const authenticationOf = (credential: ConnectorCredential) =>
  credential.kind === 'basic'
    ? {
        '@odata.type': '#microsoft.graph.basicAuthentication',
        username: credential.username,
        password: credential.password,
      }
    : {
        '@odata.type': '#microsoft.graph.pkcs12Certificate',
        pkcs12Value: credential.pkcs12,
        password: credential.password,
      };

/** Graph does not return a password. A credential has a name of its own, so that the name says enough. */
function hasCredential({ authenticationConfiguration: known }: Connector, credential: ConnectorCredential): boolean {
  if (credential.kind === 'basic') return known?.username === credential.username;
  return (
    !credential.isRenewed &&
    (known?.certificateList ?? []).some(
      ({ isActive, notAfter }) => isActive === true && (notAfter ?? Infinity) * 1000 > Date.now(),
    )
  );
}

type Attached = z.output<typeof configuration>;

async function attachedTo(graph: GraphCall, flow: string): Promise<Attached> {
  const members = GRAPH_STEPS.map(({ member }) => member).join(',');
  return read(
    configuration,
    await graph('GET', `/identity/b2cUserFlows/${flow}/apiConnectorConfiguration?$expand=${members}`),
  );
}

/** Another API stays attached unless it may be replaced. */
function checkAttached(before: Attached, connectors: readonly Connector[], { flow, isForced }: ApplyOptions): void {
  for (const { step, member } of GRAPH_STEPS) {
    const other = before[member];
    if (!other || isForced || other.id === ownConnector(connectors, step)?.id) continue;
    throw new CommandRefusal(
      `${flow} calls another connector after ${member}: ${other.displayName ?? other.id}. Add --force to replace it. Nothing was changed.`,
    );
  }
}

/** Throws a refusal that names everything that is not as it should be. */
async function readBack(
  graph: GraphCall,
  flow: string,
  ids: ReadonlyMap<UserFlowStep, string>,
  options: ApplyOptions,
): Promise<void> {
  const now = await attachedTo(graph, flow);
  const connectors = await listOf(graph, '/identity/apiConnectors', connectorSchema);
  const attributes = await listOf(graph, '/identity/userFlowAttributes', attributeSchema);
  const wrong = [
    ...STEPS.filter((step) => {
      const known = connectors.find(({ id }) => id === ids.get(step));
      const isRight =
        known?.targetUrl === connectorUrl(options.url, step) &&
        hasCredential(known, { ...options.credential, isRenewed: false } as ConnectorCredential);
      return !isRight;
    }).map((step) => `the connector ${connectorName(step)} has another address or credential`),
    ...GRAPH_STEPS.filter(({ step, member }) => now[member]?.id !== ids.get(step)).map(
      ({ step, member }) => `${member} of ${options.flow} is not ${connectorName(step)}`,
    ),
    ...(attributeNamed(attributes, options.attribute)?.dataType === 'string'
      ? []
      : [`the attribute ${options.attribute} is missing`]),
  ];
  if (wrong.length > 0)
    throw new CommandRefusal(`Read back, ${wrong.join('; ')}. Wait a minute, then run the command again.`);
}

async function listOf<Schema extends z.ZodMiniType>(
  graph: GraphCall,
  path: string,
  item: Schema,
): Promise<z.output<Schema>[]> {
  const page = z.object({ value: z.array(item), '@odata.nextLink': z.optional(z.string()) });
  const all: z.output<Schema>[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const found: z.output<typeof page> = read(page, await graph('GET', next));
    all.push(...found.value);
    next = found['@odata.nextLink'];
    // The token goes to Graph alone.
    if (next !== undefined && !next.startsWith(`${GRAPH}/`)) throw unreadable();
  }
  return all;
}

function read<Schema extends z.ZodMiniType>(schema: Schema, body: unknown): z.output<Schema> {
  const { success, data } = schema.safeParse(body);
  if (!success) throw unreadable();
  return data;
}

const unreadable = () =>
  new CommandRefusal(
    'Microsoft Graph answered in another form than its documentation says. Follow the portal steps: run the command without --apply.',
  );
