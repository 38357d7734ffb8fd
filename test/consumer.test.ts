/** From the queue to Neon: no message is let go before it lies in a table or among the dead letters. Design section 7. */
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Attempt, Change, Message } from '../src/attempts/attempt.ts';
import { retryDelaySeconds } from '../src/attempts/consume.ts';
import { listDeadLetters, replayDeadLetters } from '../src/attempts/dead-letters.ts';
import { configOf } from '../src/config.ts';
import { anAttempt } from './attempt.ts';
import { newClient, rowsOf } from './call.ts';
import worker from './worker.ts';

const DAY_MS = 86_400_000;
const NOWHERE = 'postgres://gatehouse:local@127.0.0.1:9/gatehouse';
const at = (msecs: number) => uuidv7({ msecs });

interface Delivery {
  body: unknown;
  /** How often the queue has tried, this time included. */
  tries?: number;
}

async function deliver(deliveries: Delivery[], bindings: object = {}) {
  const ctx = createExecutionContext();
  const batch = createMessageBatch<unknown>(
    'gatehouse-attempts',
    deliveries.map(({ body, tries = 1 }, index) => ({ id: `m${index}`, timestamp: new Date(), attempts: tries, body })),
  );
  await worker.queue(batch, { ...env, ...bindings });
  const { explicitAcks, retryMessages } = await getQueueResult(batch, ctx);
  return { acked: explicitAcks.toSorted(), retried: retryMessages };
}
const messages = (...bodies: unknown[]) => bodies.map((body) => ({ body }));

/** The letters that hold one of these ids. */
async function lettersOf(...ids: string[]) {
  const { letters } = await listDeadLetters(env.GATEHOUSE, 1_000);
  return letters.filter(({ id }) => ids.includes(id));
}

afterEach(() => vi.restoreAllMocks());

describe('a batch', () => {
  it('is written whole, and every message acknowledged', async () => {
    const clientId = newClient();
    const batch = Array.from({ length: 100 }, () => anAttempt({ clientId }));
    const { acked, retried } = await deliver(messages(...batch));
    expect([acked.length, retried]).toEqual([100, []]);
    expect((await rowsOf(clientId)).map(({ id }) => id).toSorted()).toEqual(batch.map(({ id }) => id).toSorted());
  });

  it('delivered twice, also at once and mixed with new ones, is one row a message', async () => {
    const clientId = newClient();
    const [one, two, three] = [anAttempt({ clientId }), anAttempt({ clientId }), anAttempt({ clientId })];
    await Promise.all([deliver(messages(one, two)), deliver(messages(two, one, one, three))]);
    await deliver(messages(three, one));
    expect(await rowsOf(clientId)).toHaveLength(3);
  });

  it('is not let go when something else than Neon answers in its stead', async () => {
    const clientId = newClient();
    for (const [status, text] of [
      [200, '{"rows":[],"fields":[]}'],
      [200, '{}'],
      [200, '<html>'],
      [204, null],
      [302, null],
      [500, 'x'],
    ] as const) {
      vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response(text, { status }));
      const { acked, retried } = await deliver(messages(anAttempt({ clientId })));
      vi.restoreAllMocks();
      expect([text, acked, retried.length]).toEqual([text, [], 1]);
    }
  });

  it('is tried again whole when Postgres refuses it for what is not in a message', async () => {
    for (const code of ['40001', '42703', '42P01', '53300', '57P03', 'XX000', '25006']) {
      vi.spyOn(globalThis, 'fetch').mockImplementation(async () =>
        Response.json({ message: 'no', code }, { status: 400 }),
      );
      const { acked, retried } = await deliver(messages(anAttempt(), anAttempt()));
      vi.restoreAllMocks();
      expect([code, acked, retried.length]).toEqual([code, [], 2]);
    }
  });

  it('keeps every member of an attempt as it was', async () => {
    const clientId = newClient();
    const attempt = anAttempt({
      clientId,
      roles: ['a', 'b'],
      keptClaims: { country: 'Iceland', extension_Age: 42, extension_Ok: false },
      rolesUpdatedAt: '2026-11-01T12:00:00.123Z',
      notes: ['email record not used'],
      otherKeys: ['idp:a:"{},\\'],
    });
    await deliver(messages(attempt));
    const [row] = await rowsOf(clientId);
    const { kind: _, v: __, rolesUpdatedAt, ...members } = attempt;
    expect(row).toMatchObject(members);
    expect(row?.rolesUpdatedAt?.toISOString()).toBe(rolesUpdatedAt);
    expect(row?.occurredAt.getTime()).toBe(Number.parseInt(attempt.id.replace('-', '').slice(0, 12), 16));
  });
});

