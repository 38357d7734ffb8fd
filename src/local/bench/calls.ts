/** Measures the CPU of a call: Gatehouse and the hand-written Worker alternate, each in its own workerd. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle, Bundles } from './bundles.ts';
import { cpuMs } from './cpu.ts';
import { type Figure, figureOf } from './figures.ts';
import { exchangeValues, type KvValues, PEOPLE_VALUES, policyValues } from './kv-values.ts';
import { callMany } from './load-calls.ts';
import { EXCHANGE_CALL, type MeasuredCall, USER_FLOW_CALL } from './sign-in.ts';
import { inTurns, means, ratios, type Side } from './turns.ts';
import { type Running, startWorkerd } from './workerd.ts';

/** Work after the reply, such as the message to the queue, counts as part of the call. */
const SETTLE_WITHIN_MS = 10_000;
const POLL_MS = 5;
/** The allowed difference in message size. The cost of sending hardly depends on the size. */
const MOST_SIZE_DIFFERENCE = 0.1;

export interface CallsPlan {
  /** The turns of each side, and the calls in a turn. */
  readonly turns: number;
  readonly callsATurn: number;
  /** The calls of each side before the measurement, until V8 has optimised the code. */
  readonly warmUpCalls: number;
  readonly connections: number;
  readonly tell: (line: string) => void;
}

/** The values are milliseconds of CPU in a turn. */
interface CallSide extends Side<number> {
  readonly running: Running;
  readonly warmUp: () => Promise<unknown>;
}

/** Rejects when a reply is wrong, a message is missing or duplicated, or a Worker logs: then no figure is valid. */
export async function measureCalls(bundles: Bundles, older: Bundle | undefined, plan: CallsPlan): Promise<Figure[]> {
  const { turns, callsATurn, warmUpCalls, connections, tell } = plan;
  const sides: CallSide[] = [];
  const open = async (bundle: Bundle, values: KvValues = {}, kind: MeasuredCall = USER_FLOW_CALL) => {
    const running = await startWorkerd(bundle, bundles.stubs);
    let made = 0;
    const call = async (count: number) => {
      made += count;
      return cpuOf(running, () => callMany(running.url, count, connections, made - count, kind), made);
    };
    const side: CallSide = { running, warmUp: () => call(warmUpCalls), measure: () => call(callsATurn), values: [] };
    sides.push(side);
    await running.hold({ ...PEOPLE_VALUES, ...values });
    return side;
  };
  const openTested = async (bundle: Bundle) => ({
    builtIn: await open(bundle),
    stored: await open({ ...bundle, texts: { ...bundle.texts, POLICY: 'stored' } }, await policyValues(50, 100_000)),
  });
  try {
    const byHand = await open(bundles.byHand);
    const twin = await open(bundles.byHand);
    const ours = await openTested(bundles.gatehouse);
    const withExchange = { ...bundles.gatehouse, texts: { ...bundles.gatehouse.texts, POLICY: 'stored' } };
    const flow = await open(withExchange, await exchangeValues());
    const exchange = await open(withExchange, await exchangeValues(), EXCHANGE_CALL);
    const tested = older === undefined ? [ours] : [ours, await openTested(older)];
    tell('calls: warming up');
    for (const { warmUp } of sides) await warmUp();
    await inTurns(sides, turns, (turn) => tell(`calls: ${turn} of ${turns}`));
    await refuseUnfair(byHand.running, ours.builtIn.running, ours.stored.running);

    // Two equal processes differ by chance, for example in memory layout, so the baseline is their mean.
    const measure = means(byHand.values, twin.values);
    const figure = (kind: Figure['kind'], { values }: CallSide, isOlder: boolean) =>
      figureOf(kind, ratios(values, measure), isOlder);
    return [
      figureOf('callTwin', ratios(twin.values, byHand.values)),
      ...tested.flatMap(({ builtIn, stored }, index) => [
        figure('callBuiltIn', builtIn, index > 0),
        figure('callStored', stored, index > 0),
      ]),
      figureOf('exchange', ratios(exchange.values, flow.values)),
    ];
  } finally {
    for (const { running } of sides) await running.stop();
  }
}

/** Returns the CPU in milliseconds of `calls`, until the queue has received `messages` messages in total. */
async function cpuOf({ pid, received, log }: Running, calls: () => Promise<void>, messages: number): Promise<number> {
  const before = cpuMs(pid);
  await calls().catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}\nThe Worker logged:\n${log()}`);
  });
  const deadline = Date.now() + SETTLE_WITHIN_MS;
  let arrived = (await received()).messages;
  while (arrived < messages && Date.now() < deadline) {
    await wait(POLL_MS);
    arrived = (await received()).messages;
  }
  const cpu = cpuMs(pid) - before;
  if (arrived === messages && log() === '') return cpu;
  throw new Error(`${messages} calls, but the queue received ${arrived} messages. The Worker logged:\n${log()}`);
}

async function refuseUnfair(...workers: Running[]): Promise<void> {
  const all = await Promise.all(workers.map(({ received }) => received()));
  const sizes = all.map(({ messages, bytes }) => Math.round(bytes / messages));
  if (Math.max(...sizes) / Math.min(...sizes) - 1 <= MOST_SIZE_DIFFERENCE) return;
  throw new Error(
    `The messages have ${sizes.join(', ')} bytes. Change workers/by-hand.ts to send the same members as Gatehouse.`,
  );
}
