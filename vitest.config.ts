/**
 * Three projects. `worker` runs gate and desk in workerd with their bindings, and PGlite behind the real Neon driver.
 * `node` tests pure functions, commands for Node and the built bundle. `postgres` tests concurrency on a real Postgres.
 */
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

// Wrangler reads secrets from the environment. A developer's own secrets must not reach a test.
for (const name of [
  'DATABASE_URL',
  'SUPPORT_CODE_KEY',
  'EMAIL_KEY',
  'CONNECTOR_BASIC',
  'REPORTS_BASIC',
  'ADMIN_BASIC',
]) {
  process.env[name] = '';
}
// Each start of the Workers would copy these into their configuration, for seconds of CPU time: certificates of other
// hosts, which no test calls, and wrangler's pages for developers, which no test reads.
delete process.env.NODE_EXTRA_CA_CERTS;
process.env.X_LOCAL_EXPLORER = 'false';
process.env.X_LOCAL_OBSERVABILITY = 'false';

export default defineConfig({
  test: {
    silent: 'passed-only',
    maxWorkers: 3,
    // The files of a worker share modules and, in workerd, KV and queue. Each test uses its own keys.
    isolate: false,
    // Properties try the same cases in each run, so that a run can be repeated. SEED=… tries others.
    provide: { propertySeed: Number(process.env.SEED ?? 1) },
    projects: [
      {
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: './test/support/wrangler.toml' },
            miniflare: {
              bindings: {
                LOCAL: 'yes',
                DATABASE_URL: inject('databaseUrl'),
                SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
                // The longest: a busy machine must not reach a limit that a test does not set.
                DECISION_TIMEOUT_MS: '4500',
                KV_TIMEOUT_MS: '4000',
              },
              queueConsumers: { 'gatehouse-attempts': { maxBatchTimeout: 0.05 } },
            },
          })),
        ],
        test: {
          name: 'worker',
          setupFiles: ['./test/support/property-seed.ts'],
          include: ['test/{gate,desk}/**/*.test.ts'],
          globalSetup: ['./test/support/database.setup.ts'],
          // Property tests make hundreds of calls, and the machine may be busy.
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'node',
          setupFiles: ['./test/support/property-seed.ts'],
          include: ['test/{unit,storage,bundle,cli,local}/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'postgres',
          setupFiles: ['./test/support/property-seed.ts'],
          include: ['test/postgres/**/*.test.ts'],
          globalSetup: ['./test/support/postgres.setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
