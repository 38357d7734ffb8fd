/** The settings in both wrangler.toml files. */
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { readConfig } from '../../../src/platform/config.ts';

const gate = unstable_readConfig({ config: './wrangler.toml' });
const desk = unstable_readConfig({ config: './src/desk/wrangler.toml' });

describe('each wrangler.toml', () => {
  it('the logs contain no whole URLs', () => {
    for (const { observability } of [gate, desk]) expect(observability?.logs?.invocation_logs).toBe(false);
  });

  it('the queue delivers attempts within a second, in batches that fit one insert', () => {
    const [consumer] = desk.queues.consumers ?? [];
    expect(consumer).toMatchObject({
      max_batch_size: 100,
      max_batch_timeout: 1,
      max_retries: 100,
      max_concurrency: 10,
    });
  });

  it('a cron trigger runs the scheduled work every five minutes', () => {
    expect(desk.triggers.crons).toEqual(['*/5 * * * *']);
  });

  it('the variables hold no secret, no local mode and no invalid value', () => {
    const secret = ['DATABASE_URL', 'SUPPORT_CODE_KEY', 'EMAIL_KEY', 'CONNECTOR_BASIC', 'REPORTS_BASIC', 'ADMIN_BASIC'];
    for (const { vars } of [gate, desk]) {
      expect(Object.keys(vars).filter((name) => secret.includes(name))).toEqual([]);
      expect(vars.LOCAL).toBe('');
      expect(readConfig(vars).problems.filter((problem) => problem.includes('cannot be used'))).toEqual([]);
    }
  });
});
