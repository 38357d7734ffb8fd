/** Names of identity providers by the issuer that B2C sends. Pure. */

/** By domain: an issuer may be the domain itself, one below it, or a URL of either. */
const NAME_OF_DOMAIN = new Map([
  ['google.com', 'Google'],
  ['facebook.com', 'Facebook'],
  ['apple.com', 'Apple'],
  ['live.com', 'Microsoft account'],
  ['microsoftonline.com', 'Microsoft Entra ID'],
  ['windows.net', 'Microsoft Entra ID'],
  ['github.com', 'GitHub'],
  ['linkedin.com', 'LinkedIn'],
  ['amazon.com', 'Amazon'],
  ['twitter.com', 'X (Twitter)'],
  ['x.com', 'X (Twitter)'],
  ['ebay.com', 'eBay'],
  ['salesforce.com', 'Salesforce'],
  ['paypal.com', 'PayPal'],
  ['yahoo.com', 'Yahoo'],
  ['id.me', 'ID.me'],
  ['swissid.ch', 'SwissID'],
  ['qq.com', 'QQ'],
  ['wechat.com', 'WeChat'],
  ['weibo.com', 'Weibo'],
  // The directory itself.
  ['onmicrosoft.com', 'Local account'],
  ['b2clogin.com', 'Local account'],
  ['ciamlogin.com', 'Local account'],
]);

/** The issuer `mail` is a one-time passcode (CONTRACT.md). */
const NAME_OF_ISSUER = new Map([
  ['', 'Local account, or no identity sent'],
  ['mail', 'One-time passcode by e-mail'],
]);

/** Undefined for an issuer that is in no table. */
export function providerNameOf(issuer: string): string | undefined {
  const known = NAME_OF_ISSUER.get(issuer.toLowerCase());
  if (known !== undefined) return known;
  const labels = hostOf(issuer).split('.');
  return labels.map((_, at) => NAME_OF_DOMAIN.get(labels.slice(at).join('.'))).find((name) => name !== undefined);
}

const hostOf = (issuer: string): string => {
  const written = /^https?:/i.test(issuer) ? issuer : `https://${issuer}`;
  return URL.canParse(written) ? new URL(written).hostname : '';
};