describe('a message at fault', () => {
  it('that is none of ours goes aside at once, and the others go in', async () => {
    const clientId = newClient();
    const bad = { ...anAttempt({ clientId }), outcome: 'perhaps' };
    const old = { ...anAttempt({ clientId }), v: 0 };
    const { acked, retried } = await deliver(
      messages('text', anAttempt({ clientId }), bad, null, old, anAttempt({ clientId })),
    );
    expect([acked.length, retried]).toEqual([6, []]);
    expect(await rowsOf(clientId)).toHaveLength(2);
    expect((await lettersOf(bad.id, old.id, 'm0', 'm3')).map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(
      Array(4).fill('refused not-a-message'),
    );
  });

  it('that Postgres refuses goes aside at once, and the others go in, wherever it stands', async () => {
    for (const place of [0, 3, 6]) {
      const clientId = newClient();
      // Zod lets NUL pass; Postgres' text does not (22021).
      const poison = anAttempt({ clientId, message: 'a\0b' });
      const batch: Attempt[] = Array.from({ length: 6 }, () => anAttempt({ clientId }));
      batch.splice(place, 0, poison);
      const { acked, retried } = await deliver(messages(...batch));
      expect([acked.length, retried]).toEqual([7, []]);
      expect(await rowsOf(clientId)).toHaveLength(6);
      expect(await lettersOf(poison.id)).toMatchObject([{ kind: 'refused', reason: '22021' }]);
    }
  });

  it('that lies outside retention goes aside, while a missing month within it is made', async () => {
    const clientId = newClient();
    const now = Date.now();
    const kept = [at(now - 80 * DAY_MS), at(now - 40 * DAY_MS), at(now)].map((id) => anAttempt({ clientId, id }));
    const gone = anAttempt({ clientId, id: at(now - 400 * DAY_MS) });
    const future = anAttempt({ clientId, id: at(now + 400 * DAY_MS) });
    const { acked, retried } = await deliver(messages(gone, ...kept, future));
    expect([acked.length, retried]).toEqual([5, []]);
    expect(await rowsOf(clientId)).toHaveLength(3);
    expect(await lettersOf(gone.id, future.id)).toMatchObject([
      { reason: 'outside-retention' },
      { reason: 'outside-retention' },
    ]);
  });

  it('does not hold the others up while KV hangs', async () => {
    const clientId = newClient();
    const kv = { put: () => new Promise(() => undefined) };
    const { acked, retried } = await deliver(messages('text', anAttempt({ clientId })), { GATEHOUSE: kv });
    expect([acked, retried.map(({ msgId }) => msgId)]).toEqual([['m1'], ['m0']]);
    expect(await rowsOf(clientId)).toHaveLength(1);
  });

  it('lies aside as long as an attempt would be kept', async () => {
    const bad = { ...anAttempt(), v: 0 };
    await deliver(messages(bad));
    const { keys } = await env.GATEHOUSE.list({ prefix: `dead-letter:refused:${bad.id}` });
    const days = ((keys[0]?.expiration ?? 0) - Date.now() / 1_000) / 86_400;
    expect(Math.round(days)).toBe(90);
  });

  it('is tried again when KV cannot take it either', async () => {
    const kv = { put: () => Promise.reject(new Error('KV is away')) };
    const { acked, retried } = await deliver(messages('text'), { GATEHOUSE: kv });
    expect([acked, retried.map(({ msgId }) => msgId)]).toEqual([[], ['m0']]);
  });
});

describe('an outage', () => {
  it('loses nothing: all are tried again, later each time, up to 15 minutes', async () => {
    const clientId = newClient();
    const batch = [anAttempt({ clientId }), anAttempt({ clientId })];
    const { acked, retried } = await deliver(messages(...batch), { DATABASE_URL: NOWHERE });
    expect([acked, retried.length]).toEqual([[], 2]);
    const asked: unknown[] = [];
    const message = {
      id: 'm',
      timestamp: new Date(),
      body: batch[0],
      ack: () => asked.push('ack'),
      retry: (options: unknown) => asked.push(options),
    };
    const deliveries = [1, 4, 96].map((tries) => ({ ...message, attempts: tries }));
    const held = { queue: 'gatehouse-attempts', messages: deliveries, ackAll() {}, retryAll() {}, metadata: {} };
    await worker.queue(held as unknown as MessageBatch, { ...env, ...{ DATABASE_URL: NOWHERE } });
    expect(asked).toEqual([{ delaySeconds: 5 }, { delaySeconds: 40 }, { delaySeconds: 900 }]);
    expect([1, 2, 3, 8, 9, 50].map(retryDelaySeconds)).toEqual([5, 10, 20, 640, 900, 900]);
    const total = Array.from({ length: 96 }, (_, index) => retryDelaySeconds(index + 1)).reduce(
      (sum, delay) => sum + delay,
      0,
    );
    expect(total / 3_600).toBeGreaterThan(20);
    expect(total / 3_600).toBeLessThan(26);
  });

  it('of about a day lays the messages aside, and the replay writes each once', async () => {
    const clientId = newClient();
    const batch = [anAttempt({ clientId }), anAttempt({ clientId })];
    const last = batch.map((body) => ({ body, tries: 97 }));
    expect((await deliver(last, { DATABASE_URL: NOWHERE })).acked).toHaveLength(2);
    expect(await lettersOf(...batch.map(({ id }) => id))).toMatchObject([{ kind: 'outage' }, { kind: 'outage' }]);
    // One of them had been written after all: its answer was lost.
    await deliver(messages(batch[0]));

    await replayDeadLetters(env.GATEHOUSE, configOf(env), 'outage');
    expect(await rowsOf(clientId)).toHaveLength(2);
    expect(await lettersOf(...batch.map(({ id }) => id))).toEqual([]);
  });

  it('that held up a message which Postgres then refuses leaves it among the refused, where it wakes nobody', async () => {
    const clientId = newClient();
    const gone = anAttempt({ clientId, id: at(Date.now() - 400 * DAY_MS) });
    const good = anAttempt({ clientId });
    await deliver(
      [gone, good, 'text'].map((body) => ({ body, tries: 97 })),
      { DATABASE_URL: NOWHERE },
    );
    await env.GATEHOUSE.put('dead-letter:outage:broken', '{');
    await replayDeadLetters(env.GATEHOUSE, configOf(env), 'outage');
    expect(await rowsOf(clientId)).toHaveLength(1);
    expect((await listDeadLetters(env.GATEHOUSE, 100, undefined, 'outage')).letters).toEqual([]);
    expect(await lettersOf(gone.id, 'broken')).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
  });

  it('leaves the letters where they are while it lasts', async () => {
    const attempt = anAttempt({ clientId: newClient() });
    await deliver([{ body: attempt, tries: 97 }], { DATABASE_URL: NOWHERE });
    const away = configOf({ ...env, DATABASE_URL: NOWHERE });
    await expect(replayDeadLetters(env.GATEHOUSE, away)).rejects.toThrow();
    expect(await lettersOf(attempt.id)).toHaveLength(1);
  });
});

describe('a change', () => {
  it('goes the same road, in the same batch', async () => {
    const subject = `oid:${crypto.randomUUID()}`;
    const change: Change = {
      kind: 'change',
      v: 1,
      id: at(Date.now()),
      changedBy: 'admin',
      subject,
      before: null,
      after: { roles: ['x'] },
    };
    const all: Message[] = [anAttempt({ clientId: newClient() }), change, change];
    expect((await deliver(messages(...all))).acked).toHaveLength(3);
    const { connect } = await import('../src/database/connect.ts');
    const { changes } = await import('../src/database/schema.ts');
    const { eq } = await import('drizzle-orm');
    const rows = await connect(env.DATABASE_URL, 5_000).db.select().from(changes).where(eq(changes.subject, subject));
    expect(rows).toMatchObject([{ changedBy: 'admin', before: null, after: { roles: ['x'] } }]);
  });
});
