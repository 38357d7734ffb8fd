/** What starting costs beyond an empty Worker: CPU of workerd until it listens, and until a first request is answered. */
import { VARS } from './build.ts';
import { cpuMs } from './cpu.ts';
import { against, type Finding } from './finding.ts';
import { SECRETS } from './sign-in.ts';
import { median } from './statistics.ts';
import { startWorkerd, type Workers } from './workerd.ts';

/** The design's, section 11. */
const MOST_MS = 25;

interface Start {
  readonly listeningMs: number;
  readonly answeredMs: number;
}

export async function measureStartUp(
  bundles: { gatehouse: string; empty: string; stubs: string; folder: string },
  { starts, progress }: { starts: number; progress: (line: string) => void },
): Promise<Finding[]> {
  const { folder, stubs } = bundles;
  const pairs: { ours: Start; empty: Start }[] = [];
  for (let round = 1; round <= starts; round += 1) {
    const empty = await startOnce({ folder, stubs, main: bundles.empty });
    const ours = await startOnce({ folder, stubs, main: bundles.gatehouse });
    pairs.push({ ours, empty });
    progress(
      `start-up: ${round} of ${starts}: ${ours.answeredMs.toFixed(1)} ms, empty ${empty.answeredMs.toFixed(1)} ms`,
    );
  }
  const listening = pairs.map(({ ours, empty }) => ours.listeningMs - empty.listeningMs);
  const answered = pairs.map(({ ours, empty }) => ours.answeredMs - empty.answeredMs);
  const value = median(answered);
  const range = `${Math.min(...answered).toFixed(1)} to ${Math.max(...answered).toFixed(1)} in ${starts} starts`;
  const measured = `${value.toFixed(1)} ms (${range}; until it listens ${median(listening).toFixed(1)} ms)`;
  return [against('start-up CPU beyond an empty Worker, first request included', value, MOST_MS, 'ms', measured)];
}

async function startOnce(workers: Workers): Promise<Start> {
  const running = await startWorkerd(workers, { ...VARS, ...SECRETS, DATABASE_URL: '' });
  try {
    const listeningMs = cpuMs(running.pid);
    const answer = await fetch(`${running.url}/health`);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`/health answered ${answer.status}. workerd said:\n${running.said()}`);
    return { listeningMs, answeredMs: cpuMs(running.pid) };
  } finally {
    await running.stop();
  }
}
