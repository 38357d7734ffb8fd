/** The relying party: the owner's, or that of the starter packs, with the journey and the claims of this command. */
import type { Element } from '@xmldom/xmldom';
import type { ReceivedClaim } from './gatehouse-calls.ts';
import { lower, type PolicyChain, referredClaim } from './policy-chain.ts';
import { attributeOf, childOf, childrenOf, copyOf, element, type Part } from './xml.ts';

interface Wanted {
  readonly journey: string;
  readonly refreshJourney: string | undefined;
  /** The claims that the journey outputs, in lower case. */
  readonly available: ReadonlySet<string>;
  /** The claims of exchanges, for the token. */
  readonly added: readonly ReceivedClaim[];
}

/** The relying party of the files; undefined when none has one. */
export const ownersRelyingParty = (chain: PolicyChain): Element | undefined =>
  chain.files.map(({ root }) => childOf(root, 'RelyingParty')).findLast((found) => found !== undefined);

const tokenEndpoint = (party: Element): Element | undefined =>
  childrenOf(childOf(party, 'Endpoints')).find((endpoint) => lower(attributeOf(endpoint, 'Id') ?? '') === 'token');

const PACKS_REFRESH_JOURNEY = 'RedeemRefreshToken';

/** The journey of a refresh: that of the relying party's token endpoint, or that of the starter packs. */
export function refreshJourneyOf(chain: PolicyChain): string {
  const party = ownersRelyingParty(chain);
  const endpoint = party && tokenEndpoint(party);
  return (endpoint && attributeOf(endpoint, 'UserJourneyReferenceId')) ?? PACKS_REFRESH_JOURNEY;
}

export function relyingParty(chain: PolicyChain, wanted: Wanted): Part {
  const owners = ownersRelyingParty(chain);
  if (owners !== undefined) return extended(owners, wanted);
  // Without the endpoint B2C would redeem refresh tokens that were revoked.
  const known = chain.journeys(PACKS_REFRESH_JOURNEY).length > 0 ? PACKS_REFRESH_JOURNEY : undefined;
  return packsRelyingParty({ ...wanted, refreshJourney: wanted.refreshJourney ?? known });
}

const token = (journey: string): Part => element('Endpoint', { Id: 'Token', UserJourneyReferenceId: journey });

/** The claims that every starter pack puts into the token. */
function packsRelyingParty({ journey, refreshJourney, available, added }: Wanted): Part {
  const usual = ['displayName', 'givenName', 'surname', 'email', 'identityProvider'].filter((claim) =>
    available.has(lower(claim)),
  );
  const others = added.filter(({ claimType }) => !usual.includes(claimType));
  return element(
    'RelyingParty',
    {},
    element('DefaultUserJourney', { ReferenceId: journey }),
    refreshJourney === undefined ? undefined : element('Endpoints', {}, token(refreshJourney)),
    element(
      'TechnicalProfile',
      { Id: 'PolicyProfile' },
      element('DisplayName', {}, 'PolicyProfile'),
      element('Protocol', { Name: 'OpenIdConnect' }),
      element(
        'OutputClaims',
        {},
        ...usual.map(outputClaim),
        element('OutputClaim', { ClaimTypeReferenceId: 'objectId', PartnerClaimType: 'sub' }),
        element('OutputClaim', {
          ClaimTypeReferenceId: 'tenantId',
          DefaultValue: '{Policy:TenantObjectId}',
          AlwaysUseDefaultValue: 'true',
        }),
        ...distinct(others).map(outputClaim),
      ),
      element('SubjectNamingInfo', { ClaimType: 'sub' }),
    ),
  );
}

const outputClaim = (claimType: string): Part => element('OutputClaim', { ClaimTypeReferenceId: claimType });

const distinct = (claims: readonly ReceivedClaim[]): string[] => [...new Set(claims.map(({ claimType }) => claimType))];

function extended(owners: Element, { journey, refreshJourney, added }: Wanted): Part {
  return copyOf(owners, (copy) => {
    const { ownerDocument: document } = copy;
    if (document === null) return;
    childOf(copy, 'DefaultUserJourney')?.setAttribute('ReferenceId', journey);
    if (refreshJourney !== undefined) setTokenEndpoint(copy, refreshJourney);
    const outputs = childOf(childOf(copy, 'TechnicalProfile'), 'OutputClaims');
    const present = new Set(childrenOf(outputs).map(referredClaim));
    for (const claim of distinct(added))
      if (!present.has(lower(claim))) outputs?.appendChild(outputClaim(claim)(document));
  });
}

function setTokenEndpoint(copy: Element, journey: string): void {
  const { ownerDocument: document } = copy;
  if (document === null) return;
  const endpoints = childOf(copy, 'Endpoints');
  const known = tokenEndpoint(copy);
  if (known !== undefined) known.setAttribute('UserJourneyReferenceId', journey);
  else if (endpoints !== undefined) endpoints.appendChild(token(journey)(document));
  else {
    const after = childOf(copy, 'DefaultUserJourney');
    copy.insertBefore(element('Endpoints', {}, token(journey))(document), after?.nextSibling ?? null);
  }
}
