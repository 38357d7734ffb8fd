/** CPU and latency of a call: Gatehouse beside the Worker written by hand, in turns, each in a workerd of its own. */
import { setTimeout as wait } from 'node:timers/promises';
import { VARS } from './build.ts';
import { cpuMs } from './cpu.ts';
import { against, type Finding } from './finding.ts';
import { callMany } from './load.ts';
import { SECRETS, signIns } from './sign-in.ts';
import { median, quantile } from './statistics.ts';
import { type Running, startWorkerd, type Workers } from './workerd.ts';

/** The design's, section 11. */
const MOST_TIMES = 1.5;
const PEOPLE = 1_000;
/** Work after the reply, such as the message to the queue, belongs to the call. */
const SETTLE_WITHIN_MS = 10_000;
const POLL_MS = 20;
/** How far the two Workers' messages may differ in size for the comparison to be fair. */
const MOST_SIZE_DIFFERENCE = 0.03;

export interface CallCostOptions {
  /** Until V8 has optimised what it will. */
  readonly warmUpCalls: number;
  readonly rounds: number;
  readonly callsARound: number;
  readonly progress: (line: string) => void;
}

interface Side {
  readonly name: string;
  readonly running: Running;
  calls: number;
  /** Microseconds a call, by round. */
  readonly cpu: number[];
  /** Milliseconds, of all calls. */
  readonly latencies: number[];
}

/** Rejects when a reply was not the expected one, a message is missing or doubled, or a Worker logged anything: then no figure would be true. */
export async function measureCallCost(
  bundles: { gatehouse: string; byHand: string; stubs: string; folder: string },
  options: CallCostOptions,
): Promise<Finding[]> {
  const { folder, stubs } = bundles;
  const { CONNECTOR_BASIC } = SECRETS;
  const unreachable = 'postgres://nobody:nothing@127.0.0.1:1/none';
  const texts = { ...VARS, ...SECRETS, DATABASE_URL: unreachable };
  const sides: Side[] = [];
  const open = async (name: string, workers: Workers, bindings: Record<string, string>) => {
    const side: Side = { name, running: await startWorkerd(workers, bindings), calls: 0, cpu: [], latencies: [] };
    sides.push(side);
    return side;
  };
  try {
    const ours = await open('Gatehouse', { folder, stubs, main: bundles.gatehouse }, texts);
    const byHand = await open('by hand', { folder, stubs, main: bundles.byHand }, { CONNECTOR_BASIC });
    options.progress('call cost: warming up');
    for (const side of sides) await callAndSettle(side, options.warmUpCalls);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const side of sides) await measureRound(side, options.callsARound);
      const [a, b] = sides.map(({ cpu }) => Math.round(cpu.at(-1) ?? 0));
      options.progress(`call cost: round ${round} of ${options.rounds}: ${a} µs, by hand ${b} µs`);
    }
    await refuseUnfair(ours, byHand);
    return findings(ours, byHand);
  } finally {
    for (const { running } of sides) await running.stop();
  }
}

async function measureRound(side: Side, calls: number): Promise<void> {
  const before = cpuMs(side.running.pid);
  side.latencies.push(...(await callAndSettle(side, calls)));
  side.cpu.push(((cpuMs(side.running.pid) - before) * 1_000) / calls);
}

/** Calls, and waits until the queue has a message of each. */
async function callAndSettle(side: Side, calls: number): Promise<number[]> {
  const durations = await callMany(side.running.url, PEOPLE_SIGNING_IN, calls).catch((error: unknown) => {
    throw new Error(`${side.name}: ${error instanceof Error ? error.message : error}\n${side.running.said()}`);
  });
  side.calls += calls;
  const deadline = Date.now() + SETTLE_WITHIN_MS;
  let { messages } = await received(side.running);
  while (messages < side.calls && Date.now() < deadline) {
    await wait(POLL_MS);
    messages = (await received(side.running)).messages;
  }
  const said = side.running.said();
  if (messages === side.calls && said === '') return durations;
  throw new Error(
    `${side.name}: ${side.calls} calls, but the queue got ${messages} messages. The Worker said:\n${said}`,
  );
}

const PEOPLE_SIGNING_IN = signIns(PEOPLE, 'editor approver');

async function received({ stubsUrl }: Running): Promise<{ messages: number; bytes: number }> {
  const answer = await fetch(`${stubsUrl}/received`);
  return (await answer.json()) as { messages: number; bytes: number };
}

async function refuseUnfair(...sides: Side[]): Promise<void> {
  const sizes = await Promise.all(
    sides.map(async ({ running }) => {
      const { messages, bytes } = await received(running);
      return bytes / messages;
    }),
  );
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  if (most / least - 1 <= MOST_SIZE_DIFFERENCE) return;
  throw new Error(
    `The messages weigh ${sizes.map((size) => Math.round(size)).join(' and ')} bytes: mend workers/by-hand.ts, so that both send the same.`,
  );
}

function findings(ours: Side, byHand: Side): Finding[] {
  const ratios = ours.cpu.map((cpu, round) => cpu / (byHand.cpu[round] ?? Number.NaN));
  const ratio = median(ratios);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)} in ${ratios.length} rounds`;
  const us = (side: Side) => `${Math.round(median(side.cpu))} µs`;
  const measured = `${ratio.toFixed(2)} × (${range}; ${us(ours)} against ${us(byHand)})`;
  return [
    against('CPU of a call at the token step, against a Worker by hand', ratio, MOST_TIMES, '×', measured),
    ...[0.5, 0.99].map((share) => {
      const [a, b] = [quantile(ours.latencies, share), quantile(byHand.latencies, share)];
      const what = `latency of the same calls, p${share * 100}`;
      return { what, measured: `${a.toFixed(2)} ms against ${b.toFixed(2)} ms (${(a / b).toFixed(2)} ×)` };
    }),
  ];
}
