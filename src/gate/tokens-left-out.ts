/** No attempt stores a text that contains a token. */
import { containsToken } from '../attempts/token-shape.ts';
import type { SignInEvent } from '../sign-in/event.ts';

export const withoutToken = (text: string): string => (containsToken(text) ? '' : text);

/** The event without texts that contain a token; the same object when there are none. */
export function withoutTokens(event: SignInEvent): SignInEvent {
  const { claims, email, locale, identities, otherNames } = event;
  // The event has these two in lower case, in which a token is not recognised.
  const [objectId, clientId] = [claims.objectId, claims.client_id].map((claim) => containsToken(String(claim ?? '')));
  const isFree = { email: !containsToken(email), locale: !containsToken(locale) };
  const some = identities.filter((identity) => !Object.values(identity).some(containsToken));
  const others = otherNames.filter((address) => !containsToken(address));
  const isWhole = some.length === identities.length && others.length === otherNames.length;
  if (isFree.email && isFree.locale && isWhole && !objectId && !clientId) return event;
  return {
    ...event,
    objectId: objectId ? '' : event.objectId,
    clientId: clientId ? '' : event.clientId,
    email: isFree.email ? email : '',
    locale: isFree.locale ? locale : '',
    identities: some,
    otherNames: others,
  };
}
