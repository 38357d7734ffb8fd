/** What a journey of the base contains: its steps, the pages in it, and where Gatehouse is called. */
import type { Element } from '@xmldom/xmldom';
import { CommandRefusal } from '../refusal.ts';
import { journeySteps, lower, type PolicyChain, profilesOf, referredClaim } from './policy-chain.ts';
import { attributeOf, descendantsOf } from './xml.ts';

export interface JourneyParts {
  readonly journey: Element;
  /** Without those that send the claims. */
  readonly steps: readonly Element[];
  /** The steps that end the journey. */
  readonly ending: readonly Element[];
}

/** A page of a self-asserted technical profile. */
export interface JourneyPage {
  readonly profile: string;
  /** Claims that have a value when the page is submitted, in lower case. */
  readonly available: ReadonlySet<string>;
  readonly hasVerifiedEmail: boolean;
  /** It shows display claims, so that an output claim alone is not shown. */
  readonly hasDisplayClaims: boolean;
}

export function journeyParts(chain: PolicyChain, id: string): JourneyParts {
  const [journey, second] = chain.journeys(id);
  const files = chain.files.map(({ file }) => file).join(', ');
  if (journey === undefined)
    throw new CommandRefusal(
      `${files}: there is no journey ${id}. Choose another with --journey, or give the file that has it. ` +
        `The journeys are ${[...chain.idsOf('UserJourney')].join(', ') || 'none'}.`,
    );
  if (second !== undefined)
    throw new CommandRefusal(
      `${files}: two files have steps of the journey ${id}, which B2C merges by their order. Write the whole journey in one.`,
    );
  const steps = journeySteps(journey);
  const end = steps.findIndex((step) => attributeOf(step, 'Type') === 'SendClaims');
  if (end === -1)
    throw new CommandRefusal(
      `${files}: the journey ${id} has no step of the type SendClaims. Add it to the base file.`,
    );
  return { journey, steps: steps.slice(0, end), ending: steps.slice(end) };
}

const DIRECTORY_EMAIL = 'signinnames.emailaddress';
const ADDRESSES: readonly string[] = ['email', DIRECTORY_EMAIL];

/** The pages at which a person types a name and a password. */
export function signInPages(chain: PolicyChain, { steps }: JourneyParts): JourneyPage[] {
  return steps.flatMap((step, index) => {
    const validated = descendantsOf(step, 'ClaimsProviderSelection').map((choice) =>
      attributeOf(choice, 'ValidationClaimsExchangeId'),
    );
    const exchanges = descendantsOf(step, 'ClaimsExchange').filter((exchange) =>
      validated.includes(attributeOf(exchange, 'Id')),
    );
    return exchanges.map((exchange) =>
      pageOf(chain, attributeOf(exchange, 'TechnicalProfileReferenceId') ?? '', steps.slice(0, index)),
    );
  });
}

/** The pages whose validation creates the account. */
export const signUpPages = (chain: PolicyChain, { steps }: JourneyParts): JourneyPage[] =>
  steps.flatMap((step, index) =>
    profilesOf(step)
      .filter((profile) => chain.handlerOf(profile).includes('SelfAssertedAttributeProvider'))
      .filter((profile) => createsAccount(chain, profile))
      .map((profile) => pageOf(chain, profile, steps.slice(0, index))),
  );

const createsAccount = (chain: PolicyChain, page: string): boolean =>
  chain
    .itemsOf(page, 'ValidationTechnicalProfiles')
    .some((validation) => chain.metadataOf(attributeOf(validation, 'ReferenceId') ?? '').get('Operation') === 'Write');

/** The account, and so its object id, exists after the page's validation only. */
const pageOf = (chain: PolicyChain, profile: string, before: readonly Element[]): JourneyPage => ({
  profile,
  available: new Set(
    [...chain.outputsOf(before), ...chain.outputClaims(profile)].filter((claim) => claim !== 'objectid'),
  ),
  hasVerifiedEmail: verifiesEmail(chain, profile),
  hasDisplayClaims: chain.itemsOf(profile, 'DisplayClaims').length > 0,
});

const verifiesEmail = (chain: PolicyChain, profile: string): boolean =>
  lower(chain.metadataOf(profile).get('EnforceEmailVerification') ?? 'true') !== 'false' &&
  chain
    .claimsOf(profile, 'OutputClaims')
    .some(
      (claim) =>
        ADDRESSES.includes(referredClaim(claim)) &&
        lower(attributeOf(claim, 'PartnerClaimType') ?? '') === 'verified.email',
    );

/**
 * The claims after these steps whose e-mail address B2C has verified: the directory's, then a page's. A provider's
 * address, and one of a page that verifies none, would be trusted under the same name.
 */
export function verifiedEmails(chain: PolicyChain, steps: readonly Element[]): string[] {
  const profiles = chain.profilesIn(steps);
  const giving = (claim: string) => profiles.filter((profile) => chain.outputClaims(profile).includes(claim));
  const all = (found: readonly string[]) => found.every((profile) => verifiesEmail(chain, profile));
  const email = giving('email');
  // A page that sets a password for an address makes it a sign-in name.
  const registering = giving('newpassword').filter((page) =>
    chain.outputClaims(page).some((claim) => ADDRESSES.includes(claim)),
  );
  return [
    ...(giving(DIRECTORY_EMAIL).length > 0 && all(registering) ? ['signInNames.emailAddress'] : []),
    ...(email.length > 0 && all(email) ? ['email'] : []),
  ];
}
