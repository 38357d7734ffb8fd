/** The simulated people, with every kind of B2C account. Pure: the same seed and number give the same person. */
import { v4 as uuidv4 } from 'uuid';
import type { SIGN_IN_COMPLETED, SIGN_IN_STARTED } from '../../sign-in/steps.ts';
import { type Dice, diceFor } from './dice.ts';

/** B2C's names, in its order (contract 1.2). */
export const VISIT_STEPS = ['PostFederationSignup', 'PostAttributeCollection', 'PreTokenIssuance'] as const;
export type VisitStep = (typeof VISIT_STEPS)[number];
/** What a custom policy calls when a person signs in. */
export type SignInExchange = typeof SIGN_IN_STARTED | typeof SIGN_IN_COMPLETED;

export type SimulatedPerson = ReturnType<typeof personOf>;

/** Whether the person completes the sign-up. */
export const hasAccount = ({ leavesBefore }: SimulatedPerson): boolean => leavesBefore === 'never';

const CLIENT_ID = '6b0f3c6e-0f0e-4c57-9a3c-0d6c1a1f7b0';
const PORTAL = {
  clientId: `${CLIENT_ID}1`,
  addressPerStep: true,
  oldNames: false,
  captcha: false,
  customPolicy: false,
};
/**
 * The applications of the made-up tenant. Some have a URL for each step, others name the step in the body only.
 * `clientId` and `PreTokenApplicationClaims` are old names, from one example in Microsoft's documents (contract 1.3).
 * A captcha token is an attribute of several kB (contract 1.6). The last application uses a custom policy.
 */
export const APPLICATIONS = [
  PORTAL,
  { ...PORTAL, clientId: `${CLIENT_ID}2`, addressPerStep: false },
  { ...PORTAL, clientId: `${CLIENT_ID}3`, captcha: true },
  { ...PORTAL, clientId: `${CLIENT_ID}4`, oldNames: true },
  { ...PORTAL, clientId: `${CLIENT_ID}5`, customPolicy: true },
];

/** The tenant's b2c-extensions-app, without hyphens. */
export const EXTENSIONS_APP = 'd683a96de17e4f92bb31a015d243ca03';

const PROVIDERS = ['local', 'google.com', 'facebook.com', 'github.com', 'unnamed'];
/** Reserved for examples (RFC 2606), except the last, a throwaway provider on block lists. No mail is sent. */
const MAIL_DOMAINS = ['example.com', 'example.org', 'example.net', 'mailinator.com'];
const ROLES = ['editor', 'approver', 'auditor', 'customer', 'beta'];

/**
 * An origin of people: the browser's locale; the country as free text, a name or a code (contract 1.4); the offset from
 * UTC in hours; cities, given names and family names; how a display name joins the names; its share in percent.
 */
type Origin = readonly [string, string, number, string[], string[], string[], Join, number];
type Join = (given: string, family: string) => string;
const givenFirst: Join = (given, family) => `${given} ${family}`;
const familyFirst: Join = (given, family) => `${family} ${given}`;
const unspaced: Join = (given, family) => `${family}${given}`;
const ORIGINS: readonly Origin[] = [
  ['en-US', 'United States', -5, ['Portland', 'Austin'], ['Ada', 'Tyrone'], ["O'Neil", 'de la Cruz'], givenFirst, 30],
  ['de-DE', 'Deutschland', 1, ['Köln', 'München'], ['Jürgen', 'Anna-Lena'], ['Weiß', 'von der Heide'], givenFirst, 20],
  ['fr-FR', 'France', 1, ['Orléans', 'Lyon'], ['Aïcha', 'Jean-Luc'], ["d'Alembert", 'Lefèvre'], givenFirst, 14],
  ['uk-UA', 'Україна', 2, ['Київ', 'Львів'], ['Олена', 'Тарас'], ['Шевченко', "Лук'яненко"], givenFirst, 8],
  ['ar-EG', 'مصر', 2, ['القاهرة', 'الإسكندرية'], ['محمد', 'فاطمة'], ['عبد الرحمن', 'المصري'], givenFirst, 8],
  ['hi-IN', 'IN', 5.5, ['मुंबई', 'पुणे'], ['प्रिया', 'लक्ष्मी'], ['शर्मा', 'कुलकर्णी'], givenFirst, 8],
  ['ja-JP', '日本', 9, ['東京', '札幌市'], ['さくら', '翔太'], ['佐藤', '渡邉'], familyFirst, 6],
  ['zh-CN', '中国', 8, ['上海', '成都'], ['小明', '𠮷祥'], ['王', '欧阳'], unspaced, 6],
];
const ORIGIN_WEIGHTS = ORIGINS.map((row) => row[7]);

