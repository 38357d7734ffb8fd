/** The queue consumer acknowledges a message only once a table or the dead letters have it. Design section 7. */
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { eq, getTableColumns } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Attempt, Change } from '../../src/attempts/attempt.ts';
import { connect } from '../../src/database/connect.ts';
import { attempts, changes } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { consume } from '../../src/desk/consume/consume.ts';
import { listDeadLetters } from '../../src/desk/consume/dead-letters.ts';
import { DAY_MS } from '../../src/platform/duration.ts';
import { anAttempt } from '../support/attempt.ts';
import { NEON_AWAY, newClient, rowsOf } from '../support/call.ts';
import worker from '../support/worker.ts';

const at = (msecs: number) => uuidv7({ msecs });

const QUEUE = 'gatehouse-attempts';
const database = () => connect(env.DATABASE_URL, 10_000).db;

/** Delivers bodies as one batch; the first has the id `m0`. */
async function deliver(bodies: unknown[], bindings: object = {}, queue = QUEUE) {
  const ctx = createExecutionContext();
  const deliveries = bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch<unknown>(queue, deliveries);
  await worker.queue(batch, { ...env, ...bindings });
  const { explicitAcks, retryMessages } = await getQueueResult(batch, ctx);
  return { acked: explicitAcks.toSorted(), retried: retryMessages };
}

/** The consumer's reaction to each delivery, in order: `ack`, or the options of a retry. The timeouts are short. */
async function reactionsTo(deliveries: { body: unknown; tries?: number }[], bindings: object = {}, queue = QUEUE) {
  const answers: unknown[] = deliveries.map(() => undefined);
  const messages = deliveries.map(({ body, tries = 1 }, index) => ({
    ...{ id: `m${index}`, timestamp: new Date(), body, attempts: tries },
    ack: () => answers.splice(index, 1, 'ack'),
    retry: (options: unknown) => answers.splice(index, 1, options),
  }));
  const batch = { queue, messages, ackAll() {}, retryAll() {}, metadata: {} } as unknown as MessageBatch;
  await consume(batch, { ...env, ...bindings }, { writeMs: 5_000, kvMs: 50 });
  return answers;
}

/** The dead letters with one of these ids. */
async function lettersOf(...ids: string[]) {
  const { letters } = await listDeadLetters(env.GATEHOUSE, 1_000);
  return letters.filter(({ id }) => ids.includes(id));
}

afterEach(() => vi.restoreAllMocks());

describe('consumer: a batch', () => {
  it('the whole batch is written, and every message is acknowledged', async () => {
    const clientId = newClient();
    const batch = Array.from({ length: 100 }, () => anAttempt({ clientId }));
    const { acked, retried } = await deliver(batch);
    expect([acked.length, retried]).toEqual([100, []]);
    expect((await rowsOf(clientId)).map(({ id }) => id).toSorted()).toEqual(batch.map(({ id }) => id).toSorted());
  });

  it('a message that is delivered several times, also concurrently and among new ones, becomes one row', async () => {
    const clientId = newClient();
    const [one, two, three] = [anAttempt({ clientId }), anAttempt({ clientId }), anAttempt({ clientId })];
    await Promise.all([deliver([one, two]), deliver([two, one, one, three])]);
    await deliver([three, one]);
    expect(await rowsOf(clientId)).toHaveLength(3);
  });

  it('every message is retried when the reply does not come from Neon', async () => {
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
      const { acked, retried } = await deliver([anAttempt({ clientId })]);
      vi.restoreAllMocks();
      expect([text, acked, retried.length]).toEqual([text, [], 1]);
    }
  });

  it('every message is retried when the SQLSTATE does not blame a message', async () => {
    for (const code of ['40001', '42703', '42P01', '53300', '57P03', 'XX000', '25006']) {
      vi.spyOn(globalThis, 'fetch').mockImplementation(async () =>
        Response.json({ message: 'no', code }, { status: 400 }),
      );
      const { acked, retried } = await deliver([anAttempt(), anAttempt()]);
      vi.restoreAllMocks();
      expect([code, acked, retried.length]).toEqual([code, [], 2]);
    }
  });

  it('the row has every member of the attempt, unchanged', async () => {
    const clientId = newClient();
    const attempt = anAttempt({
      clientId,
      roles: ['a', 'b'],
      keptClaims: { country: 'Iceland', extension_Age: 42, extension_Ok: false },
      rolesUpdatedAt: '2026-11-01T12:00:00.123Z',
      notes: ['email record not used'],
      otherKeys: ['idp:a:"{},\\'],
      ...{ shadowVersion: 3, shadowOutcome: 'block', shadowRule: 'r', shadowMessageKey: 'm', shadowDiffers: true },
      shadowClaims: ['country'],
    });
    await deliver([attempt]);
    const [row] = await rowsOf(clientId);
    const { kind: _, v: __, rolesUpdatedAt, ...members } = attempt;
    expect(row).toMatchObject(members);
    expect(row?.rolesUpdatedAt?.toISOString()).toBe(rolesUpdatedAt);
    expect(row?.occurredAt.getTime()).toBe(Number.parseInt(attempt.id.replace('-', '').slice(0, 12), 16));
  });
});

