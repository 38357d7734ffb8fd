/** Values as people type them in a query string or a body: addresses and person keys. */
import * as z from 'zod/mini';
import { text } from './input-rules.ts';

/** Converts a typed text into the value to look for. */
export const typed = <Read>(turn: (typed: string, context: z.core.ParsePayload) => Read | Promise<Read>) =>
  z.pipe(text, z.transform(turn));
/** Refuses a typed value with `message`. */
export const refuseTyped = ({ issues, value }: z.core.ParsePayload, message: string) => {
  issues.push({ code: 'custom', input: value, message });
  return z.NEVER;
};

/** An address has no space and no angle brackets. A `+` that was not percent-encoded in a URL arrives as a space. */
export const NO_ADDRESS = /^mailto:|[\s<>]/i;
export const ADDRESS_RULE =
  'not a bare address: it has a space, angle brackets or mailto:. Write anna@example.com. In a URL write + as %2B, or use';

/** The address of a typed `email:` key; `''` for other texts. */
export const addressIn = (typed: string): string => /^email:\s*(.*)$/is.exec(typed)?.[1] ?? '';

export const KEY_FORMS =
  'not a person key. Write oid:<objectId>, idp:<issuer>:<id> (each of the two percent-encoded) or email:<address>: ' +
  'for example oid:0f8fad5b-d9cb-469f-a165-70867728950e, idp:google.com:1084512345678 or email:anna@example.com. ' +
  'A key has no control characters. In a path the whole key is one percent-encoded segment';
