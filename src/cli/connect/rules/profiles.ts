/** Rules of technical profiles: metadata, keys, resolvers, messages and sessions. */
import { lower, type PolicyChain, referredClaim } from '../policy-chain.ts';
import { NO_SESSION, USER_MESSAGES } from '../rest-profiles.ts';
import { attributeOf, childOf, childrenOf, textIn } from '../xml.ts';
import { inGenerated, ownId } from './generated-files.ts';

/** The keys of each type; undefined where the id is the name of a header. */
const KEY_IDS: { readonly [type: string]: readonly string[] | undefined } = {
  Basic: ['BasicAuthenticationUsername', 'BasicAuthenticationPassword'],
  ClientCertificate: ['ClientCertificate'],
  ApiKeyHeader: undefined,
};
const HEADER = /^[A-Za-z0-9-]+$/;

export function keyIds(chain: PolicyChain, profile: string): string[] {
  const type = chain.metadataOf(profile).get('AuthenticationType') ?? '';
  const ids = chain.itemsOf(profile, 'CryptographicKeys').map(ownId);
  const hasClaim = chain.metadataOf(profile).has('UseClaimAsBearerToken');
  const expected = type === 'Bearer' ? (hasClaim ? [] : ['BearerAuthenticationToken']) : KEY_IDS[type];
  const isRight =
    type === 'ApiKeyHeader'
      ? ids.length === 1 && HEADER.test(ids[0] ?? '')
      : expected !== undefined && expected.toSorted().join() === ids.toSorted().join();
  const wanted =
    type === 'ApiKeyHeader' ? 'one key whose id is the name of a header' : (expected ?? []).join(' and ') || 'no key';
  return isRight ? [] : [`${profile} has the keys ${ids.join(', ') || '(none)'}. The type ${type} needs ${wanted}.`];
}

const PASSWORDS: readonly string[] = ['password', 'newpassword', 'reenterpassword', 'oldpassword'];

export const passwordInputs = (chain: PolicyChain, profile: string): string[] =>
  chain
    .claimsOf(profile, 'InputClaims')
    .filter((claim) => PASSWORDS.includes(referredClaim(claim)))
    .map(
      (claim) =>
        `${profile} sends ${attributeOf(claim, 'ClaimTypeReferenceId')}. Remove the input: no rule needs a password.`,
    );

export function metadataItems(chain: PolicyChain): string[] {
  return inGenerated(chain, 'TechnicalProfile').flatMap((profile) => {
    const items = childrenOf(childOf(profile, 'Metadata'), 'Item');
    const keys = items.map((item) => lower(attributeOf(item, 'Key') ?? ''));
    return [
      ...items
        .filter((item) => textIn(item) === '' || attributeOf(item, 'Key') === '')
        .map(
          (item) =>
            `${ownId(profile)} has no value for ${attributeOf(item, 'Key')}. Remove the item or give it a value.`,
        ),
      ...keys
        .filter((key, index) => keys.indexOf(key) !== index)
        .map((key) => `${ownId(profile)} has the metadata ${key} twice. Remove one.`),
    ];
  });
}

const FORBIDDEN: { readonly [key: string]: (value: string) => boolean } = {
  AuthenticationType: (value) => !['Basic', 'ClientCertificate', 'Bearer', 'ApiKeyHeader'].includes(value),
  AllowInsecureAuthInProduction: () => true,
  DebugMode: () => true,
  SendClaimsIn: (value) => value !== 'Body' && value !== 'Form',
  ServiceUrl: (value) => !/^https:\/\/[^?#{}@\s]+$/.test(value),
};

export function forbiddenSettings(chain: PolicyChain, profile: string): string[] {
  const metadata = chain.metadataOf(profile);
  const missing = ['AuthenticationType', 'SendClaimsIn', 'ServiceUrl'].filter((key) => !metadata.has(key));
  return [
    ...missing.map((key) => `${profile} does not say ${key}. Add it to its metadata.`),
    ...[...metadata]
      .filter(([key, value]) =>
        Object.entries(FORBIDDEN).some(([other, is]) => lower(other) === lower(key) && is(value)),
      )
      .map(
        ([key, value]) =>
          `${profile} has ${key} ${value}. Send claims in a body or form, by https, without a query, with a credential, and without details for developers.`,
      ),
  ];
}

const RESOLVER = /\{[A-Za-z][A-Za-z0-9-]*:[^{}]+\}/;

export function unresolvedClaims(chain: PolicyChain, profile: string): string[] {
  const isResolving = lower(chain.metadataOf(profile).get('IncludeClaimResolvingInClaimsHandling') ?? '') === 'true';
  return ['InputClaims', 'OutputClaims']
    .flatMap((collection) => chain.claimsOf(profile, collection))
    .filter((claim) => RESOLVER.test(attributeOf(claim, 'DefaultValue') ?? ''))
    .filter((claim) => !isResolving || attributeOf(claim, 'AlwaysUseDefaultValue') !== 'true')
    .map(
      (claim) =>
        `${profile} does not resolve ${attributeOf(claim, 'DefaultValue')}. Set AlwaysUseDefaultValue of the claim and ` +
        'IncludeClaimResolvingInClaimsHandling of the profile to true.',
    );
}

export const missingMessages = (chain: PolicyChain, profile: string): string[] =>
  USER_MESSAGES.filter((key) => !chain.metadataOf(profile).has(key)).map(
    (key) => `${profile} has no ${key}: a person would read the service URL. Add a text.`,
  );

export function sessionManagement(chain: PolicyChain, profile: string): string[] {
  const used = chain
    .layersOf(profile)
    .flatMap((layer) => childrenOf(layer, 'UseTechnicalProfileForSessionManagement'))
    .map((reference) => attributeOf(reference, 'ReferenceId'));
  return used[0] === NO_SESSION
    ? []
    : [`${profile} has the session management ${used[0] ?? '(none)'}. Use ${NO_SESSION}, which calls at each sign-in.`];
}
