/**
 * What Microsoft's four starter packs contain, as far as a journey needs it: ids, orders, outputs and conditions, read
 * from github.com/Azure-Samples/active-directory-b2c-custom-policy-starterpack. An owner who changed the pack gives the
 * file instead of the name.
 */
export interface Pack {
  readonly local?: true;
  readonly social?: true;
  readonly phone?: true;
}

/** By the name of the folder and by the short name, in lower case. */
export const PACKS: { readonly [name: string]: Pack } = {
  local: { local: true },
  localaccounts: { local: true },
  social: { social: true },
  socialaccounts: { social: true },
  socialandlocal: { local: true, social: true },
  socialandlocalaccounts: { local: true, social: true },
  withmfa: { local: true, social: true, phone: true },
  socialandlocalaccountswithmfa: { local: true, social: true, phone: true },
};

export const PACK_NAMES = 'LocalAccounts, SocialAccounts, SocialAndLocalAccounts, SocialAndLocalAccountsWithMfa';

const when = <Item>(condition: true | undefined, ...items: readonly Item[]): readonly Item[] =>
  condition ? items : [];

/** Lists of ids by their data type. */
export function packClaims({ local, social, phone }: Pack): { readonly [dataType: string]: readonly string[] } {
  const strings = [
    'issuerUserId tenantId objectId sub identityProvider displayName email userPrincipalName authenticationSource',
    'executed-SelfAsserted-Input givenName surname upnUserName',
    ...when(local, 'signInName signInNames.emailAddress password newPassword reenterPassword passwordPolicies'),
    ...when(local, 'client_id resource_id nca grant_type scope'),
    ...when(social, 'alternativeSecurityId mailNickName'),
    ...when(phone, 'strongAuthenticationPhoneNumber Verified.strongAuthenticationPhoneNumber userIdForMFA'),
  ];
  const booleans = [
    'newUser objectIdFromSession isActiveMFASession',
    ...when(local, 'accountEnabled'),
    ...when(phone, 'newPhoneNumberEntered'),
  ];
  return {
    string: strings,
    boolean: booleans,
    stringCollection: ['otherMails'],
    dateTime: ['refreshTokenIssuedOnDateTime refreshTokensValidFromDateTime'],
  };
}

const SELF_ASSERTED = 'SelfAssertedAttributeProvider';
const DIRECTORY = 'AzureActiveDirectoryProvider';

export interface PackProfile {
  /** The class of a proprietary protocol in `Web.TPEngine.Providers`, or the protocol. */
  readonly by: string;
  readonly operation?: 'Read' | 'Write';
  /** `email!` is `email` with the partner claim type `Verified.Email`. */
  readonly outputs: string;
  readonly validation?: string;
}

const PERSON = 'displayName givenName surname';

export function packProfiles({ local, social, phone }: Pack): { readonly [id: string]: PackProfile } {
  const known: { [id: string]: PackProfile } = {
    'SM-Noop': { by: 'None', outputs: '' },
    JwtIssuer: { by: 'None', outputs: '' },
    RefreshTokenReadAndSetup: { by: 'None', outputs: 'objectId refreshTokenIssuedOnDateTime' },
    'AAD-UserReadUsingObjectId': { by: DIRECTORY, operation: 'Read', outputs: `${PERSON} otherMails` },
    'AAD-UserReadUsingObjectId-CheckRefreshTokenDate': {
      by: DIRECTORY,
      operation: 'Read',
      outputs: `objectId refreshTokensValidFromDateTime ${PERSON}`,
    },
  };
  if (local) {
    known['login-NonInteractive'] = {
      by: 'OpenIdConnect',
      outputs: `objectId tenantId ${PERSON} authenticationSource`,
    };
    known['AAD-UserReadUsingObjectId'] = {
      by: DIRECTORY,
      operation: 'Read',
      outputs: `signInNames.emailAddress ${PERSON} otherMails`,
    };
    known['AAD-UserWriteUsingLogonEmail'] = {
      by: DIRECTORY,
      operation: 'Write',
      outputs: 'objectId newUser authenticationSource userPrincipalName signInNames.emailAddress',
    };
    known.LocalAccountSignUpWithLogonEmail = {
      by: SELF_ASSERTED,
      outputs: `objectId email! newPassword reenterPassword executed-SelfAsserted-Input authenticationSource newUser ${PERSON}`,
      validation: 'AAD-UserWriteUsingLogonEmail',
    };
    known['SelfAsserted-LocalAccountSignin-Email'] = {
      by: SELF_ASSERTED,
      outputs: 'signInName password objectId authenticationSource',
      validation: 'login-NonInteractive',
    };
  }
  if (social) {
    known['Facebook-OAUTH'] = {
      by: 'OAuth2',
      outputs: `issuerUserId ${PERSON} email identityProvider authenticationSource alternativeSecurityId userPrincipalName`,
    };
    known['AAD-UserReadUsingAlternativeSecurityId-NoError'] = {
      by: DIRECTORY,
      operation: 'Read',
      outputs: `objectId userPrincipalName ${PERSON} otherMails`,
    };
    known['AAD-UserWriteUsingAlternativeSecurityId'] = {
      by: DIRECTORY,
      operation: 'Write',
      outputs: 'objectId newUser otherMails',
    };
    known['SelfAsserted-Social'] = {
      by: SELF_ASSERTED,
      outputs: `objectId newUser executed-SelfAsserted-Input ${PERSON}`,
      validation: 'AAD-UserWriteUsingAlternativeSecurityId',
    };
  }
  if (phone) {
    known['PhoneFactor-InputOrVerify'] = {
      by: 'PhoneFactorProtocolProvider',
      outputs: 'Verified.strongAuthenticationPhoneNumber newPhoneNumberEntered',
    };
    known['AAD-UserWritePhoneNumberUsingObjectId'] = { by: DIRECTORY, operation: 'Write', outputs: '' };
  }
  return known;
}

