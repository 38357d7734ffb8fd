/** The people of the play: made up, but of every kind that B2C knows. Pure; the same seed and number are the same person. */
import { v4 as uuidv4 } from 'uuid';
import type { ClaimValue, Identity } from '../../src/sign-in/event.ts';
import type { UserFlowStep } from '../../src/sign-in/steps.ts';
import { type Dice, diceFor } from './dice.ts';
import { displayNameOf, ORIGINS } from './origins.ts';

/** An application of the made-up tenant, and how its connectors are set up. */
export interface Application {
  readonly clientId: string;
  /** Each step has its own address; else the body alone names it. */
  readonly addressPerStep: boolean;
  /** Writes `clientId` and `PreTokenApplicationClaims`, as one example of Microsoft's documents does (contract 1.3). */
  readonly oldNames: boolean;
  /** Collects a captcha token of several kB in an attribute (contract 1.6). */
  readonly captcha: boolean;
}

export interface Person {
  readonly application: Application;
  /** Came from another identity provider, so that B2C has a step for that. */
  readonly federated: boolean;
  /** Empty for local accounts, and for custom OpenID Connect providers, whose identities B2C does not send (contract 1.5). */
  readonly identities: readonly Identity[];
  readonly objectId: string;
  /** `''`: the provider told none. */
  readonly email: string;
  readonly givenName: string;
  readonly surname: string;
  readonly displayName: string;
  readonly city: string;
  readonly postalCode: string;
  readonly country: string;
  /** `''`: the device sent none. */
  readonly locale: string;
  readonly utcOffsetHours: number;
  /** What is asked of them at sign-up, under full names, in any of the types that may be on the wire (contract 1.6). */
  readonly customAttributes: Readonly<Record<string, ClaimValue>>;
  /** Tries to get a role by typing one in at sign-up. */
  readonly helpsThemselves: boolean;
  /** What an administrator gave them. */
  readonly roles: readonly string[];
  /** The step of a sign-up before which they close the page; undefined: they stay to the end. */
  readonly leavesBefore: UserFlowStep | undefined;
  readonly signInsPerDay: number;
}

const PORTAL: Application = {
  clientId: '6b0f3c6e-0f0e-4c57-9a3c-0d6c1a1f7b01',
  addressPerStep: true,
  oldNames: false,
  captcha: false,
};
const SHOP = { ...PORTAL, clientId: '6b0f3c6e-0f0e-4c57-9a3c-0d6c1a1f7b02', addressPerStep: false };
const FORUM = { ...PORTAL, clientId: '6b0f3c6e-0f0e-4c57-9a3c-0d6c1a1f7b03', captcha: true };
const ARCHIVE = { ...PORTAL, clientId: '6b0f3c6e-0f0e-4c57-9a3c-0d6c1a1f7b04', oldNames: true };

/** The tenant's b2c-extensions-app, without hyphens. */
export const EXTENSIONS_APP = 'd683a96de17e4f92bb31a015d243ca03';

type Provider = 'local' | 'google.com' | 'facebook.com' | 'github.com' | 'unnamed';
const PROVIDERS: readonly (readonly [Provider, number])[] = [
  ['local', 42],
  ['google.com', 27],
  ['facebook.com', 14],
  ['github.com', 11],
  ['unnamed', 6],
];
/** Reserved for examples (RFC 2606), but the last: a provider of throwaway addresses, as block lists name it. Nothing is ever sent. */
const MAIL_DOMAINS: readonly (readonly [string, number])[] = [
  ['example.com', 50],
  ['example.org', 30],
  ['example.net', 17],
  ['mailinator.com', 3],
];
const ROLES = ['editor', 'approver', 'auditor', 'customer', 'beta'] as const;

/** `label` tells one person of a seed from another. */
export function personOf(seed: number, ...label: readonly number[]): Person {
  const dice = diceFor('person', seed, ...label);
  const [origin, provider, application] = [dice.weighted(ORIGINS), dice.weighted(PROVIDERS), applicationOf(dice)];
  const [givenName, surname] = [dice.pick(origin.given), dice.pick(origin.family)];
  const decorated = dice.chance(0.03) ? ' 🦊' : '';
  const objectId = uuidv4({ random: dice.bytes(16) });
  const federated = provider !== 'local';
  const named = federated && provider !== 'unnamed';
  return {
    application,
    federated,
    identities: named ? [{ signInType: 'federated', issuer: provider, issuerAssignedId: accountIdOf(dice) }] : [],
    objectId,
    // Who keeps their address private at GitHub has none to tell.
    email:
      provider === 'github.com' && dice.chance(0.4) ? '' : `${objectId.slice(0, 8)}@${dice.weighted(MAIL_DOMAINS)}`,
    givenName,
    surname,
    displayName: displayNameOf(origin, givenName, surname) + decorated,
    city: dice.pick(origin.cities),
    postalCode: String(dice.int(10_000, 99_999)),
    country: origin.country,
    locale: dice.chance(0.04) ? '' : dice.chance(0.1) ? `${origin.locale} en` : origin.locale,
    utcOffsetHours: origin.utcOffsetHours,
    customAttributes: customAttributesOf(dice),
    helpsThemselves: dice.chance(0.03),
    roles: dice.chance(0.3) ? ROLES.filter(() => dice.chance(0.4)) : [],
    leavesBefore: dice.weighted<UserFlowStep | undefined>([
      // Who has a local account reached us only at that step.
      ['PostAttributeCollection', federated ? 8 : 0],
      ['PreTokenIssuance', 5],
      [undefined, 87],
    ]),
    signInsPerDay: dice.weighted([
      [2.4, 12],
      [1.1, 35],
      [0.2, 38],
      [0.05, 15],
    ]),
  };
}

const applicationOf = (dice: Dice) =>
  dice.weighted([
    [PORTAL, 45],
    [SHOP, 30],
    [FORUM, 17],
    [ARCHIVE, 8],
  ]);

const accountIdOf = (dice: Dice) => Array.from({ length: dice.int(8, 21) }, () => dice.int(1, 9)).join('');

function customAttributesOf(dice: Dice): Record<string, ClaimValue> {
  const age = dice.int(16, 90);
  const newsletter = dice.chance(0.5);
  const attributes: [name: string, value: ClaimValue][] = [
    ['LoyaltyId', String(dice.int(1_000, 9_999))],
    ['Age', dice.pick([age, String(age)])],
    ['Newsletter', dice.pick([newsletter, String(newsletter), newsletter ? 'True' : 'False'])],
  ];
  return Object.fromEntries(
    attributes.filter(() => dice.chance(0.5)).map(([name, value]) => [`extension_${EXTENSIONS_APP}_${name}`, value]),
  );
}
