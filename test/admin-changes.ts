/** What the change log holds about a person, and changes that have not reached it yet. */
import { env } from 'cloudflare:workers';
import { asc, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { vi } from 'vitest';
import { type DeadLetterKind, layAside } from '../src/attempts/dead-letters.ts';
import { configOf } from '../src/config.ts';
import { connect } from '../src/database/connect.ts';
import { changes } from '../src/database/schema.ts';

/** Oldest first. */
export const changesOf = (key: string) =>
  connect(env.DATABASE_URL, 10_000)
    .db.select()
    .from(changes)
    .where(eq(changes.subject, key))
    .orderBy(asc(changes.occurredAt), asc(changes.id));

/** Waits for the queue and its consumer. */
export const changesOfOnce = (key: string, count: number) =>
  vi.waitUntil(
    async () => {
      const rows = await changesOf(key);
      return rows.length >= count ? rows : false;
    },
    { timeout: 10_000, interval: 50 },
  );

/** Lays a change aside that the database will take; returns its name in KV. */
export async function layChangeAside(
  key: string,
  kind: DeadLetterKind = 'outage',
  reason = 'Neon was away',
): Promise<string> {
  const id = uuidv7();
  const change = { kind: 'change', v: 1, id, changedBy: 'admin', subject: key, before: null, after: { roles: ['a'] } };
  await layAside(env.GATEHOUSE, configOf(env), id, kind, reason, change);
  return `dead-letter:${kind}:${id}`;
}
