/**
 * The messages of the queue: {@link Attempt}, {@link Change}, {@link RefusedCalls} and {@link Probe} are rows of
 * `attempts`, `changes`, `refused_calls` and `probes`, with times as text. Import types only from the schema: a call
 * must not load Drizzle.
 */
import type { attempts, changes, probes, refusedCalls } from '../database/schema.ts';

export const OUTCOMES = ['continue', 'block', 'invalid', 'error'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const KINDS = ['attempt', 'change', 'refused-calls', 'probe'] as const;

/** The members that {@link isMessage} validates. */
export interface Message {
  readonly kind: (typeof KINDS)[number];
  readonly v: 1;
  /** UUIDv7 with the time of the event. */
  readonly id: string;
}

/** A row in JSON: an instant is a text, ISO 8601 in UTC. */
type InJson<Row> = { [Name in keyof Row]: Date extends Row[Name] ? string | Exclude<Row[Name], Date> : Row[Name] };

/** The consumer derives `occurredAt` from `id`. */
export type Attempt = Message & { readonly kind: 'attempt' } & InJson<Omit<typeof attempts.$inferSelect, 'occurredAt'>>;

export type Change = Message & { readonly kind: 'change' } & InJson<Omit<typeof changes.$inferSelect, 'occurredAt'>>;

export type RefusedCalls = Message & { readonly kind: 'refused-calls' } & InJson<
    Omit<typeof refusedCalls.$inferSelect, 'occurredAt'>
  >;

export type Probe = Message & { readonly kind: 'probe' } & InJson<Omit<typeof probes.$inferSelect, 'occurredAt'>>;

/** The first 48 bits are the time (RFC 9562, section 5.7). */
const UUIDV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Whether a body is a message of this version. The consumer and Postgres validate the other members. */
export function isMessage(body: unknown): body is Message {
  if (typeof body !== 'object' || body === null || !('kind' in body && 'v' in body && 'id' in body)) return false;
  const { kind, v, id } = body;
  return KINDS.some((known) => known === kind) && v === 1 && typeof id === 'string' && UUIDV7.test(id);
}

/** The reason code for a body that is not a message, or has a value that does not fit its column. */
export const NOT_A_MESSAGE = 'not-a-message';
