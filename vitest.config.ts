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

export default defineConfig({
  test: {
    silent: 'passed-only',
    maxWorkers: 3,
    // The files of a worker share modules and, in workerd, KV and queue. Each test uses its own keys.
    isolate: false,
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
              },
              queueConsumers: { 'gatehouse-attempts': { maxBatchTimeout: 0.05 } },
            },
          })),
        ],
        test: {
          name: 'worker',
          include: ['test/{gate,desk}/**/*.test.ts'],
          globalSetup: ['./test/support/database.setup.ts'],
          // Property tests make hundreds of calls, and the machine may be busy.
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/{unit,storage,bundle,cli,local}/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'postgres',
          include: ['test/postgres/**/*.test.ts'],
          globalSetup: ['./test/support/postgres.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
