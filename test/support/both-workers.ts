/**
 * Both Workers as they are deployed: two built bundles, joined by their service bindings, behind the gate's address.
 */
import type { TestHarness } from 'wrangler';

export const DESK = 'gatehouse-desk';

/** For `createTestHarness` and its `update`: settings and secrets go to the Workers that are bound to them. */
export const bothWorkers = (vars: Record<string, string>) => ({
  workers: ['./wrangler.toml', './src/desk/wrangler.toml'].map((configPath) => ({ configPath, vars })),
});

/** One tick of the schedule, as if it were `scheduledTime`. */
export const tick = (harness: TestHarness, scheduledTime = new Date()) =>
  harness.getWorker(DESK).scheduled({ cron: '*/5 * * * *', scheduledTime });
