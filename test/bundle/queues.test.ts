/**
 * Both queues as they are configured: how long a message can wait for the database, and the way from the first to the
 * second.
 */
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestHarness, unstable_readConfig } from 'wrangler';
import { connect } from '../../src/database/connect.ts';
import { attempts } from '../../src/database/schema.ts';
import { retryDelaySeconds } from '../../src/desk/consume/consume.ts';
import { startFaultyNeon } from '../support/faulty-neon.ts';

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 60 * MINUTE_SECONDS;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/**
 * Cloudflare keeps a message no longer, and allows no more retries and no longer waits
 * (https://developers.cloudflare.com/queues/platform/limits/).
 */
const MOST = { retentionSeconds: 14 * DAY_SECONDS, retries: 100, delaySeconds: 12 * HOUR_SECONDS };

/** Of the desk's wrangler.toml, whose type Wrangler does not export. */
interface Consumer {
  readonly queue: string;
  readonly max_retries: number;
  readonly dead_letter_queue?: string;
}

const { name, main, compatibility_date, kv_namespaces, queues } = unstable_readConfig({
  config: './src/desk/wrangler.toml',
});
const consumers: readonly Consumer[] = queues.consumers ?? [];
const producers: readonly { queue: string }[] = queues.producers ?? [];
const first = consumers.find(({ queue }) => queue === producers[0]?.queue);
const second = consumers.find(({ queue }) => queue === first?.dead_letter_queue);

/** The wait before each retry that the configuration allows. */
const waitsIn = (consumer: Consumer | undefined) =>
  Array.from({ length: consumer?.max_retries ?? 0 }, (_, failed) =>
    retryDelaySeconds(consumer?.queue ?? '', failed + 1),
  );
const total = (waits: number[]) => waits.reduce((sum, wait) => sum + wait, 0);

describe('queues while the database is unavailable', () => {
  it('the first queue retries a message for about a day, at most 15 minutes apart, then passes it to the second', () => {
    const waits = waitsIn(first);
    expect(waits.slice(0, 3)).toEqual([5, 10, 20]);
    expect(Math.max(...waits)).toBe(15 * MINUTE_SECONDS);
    expect(total(waits)).toBeGreaterThan(22 * HOUR_SECONDS);
    expect(total(waits)).toBeLessThan(26 * HOUR_SECONDS);
    expect(second?.queue).not.toBe(first?.queue);
  });

  it('the second queue retries a message every four hours, for longer than Cloudflare retains it', () => {
    const waits = waitsIn(second);
    expect(new Set(waits)).toEqual(new Set([4 * HOUR_SECONDS]));
    expect(total(waits)).toBeGreaterThan(MOST.retentionSeconds);
    expect(second?.dead_letter_queue).toBeUndefined();
  });

  it('the configuration stays within the limits of Cloudflare Queues', () => {
    expect(consumers).toHaveLength(2);
    for (const each of consumers) {
      expect(each.max_retries).toBeLessThanOrEqual(MOST.retries);
      expect(Math.max(...waitsIn(each))).toBeLessThanOrEqual(MOST.delaySeconds);
    }
  });
});

describe('queues: from the first to the second', () => {
  const gatehouse = createTestHarness();
  let neon: Awaited<ReturnType<typeof startFaultyNeon>>;

  beforeAll(async () => {
    neon = await startFaultyNeon();
    // As deployed, but that the first failure is the last one in the first queue, and no batch waits for company.
    const hasty = consumers.map((each) => ({
      ...each,
      max_batch_timeout: 0,
      max_retries: each === first ? 0 : each.max_retries,
    }));
    const vars = { LOCAL: 'yes', DATABASE_URL: neon.url, SUPPORT_CODE_KEY: 'a key for tests, long enough to count' };
    const config = { name, main, compatibility_date, kv_namespaces, queues: { producers, consumers: hasty }, vars };
    await gatehouse.update({ workers: [{ configPath: './wrangler.toml', vars }, { config }] });
    await gatehouse.listen();
  });
  afterAll(async () => {
    await gatehouse.close();
    await neon.close();
  });

  it('a message that the first queue cannot deliver becomes one row through the second queue', async () => {
    const clientId = crypto.randomUUID();
    neon.setMood('failing once');
    const answered = await gatehouse.fetch('/connectors/user-flow', {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa('Test:Test')}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ step: 'PreTokenIssuance', client_id: clientId, objectId: crypto.randomUUID() }),
    });
    expect(answered.status).toBe(200);
    const rows = await vi.waitUntil(
      async () => {
        const found = await connect(neon.directUrl, 10_000)
          .db.select()
          .from(attempts)
          .where(eq(attempts.clientId, clientId));
        return found.length > 0 ? found : false;
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(rows).toHaveLength(1);
    const logged = gatehouse.getLogs().map(({ message }) => message);
    expect(logged.filter((message) => message.includes('attempts-not-written'))).toHaveLength(1);
  });
});
