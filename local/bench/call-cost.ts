/** CPU and latency of a call: Gatehouse beside the Worker written by hand, in turns, each in a workerd of its own. */
import { setTimeout as wait } from 'node:timers/promises';
import { VARS } from './build.ts';
import { cpuMs } from './cpu.ts';
import { against, type Finding } from './finding.ts';
import { callMany } from './load.ts';
import { stubTexts } from './policies.ts';
import { SECRETS, signIns } from './sign-in.ts';
import { median, quantile } from './statistics.ts';
import { type Running, startWorkerd, type Workers } from './workerd.ts';

/** The design's, section 11: with the built-in policy, with 50 rules and a list of 100,000 entries, and a rule more. */
const MOST_TIMES = 1.5;
const MOST_TIMES_WITH_RULES = 2;
const RULES = 50;
const ENTRIES = 100_000;
const MOST_US_A_RULE = 5;
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
  const open = async (name: string, main: string, bindings: Record<string, string>, kept = {}) => {
    const workers: Workers = { folder, stubs, main };
    const running = await startWorkerd(workers, bindings, kept);
    const side: Side = { name, running, calls: 0, cpu: [], latencies: [] };
    sides.push(side);
    return side;
  };
  const stored = { ...texts, POLICY: 'stored' };
  try {
    const ours = await open('built-in', bundles.gatehouse, texts);
    const byHand = await open('by hand', bundles.byHand, { CONNECTOR_BASIC });
    const oneRule = await open('1 rule', bundles.gatehouse, stored, stubTexts(1, ENTRIES, false));
    const rules = await open(`${RULES} rules`, bundles.gatehouse, stored, stubTexts(RULES, ENTRIES, false));
    const shadow = await open('with a shadow', bundles.gatehouse, stored, stubTexts(RULES, ENTRIES, true));
    options.progress('call cost: warming up');
    for (const side of sides) await callAndSettle(side, options.warmUpCalls);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const side of sides) await measureRound(side, options.callsARound);
      const figures = sides.map(({ name, cpu }) => `${name} ${Math.round(cpu.at(-1) ?? 0)} µs`);
      options.progress(`call cost: round ${round} of ${options.rounds}: ${figures.join(', ')}`);
    }
    await refuseUnfair(ours, byHand, rules);
    return [...findings(ours, byHand), ...policyFindings({ byHand, oneRule, rules, shadow })];
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
  return [
    timesOf('CPU of a call at the token step, against a Worker by hand', ours, byHand, MOST_TIMES),
    ...[0.5, 0.99].map((share) => {
      const [a, b] = [quantile(ours.latencies, share), quantile(byHand.latencies, share)];
      const what = `latency of the same calls, p${share * 100}`;
      return { what, measured: `${a.toFixed(2)} ms against ${b.toFixed(2)} ms (${(a / b).toFixed(2)} ×)` };
    }),
  ];
}

function policyFindings({ byHand, oneRule, rules, shadow }: Record<PolicySide, Side>) {
  const perRule = differences(rules, oneRule).map((us) => us / (RULES - 1));
  const shadowUs = differences(shadow, rules);
  const us = (values: readonly number[]) =>
    `${median(values).toFixed(1)} µs (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} in ${values.length} rounds)`;
  return [
    timesOf(
      `the same with ${RULES} rules of the step and a list of 100,000 entries`,
      rules,
      byHand,
      MOST_TIMES_WITH_RULES,
    ),
    against('a rule more', median(perRule), MOST_US_A_RULE, 'µs', us(perRule)),
    { what: `a shadow of ${RULES} rules, for every call, after its reply`, measured: us(shadowUs) },
  ];
}
type PolicySide = 'byHand' | 'oneRule' | 'rules' | 'shadow';

/** Microseconds a call, round by round: what the machine did meanwhile hit both. */
const differences = (more: Side, less: Side) => more.cpu.map((cpu, round) => cpu - (less.cpu[round] ?? Number.NaN));

function timesOf(what: string, ours: Side, byHand: Side, most: number): Finding {
  const ratios = ours.cpu.map((cpu, round) => cpu / (byHand.cpu[round] ?? Number.NaN));
  const ratio = median(ratios);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)} in ${ratios.length} rounds`;
  const us = (side: Side) => `${Math.round(median(side.cpu))} µs`;
  const measured = `${ratio.toFixed(2)} × (${range}; ${us(ours)} against ${us(byHand)})`;
  return against(what, ratio, most, '×', measured);
}
