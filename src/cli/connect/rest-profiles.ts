/** RESTful technical profiles (contract 4): one for each call to Gatehouse, and the one that fetches its token. */
import { CLIENT_CREDENTIALS, cryptographicKeys, type ProfileCredentials, TOKEN_CLAIM } from './authentication-kinds.ts';
import type { PlannedCall, ReceivedClaim, SentClaim } from './gatehouse-calls.ts';
import { element, type Part } from './xml.ts';

const REST_HANDLER =
  'Web.TPEngine.Providers.RestfulProvider, Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null';

/** B2C's own texts of these contain the service URL (contract 4.2). */
export const USER_MESSAGES = [
  'DefaultUserMessageIfRequestFailed',
  'UserMessageIfCircuitOpen',
  'UserMessageIfDnsResolutionFailed',
  'UserMessageIfRequestTimeout',
] as const;

export const NO_SESSION = 'SM-Noop';
/** No exchange can have it: theirs begin with `Gatehouse-`. */
export const TOKEN_PROFILE = 'GatehouseAccessToken';

interface RestProfile {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly sendClaimsIn: 'Body' | 'Form';
  readonly credentials: ProfileCredentials;
  readonly inputs: readonly SentClaim[];
  readonly outputs: readonly ReceivedClaim[];
  /** What a person reads when the call fails. */
  readonly userMessage: string;
}

export interface Connection {
  /** The address of Gatehouse, without a slash at its end. */
  readonly url: string;
  readonly credentials: ProfileCredentials;
  readonly userMessage: string;
}

export const exchangeProfile = (
  { profile, exchange, title, inputs, outputs }: PlannedCall,
  { url, ...connection }: Connection,
): Part =>
  restProfile({
    ...connection,
    id: profile,
    title,
    url: `${url}/connectors/custom-policy/${exchange.name}`,
    sendClaimsIn: 'Body',
    inputs,
    outputs,
  });

/** `scope`: of the application that Gatehouse is registered as, such as `api://…/.default`. */
export const tokenProfile = (tenant: string, scope: string, userMessage: string): Part =>
  restProfile({
    id: TOKEN_PROFILE,
    title: 'A token for Gatehouse',
    url: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
    sendClaimsIn: 'Form',
    credentials: CLIENT_CREDENTIALS,
    inputs: [
      { claimType: 'grant_type', resolver: 'client_credentials' },
      { claimType: 'scope', resolver: scope },
    ],
    outputs: [{ claimType: TOKEN_CLAIM, partner: 'access_token' }],
    userMessage,
  });

function restProfile({ id, title, url, sendClaimsIn, credentials, inputs, outputs, userMessage }: RestProfile): Part {
  const { type, tokenClaim } = credentials;
  const sent = tokenClaim === undefined ? inputs : [{ claimType: tokenClaim }, ...inputs];
  return element(
    'TechnicalProfile',
    { Id: id },
    element('DisplayName', {}, title),
    element('Protocol', { Name: 'Proprietary', Handler: REST_HANDLER }),
    element(
      'Metadata',
      {},
      item('ServiceUrl', url),
      item('SendClaimsIn', sendClaimsIn),
      item('AuthenticationType', type),
      tokenClaim === undefined ? undefined : item('UseClaimAsBearerToken', tokenClaim),
      item('IncludeClaimResolvingInClaimsHandling', 'true'),
      ...USER_MESSAGES.map((key) => item(key, userMessage)),
    ),
    cryptographicKeys(credentials),
    element('InputClaims', {}, ...sent.map(inputClaim)),
    outputs.length === 0 ? undefined : element('OutputClaims', {}, ...outputs.map(outputClaim)),
    element('UseTechnicalProfileForSessionManagement', { ReferenceId: NO_SESSION }),
  );
}

const item = (key: string, value: string): Part => element('Item', { Key: key }, value);

const inputClaim = ({ claimType, partner, resolver }: SentClaim): Part =>
  element('InputClaim', {
    ClaimTypeReferenceId: claimType,
    PartnerClaimType: partner,
    DefaultValue: resolver,
    AlwaysUseDefaultValue: resolver === undefined ? undefined : 'true',
  });

const outputClaim = ({ claimType, partner }: ReceivedClaim): Part =>
  element('OutputClaim', { ClaimTypeReferenceId: claimType, PartnerClaimType: partner });
