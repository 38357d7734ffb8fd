/** Writes the facts of a starter pack as the XML of its base file: a pack and an owner's file are read alike. */
import {
  PACK_REFRESH,
  PACKS,
  type PackProfile,
  type PackStep,
  packClaims,
  packProfiles,
  packSignUpOrSignIn,
  type Skip,
} from './starter-packs.ts';
import { element, type Part } from './xml.ts';

/** The part of the packs' `TrustFrameworkBase.xml` that is needed; undefined when the name is no pack's. */
export function starterPack(name: string, tenant: string): Part | undefined {
  const pack = PACKS[name.toLowerCase()];
  if (pack === undefined) return undefined;
  const id = 'B2C_1A_TrustFrameworkBase';
  return element(
    'TrustFrameworkPolicy',
    {
      PolicySchemaVersion: '0.3.0.0',
      TenantId: tenant,
      PolicyId: id,
      PublicPolicyUri: `http://${tenant}/${id}`,
    },
    element(
      'BuildingBlocks',
      {},
      element('ClaimsSchema', {}, ...claimTypes(packClaims(pack))),
      element(
        'ClientDefinitions',
        {},
        element(
          'ClientDefinition',
          { Id: 'DefaultWeb' },
          element('ClientUIFilterFlags', {}, 'LineMarkers, MetaRefresh'),
        ),
      ),
      element(
        'ContentDefinitions',
        {},
        element(
          'ContentDefinition',
          { Id: 'api.signuporsignin' },
          element('LoadUri', {}, '~/tenant/templates/AzureBlue/unified.cshtml'),
          element('RecoveryUri', {}, '~/common/default_page_error.html'),
        ),
      ),
    ),
    element(
      'ClaimsProviders',
      {},
      element(
        'ClaimsProvider',
        {},
        element('DisplayName', {}, 'Starter pack'),
        element(
          'TechnicalProfiles',
          {},
          ...Object.entries(packProfiles(pack)).map(([id, profile]) => technicalProfile(id, profile)),
        ),
      ),
    ),
    element(
      'UserJourneys',
      {},
      journey('SignUpOrSignIn', packSignUpOrSignIn(pack)),
      journey('RedeemRefreshToken', PACK_REFRESH),
    ),
  );
}

const claimTypes = (lists: ReturnType<typeof packClaims>): Part[] =>
  Object.entries(lists).flatMap(([type, ids]) =>
    ids
      .flatMap((list) => list.split(' '))
      .map((id) => element('ClaimType', { Id: id }, element('DisplayName', {}, id), element('DataType', {}, type))),
  );

function technicalProfile(id: string, { by, operation, outputs, validation }: PackProfile): Part {
  const protocol = by.endsWith('Provider')
    ? {
        Name: 'Proprietary',
        Handler: `Web.TPEngine.Providers.${by}, Web.TPEngine, Version=1.0.0.0, Culture=neutral, PublicKeyToken=null`,
      }
    : { Name: by };
  const output = (claim: string) =>
    element('OutputClaim', {
      ClaimTypeReferenceId: claim.replace('!', ''),
      PartnerClaimType: claim.endsWith('!') ? 'Verified.Email' : undefined,
    });
  return element(
    'TechnicalProfile',
    { Id: id },
    element('DisplayName', {}, id),
    element('Protocol', protocol),
    operation && element('Metadata', {}, element('Item', { Key: 'Operation' }, operation)),
    outputs === '' ? undefined : element('OutputClaims', {}, ...outputs.split(' ').map(output)),
    validation === undefined
      ? undefined
      : element('ValidationTechnicalProfiles', {}, element('ValidationTechnicalProfile', { ReferenceId: validation })),
  );
}

/** The step without an exchange is the one that sends the claims. */
const journey = (id: string, steps: readonly PackStep[]): Part =>
  element(
    'UserJourney',
    { Id: id },
    element('OrchestrationSteps', {}, ...steps.map((step, index) => orchestrationStep(step, `${index + 1}`))),
    element('ClientDefinition', { ReferenceId: 'DefaultWeb' }),
  );

function orchestrationStep({ exchanges = [], choices, skip }: PackStep, order: string): Part {
  if (choices === undefined && exchanges.length === 0)
    return element('OrchestrationStep', {
      Order: order,
      Type: 'SendClaims',
      CpimIssuerTechnicalProfileReferenceId: 'JwtIssuer',
    });
  return element(
    'OrchestrationStep',
    {
      Order: order,
      Type: choices ? 'CombinedSignInAndSignUp' : 'ClaimsExchange',
      ContentDefinitionReferenceId: choices && 'api.signuporsignin',
    },
    skip && element('Preconditions', {}, precondition(skip)),
    choices &&
      element(
        'ClaimsProviderSelections',
        {},
        ...choices.map(({ target, validation }) =>
          element('ClaimsProviderSelection', {
            TargetClaimsExchangeId: target,
            ValidationClaimsExchangeId: validation,
          }),
        ),
      ),
    exchanges.length === 0
      ? undefined
      : element(
          'ClaimsExchanges',
          {},
          ...exchanges.map((exchange) => {
            const [id = '', profile] = exchange.split('=');
            return element('ClaimsExchange', { Id: id, TechnicalProfileReferenceId: profile });
          }),
        ),
  );
}

const precondition = ({ claim, is }: Skip): Part =>
  element(
    'Precondition',
    { Type: typeof is === 'object' ? 'ClaimEquals' : 'ClaimsExist', ExecuteActionsIf: `${is !== 'absent'}` },
    element('Value', {}, claim),
    typeof is === 'object' ? element('Value', {}, is.equal) : undefined,
    element('Action', {}, 'SkipThisOrchestrationStep'),
  );
