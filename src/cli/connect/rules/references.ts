/** Rules of references: ids, names and tenants across files. */
import type { Element } from '@xmldom/xmldom';
import { lower, type PolicyChain, policyIdOf, tenantOf } from '../policy-chain.ts';
import { attributeOf, childOf, childrenOf, descendantsOf, textIn } from '../xml.ts';
import { generatedFiles, generatedJourneys, inGenerated, ownId, restProfileIds } from './generated-files.ts';

interface Reference {
  /** The elements that refer; `*` for all. */
  readonly from: string;
  readonly attribute: string;
  /** The elements that are referred to. */
  readonly to: string;
}

export const REFERENCES: readonly Reference[] = [
  { from: 'ClaimsExchange', attribute: 'TechnicalProfileReferenceId', to: 'TechnicalProfile' },
  { from: 'ValidationTechnicalProfile', attribute: 'ReferenceId', to: 'TechnicalProfile' },
  { from: 'IncludeTechnicalProfile', attribute: 'ReferenceId', to: 'TechnicalProfile' },
  { from: 'UseTechnicalProfileForSessionManagement', attribute: 'ReferenceId', to: 'TechnicalProfile' },
  { from: 'OrchestrationStep', attribute: 'CpimIssuerTechnicalProfileReferenceId', to: 'TechnicalProfile' },
  { from: 'OrchestrationStep', attribute: 'ContentDefinitionReferenceId', to: 'ContentDefinition' },
  { from: 'Candidate', attribute: 'SubJourneyReferenceId', to: 'SubJourney' },
  { from: 'ClientDefinition', attribute: 'ReferenceId', to: 'ClientDefinition' },
  { from: 'AuthorizationTechnicalProfile', attribute: 'ReferenceId', to: 'TechnicalProfile' },
  { from: 'DefaultUserJourney', attribute: 'ReferenceId', to: 'UserJourney' },
  { from: 'Endpoint', attribute: 'UserJourneyReferenceId', to: 'UserJourney' },
];

const WHERE = 'Give the file that declares it with --base too, or correct the reference.';

export function unknownIds(chain: PolicyChain, { from, attribute, to }: Reference): string[] {
  const known = chain.idsOf(to);
  return inGenerated(chain, from)
    .map((element) => attributeOf(element, attribute))
    .filter((id): id is string => id !== undefined && !known.has(id))
    .map((id) => `No file declares the ${to} ${id}, to which a ${from} refers. ${WHERE}`);
}

export function unknownClaims(chain: PolicyChain): string[] {
  const named = ['InputClaim', 'OutputClaim', 'DisplayClaim', 'PersistedClaim'].flatMap((name) =>
    inGenerated(chain, name),
  );
  const claims = named.flatMap((element) => attributeOf(element, 'ClaimTypeReferenceId') ?? []);
  const tokens = inGenerated(chain, 'Item')
    .filter((item) => attributeOf(item, 'Key') === 'UseClaimAsBearerToken')
    .map(textIn);
  const tested = inGenerated(chain, 'Precondition').flatMap((precondition) =>
    childrenOf(precondition, 'Value').slice(0, 1).map(textIn),
  );
  const exchanges = generatedJourneys(chain).flatMap((journey) => {
    const ids = new Set(descendantsOf(journey, 'ClaimsExchange').map(ownId));
    return descendantsOf(journey, 'ClaimsProviderSelection')
      .flatMap((choice) => [
        attributeOf(choice, 'TargetClaimsExchangeId'),
        attributeOf(choice, 'ValidationClaimsExchangeId'),
      ])
      .filter((id): id is string => id !== undefined && !ids.has(id))
      .map(
        (id) => `No step of the journey ${ownId(journey)} has the exchange ${id}, which a selection names. ${WHERE}`,
      );
  });
  return [
    ...[...claims, ...tokens, ...tested]
      .filter((claim) => chain.dataTypeOf(claim) === undefined)
      .map((claim) => `No file declares the claim type ${claim}. ${WHERE}`),
    ...exchanges,
  ];
}

/** Ids that a policy has once. Those of claim types have no case. */
const OWN_IDS = ['TechnicalProfile', 'UserJourney', 'ClaimType'];

export function repeatedIds(chain: PolicyChain): string[] {
  const twice = (what: string, where: string, elements: readonly Element[]) => {
    const ids = elements.map((element) => (what === 'ClaimType' ? lower(ownId(element)) : ownId(element)));
    return ids
      .filter((id, index) => ids.indexOf(id) !== index)
      .map((id) => `${where} has the ${what} ${id} twice. Merge the two.`);
  };
  return [
    ...generatedFiles(chain).flatMap(({ file, root }) =>
      OWN_IDS.flatMap((what) => twice(what, `The file "${file}"`, descendantsOf(root, what))),
    ),
    ...generatedJourneys(chain).flatMap((journey) =>
      twice('ClaimsExchange', `The journey ${ownId(journey)}`, descendantsOf(journey, 'ClaimsExchange')),
    ),
  ];
}

export function replacements(chain: PolicyChain): string[] {
  const below = chain.files.filter((file) => !file.generated);
  const idsBelow = (name: string, id: (element: Element) => string) =>
    new Set(below.flatMap(({ root }) => descendantsOf(root, name)).map(id));
  const journeys = idsBelow('UserJourney', ownId);
  const profiles = idsBelow('TechnicalProfile', ownId);
  const claims = idsBelow('ClaimType', (element) => lower(ownId(element)));
  const rest = new Set(restProfileIds(chain));
  const taken = (what: string, id: string) =>
    `A file of yours already has the ${what} ${id}. Leave out the files of an earlier run, or choose another --name.`;
  return [
    ...generatedJourneys(chain)
      .map(ownId)
      .filter((id) => journeys.has(id))
      .map((id) => taken('journey', id)),
    ...[...rest].filter((id) => profiles.has(id)).map((id) => taken('technical profile', id)),
    ...inGenerated(chain, 'ClaimType')
      .map(ownId)
      .filter((id) => claims.has(lower(id)))
      .map((id) => taken('claim type', id)),
  ];
}

const POLICY_NAME = /^B2C_1A_[A-Za-z0-9_-]+$/;

export function policyNames(chain: PolicyChain): string[] {
  const ids = generatedFiles(chain).flatMap((file) => [
    policyIdOf(file),
    textIn(childOf(childOf(file.root, 'BasePolicy'), 'PolicyId')),
  ]);
  const keys = inGenerated(chain, 'Key').map((key) => attributeOf(key, 'StorageReferenceId') ?? '');
  return [...ids, ...keys]
    .filter((name) => !POLICY_NAME.test(name))
    .map(
      (name) =>
        `${name} is not the name of a custom policy or policy key. Write B2C_1A_ and then letters, digits, hyphens or underscores.`,
    );
}

export function otherTenants(chain: PolicyChain): string[] {
  const [tenant = ''] = generatedFiles(chain).map(tenantOf);
  const all = chain.files.flatMap((file) => [
    [file.file, tenantOf(file)] as const,
    [file.file, textIn(childOf(childOf(file.root, 'BasePolicy'), 'TenantId')) || tenantOf(file)] as const,
  ]);
  return all
    .filter(([, other]) => lower(other) !== lower(tenant))
    .map(([file, other]) => `${file} is of the tenant ${other}, and not of ${tenant}. Give the files of one tenant.`);
}
