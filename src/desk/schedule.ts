/** Everything that happens on a schedule, in its order: sums and retention, a policy that an outage left unpublished, the snapshot for the next outage. */
import { configOf } from '../platform/config.ts';
import { tick } from './aggregates/tick.ts';
import type { DeskEnv } from './env.ts';
import { listDue, publishDue } from './policies/publish.ts';
import { snapshotSummary } from './reports/snapshot.ts';

/** One tick at `now` (milliseconds since 1970). Never throws; overlapping ticks are harmless. */
export function runSchedule(env: DeskEnv, now: number): Promise<void> {
  const kv = env.GATEHOUSE;
  return tick(env, now, [
    {
      name: 'policy-publish',
      wakes: async () => (await listDue(kv, 1)).length > 0,
      run: async () => publishDue(kv, (await import('./policies/versions.ts')).versionsIn(configOf(env)), now),
    },
    { name: 'summary-snapshot', run: () => snapshotSummary(env, now) },
  ]);
}
