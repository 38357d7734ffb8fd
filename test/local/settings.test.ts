/** What wrangler.toml promises to those who deploy it. */
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { readConfig } from '../../src/config.ts';

const settings = unstable_readConfig({ config: './wrangler.toml' });

describe('wrangler.toml', () => {
  it('keeps whole URLs out of the logs', () => {
    expect(settings.observability?.logs?.invocation_logs).toBe(false);
  });

  it('delivers attempts within a second, in batches that one insert takes, and for about a day', () => {
    const [consumer] = settings.queues.consumers ?? [];
    expect(consumer).toMatchObject({
      max_batch_size: 100,
      max_batch_timeout: 1,
      max_retries: 100,
      max_concurrency: 10,
    });
  });

  it('has the cron that everything scheduled hangs on', () => {
    expect(settings.triggers.crons).toEqual(['*/5 * * * *']);
  });

  it('sets nothing local, no secret, and nothing that cannot be used', () => {
    const secret = ['LOCAL', 'DATABASE_URL', 'SUPPORT_CODE_KEY', 'CONNECTOR_BASIC', 'REPORTS_BASIC', 'ADMIN_BASIC'];
    expect(Object.keys(settings.vars).filter((name) => secret.includes(name))).toEqual([]);
    const about = readConfig(settings.vars).problems.filter((problem) => problem.includes('cannot be used'));
    expect(about).toEqual([]);
  });
});
