/**
 * The queue messages: an {@link Attempt} is one call of a connector as support will see it, a {@link Change} is who changed
 * whose roles. Versioned and checked by Zod on the consumer's side, since a message may have been written by an older
 * version of this code.
 */
import * as z from 'zod/mini';
import { MAX_CHARS, MAX_NAMES } from './bounds.ts';

export const OUTCOMES = ['continue', 'block', 'invalid', 'error'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const text = (maxChars: number) => z.string().check(z.maxLength(maxChars));
const dimension = text(MAX_CHARS.dimension);
const identifier = text(MAX_CHARS.identifier);
const name = text(MAX_CHARS.name);
const personKey = text(MAX_CHARS.personKey);
const names = z.array(name).check(z.maxLength(MAX_NAMES));
/** Version 7 carries the time in its first 48 bits (RFC 9562, section 5.7). */
const uuidv7 = z.uuid({ version: 'v7' });

export const attemptSchema = z.object({
  kind: z.literal('attempt'),
  v: z.literal(1),
  id: uuidv7,
  channel: dimension,
  /** One of B2C's three steps; what the body said when it is none of them; `''` when there was none. */
  step: dimension,
  urlStep: dimension,
  outcome: z.enum(OUTCOMES),
  /** Why the outcome is `error`: `unknown-step`, `not-json`, `too-large`, `cut-off`, `nested-too-deep`, `deadline`, `exception`, `no-policy`; else `''`. */
  reason: dimension,
  /** What the channel calls this kind of reply. */
  reply: dimension,
  status: z.int(),
  rule: dimension,
  messageKey: dimension,
  /** As it was shown; what it quoted of a claim whose value is never kept is `…`. */
  message: text(MAX_CHARS.message),
  /** BCP 47 tag of the message's language. Absent in messages of before there were any. */
  messageLanguage: z._default(dimension, ''),
  supportCode: text(11),
  policyVersion: z.int().check(z.gte(0)),
  clientId: dimension,
  objectId: identifier,
  email: text(MAX_CHARS.value),
  /** Of the first identity; the others are known by {@link Attempt.otherKeys}. */
  issuer: dimension,
  issuerAssignedId: identifier,
  signInType: dimension,
  oidKey: personKey,
  idpKey: personKey,
  emailKey: personKey,
  otherKeys: z.array(personKey).check(z.maxLength(10)),
  locale: dimension,
  claimNames: names,
  unexpectedClaims: names,
  keptClaims: z.record(name, z.union([text(MAX_CHARS.value), z.number(), z.boolean()])),
  roles: z.array(text(64)).check(z.maxLength(100)),
  rolesUpdatedAt: z.nullable(z.iso.datetime()),
  /** Milliseconds from the request's arrival to the reply; deployed clocks move only with I/O. */
  durationMs: z.int().check(z.gte(0), z.lte(600_000)),
  /** What was not working while this was decided, `''` when all was well. */
  degraded: dimension,
  /** Sentences for support, such as `email record not used`. */
  notes: z.array(text(200)).check(z.maxLength(20)),
  /** Name of the credential that called. */
  caller: dimension,
  cfRay: dimension,
  correlationId: dimension,
  fingerprint: dimension,
  /** What the shadow policy would have decided, where it was asked. */
  shadow: z.optional(
    z.object({
      version: z.int().check(z.gte(1)),
      outcome: z.enum(OUTCOMES),
      rule: dimension,
      messageKey: dimension,
      /** Whether B2C would have got another reply. */
      differs: z.boolean(),
      /** Claims whose values differ. */
      claims: names,
    }),
  ),
});

export type Attempt = z.infer<typeof attemptSchema>;

export const changeSchema = z.object({
  kind: z.literal('change'),
  v: z.literal(1),
  id: uuidv7,
  /** Name of the credential. */
  changedBy: dimension,
  /** The person key. */
  subject: text(512),
  before: z.json(),
  after: z.json(),
});

export type Change = z.infer<typeof changeSchema>;

export const messageSchema = z.discriminatedUnion('kind', [attemptSchema, changeSchema]);
export type Message = z.infer<typeof messageSchema>;
