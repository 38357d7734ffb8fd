/** The settings in both wrangler.toml files. */
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { readConfig, SAMPLE_EMAIL_KEY } from '../../../src/platform/config.ts';

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

describe('EMAIL_KEY', () => {
  const good = 'a key of these tests that is long enough';
  const read = (EMAIL_KEY: string | undefined, others: object = {}) => {
    const { EMAIL_KEY: keys, problems } = readConfig({ ...others, ...(EMAIL_KEY === undefined ? {} : { EMAIL_KEY }) });
    return { keys, problems: problems.filter((problem) => problem.includes('EMAIL_KEY')).join() };
  };

  it('its lines are keys, the newest first, separated by any line break, and at most three', () => {
    expect(read(`  ${good}1 \r\n\n${good}2\r${good}1\n`)).toEqual({ keys: [`${good}1`, `${good}2`], problems: '' });
    const four = read([1, 2, 3, 4].map((nth) => good + nth).join('\n'));
    expect(four.keys).toEqual([`${good}1`, `${good}2`, `${good}3`]);
    expect(four.problems).toContain('has 4 lines');
  });

  it('a missing, short, shared or sample key is a problem, whose sentence does not contain it', () => {
    expect(read(undefined)).toMatchObject({ keys: [], problems: expect.stringContaining('EMAIL_KEY is missing') });
    expect(read(`${good}\nshort-key`)).toMatchObject({ keys: [good, 'short-key'] });
    expect(read(`${good}\nshort-key`).problems).toMatch(/line 2: shorter than 32 characters/);
    expect(read(`${good}\nshort-key`).problems).not.toContain('short-key');
    expect(read(good, { SUPPORT_CODE_KEY: good }).problems).toContain('a key of its own');
    const sample = read(SAMPLE_EMAIL_KEY);
    expect(sample).toMatchObject({ keys: [], problems: expect.stringContaining('contains the sample key') });
    expect(read('', { LOCAL: 'yes' })).toEqual({ keys: [SAMPLE_EMAIL_KEY], problems: '' });
    expect(read(good, { LOCAL: 'yes' })).toEqual({ keys: [good], problems: '' });
  });
});
