/** What a user flow needs in the portal: the connectors, the attribute, and where each is chosen. */
import { STEPS, type UserFlowStep } from '../../sign-in/steps.ts';
import { pairs } from '../table.ts';

export interface FlowSettings {
  /** Such as `B2C_1_signupsignin`. */
  readonly flow: string;
  /** The address of Gatehouse, without a slash at its end. */
  readonly url: string;
  readonly authentication: 'basic' | 'certificate';
}

/** The steps of Graph's `apiConnectorConfiguration`, in the order of a sign-up. It has none for the token step. */
export const GRAPH_STEPS = [
  { step: 'PostFederationSignup', member: 'postFederationSignup' },
  { step: 'PostAttributeCollection', member: 'postAttributeCollection' },
] as const satisfies readonly { readonly step: UserFlowStep; readonly member: string }[];

export const ROLES_ATTRIBUTE = {
  displayName: 'Roles',
  description: 'The roles of the person, separated by spaces. Gatehouse sets them.',
  dataType: 'string',
} as const;

export const connectorName = (step: UserFlowStep): string => `Gatehouse ${step}`;
export const connectorUrl = (url: string, step: UserFlowStep): string => `${url}/connectors/user-flow/${step}`;

const PORTAL_STEPS: { readonly [step in UserFlowStep]: string } = {
  PostFederationSignup: 'After federating with an identity provider during sign-up',
  PostAttributeCollection: 'Before creating the user',
  PreTokenIssuance: 'Before including application claims in token (preview)',
};

/** Every setting, by page of the portal. */
export function portalText({ flow, url, authentication }: FlowSettings): string {
  const credential: readonly (readonly [string, string])[] =
    authentication === 'basic'
      ? [
          ['Authentication type', 'Basic'],
          ['Username, Password', 'a line of CONNECTOR_BASIC: npm run connect -- secret makes one'],
        ]
      : [
          ['Authentication type', 'Certificate'],
          ['Certificate', 'the .pfx whose fingerprint is a line of CONNECTOR_CERTIFICATES'],
        ];
  const connectors = STEPS.map((step) =>
    pairs([['Display name', connectorName(step)], ['Endpoint URL', connectorUrl(url, step)], ...credential]),
  );
  return `Azure AD B2C, User attributes, Add:

${pairs([
  ['Name', ROLES_ATTRIBUTE.displayName],
  ['Data Type', 'String'],
  ['Description', ROLES_ATTRIBUTE.description],
])}

Azure AD B2C, API connectors, New API connector, ${STEPS.length} times:

${connectors.join('\n\n')}

User flows, ${flow}, API connectors:

${pairs(STEPS.map((step) => [PORTAL_STEPS[step], connectorName(step)] as const))}

${tokenText(flow)}`;
}

/** The steps that Graph cannot take. */
export const portalOnlyText = (flow: string): string => `Two steps remain, which Microsoft Graph does not offer:

User flows, ${flow}, API connectors:

${pairs([[PORTAL_STEPS.PreTokenIssuance, connectorName('PreTokenIssuance')]])}

${tokenText(flow)}`;

const tokenText = (flow: string) => `User flows, ${flow}, Application claims: select ${ROLES_ATTRIBUTE.displayName}.
User flows, ${flow}, User attributes: do not select ${ROLES_ATTRIBUTE.displayName}, or people could type their own roles.`;
