/** The schedule sums every write, lets an idle Neon sleep, and continues after a failure. Design section 8. */
import { env } from 'cloudflare:workers';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { isDue, markDue, mayWait } from '../../src/desk/aggregates/due.ts';
import type { DeskEnv } from '../../src/desk/env.ts';
import { type Job, jobsAfterSums, runSchedule } from '../../src/desk/schedule.ts';
import { PUBLISH_DUE_PREFIX } from '../../src/policy/pointer.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { NEON_AWAY } from '../support/call.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.parse('2026-11-21T01:00:00Z');

/** The real KV with keys of this test alone, and some methods replaced. For `markDue` it is a new namespace. */
function ownKv(replaced: Partial<Record<'get' | 'put', () => Promise<never>>> = {}): KVNamespace {
  const prefix = `test:${crypto.randomUUID()}:`;
  const { GATEHOUSE: kv } = env;
  const get = (key: string) => kv.get(prefix + key);
  const put = (key: string, value: string) => kv.put(prefix + key, value);
  return { ...kv, get, put, ...replaced } as KVNamespace;
}

/** A run without the jobs after sums, unless they are given. */
const tick = (bound: DeskEnv, now: number, jobs: readonly Job[] = []) => runSchedule(bound, now, jobs);

const away = () => Promise.reject(new Error('KV is away'));
/** Long retention, so that nothing in the shared database is dropped. */
const envWith = (kv: KVNamespace, changed: object = {}): Env => ({
  ...env,
  DATABASE_URL,
  GATEHOUSE: kv,
  RETENTION_DAYS: '3650',
  ...changed,
});
const db = () => connect(env.DATABASE_URL, 10_000).db;
const summedOf = async (clientId: string) => {
  const { rows } = await db().execute<{ n: number }>(
    sql`select coalesce(sum(attempts), 0)::int as n from daily_counts where dims = 4 and client_id = ${clientId}`,
  );
  return rows[0]?.n;
};
/** Writes attempts. The default time is in an hour that is over at {@link NOW}. */
const write = async (clientId: string, count: number, at = NOW - 90 * MINUTE) =>
  keepAttempts(
    db(),
    Array.from({ length: count }, () => anAttempt({ clientId, at: new Date(at) })),
  );
/** The consumer may still write what other files sent: the requests of these tests have an address of their own. */
const OURS = 'application_name=schedule';
const DATABASE_URL = `${env.DATABASE_URL}?${OURS}`;

/** Number of requests to Neon during `work`. */
async function requestsDuring(work: () => Promise<unknown>): Promise<number> {
  const fetched = vi.spyOn(globalThis, 'fetch');
  await work();
  const sent = fetched.mock.calls.filter(([, init]) =>
    new Headers(init?.headers).get('Neon-Connection-String')?.endsWith(OURS),
  );
  fetched.mockRestore();
  return sent.length;
}
/** Logged events, with their job. */
const logged = () => {
  const lines = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  return () => lines.mock.calls.map(([line]) => JSON.parse(String(line)) as { event: string; job?: string });
};

afterEach(() => vi.restoreAllMocks());

describe('schedule: when sums are due', () => {
  const times = fc.integer({ min: 0, max: 3 * DAY }).map((after) => NOW + after);

  it('a write that the last run may have missed makes sums due, even if its mark is up to a minute older', () => {
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 0, max: DAY }),
        fc.integer({ min: 0, max: MINUTE }),
        (done, later, older) => {
          const written = done + later;
          expect(mayWait(written - older, done, written)).toBe(true);
        },
      ),
    );
  });

  it('without a write or an ended hour sums are not due, except once a day', () => {
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 2 * MINUTE, max: DAY }),
        fc.integer({ min: 0, max: 2 * DAY }),
        (done, before, after) => {
          const hourOf = (time: number) => Math.floor((time - 12 * MINUTE) / (60 * MINUTE));
          const [due, now] = [done - before, done + after];
          const wasOpen = due > hourOf(done) * 60 * MINUTE - 2 * MINUTE && hourOf(now) > hourOf(done);
          expect(mayWait(due, done, now)).toBe(after >= DAY || wasOpen);
          expect(mayWait(Number.NaN, done, now)).toBe(after >= DAY);
        },
      ),
    );
  });

  it('the end of the hour of the last write makes sums due', () => {
    const at = (time: string) => Date.parse(`2026-11-21T${time}Z`);
    const due = at('10:07:00');
    expect(mayWait(due, at('10:15:00'), at('11:11:59'))).toBe(false);
    expect(mayWait(due, at('10:15:00'), at('11:12:00'))).toBe(true);
    expect(mayWait(due, at('11:15:00'), at('12:15:00'))).toBe(false);
  });

  it('a missing or unreadable mark makes sums due', async () => {
    const kv = ownKv();
    expect(await isDue(kv, NOW)).toBe(true);
    await kv.put('sums:done', 'not a time');
    expect(await isDue(kv, NOW)).toBe(true);
  });
});

