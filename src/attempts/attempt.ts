/**
 * The messages of the queue. The tables are their schema: an {@link Attempt} is a row of `attempts` (one call of a connector
 * as support will see it), a {@link Change} a row of `changes`, with times as JSON carries them. What a member means stands
 * beside its column. Import types only from the schema: a call must not load Drizzle.
 */
import type { attempts, changes } from '../database/schema.ts';

export const OUTCOMES = ['continue', 'block', 'invalid', 'error'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What the consumer knows of a message before its row is made; see {@link isMessage}. */
export interface Message {
  readonly kind: 'attempt' | 'change';
  readonly v: 1;
  /** UUIDv7 of when it happened. */
  readonly id: string;
}

/** A row as JSON carries it: an instant is a text, ISO 8601 in UTC. */
type InJson<Row> = { [Name in keyof Row]: Date extends Row[Name] ? string | Exclude<Row[Name], Date> : Row[Name] };

/** Without what the consumer makes of `id`. */
export type Attempt = Message & { readonly kind: 'attempt' } & InJson<Omit<typeof attempts.$inferSelect, 'occurredAt'>>;

export type Change = Message & { readonly kind: 'change' } & InJson<Omit<typeof changes.$inferSelect, 'occurredAt'>>;

/** Version 7 carries the time in its first 48 bits (RFC 9562, section 5.7). */
const UUIDV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Whether a body is a message of this version. Its other members are checked with its row (row.ts), and by Postgres. */
export function isMessage(body: unknown): body is Message {
  if (typeof body !== 'object' || body === null || !('kind' in body && 'v' in body && 'id' in body)) return false;
  const { kind, v, id } = body;
  return (kind === 'attempt' || kind === 'change') && v === 1 && typeof id === 'string' && UUIDV7.test(id);
}

/** Why a message is refused that {@link isMessage} does not know, or of which a value is not of its column's type. */
export const NOT_A_MESSAGE = 'not-a-message';
