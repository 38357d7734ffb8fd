/** What B2C writes about a person at each step (contract 1.2 to 1.7). A claim without a value is left out. Pure. */
import type { UserFlowStep } from '../../src/sign-in/steps.ts';
import { EXTENSIONS_APP, type Person } from './cast.ts';

/** About the length of a captcha provider's token: more than the 250 characters that an attribute may keep. */
const CAPTCHA_CHARS = 2_000;

export function bodyOf(person: Person, step: UserFlowStep): Record<string, unknown> {
  const { application, email, identities, displayName, givenName, surname, locale } = person;
  const members: Record<string, unknown> = {
    email,
    identities: identities.length === 0 ? '' : identities,
    displayName,
    givenName,
    surname,
    ...(step === 'PostFederationSignup' ? {} : attributesOf(person, step)),
    // Nobody has one before the account is made.
    objectId: step === 'PreTokenIssuance' ? person.objectId : '',
    step: application.oldNames && step === 'PreTokenIssuance' ? 'PreTokenApplicationClaims' : step,
    [application.oldNames ? 'clientId' : 'client_id']: application.clientId,
    ui_locales: locale,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ''));
}

function attributesOf(person: Person, step: UserFlowStep): Record<string, unknown> {
  const { city, postalCode, country, customAttributes, application, helpsThemselves } = person;
  const typedIn = step === 'PostAttributeCollection';
  return {
    city,
    postalCode,
    country,
    ...customAttributes,
    ...(typedIn && helpsThemselves ? { [`extension_${EXTENSIONS_APP}_Roles`]: 'administrator' } : {}),
    ...(typedIn && application.captcha
      ? { [`extension_${EXTENSIONS_APP}_CaptchaToken`]: 'Q2FwdGNoYS'.repeat(CAPTCHA_CHARS / 10) }
      : {}),
  };
}
