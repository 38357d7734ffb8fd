/** What is added to a page of the base: the claims that it asks for, and the calls when it is submitted. */
import type { PlannedCall } from './gatehouse-calls.ts';
import type { JourneyPage } from './journey-parts.ts';
import { TOKEN_PROFILE } from './rest-profiles.ts';
import { element, type Part } from './xml.ts';

export interface PageCalls {
  readonly page: JourneyPage;
  readonly calls: readonly PlannedCall[];
  /** A failed call does not keep the person from going on. */
  readonly isOptional: boolean;
}

/**
 * Adds to a page of the base. B2C puts the validations of a file that derives before those of its base, so that a
 * person is checked before the account is created.
 */
export function extendedPage({ page, calls, isOptional }: PageCalls, isBearer: boolean): Part {
  const asked = [...new Set(calls.flatMap((call) => call.asked))].filter((claim) => claim !== 'email');
  const isVerifying = calls.some(({ verifiesEmail }) => verifiesEmail) && !page.hasVerifiedEmail;
  const claims = (name: string, ids: readonly string[]) =>
    ids.map((claim) => element(name, { ClaimTypeReferenceId: claim }));
  const outputs = [
    ...(isVerifying
      ? [
          element('OutputClaim', {
            ClaimTypeReferenceId: 'email',
            PartnerClaimType: 'Verified.Email',
            Required: 'true',
          }),
        ]
      : []),
    ...claims('OutputClaim', asked),
    ...(isOptional
      ? []
      : claims(
          'OutputClaim',
          calls.flatMap((call) => call.outputs.map(({ claimType }) => claimType)),
        )),
  ];
  const validation = (profile: string) =>
    element('ValidationTechnicalProfile', {
      ReferenceId: profile,
      ContinueOnError: isOptional ? 'true' : undefined,
    });
  return element(
    'TechnicalProfile',
    { Id: page.profile },
    isVerifying ? element('Metadata', {}, element('Item', { Key: 'EnforceEmailVerification' }, 'true')) : undefined,
    isVerifying ? element('InputClaims', {}, element('InputClaim', { ClaimTypeReferenceId: 'email' })) : undefined,
    page.hasDisplayClaims && asked.length > 0
      ? element('DisplayClaims', {}, ...claims('DisplayClaim', asked))
      : undefined,
    outputs.length === 0 ? undefined : element('OutputClaims', {}, ...outputs),
    element(
      'ValidationTechnicalProfiles',
      {},
      ...(isBearer ? [validation(TOKEN_PROFILE)] : []),
      ...calls.map(({ profile }) => validation(profile)),
    ),
  );
}
