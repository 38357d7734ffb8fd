/** What a user flow needs in the portal: the connectors, the attribute, and where each is chosen. */
import { STEPS, type UserFlowStep } from '../../sign-in/steps.ts';
import { pairs } from '../table.ts';

export interface FlowSettings {
  /** Such as `B2C_1_signupsignin`. */
  readonly flow: string;
  /** The address of Gatehouse, without a slash at its end. */
  readonly url: string;
  readonly authentication: 'basic' | 'certificate';
  /** The name of the attribute for roles. */
  readonly attribute: string;
}

/** The steps of Graph's `apiConnectorConfiguration`, in the order of a sign-up. It has none for the token step. */
export const GRAPH_STEPS = [
  { step: 'PostFederationSignup', member: 'postFederationSignup' },
  { step: 'PostAttributeCollection', member: 'postAttributeCollection' },
] as const satisfies readonly { readonly step: UserFlowStep; readonly member: string }[];

/** The attribute whose value comes in the claim ROLES_CLAIM; undefined for a claim that is no custom attribute. */
export const rolesAttributeName = (rolesClaim: string): string | undefined =>
  /^extension_(?:[0-9a-f]{32}_)?(.+)$/i.exec(rolesClaim)?.[1];

export const rolesAttribute = (displayName: string) => ({
  displayName,
  description: 'The roles of the person, separated by spaces. Gatehouse sets them.',
  dataType: 'string',
});

export const connectorName = (step: UserFlowStep): string => `Gatehouse ${step}`;
export const connectorUrl = (url: string, step: UserFlowStep): string => `${url}/connectors/user-flow/${step}`;

const PORTAL_STEPS: { readonly [step in UserFlowStep]: string } = {
  PostFederationSignup: 'After federating with an identity provider during sign-up',
  PostAttributeCollection: 'Before creating the user',
  PreTokenIssuance: 'Before including application claims in token (preview)',
};

/** Every setting, by page of the portal. */
export function portalText({ flow, url, authentication, attribute }: FlowSettings): string {
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
  ['Name', attribute],
  ['Data Type', 'String'],
  ['Description', rolesAttribute(attribute).description],
])}

Azure AD B2C, API connectors, New API connector, ${STEPS.length} times:

${connectors.join('\n\n')}

User flows, ${flow}, API connectors:

${pairs(STEPS.map((step) => [PORTAL_STEPS[step], connectorName(step)] as const))}

${tokenText(flow, attribute)}`;
}

/** The steps that Graph cannot take. */
export const portalOnlyText = ({
  flow,
  attribute,
}: FlowSettings): string => `Two steps remain, which Microsoft Graph does not offer:

User flows, ${flow}, API connectors:

${pairs([[PORTAL_STEPS.PreTokenIssuance, connectorName('PreTokenIssuance')]])}

${tokenText(flow, attribute)}`;

const tokenText = (flow: string, attribute: string) => `User flows, ${flow}, Application claims: select ${attribute}.
User flows, ${flow}, User attributes: do not select ${attribute}, or people could type their own roles.`;
