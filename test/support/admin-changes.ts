/** The audit log of a person, and dead letters with changes. */
import { createMessageBatch } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { asc, eq } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { changes } from '../../src/database/schema.ts';
import type { DeadLetterKind } from '../../src/desk/consume/dead-letters.ts';
import { admin } from './admin-call.ts';
import { WRITTEN_WITHIN_MS } from './call.ts';
import worker from './worker.ts';

/** The changes of a person, oldest first. */
export const changesOf = (key: string) =>
  connect(env.DATABASE_URL, WRITTEN_WITHIN_MS)
    .db.select()
    .from(changes)
    .where(eq(changes.subject, key))
    .orderBy(asc(changes.occurredAt), asc(changes.id));

/** Waits until the consumer has written `count` changes. */
export const changesOfOnce = (key: string, count: number) =>
  vi.waitUntil(
    async () => {
      const rows = await changesOf(key);
      return rows.length >= count ? rows : false;
    },
    { timeout: WRITTEN_WITHIN_MS, interval: 50 },
  );

/** Stores a valid change as a dead letter. Returns its KV key. */
export async function deadLetterOf(key: string, kind: DeadLetterKind = 'refused', reason = '22021'): Promise<string> {
  const id = uuidv7();
  const change = { kind: 'change', v: 1, id, changedBy: 'admin', subject: key, before: null, after: { roles: ['a'] } };
  const metadata = { reason, diedAt: new Date().toISOString() };
  await env.GATEHOUSE.put(`dead-letter:${kind}:${id}`, JSON.stringify(change), { metadata });
  return `dead-letter:${kind}:${id}`;
}

/** For tests that count dead letters: other test files leave some in KV. */
export async function noDeadLetters(): Promise<void> {
  const { keys } = await env.GATEHOUSE.list({ prefix: 'dead-letter:' });
  await Promise.all(keys.map(({ name }) => env.GATEHOUSE.delete(name)));
}

/** A queue for replays. It stores messages until the test delivers them to the consumer. */
export function ownQueue() {
  const sent: { message: unknown; options: unknown }[] = [];
  const send = async (message: unknown, options: unknown) => void sent.push({ message, options });
  return {
    sent,
    replay: (query = '') =>
      admin('POST', `/dead-letters/replay${query}`, undefined, { bindings: { ATTEMPTS: { send } } }),
    deliver: () => {
      const bodies = sent.map(({ message: body }, index) => ({
        id: `m${index}`,
        timestamp: new Date(),
        attempts: 1,
        body,
      }));
      return worker.queue(createMessageBatch<unknown>('gatehouse-attempts', bodies), env);
    },
  };
}
