/** What starting costs beyond an empty Worker: CPU of workerd until it listens, and what the first call costs on top. */
import { VARS } from './build.ts';
import { cpuMs } from './cpu.ts';
import { against, type Finding } from './finding.ts';
import { stubTexts } from './policies.ts';
import { SECRETS, signIns } from './sign-in.ts';
import { median } from './statistics.ts';
import { startWorkerd, type Workers } from './workerd.ts';

/** The design's, section 11: of a bundle with the policy engine, which is loaded when the first call needs it. */
const MOST_MS = 90;
/** One rule: what loading the engine costs is asked, not what a policy does. */
const ONE_RULE = stubTexts(1, 0, false);
const [FIRST] = signIns(1, '');

interface Start {
  /** CPU in milliseconds: parsing the bundle and running its top level. */
  readonly listensMs: number;
  /** CPU in milliseconds from then until a first call is answered: what the bundle left for later. */
  readonly firstCallMs: number;
}

/** Rejects when a Worker does not start, or answers the first call with anything but 200. */
export async function measureStartUp(
  bundles: { gatehouse: string; empty: string; stubs: string; folder: string },
  { starts, progress }: { starts: number; progress: (line: string) => void },
): Promise<Finding[]> {
  const { folder, stubs } = bundles;
  const beyond: Start[] = [];
  const engine: number[] = [];
  for (let round = 1; round <= starts; round += 1) {
    const empty = await startOnce({ folder, stubs, main: bundles.empty });
    const ours = await startOnce({ folder, stubs, main: bundles.gatehouse });
    const stored = await startOnce({ folder, stubs, main: bundles.gatehouse }, { POLICY: 'stored' }, ONE_RULE);
    beyond.push({
      listensMs: ours.listensMs - empty.listensMs,
      firstCallMs: ours.firstCallMs - empty.firstCallMs,
    });
    engine.push(stored.listensMs + stored.firstCallMs - empty.listensMs - empty.firstCallMs);
    progress(
      `start-up: ${round} of ${starts}: ${ours.listensMs.toFixed(1)} ms, empty ${empty.listensMs.toFixed(1)} ms`,
    );
  }
  const starting = beyond.map(({ listensMs }) => listensMs);
  const calling = beyond.map(({ firstCallMs }) => firstCallMs);
  return [
    against('start-up CPU beyond an empty Worker', median(starting), MOST_MS, 'ms', told(starting)),
    { what: 'first call of a new isolate, CPU beyond an empty Worker', measured: told(calling) },
    { what: 'start-up and first call under a stored policy, CPU beyond an empty Worker', measured: told(engine) },
  ];
}

const told = (values: readonly number[]) =>
  `${median(values).toFixed(1)} ms (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} in ${values.length} starts)`;

async function startOnce(workers: Workers, vars = {}, kept = {}): Promise<Start> {
  const running = await startWorkerd(workers, { ...VARS, ...SECRETS, DATABASE_URL: '', ...vars }, kept);
  try {
    const listensMs = cpuMs(running.pid);
    const answer = await fetch(`${running.url}/connectors/user-flow`, {
      method: 'POST',
      headers: { Authorization: FIRST?.authorization ?? '', 'Content-Type': 'application/json' },
      body: FIRST?.body ?? '',
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`The first call was answered ${answer.status}. workerd said:\n${running.said()}`);
    return { listensMs, firstCallMs: cpuMs(running.pid) - listensMs };
  } finally {
    await running.stop();
  }
}