export interface PackStep {
  /** `Id of the exchange=technical profile`. */
  readonly exchanges?: readonly string[];
  /** The ids of exchanges that a person chooses from, which makes the step the first page. */
  readonly choices?: readonly { readonly target?: string; readonly validation?: string }[];
  /** The step is skipped if the claim exists, does not exist, or has the value. */
  readonly skip?: Skip;
}

export interface Skip {
  readonly claim: string;
  readonly is: 'present' | 'absent' | { readonly equal: string };
}

const HAS_ACCOUNT: Skip = { claim: 'objectId', is: 'present' };
const SIGN_IN = 'LocalAccountSigninEmailExchange';
const FACEBOOK = 'FacebookExchange';

const source = (value: string): Skip => ({ claim: 'authenticationSource', is: { equal: value } });

export function packSignUpOrSignIn({ local, social, phone }: Pack): readonly PackStep[] {
  const onlyIf = (condition: true | undefined, skip: Skip) => (condition ? { skip } : {});
  return [
    {
      choices: [...when(social, { target: FACEBOOK }), ...when(local, { validation: SIGN_IN })],
      exchanges: [...when(local, `${SIGN_IN}=SelfAsserted-LocalAccountSignin-Email`)],
    },
    {
      ...onlyIf(local, HAS_ACCOUNT),
      exchanges: [
        ...when(social, `${FACEBOOK}=Facebook-OAUTH`),
        ...when(local, 'SignUpWithLogonEmailExchange=LocalAccountSignUpWithLogonEmail'),
      ],
    },
    ...when<PackStep>(
      social,
      {
        ...onlyIf(local, source('localAccountAuthentication')),
        exchanges: ['AADUserReadUsingAlternativeSecurityId=AAD-UserReadUsingAlternativeSecurityId-NoError'],
      },
      { skip: HAS_ACCOUNT, exchanges: ['SelfAsserted-Social=SelfAsserted-Social'] },
    ),
    ...when<PackStep>(local, {
      ...onlyIf(social, source('socialIdpAuthentication')),
      exchanges: ['AADUserReadWithObjectId=AAD-UserReadUsingObjectId'],
    }),
    ...when<PackStep>(social, {
      skip: HAS_ACCOUNT,
      exchanges: ['AADUserWrite=AAD-UserWriteUsingAlternativeSecurityId'],
    }),
    ...when<PackStep>(
      phone,
      {
        skip: { claim: 'isActiveMFASession', is: 'present' },
        exchanges: ['PhoneFactor-Verify=PhoneFactor-InputOrVerify'],
      },
      {
        skip: { claim: 'newPhoneNumberEntered', is: 'absent' },
        exchanges: ['AADUserWriteWithObjectId=AAD-UserWritePhoneNumberUsingObjectId'],
      },
    ),
    {},
  ];
}

export const PACK_REFRESH: readonly PackStep[] = [
  { exchanges: ['RefreshTokenSetupExchange=RefreshTokenReadAndSetup'] },
  { exchanges: ['CheckRefreshTokenDateFromAadExchange=AAD-UserReadUsingObjectId-CheckRefreshTokenDate'] },
  {},
];
