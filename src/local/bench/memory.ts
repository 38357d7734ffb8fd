/** Measures the memory of concurrent cold calls under the largest policy. An isolate has at most 128 MB. */
import { readFileSync } from 'node:fs';
import type { Bundle, Bundles } from './bundles.ts';
import { type Figure, figureOf } from './figures.ts';
import { largestPolicyValues, PEOPLE_VALUES } from './kv-values.ts';
import { callMany } from './load-calls.ts';
import { startWorkerd } from './workerd.ts';

const CALLS_AT_ONCE = 10;

export interface MemoryPlan {
  readonly turns: number;
  readonly tell: (line: string) => void;
}

/** Rejects when a Worker does not start, or a reply is wrong. */
export async function measureMemory({ gatehouse, empty, stubs }: Bundles, plan: MemoryPlan): Promise<Figure> {
  const stored = { ...gatehouse, texts: { ...gatehouse.texts, POLICY: 'stored' } };
  // workerd is one process, so the KV stubs hold the values in both measurements.
  const values = { ...PEOPLE_VALUES, ...(await largestPolicyValues()) };
  const peakOf = async (bundle: Bundle) => {
    const running = await startWorkerd(bundle, stubs);
    try {
      await running.hold(values);
      await callMany(running.url, CALLS_AT_ONCE, CALLS_AT_ONCE);
      return peakMb(running.pid);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\nThe Worker logged:\n${running.log()}`);
    } finally {
      await running.stop();
    }
  };
  const beyond: number[] = [];
  for (let turn = 1; turn <= plan.turns; turn += 1) {
    beyond.push((await peakOf(stored)) - (await peakOf(empty)));
    plan.tell(`memory: ${turn} of ${plan.turns}`);
  }
  return figureOf('memory', beyond);
}

/** The peak memory of a process in MB (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html). */
function peakMb(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_000;
}