describe('schedule: marks in KV', () => {
  it('the consumer marks at most once a minute, and again when marking failed', async () => {
    const put = vi
      .fn<() => Promise<void>>()
      .mockRejectedValueOnce(new Error('KV is away'))
      .mockResolvedValue(undefined);
    const kv = { ...ownKv(), put } as unknown as KVNamespace;
    await expect(markDue(kv, NOW)).rejects.toThrow('KV is away');
    for (const after of [0, 1, 30 * SECOND, 60 * SECOND - 1, 60 * SECOND, 90 * SECOND]) await markDue(kv, NOW + after);
    expect(put.mock.calls).toEqual([NOW, NOW, NOW + MINUTE].map((time) => ['sums:due', new Date(time).toISOString()]));
  });
});

describe('schedule: a tick', () => {
  it('a tick sums attempts when their hour is over, and sends Neon no request otherwise', async () => {
    const [kv, clientId] = [ownKv(), crypto.randomUUID()];
    const ticked = (now: number) => requestsDuring(() => tick(envWith(kv), now));
    expect(await ticked(NOW)).toBeGreaterThan(0);
    expect(await ticked(NOW + 5 * MINUTE)).toBe(0);

    await write(clientId, 7, NOW + 9 * MINUTE);
    await markDue(kv, NOW + 9 * MINUTE);
    expect(await ticked(NOW + 10 * MINUTE)).toBeGreaterThan(0);
    // One more run, because the isolate may have written in the minute in which it does not mark again.
    expect(await ticked(NOW + 11 * MINUTE)).toBeGreaterThan(0);
    // Twelve minutes after its end, the hour before is over, and these attempts may be in it.
    expect(await ticked(NOW + 15 * MINUTE)).toBeGreaterThan(0);
    // Another file may sum these attempts at any time, so only the requests show that a tick does not.
    for (const later of [20, 60, 70]) expect(await ticked(NOW + later * MINUTE)).toBe(0);
    expect(await ticked(NOW + 75 * MINUTE)).toBeGreaterThan(0);
    expect(await summedOf(clientId)).toBe(7);
    for (const later of [80, 135, 600]) expect(await ticked(NOW + later * MINUTE)).toBe(0);
    expect(await ticked(NOW + 2 * DAY)).toBeGreaterThan(0);
  });

  it('ticks miss no write, in any order of writes, marks and ticks', async () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 3 * MINUTE }),
      does: fc.constantFrom('write', 'tick', 'both'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const [kv, clientId] = [ownKv(), crypto.randomUUID()];
        let [now, written] = [NOW, 0];
        const writeOne = async () => {
          written++;
          await write(clientId, 1, now);
          await markDue(kv, now);
        };
        for (const { wait, does } of steps) {
          now += wait;
          await Promise.all([does !== 'tick' && writeOne(), does !== 'write' && tick(envWith(kv), now)]);
        }
        // Every five minutes until the last hour is over, as the schedule does.
        for (let later = 5; later <= 75; later += 5) await tick(envWith(kv), now + later * MINUTE);
        expect(await summedOf(clientId)).toBe(written);
      }),
      { numRuns: 10 },
    );
  });

  it('overlapping ticks count each attempt once', async () => {
    const [kv, clientId] = [ownKv(), crypto.randomUUID()];
    await write(clientId, 9);
    await Promise.all([tick(envWith(kv), NOW), tick(envWith(kv), NOW), tick(envWith(kv), NOW + MINUTE)]);
    expect(await summedOf(clientId)).toBe(9);
  });

  it('a tick creates the partitions of the next months', async () => {
    await tick(envWith(ownKv()), NOW);
    const { rows } = await db().execute<{ there: boolean }>(
      sql`select to_regclass('attempts_2027_02') is not null as there`,
    );
    expect(rows).toEqual([{ there: true }]);
  });

  it('a tick sums even when KV fails', async () => {
    const clientId = crypto.randomUUID();
    const events = logged();
    await write(clientId, 3);
    await tick(envWith(ownKv({ get: away, put: away })), NOW);
    expect(await summedOf(clientId)).toBe(3);
    expect(events().map(({ event, job }) => [event, job])).toEqual([
      ['tick-job-failed', 'sums-due'],
      ['tick-job-failed', 'mark-done'],
    ]);
  });

  it('a tick logs a failure of Neon, runs the other jobs, and the next tick tries again', async () => {
    const kv = ownKv();
    const ran: string[] = [];
    const events = logged();
    const jobs: Job[] = [{ name: 'other', run: async () => ran.push('other') }];
    await tick(envWith(kv, NEON_AWAY), NOW, jobs);
    expect(ran).toEqual(['other']);
    expect(events()).toContainEqual(expect.objectContaining({ event: 'tick-job-failed', job: 'sum' }));
    expect(await isDue(kv, NOW + 5 * MINUTE)).toBe(true);
  });

  it('a tick without DATABASE_URL logs that it is skipped, and does nothing', async () => {
    const events = logged();
    expect(await requestsDuring(() => tick(envWith(ownKv(), { DATABASE_URL: '' }), NOW))).toBe(0);
    expect(events()).toMatchObject([{ event: 'tick-skipped' }]);
  });
});

