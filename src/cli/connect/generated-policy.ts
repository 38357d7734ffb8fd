/**
 * The two files for a tenant: one that derives from the owner's files and adds the calls to Gatehouse in a journey of
 * its own, and the relying party that applications name. Pure.
 */
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import type { Exchange } from '../../policy/exchange.ts';
import { type AuthenticationKind, credentialsFor, TOKEN_CLAIM } from './authentication-kinds.ts';
import { extendedPage } from './extended-page.ts';
import type { ClaimNeed } from './gatehouse-calls.ts';
import { ownJourney } from './own-journey.ts';
import { plannedCalls } from './planned-calls.ts';
import { lower, type PolicyChain } from './policy-chain.ts';
import { relyingParty } from './relying-party.ts';
import { exchangeProfile, tokenProfile } from './rest-profiles.ts';
import { uniqueBy } from './unique-by.ts';
import { element, type Part } from './xml.ts';

export interface PolicySettings {
  readonly tenant: string;
  /** The address of Gatehouse, without a slash at its end. */
  readonly url: string;
  readonly authentication: AuthenticationKind;
  /** The header of an API key. */
  readonly header: string;
  /** For `bearer`; `''` otherwise. */
  readonly scope: string;
  /** The policies are `B2C_1A_<name>` and `B2C_1A_<name>_<journey>`. */
  readonly name: string;
  readonly journey: string;
  /** Also at the redemption of refresh tokens. */
  readonly isRefreshed: boolean;
  readonly userMessage: string;
  /** The policy that the first file derives from. */
  readonly basePolicy: string;
}

export interface GeneratedPolicy {
  readonly extension: Part;
  readonly relyingParty: Part;
  readonly extensionId: string;
  readonly relyingPartyId: string;
  /** What the pages ask for, by technical profile. */
  readonly asked: ReadonlyMap<string, readonly string[]>;
}

export function generatedPolicy(
  chain: PolicyChain,
  document: PolicyDocument,
  exchanges: readonly Exchange[],
  settings: PolicySettings,
): GeneratedPolicy {
  const { parts, refresh, started, typed, checked, tokens, refreshed, completed } = plannedCalls(
    chain,
    document,
    exchanges,
    settings,
  );
  const withCalls = [...typed, ...checked].filter(({ calls }) => calls.length > 0);
  const calls = [...started, ...withCalls.flatMap((page) => page.calls), ...tokens, ...refreshed, ...completed];
  const journeyId = (id: string) => `${settings.name}-${id}`;
  const isBearer = settings.authentication === 'bearer';
  const extensionId = `B2C_1A_${settings.name}`;
  const relyingPartyId = `${extensionId}_${settings.journey.replace(/[^A-Za-z0-9-]+/g, '_')}`;
  return {
    extensionId,
    relyingPartyId,
    asked: new Map(
      checked.map(({ page, calls: at }) => [page.profile, [...new Set(at.flatMap(({ asked }) => asked))]]),
    ),
    extension: policyRoot(
      settings.tenant,
      extensionId,
      settings.basePolicy,
      claimsSchema(chain, [...calls.flatMap(({ needs }) => needs), ...(isBearer ? TOKEN_NEEDS : [])]),
      element(
        'ClaimsProviders',
        {},
        claimsProvider('Gatehouse', [
          ...(isBearer ? [tokenProfile(settings.tenant, settings.scope, settings.userMessage)] : []),
          ...uniqueBy(calls, ({ profile }) => profile).map((call) =>
            exchangeProfile(call, {
              url: settings.url,
              credentials: credentialsFor(settings.authentication, settings.header),
              userMessage: settings.userMessage,
            }),
          ),
        ]),
        withCalls.length === 0
          ? undefined
          : claimsProvider(
              'Pages that call Gatehouse',
              uniqueBy(withCalls, ({ page }) => page.profile).map(({ page }) =>
                extendedPage(
                  page,
                  withCalls.filter((other) => other.page.profile === page.profile),
                  isBearer,
                ),
              ),
            ),
      ),
      element(
        'UserJourneys',
        {},
        ownJourney(parts, journeyId(settings.journey), isBearer, started, [...tokens, ...completed]),
        refresh && ownJourney(refresh, journeyId(refresh.id), isBearer, [], refreshed),
      ),
    ),
    relyingParty: policyRoot(
      settings.tenant,
      relyingPartyId,
      extensionId,
      relyingParty(chain, {
        journey: journeyId(settings.journey),
        refreshJourney: refresh && journeyId(refresh.id),
        available: chain.outputsOf(parts.steps),
        added: [...checked.flatMap((page) => page.calls), ...tokens].flatMap(({ outputs }) => outputs),
      }),
    ),
  };
}

const policyRoot = (tenant: string, id: string, base: string, ...sections: readonly (Part | undefined)[]): Part =>
  element(
    'TrustFrameworkPolicy',
    { PolicySchemaVersion: '0.3.0.0', TenantId: tenant, PolicyId: id, PublicPolicyUri: `http://${tenant}/${id}` },
    element('BasePolicy', {}, element('TenantId', {}, tenant), element('PolicyId', {}, base)),
    ...sections,
  );

const claimsProvider = (name: string, profiles: readonly Part[]): Part =>
  element('ClaimsProvider', {}, element('DisplayName', {}, name), element('TechnicalProfiles', {}, ...profiles));

const TOKEN_NEEDS: readonly ClaimNeed[] = [TOKEN_CLAIM, 'grant_type', 'scope'].map((id) => ({
  id,
  dataType: 'string',
  displayName: id,
}));

/** Claim types that no file below declares, each once. */
function claimsSchema(chain: PolicyChain, needs: readonly ClaimNeed[]): Part | undefined {
  const missing = uniqueBy(
    needs.filter(({ id }) => chain.dataTypeOf(id) === undefined),
    ({ id }) => lower(id),
  );
  if (missing.length === 0) return undefined;
  const types = missing.map(({ id, dataType, displayName, isTyped }) =>
    element(
      'ClaimType',
      { Id: id },
      element('DisplayName', {}, displayName),
      element('DataType', {}, dataType),
      isTyped ? element('UserInputType', {}, 'TextBox') : undefined,
    ),
  );
  return element('BuildingBlocks', {}, element('ClaimsSchema', {}, ...types));
}
