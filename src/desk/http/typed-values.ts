/** Values as people type them in a query string or a body: instants, addresses and person keys. */
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

const INSTANT_RULE =
  'not a time: give a date, which means midnight UTC (2026-11-21), or a time with Z or an offset ' +
  '(2026-11-21T08:00:00Z, 2026-11-21T09:00:00+01:00)';

/** A `+` that was not percent-encoded arrives as a space. */
export const instant = z.pipe(
  z.pipe(
    typed((typed) => typed.replace(/ (?=\d\d:\d\d$)/, '+')),
    z.union(
      [z.iso.date(), z.iso.datetime({ offset: true }), z.iso.datetime({ offset: true, precision: -1 })],
      INSTANT_RULE,
    ),
  ),
  z.pipe(
    z.transform((typed: string) => new Date(typed)),
    z
      .date()
      .check(
        z.refine(
          (at) => at.getUTCFullYear() >= 2000 && at.getUTCFullYear() < 2200,
          'not between the years 2000 and 2199',
        ),
      ),
  ),
);

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
