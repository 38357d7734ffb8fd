/** `person.id`: a UUID of the person, which is derived at each call that needs it and stored nowhere. */
import { hexOf, hmac } from '../platform/digest.ts';
import type { PersonEntitlements, Policy } from '../policy/policy.ts';
import { bestKey, type SignInEvent } from '../sign-in/event.ts';

/** So that no other signature under the same secret is one of an id. */
const PURPOSE = 'gatehouse: person.id';
const encoder = new TextEncoder();

/**
 * The UUID (version 8) of the best person key under the secret; undefined without a key or a secret. The same key has
 * the same id at every call while the secret stays. Rejects when the runtime cannot sign.
 */
export async function personIdOf(
  secret: string,
  { personKeys }: Pick<SignInEvent, 'personKeys'>,
): Promise<string | undefined> {
  const key = bestKey(personKeys);
  if (key === '' || secret === '') return undefined;
  const digits = hexOf((await hmac(secret, encoder.encode(`${PURPOSE}\n${key}`))).slice(0, 16));
  // RFC 9562: the version is 8, and the variant is the bits 10.
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 3) | 8).toString(16);
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, `$1-$2-8$3-${variant}$4-$5`);
}

/** The entitlements with the id, if a rule of the step reads it. */
export async function withPersonId(
  person: PersonEntitlements,
  event: SignInEvent,
  { steps }: Policy,
  idOf: (event: SignInEvent) => Promise<string | undefined>,
): Promise<PersonEntitlements> {
  if (steps.get(event.step ?? '')?.readsPersonId !== true) return person;
  return { ...person, id: await idOf(event) };
}