describe('schedule: jobs after the sums', () => {
  it('jobs run in order after the sums, even if one of them fails', async () => {
    const [kv, clientId] = [ownKv(), crypto.randomUUID()];
    const ran: unknown[] = [];
    const events = logged();
    await write(clientId, 2);
    await tick(envWith(kv), NOW, [
      { name: 'first', run: async () => ran.push(await summedOf(clientId)) },
      { name: 'second', run: () => Promise.reject(new Error('no')) },
      { name: 'third', run: async () => ran.push('third') },
    ]);
    expect(ran).toEqual([2, 'third']);
    expect(events()).toMatchObject([{ event: 'tick-job-failed', job: 'second', error: 'Error' }]);
  });

  it('a job with work wakes Neon, and a job without work does not', async () => {
    const kv = ownKv();
    await tick(envWith(kv), NOW);
    const ran: string[] = [];
    const job = (name: string, works: boolean): Job => ({
      name,
      wakes: async () => works,
      run: async () => ran.push(name),
    });
    await tick(envWith(kv), NOW + 5 * MINUTE, [job('idle', false)]);
    expect(ran).toEqual([]);
    await tick(envWith(kv), NOW + 5 * MINUTE, [job('idle', false), job('busy', true)]);
    expect(ran).toEqual(['idle', 'busy']);
  });
});

describe('schedule: what hangs', () => {
  const hang = () => new Promise<never>(() => undefined);
  const SHORT = { kvMs: 50, wakeMs: 300, requestMs: 300, retentionMs: 300, probeMs: 100, jobMs: 400 };
  /** The limits that Neon needs to work on a busy machine. */
  const HEALTHY = { wakeMs: 10_000, requestMs: 10_000, retentionMs: 10_000, probeMs: 10_000 };

  it.each(['get', 'put', 'delete', 'list'] as const)(
    'a tick ends and does the rest of its work when KV hangs on %s',
    async (method) => {
      const due = { keys: [{ name: `${PUBLISH_DUE_PREFIX}x`, metadata: { at: 1 } }] };
      const [real, clientId, events] = [ownKv(), crypto.randomUUID(), logged()];
      const kv = {
        ...real,
        list: () => Promise.resolve(due),
        delete: () => Promise.resolve(),
        [method]: hang,
      };
      const bound = envWith(kv as unknown as KVNamespace);
      const ran: string[] = [];
      const jobs: Job[] = [...jobsAfterSums(bound, NOW), { name: 'last', run: async () => ran.push('last') }];
      await write(clientId, 4);
      await runSchedule(bound, NOW, jobs, { ...SHORT, ...HEALTHY });
      expect(await summedOf(clientId)).toBe(4);
      expect(ran).toEqual(['last']);
      expect(events().map(({ job }) => job)).not.toContain('sum');
    },
  );

  it('a mark that does not answer counts as due', async () => {
    const [kv, clientId] = [ownKv({ get: hang }), crypto.randomUUID()];
    await write(clientId, 2);
    await runSchedule(envWith(kv), NOW, [], { ...SHORT, ...HEALTHY });
    expect(await summedOf(clientId)).toBe(2);
  });

  it('a job that hangs is given up, and the jobs after it run', async () => {
    const ran: string[] = [];
    const jobs: Job[] = [
      { name: 'hangs', wakes: hang, run: hang },
      { name: 'last', run: async () => ran.push('last') },
    ];
    await runSchedule(envWith(ownKv()), NOW, jobs, { ...SHORT, ...HEALTHY });
    expect(ran).toEqual(['last']);
  });

  it('a tick ends when Neon hangs, from whichever request on: it waits for one request and for one probe', async () => {
    const real = globalThis.fetch;
    for (let healthy = 0; healthy < 12; healthy++) {
      let [requests, waited] = [0, 0];
      const ran: string[] = [];
      vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
        if (requests++ < healthy) return real(input, { ...init, signal: null });
        const signal = init?.signal as AbortSignal;
        if (!signal.aborted) waited += 1;
        return new Promise((_, reject) => {
          if (signal.aborted) reject(signal.reason);
          else signal.addEventListener('abort', () => reject(signal.reason));
        });
      });
      const bound = envWith(ownKv());
      const asksNeon: Job = { name: 'asks', asksNeon: true, run: async () => ran.push('asks') };
      const last: Job = { name: 'last', run: async () => ran.push('last') };
      await runSchedule(bound, NOW, [asksNeon, last], { ...SHORT, wakeMs: 100, requestMs: 100, retentionMs: 100 });
      vi.restoreAllMocks();
      expect(waited).toBeLessThanOrEqual(2);
      if (waited > 0) expect(ran).toEqual(['last']);
    }
  });
});
