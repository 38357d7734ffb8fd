/**
 * The queue messages: an {@link Attempt} is one call of a connector as support will see it, a {@link Change} is who changed
 * whose roles. Versioned and checked by Zod on the consumer's side, since a message may have been written by an older
 * version of this code. Texts are bounded here, at the producer, so that a row always fits Postgres' index limits.
 */
import * as z from 'zod';

export const OUTCOMES = ['continue', 'block', 'invalid', 'error'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Characters a text of a call may keep. `dimension` columns are parts of an index row, which Postgres limits to 2,704 bytes. */
export const MAX_CHARS = {
  dimension: 128,
  identifier: 256,
  message: 2_000,
  name: 100,
  personKey: 400,
  value: 500,
} as const;
export const MAX_NAMES = 150;
/** Cloudflare refuses a queue message above 128 KB; the design keeps below half of it. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

const dimension = z.string().max(MAX_CHARS.dimension);
const identifier = z.string().max(MAX_CHARS.identifier);
const name = z.string().max(MAX_CHARS.name);
const personKey = z.string().max(MAX_CHARS.personKey);
const names = z.array(name).max(MAX_NAMES);
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
  /** Why the outcome is `error`: `unknown-step`, `not-json`, `too-large`, `cut-off`, `nested-too-deep`, `deadline`, `exception`; else `''`. */
  reason: dimension,
  reply: z.enum(['Continue', 'ShowBlockPage', 'ValidationError']),
  status: z.union([z.literal(200), z.literal(400)]),
  rule: dimension,
  messageKey: dimension,
  message: z.string().max(MAX_CHARS.message),
  supportCode: z.string().max(11),
  policyVersion: z.int().min(0),
  clientId: dimension,
  objectId: identifier,
  email: z.string().max(MAX_CHARS.value),
  /** Of the first identity; the others are known by {@link Attempt.otherKeys}. */
  issuer: dimension,
  issuerAssignedId: identifier,
  signInType: dimension,
  oidKey: personKey,
  idpKey: personKey,
  emailKey: personKey,
  otherKeys: z.array(personKey).max(10),
  locale: dimension,
  claimNames: names,
  unexpectedClaims: names,
  keptClaims: z.record(name, z.union([z.string().max(MAX_CHARS.value), z.number(), z.boolean()])),
  roles: z.array(z.string().max(64)).max(100),
  rolesUpdatedAt: z.iso.datetime().nullable(),
  /** Milliseconds from the request's arrival to the reply; deployed clocks move only with I/O. */
  durationMs: z.int().min(0).max(600_000),
  /** What was not working while this was decided, `''` when all was well. */
  degraded: dimension,
  /** Sentences for support, such as `email record not used`. */
  notes: z.array(z.string().max(200)).max(20),
  /** Name of the credential that called. */
  caller: dimension,
  cfRay: dimension,
  correlationId: dimension,
  fingerprint: dimension,
});

export type Attempt = z.infer<typeof attemptSchema>;

export const changeSchema = z.object({
  kind: z.literal('change'),
  v: z.literal(1),
  id: uuidv7,
  /** Name of the credential. */
  changedBy: dimension,
  /** The person key. */
  subject: z.string().max(512),
  before: z.json(),
  after: z.json(),
});

export type Change = z.infer<typeof changeSchema>;

export const messageSchema = z.discriminatedUnion('kind', [attemptSchema, changeSchema]);
export type Message = z.infer<typeof messageSchema>;

/** When it happened, in milliseconds since 1970: read from the UUIDv7. */
export const occurredAtOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** A text as Postgres takes it: no NUL, no lone surrogate, at most `maxChars` UTF-16 units and never half a character. */
export function bound(text: string, maxChars: number): string {
  const cut = text.length > maxChars ? text.slice(0, maxChars) : text;
  return cut.isWellFormed() && !cut.includes('\0') ? cut : cut.toWellFormed().replaceAll('\0', '\ufffd');
}
