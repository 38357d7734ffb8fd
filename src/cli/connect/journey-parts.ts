/** What a journey of the base contains: its steps, the pages in it, and where Gatehouse is called. */
import type { Element } from '@xmldom/xmldom';
import { CommandRefusal } from '../refusal.ts';
import { journeySteps, lower, type PolicyChain, profilesOf, referredClaim } from './policy-chain.ts';
import { attributeOf, descendantsOf } from './xml.ts';

const ADDRESSES: readonly string[] = ['email', 'signInNames.emailAddress'];
const DIRECTORY_EMAIL = 'signinnames.emailaddress';

export interface JourneyParts {
  readonly id: string;
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
  /** The claims that it outputs whose e-mail address B2C has verified. */
  readonly verifiedEmails: readonly string[];
  /** It shows display claims, so that an output claim alone is not shown. */
  readonly hasDisplayClaims: boolean;
}

/** `advice`: what to do when there is no such journey. */
export function journeyParts(chain: PolicyChain, id: string, advice: string): JourneyParts {
  const [journey, second] = chain.journeys(id);
  const files = chain.files.map(({ file }) => file).join(', ');
  if (journey === undefined)
    throw new CommandRefusal(
      `${files}: there is no journey ${id}. ${advice} ` +
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
  const before = steps.slice(0, end);
  if (chain.stepsIn(before).some((step) => attributeOf(step, 'Type') === 'SendClaims'))
    throw new CommandRefusal(
      `${files}: a subjourney of the journey ${id} sends the claims, so that no call before the token would be made. ` +
        'Send them in the journey: remove the step SendClaims of the subjourney and set its Type to Call.',
    );
  return { id, journey, steps: before, ending: steps.slice(end) };
}

/** The pages at which a person types a name and a password. */
export function signInPages(chain: PolicyChain, { steps }: JourneyParts): JourneyPage[] {
  return pagesOf(chain, steps, (step) => {
    const validated = descendantsOf(step, 'ClaimsProviderSelection').map((choice) =>
      attributeOf(choice, 'ValidationClaimsExchangeId'),
    );
    return descendantsOf(step, 'ClaimsExchange')
      .filter((exchange) => validated.includes(attributeOf(exchange, 'Id')))
      .map((exchange) => attributeOf(exchange, 'TechnicalProfileReferenceId') ?? '');
  });
}

/** The pages whose validation creates the account. */
export const signUpPages = (chain: PolicyChain, { steps }: JourneyParts): JourneyPage[] =>
  pagesOf(chain, steps, (step) =>
    profilesOf(step).filter((profile) => isPage(chain, profile) && createsAccount(chain, profile)),
  );

const isPage = (chain: PolicyChain, profile: string): boolean =>
  chain.handlerOf(profile).includes('SelfAssertedAttributeProvider');

const isDirectory = (chain: PolicyChain, profile: string): boolean =>
  chain.handlerOf(profile).includes('AzureActiveDirectoryProvider');

/** A page of several steps is one page, and has the claims that it has at each of them. */
function pagesOf(
  chain: PolicyChain,
  steps: readonly Element[],
  profilesAt: (step: Element) => readonly string[],
): JourneyPage[] {
  const all = chain.stepsIn(steps);
  const pages = new Map<string, JourneyPage>();
  all.forEach((step, index) => {
    for (const profile of profilesAt(step)) {
      const page = pageOf(chain, profile, all.slice(0, index));
      const known = pages.get(profile)?.available ?? page.available;
      pages.set(profile, { ...page, available: new Set([...known].filter((claim) => page.available.has(claim))) });
    }
  });
  return [...pages.values()];
}

const validationsOf = (chain: PolicyChain, page: string): string[] =>
  chain.itemsOf(page, 'ValidationTechnicalProfiles').map((validation) => attributeOf(validation, 'ReferenceId') ?? '');

/** A write that fails without an account only changes one. */
const createsAccount = (chain: PolicyChain, page: string): boolean =>
  validationsOf(chain, page)
    .map((validation) => chain.metadataOf(validation))
    .some(
      (metadata) =>
        metadata.get('Operation') === 'Write' &&
        lower(metadata.get('RaiseErrorIfClaimsPrincipalDoesNotExist') ?? 'false') !== 'true',
    );

/** The account, and so its object id, exists after the page's validation only. */
const pageOf = (chain: PolicyChain, profile: string, before: readonly Element[]): JourneyPage => ({
  profile,
  available: new Set(
    [...chain.outputsOf(before), ...chain.outputClaims(profile)].filter((claim) => claim !== 'objectid'),
  ),
  verifiedEmails: ADDRESSES.filter((claim) => verifies(chain, profile, lower(claim))),
  hasDisplayClaims: chain.itemsOf(profile, 'DisplayClaims').length > 0,
});

/** Whether a technical profile outputs an address, in lower case, that B2C has verified. */
function verifies(chain: PolicyChain, profile: string, address: string): boolean {
  const output = chain.claimsOf(profile, 'OutputClaims').find((claim) => referredClaim(claim) === address);
  if (output === undefined) return false;
  const isVerified =
    lower(attributeOf(output, 'PartnerClaimType') ?? '') === 'verified.email' &&
    lower(chain.metadataOf(profile).get('EnforceEmailVerification') ?? 'true') !== 'false';
  return isVerified || chain.isVerifiedByControl(profile, address);
}

/**
 * The claims after these steps whose e-mail address B2C has verified: the directory's, then a page's. A provider's
 * address, and one of a page that verifies none, would be trusted under the same name.
 */
export function verifiedEmails(chain: PolicyChain, steps: readonly Element[]): string[] {
  const profiles = chain.profilesIn(steps);
  const giving = (claim: string) => profiles.filter((profile) => chain.outputClaims(profile).includes(claim));
  const all = (found: readonly string[], claim: string) => found.every((profile) => verifies(chain, profile, claim));
  const email = giving('email');
  const directory = giving(DIRECTORY_EMAIL);
  const isDirectoryVerified =
    directory.every((profile) => isDirectory(chain, profile) || verifies(chain, profile, DIRECTORY_EMAIL)) &&
    profiles
      .filter((profile) => isPage(chain, profile))
      .every((page) => signInNames(chain, page, profiles).every((claim) => verifies(chain, page, claim)));
  return [
    ...(directory.length > 0 && isDirectoryVerified ? ['signInNames.emailAddress'] : []),
    ...(email.length > 0 && all(email, 'email') ? ['email'] : []),
  ];
}

/** The claims of a page, in lower case, that are written as the address in the directory. */
function signInNames(chain: PolicyChain, page: string, steps: readonly string[]): string[] {
  const outputs = chain.outputClaims(page);
  const written = [...validationsOf(chain, page), ...steps]
    .filter((profile) => chain.metadataOf(profile).get('Operation') === 'Write')
    .flatMap((profile) => chain.claimsOf(profile, 'PersistedClaims'))
    .filter((claim) => lower(attributeOf(claim, 'PartnerClaimType') ?? '') === DIRECTORY_EMAIL)
    .map(referredClaim);
  // The starter packs set a password for `email`.
  const registered = outputs.includes('newpassword') ? ['email'] : [];
  return [...registered, ...written].filter((claim) => outputs.includes(claim));
}
