/** What is added to a page of the base: the claims that it asks for, and the calls when it is submitted. */
import type { PlannedCall } from './gatehouse-calls.ts';
import type { JourneyPage } from './journey-parts.ts';
import { lower } from './policy-chain.ts';
import { TOKEN_PROFILE } from './rest-profiles.ts';
import { uniqueBy } from './unique-by.ts';
import { element, type Part } from './xml.ts';

export interface PageCalls {
  readonly page: JourneyPage;
  readonly calls: readonly PlannedCall[];
  /** A failed call does not keep the person from going on. */
  readonly isOptional: boolean;
}

/**
 * Adds all calls of a page to a page of the base. B2C puts the validations of a file that derives before those of its
 * base, so that a person is checked before the account is created.
 */
export function extendedPage(page: JourneyPage, at: readonly PageCalls[], isBearer: boolean): Part {
  const calls = at.flatMap((one) => one.calls);
  const required = at.filter(({ isOptional }) => !isOptional).flatMap((one) => one.calls);
  const asked = uniqueBy(
    calls.flatMap((call) => call.asked),
    lower,
  ).filter((claim) => claim !== 'email');
  const isVerifying = calls.some(({ verifiesEmail }) => verifiesEmail);
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
    ...claims('OutputClaim', [
      ...uniqueBy([...asked, ...required.flatMap(({ outputs: own }) => own.map(({ claimType }) => claimType))], lower),
    ]),
  ];
  const validation = (profile: string, isOptional: boolean) =>
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
      ...(isBearer ? [validation(TOKEN_PROFILE, required.length === 0)] : []),
      ...at.flatMap(({ calls: own, isOptional }) => own.map(({ profile }) => validation(profile, isOptional))),
    ),
  );
}
