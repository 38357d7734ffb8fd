/** Makes the row of a message. What a column's type does not say, Postgres refuses. */
import { type Column, getTableColumns } from 'drizzle-orm';
import type { Message } from '../../attempts/attempt.ts';
import { MAX_CHARS, occurredAtOf } from '../../attempts/text-limits.ts';
import { attempts, changes, shadowMembers } from '../../database/schema.ts';

/** The row of an attempt; undefined when a value is of another type than its column. */
export const attemptRow = (message: Message) =>
  rowOf(getTableColumns(attempts), message) as typeof attempts.$inferInsert | undefined;
/** The row of a change; undefined when a value is of another type than its column. */
export const changeRow = (message: Message) =>
  rowOf(getTableColumns(changes), message) as typeof changes.$inferInsert | undefined;

/** A member that the message lacks is left to the column's default: messages of an earlier version have fewer. */
function rowOf(columns: Record<string, Column>, message: Message): Record<string, unknown> | undefined {
  const occurredAt = new Date(occurredAtOf(message.id)).toISOString();
  const members: Record<string, unknown> = { ...flat(message), occurredAt };
  const row: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(columns)) {
    const value = members[name];
    if (value === undefined) continue;
    // Null where there must be a value is for Postgres to refuse.
    if (value !== null && !(fits(column, value) && (RELIED_ON[name]?.(value) ?? true))) return undefined;
    row[name] = column.dataType === 'date' && typeof value === 'string' ? new Date(value) : value;
  }
  return row;
}

/** Drizzle would throw on some values of another type, and Postgres take others as text. */
function fits({ dataType }: Column, value: unknown): boolean {
  switch (dataType) {
    case 'string':
      return isText(value);
    case 'array':
      return Array.isArray(value) && value.every(isText);
    case 'date':
      return typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value));
    case 'json':
      return true;
    default:
      return typeof value === dataType;
  }
}

/** ISO 8601 in UTC. `Date.parse` alone takes `May 5` too. */
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Half a character is no text for Neon, which would refuse the whole batch. */
const isText = (value: unknown): boolean => typeof value === 'string' && value.isWellFormed();

const atMost = (maxChars: number) => (value: unknown) => typeof value === 'string' && value.length <= maxChars;

/**
 * Columns of which sums and reports rely on more than the type. The sums are keyed by these texts, and Postgres limits an
 * index row to 2,704 bytes: one longer text would stop all sums.
 */
const RELIED_ON: Record<string, (value: unknown) => boolean> = {
  channel: atMost(MAX_CHARS.dimension),
  step: atMost(MAX_CHARS.dimension),
  outcome: atMost(MAX_CHARS.dimension),
  rule: atMost(MAX_CHARS.dimension),
  clientId: atMost(MAX_CHARS.dimension),
  issuer: atMost(MAX_CHARS.dimension),
  objectId: atMost(MAX_CHARS.identifier),
  keptClaims: (value) =>
    typeof value === 'object' && !Array.isArray(value) && Object.values(value ?? {}).every(isClaimValue),
};

const isClaimValue = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

/**
 * Messages of before the shadow's columns were members hold them in `shadow`. Such a message can wait in a queue for 14 days
 * after an upgrade, and among the dead letters for `RETENTION_DAYS`.
 */
function flat(message: Message & { readonly shadow?: unknown }): object {
  const { shadow, ...members } = message;
  return typeof shadow === 'object' && shadow !== null ? { ...members, ...shadowMembers(shadow) } : members;
}