/** JSON values that a column of this type does not accept. */
const WRONG: Record<string, unknown[]> = {
  string: [5, true, {}, ['a'], 'half \ud800', 'nul \0'],
  number: ['5', true, {}, [1], 1.5, 1e12, -1e12],
  boolean: ['true', 1, {}, []],
  array: ['a', 5, {}, [5], ['a', null], [['a']], [{ toString: 1 }], ['half \ud800'], ['nul \0']],
  json: [5, 'a', true, ['a'], { a: { b: 1 } }, { a: null }, { a: ['b'] }, { a: 'nul \0' }, { 'nul \0': 1 }],
  date: [5, true, {}, [], '', 'yesterday', 'May 5', '2026-13-45T00:00:00Z'],
};
const { occurredAt: _, id: __, ...columns } = getTableColumns(attempts);

describe('consumer: a message at fault', () => {
  it('a message with an unknown schema goes to the dead letters, and the rest of the batch is written', async () => {
    const clientId = newClient();
    const faulty = [
      ...[null, 'text', 5, [], {}, { ...anAttempt(), v: 0 }, { ...anAttempt(), v: '1' }, { ...anAttempt(), v: 2 }],
      ...[
        { ...anAttempt(), kind: 'call' },
        { ...anAttempt(), kind: undefined },
        { ...anAttempt(), id: undefined },
      ],
      ...[5, 'x', crypto.randomUUID(), `${at(0)}0`, null].map((id) => ({ ...anAttempt(), id })),
    ];
    const { acked, retried } = await deliver([anAttempt({ clientId }), ...faulty, anAttempt({ clientId })]);
    expect([acked.length, retried]).toEqual([faulty.length + 2, []]);
    expect(await rowsOf(clientId)).toHaveLength(2);
    const ids = faulty.map((body, index) => {
      const own = body !== null && typeof body === 'object' && 'id' in body ? String(body.id) : '';
      return own.length === 36 ? own : `m${index + 1}`;
    });
    expect((await lettersOf(...ids)).map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(
      Array(faulty.length).fill('refused not-a-message'),
    );
  });

  it('a message with a value of the wrong type is refused for every column, and the rest of the batch is written', async () => {
    const faulty = Object.entries(columns).flatMap(([name, { dataType, notNull }]) =>
      [...(WRONG[dataType] ?? []), ...(notNull ? [null] : [])].map((value) => ({ ...anAttempt(), [name]: value })),
    );
    expect(Object.values(columns).filter(({ dataType }) => !(dataType in WRONG))).toEqual([]);
    for (let first = 0; first < faulty.length; first += 98) {
      const clientId = newClient();
      const some = faulty.slice(first, first + 98);
      const { acked, retried } = await deliver([anAttempt({ clientId }), ...some, anAttempt({ clientId })]);
      expect([acked.length, retried]).toEqual([some.length + 2, []]);
      expect(await rowsOf(clientId)).toHaveLength(2);
      const letters = await lettersOf(...some.map(({ id }) => id));
      expect(some.filter(({ id }) => letters.every((letter) => letter.id !== id))).toEqual([]);
      expect(letters.filter(({ reason }) => !/^(not-a-message|22\w{3}|23502)$/.test(reason))).toEqual([]);
    }
  });

  it('a message with a text of 18 kB in any column is refused or written, and blocks no sum and no other message', async () => {
    const clientId = newClient();
    // Random, because Postgres compresses index entries.
    const long = Array.from({ length: 500 }, () => crypto.randomUUID()).join('');
    const texts = Object.entries(columns).filter(([, { dataType }]) => dataType === 'string' || dataType === 'array');
    // In an hour that is over, so that the attempts are summed.
    const at = new Date(Date.now() - 3 * 3_600_000);
    const faulty = texts.map(([name, { dataType }]) => ({
      ...anAttempt({ clientId, at }),
      [name]: dataType === 'array' ? [long] : long,
    }));
    const { acked, retried } = await deliver([...faulty, anAttempt({ clientId, at })]);
    expect([acked.length, retried]).toEqual([faulty.length + 1, []]);
    const letters = await lettersOf(...faulty.map(({ id }) => id));
    const written = await rowsOf(clientId);
    expect(letters.length).toBeGreaterThan(10);
    expect(letters.length + written.length).toBe(faulty.length + 1);
    expect(await sumDue(database, new Date())).toMatchObject({ left: 0 });
  });

  it('a message that Postgres refuses goes to the dead letters, at any position, and the rest of the batch is written', async () => {
    for (const place of [0, 3, 6]) {
      const clientId = newClient();
      const poison = anAttempt({ clientId, message: 'a\0b' });
      const batch: Attempt[] = Array.from({ length: 6 }, () => anAttempt({ clientId }));
      batch.splice(place, 0, poison);
      const { acked, retried } = await deliver(batch);
      expect([acked.length, retried]).toEqual([7, []]);
      expect(await rowsOf(clientId)).toHaveLength(6);
      expect(await lettersOf(poison.id)).toMatchObject([{ kind: 'refused', reason: '22021' }]);
    }
  });

  it('a message outside retention goes to the dead letters, and a missing month within retention is created', async () => {
    const clientId = newClient();
    const now = Date.now();
    const retained = [at(now - 80 * DAY_MS), at(now - 40 * DAY_MS), at(now)].map((id) => anAttempt({ clientId, id }));
    const gone = anAttempt({ clientId, id: at(now - 400 * DAY_MS) });
    const future = anAttempt({ clientId, id: at(now + 400 * DAY_MS) });
    const { acked, retried } = await deliver([gone, ...retained, future]);
    expect([acked.length, retried]).toEqual([5, []]);
    expect(await rowsOf(clientId)).toHaveLength(3);
    expect(await lettersOf(gone.id, future.id)).toMatchObject([
      { reason: 'outside-retention' },
      { reason: 'outside-retention' },
    ]);
  });

  it('a refused message does not delay the rest of the batch while KV hangs', async () => {
    const clientId = newClient();
    const kv = { put: () => new Promise(() => undefined) };
    const deliveries = [{ body: 'text' }, { body: anAttempt({ clientId }) }];
    expect(await reactionsTo(deliveries, { GATEHOUSE: kv })).toEqual([{ delaySeconds: 5 }, 'ack']);
    expect(await rowsOf(clientId)).toHaveLength(1);
  });

  it('a dead letter expires with the retention of attempts', async () => {
    const bad = { ...anAttempt(), v: 0 };
    await deliver([bad]);
    const { keys } = await env.GATEHOUSE.list({ prefix: `dead-letter:refused:${bad.id}` });
    const days = ((keys[0]?.expiration ?? 0) - Date.now() / 1_000) / 86_400;
    expect(Math.round(days)).toBe(90);
  });

  it('a refused message is retried when KV fails', async () => {
    const kv = { put: () => Promise.reject(new Error('KV is away')) };
    const { acked, retried } = await deliver(['text'], { GATEHOUSE: kv });
    expect([acked, retried.map(({ msgId }) => msgId)]).toEqual([[], ['m0']]);
  });
});

describe('consumer: an outage of Neon', () => {
  it('every message is retried, after a delay that grows to 15 minutes', async () => {
    const deliveries = [1, 2, 4, 8, 9, 100].map((tries) => ({ body: anAttempt(), tries }));
    expect(await reactionsTo(deliveries, NEON_AWAY)).toEqual(
      [5, 10, 40, 640, 900, 900].map((delaySeconds) => ({ delaySeconds })),
    );
  });

  it('the second queue retries every four hours, and writes its messages after the outage', async () => {
    const clientId = newClient();
    const delayed = anAttempt({ clientId });
    const faulty = { ...anAttempt({ clientId }), status: '200' };
    const deliveries = [1, 50].map((tries) => ({ body: delayed, tries }));
    const waiting = 'gatehouse-attempts-waiting';
    const fourHours = { delaySeconds: 14_400 };
    expect(await reactionsTo(deliveries, NEON_AWAY, waiting)).toEqual([fourHours, fourHours]);
    expect((await deliver([delayed, faulty, delayed], {}, waiting)).acked).toHaveLength(3);
    expect((await rowsOf(clientId)).map(({ id }) => id)).toEqual([delayed.id]);
    expect(await lettersOf(faulty.id)).toHaveLength(1);
  });

  it('a valid message never becomes a dead letter, and one with an unknown schema becomes one at once', async () => {
    const attempt = anAttempt();
    const none = { ...anAttempt(), v: 0 };
    expect(await reactionsTo([{ body: attempt, tries: 100 }, { body: none }], NEON_AWAY)).toEqual([
      { delaySeconds: 900 },
      'ack',
    ]);
    expect((await lettersOf(attempt.id, none.id)).map(({ id }) => id)).toEqual([none.id]);
  });
});

describe('consumer: a message of an earlier version', () => {
  it('a message with the shadow as one member, or without later members, is written', async () => {
    const clientId = newClient();
    const shadow = { version: 3, outcome: 'block', rule: 'r', messageKey: 'm', differs: true, claims: ['country'] };
    const { kind, v, id, status, durationMs } = anAttempt({ at: new Date(Date.now() - 1_000) });
    const bare = { kind, v, id, status, durationMs, clientId };
    await deliver([
      bare,
      { ...bare, id: at(Date.now()), shadow },
      { ...bare, id: at(Date.now()), shadow: { version: 'x' } },
    ]);
    expect(await rowsOf(clientId)).toMatchObject([
      { shadowVersion: 0, shadowOutcome: '', shadowDiffers: false, shadowClaims: [], notes: [], messageLanguage: '' },
      {
        ...{ shadowVersion: 3, shadowOutcome: 'block', shadowRule: 'r', shadowMessageKey: 'm', shadowDiffers: true },
        shadowClaims: ['country'],
      },
    ]);
  });

  it('the time of the row comes from the id, not from a member of the message', async () => {
    const clientId = newClient();
    const attempt = anAttempt({ clientId });
    await deliver([{ ...attempt, occurredAt: '2001-01-01T00:00:00Z', toString: 1, another: {} }]);
    const [row] = await rowsOf(clientId);
    expect(Math.abs(Date.now() - (row?.occurredAt.getTime() ?? 0))).toBeLessThan(60_000);
  });
});

describe('consumer: a change', () => {
  it('a change is written to the audit log from the same batch as attempts', async () => {
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
    expect((await deliver([anAttempt({ clientId: newClient() }), change, change])).acked).toHaveLength(3);
    const rows = await database().select().from(changes).where(eq(changes.subject, subject));
    expect(rows).toMatchObject([{ changedBy: 'admin', before: null, after: { roles: ['x'] } }]);
  });

  it('a change with a value of the wrong type goes to the dead letters, and the rest of the batch is written', async () => {
    const good = { kind: 'change', v: 1, changedBy: 'admin', subject: `oid:${crypto.randomUUID()}`, after: 1 };
    const wrong = [null, undefined, ...(WRONG.string ?? [])];
    const faulty = ['changedBy', 'subject'].flatMap((name) =>
      wrong.map((value) => ({ ...good, id: at(Date.now()), [name]: value })),
    );
    const { acked } = await deliver([...faulty, { ...good, id: at(Date.now()) }]);
    expect(acked).toHaveLength(faulty.length + 1);
    expect(await lettersOf(...faulty.map(({ id }) => id))).toHaveLength(faulty.length);
    expect(await database().select().from(changes).where(eq(changes.subject, good.subject))).toHaveLength(1);
  });
});
