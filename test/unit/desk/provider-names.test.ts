import { expect, test } from 'vitest';
import { providerNameOf } from '../../../src/desk/reports/provider-names.ts';

test.each([
  ['google.com', 'Google'],
  ['https://accounts.google.com', 'Google'],
  ['Facebook.com', 'Facebook'],
  ['https://appleid.apple.com', 'Apple'],
  ['login.live.com', 'Microsoft account'],
  ['https://login.microsoftonline.com/7f3c/v2.0', 'Microsoft Entra ID'],
  ['https://sts.windows.net/7f3c/', 'Microsoft Entra ID'],
  ['contoso.onmicrosoft.com', 'Local account'],
  ['mail', 'One-time passcode by e-mail'],
  ['', 'Local account, or no identity sent'],
])('the issuer "%s" has the name %s', (issuer, name) => expect(providerNameOf(issuer)).toBe(name));

test.each(['notgoogle.com', 'google.com.example', 'https://example.com/google.com', '__proto__', 'com', '://', 'a b…'])(
  'the issuer "%s", which is in no table, has no name',
  (issuer) => expect(providerNameOf(issuer)).toBeUndefined(),
);
