/**
 * Where the record of a person is in Workers KV: `person:` + person key. A person key that contains what a person is
 * called (an address, a telephone number, a sign-in name) is not a key in KV. Its place there is
 * `person:<kind>:<id of the EMAIL_KEY>.<HMAC-SHA-256 of the person key>`, and the value holds the person key.
 */
import { hexOf, hmac, keyIdOf } from '../platform/digest.ts';
import type { Copy } from './stored-record.ts';

export const PERSON_PREFIX = 'person:';

/**
 * Person keys that are personal data: addresses (also with @ of another width, or percent-encoded more than once),
 * telephone numbers with a country (+), any sign-in name of a local account, whose issuer is the tenant's domain, and
 * digests without a key, from which a guess can be confirmed.
 */
const NAMES_A_PERSON =
  /^(?:email|sha256):|[@\uff20\ufe6b]|%(?:25)*40|%(?:25)*ef%(?:25)*(?:bc%(?:25)*a0|b9%(?:25)*ab)|^idp:(?:[^:]*:.*%2b|[^:]*\.(?:onmicrosoft\.[a-z]+|onmschina\.cn):)/i;
const DIGEST = /^[a-z0-9]+:([0-9a-f]{8})\.[0-9a-f]{64}$/;

/** Whether the record of a person key is under a digest. */
export const isDigested = (personKey: string): boolean => NAMES_A_PERSON.test(personKey);

const encoder = new TextEncoder();

/** The KV key of a digested person key under one `EMAIL_KEY`. */
export async function digestPlace(secret: string, personKey: string): Promise<string> {
  const kind = personKey.slice(0, personKey.indexOf(':'));
  const digest = hexOf(await hmac(secret, encoder.encode(`record ${personKey}`)));
  return `${PERSON_PREFIX}${kind}:${await keyIdOf(secret)}.${digest}`;
}

export const plainPlace = (personKey: string): string => PERSON_PREFIX + personKey;

/**
 * The KV keys under which the record of a person may be: under each `EMAIL_KEY`, the newest first, then as an earlier
 * version stored it. Only a digested key costs a promise.
 */
export function placesOf(secrets: readonly string[], personKey: string): string[] | Promise<string[]> {
  return secrets.length === 0 || !isDigested(personKey) ? [plainPlace(personKey)] : digestPlaces(secrets, personKey);
}

const digestPlaces = async (secrets: readonly string[], personKey: string): Promise<string[]> => [
  ...(await Promise.all(secrets.map((secret) => digestPlace(secret, personKey)))),
  plainPlace(personKey),
];

/** The id of the `EMAIL_KEY` of a KV key; undefined when it is not a digest. */
export const keyIdIn = (place: string): string | undefined => DIGEST.exec(place.slice(PERSON_PREFIX.length))?.[1];

/** The person key of a KV key; `text` is its value. For a digest whose value does not hold it, the digest. */
export const personKeyAt = (place: string, text: string): string =>
  (keyIdIn(place) === undefined ? undefined : keyIn(text)) ?? place.slice(PERSON_PREFIX.length);

/** The person key that a value holds. */
export const keyIn = (text: string): string | undefined => memberOf(text, 'key');

/** The value of a copy for a place that does not show its person key. A value that is not a record is wrapped. */
export function withKey(key: string, { text, stored }: Pick<Copy, 'text' | 'stored'>): string {
  if (stored === undefined) return keyIn(text) === key ? text : JSON.stringify({ key, unreadable: text });
  return JSON.stringify({ ...JSON.parse(text), key });
}

/** The value that {@link withKey} wrapped; any other value itself. */
export const unwrapped = (text: string): string => memberOf(text, 'unreadable') ?? text;

function memberOf(text: string, name: 'key' | 'unreadable'): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const value: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
