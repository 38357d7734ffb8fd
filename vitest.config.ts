/**
 * Two projects: `worker` runs gate and desk in workerd, with their own bindings and a real Postgres (PGlite) behind the real Neon
 * driver; `node` tests pure rules, what runs in Node on a developer's machine, and the built bundle; `postgres` has what only many
 * connections to a real Postgres can show.
 */
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

// Wrangler looks for the secrets that wrangler.toml names in the environment: a developer's own must not reach a test.
for (const name of ['DATABASE_URL', 'SUPPORT_CODE_KEY', 'CONNECTOR_BASIC', 'REPORTS_BASIC', 'ADMIN_BASIC']) {
  process.env[name] = '';
}

export default defineConfig({
  test: {
    silent: 'passed-only',
    maxWorkers: 2,
    // Files of one worker share its modules and, in workerd, KV and queue: each test owns what it writes.
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
          // Properties run hundreds of calls, on machines of any speed.
          testTimeout: 60_000,
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