/** `label` identifies a person within the seed. */
export function personOf(seed: number, ...label: readonly number[]) {
  const dice = diceFor('person', seed, ...label);
  const origin = dice.weighted(ORIGINS, ORIGIN_WEIGHTS);
  const [locale, country, utcOffsetHours, cities, givenNames, familyNames, joined] = origin;
  const application = dice.weighted(APPLICATIONS, [38, 25, 15, 7, 15]);
  const provider = dice.weighted(PROVIDERS, [42, 27, 14, 11, 6]);
  const [givenName, surname] = [dice.pick(givenNames), dice.pick(familyNames)];
  const objectId = uuidv4({ random: dice.bytes(16) });
  const federated = provider !== 'local';
  const accountId = Array.from({ length: dice.int(8, 21) }, () => dice.int(1, 9)).join('');
  const identity = { signInType: 'federated', issuer: provider, issuerAssignedId: accountId };
  const email = `${objectId.slice(0, 8)}@${dice.weighted(MAIL_DOMAINS, [50, 30, 17, 3])}`;
  return {
    application,
    objectId,
    /** Uses another identity provider, so B2C calls the federation step. */
    federated,
    /** B2C sends none for local accounts and for custom OpenID Connect providers (contract 1.5). */
    identities: federated && provider !== 'unnamed' ? [identity] : [],
    /** The claims from the provider and the device, under B2C's names; `''` when missing. */
    profile: {
      // GitHub does not send private addresses.
      email: provider === 'github.com' && dice.chance(0.4) ? '' : email,
      displayName: joined(givenName, surname) + (dice.chance(0.03) ? ' 🦊' : ''),
      givenName,
      surname,
      ui_locales: dice.chance(0.04) ? '' : dice.chance(0.1) ? `${locale} en` : locale,
    },
    /** The form input at sign-up. */
    attributes: {
      city: dice.pick(cities),
      postalCode: String(dice.int(10_000, 99_999)),
      country,
      ...customAttributesOf(dice),
    },
    utcOffsetHours,
    /** Tries to get a role by entering it at sign-up. */
    helpsThemselves: dice.chance(0.03),
    /** The roles that an administrator assigned. */
    roles: dice.chance(0.3) ? ROLES.filter(() => dice.chance(0.4)) : [],
    /** The sign-up step before which the person closes the page (for a local account not the first). */
    leavesBefore: dice.weighted([VISIT_STEPS[1], VISIT_STEPS[2], 'never'], [federated ? 8 : 0, 5, 87]),
    signInsPerDay: dice.weighted([2.4, 1.1, 0.2, 0.05], [12, 35, 38, 15]),
  };
}

/** Custom attributes with full names, in every type that B2C sends (contract 1.6). */
function customAttributesOf(dice: Dice) {
  const age = dice.int(16, 90);
  const newsletter = dice.chance(0.5);
  const all = {
    LoyaltyId: String(dice.int(1_000, 9_999)),
    Age: dice.pick([age, String(age)]),
    Newsletter: dice.pick([newsletter, String(newsletter), newsletter ? 'True' : 'False']),
  };
  const some = Object.entries(all).filter(() => dice.chance(0.5));
  return Object.fromEntries(some.map(([name, value]) => [`extension_${EXTENSIONS_APP}_${name}`, value]));
}
