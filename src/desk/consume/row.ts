/** Converts a message to a row. It checks types; Postgres checks the constraints. */
import { type Column, getTableColumns } from 'drizzle-orm';
import type { Message } from '../../attempts/attempt.ts';
import { MAX_CHARS, occurredAtOf } from '../../attempts/text-limits.ts';
import { attempts, changes, probes, refusedCalls, shadowMembers } from '../../database/schema.ts';

/** The row of an attempt; undefined when a value has the wrong type for its column. */
export const attemptRow = (message: Message) =>
  rowOf(getTableColumns(attempts), message) as typeof attempts.$inferInsert | undefined;
/** The row of a change; undefined when a value has the wrong type for its column. */
export const changeRow = (message: Message) =>
  rowOf(getTableColumns(changes), message) as typeof changes.$inferInsert | undefined;
/** The row of refused calls; undefined when a value does not fit its column. */
export const refusedCallsRow = (message: Message) =>
  rowOf(getTableColumns(refusedCalls), message) as typeof refusedCalls.$inferInsert | undefined;
/** The row of a probe; undefined when a value does not fit its column. */
export const probeRow = (message: Message) =>
  rowOf(getTableColumns(probes), message) as typeof probes.$inferInsert | undefined;

/** A missing member takes the column's default: messages of an earlier version have fewer members. */
function rowOf(columns: Record<string, Column>, message: Message): Record<string, unknown> | undefined {
  const occurredAt = new Date(occurredAtOf(message.id)).toISOString();
  const members: Record<string, unknown> = { ...flat(message), occurredAt };
  const row: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(columns)) {
    const value = members[name];
    if (value === undefined) continue;
    // Postgres refuses a null in a `not null` column.
    if (value !== null && !(fits(column, value) && (RELIED_ON[name]?.(value) ?? true))) return undefined;
    row[name] = column.dataType === 'date' && typeof value === 'string' ? new Date(value) : value;
  }
  return row;
}

/** Drizzle throws on some values of the wrong type; Postgres casts others to text. */
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

/** ISO 8601 in UTC. `Date.parse` alone accepts `May 5` too. */
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Neon refuses a whole batch for one lone surrogate. */
const isText = (value: unknown): boolean => typeof value === 'string' && value.isWellFormed();

const atMost = (maxChars: number) => (value: unknown) => typeof value === 'string' && value.length <= maxChars;

/**
 * Checks beyond the type, on which aggregates and reports rely. These texts are keys of the aggregates, and Postgres
 * limits an index row to 2,704 bytes: one longer text would stop all aggregation.
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
 * Messages of an earlier version hold the shadow's columns in a member `shadow`. They can wait in a queue for 14 days
 * after an upgrade, and in the dead letters for `RETENTION_DAYS`.
 */
function flat(message: Message & { readonly shadow?: unknown }): object {
  const { shadow, ...members } = message;
  return typeof shadow === 'object' && shadow !== null ? { ...members, ...shadowMembers(shadow) } : members;
}
