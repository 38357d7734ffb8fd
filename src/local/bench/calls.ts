/** CPU of a call: Gatehouse beside the Worker written by hand, in turns, each in a workerd of its own. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle, Bundles } from './bundles.ts';
import { cpuMs } from './cpu.ts';
import { type Figure, figureOf } from './figures.ts';
import { type KvValues, PEOPLE_VALUES, policyValues } from './kv-values.ts';
import { callMany } from './load-calls.ts';
import { inTurns, means, ratios, type Side } from './turns.ts';
import { type Running, startWorkerd } from './workerd.ts';

/** Work after the reply, such as the message to the queue, belongs to the call. */
const SETTLE_WITHIN_MS = 10_000;
const POLL_MS = 5;
/** How far the messages may differ in size for the comparison to be fair: what sending costs hardly depends on it. */
const MOST_SIZE_DIFFERENCE = 0.1;

export interface CallsPlan {
  /** Turns of each side, and how many calls a turn has. */
  readonly turns: number;
  readonly callsATurn: number;
  /** Calls of each side before, until V8 has optimised what it will. */
  readonly warmUpCalls: number;
  readonly connections: number;
  readonly tell: (line: string) => void;
}

/** CPU in milliseconds of a turn. */
interface CallSide extends Side<number> {
  readonly running: Running;
  readonly warmUp: () => Promise<unknown>;
}

/** Rejects when a reply is wrong, a message is missing or doubled, or a Worker logs anything: then no figure would be true. */
export async function measureCalls(bundles: Bundles, older: Bundle | undefined, plan: CallsPlan): Promise<Figure[]> {
  const { turns, callsATurn, warmUpCalls, connections, tell } = plan;
  const sides: CallSide[] = [];
  const open = async (bundle: Bundle, values: KvValues = {}) => {
    const running = await startWorkerd(bundle, bundles.stubs);
    let made = 0;
    const call = async (count: number) => {
      made += count;
      return cpuOf(running, () => callMany(running.url, count, connections, made - count), made);
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
    const tested = older === undefined ? [ours] : [ours, await openTested(older)];
    tell('calls: warming up');
    for (const { warmUp } of sides) await warmUp();
    await inTurns(sides, turns, (turn) => tell(`calls: ${turn} of ${turns}`));
    await refuseUnfair(byHand.running, ours.builtIn.running, ours.stored.running);

    // Two processes differ by chance, in how memory lies for example: both are the measure.
    const measure = means(byHand.values, twin.values);
    const figure = (kind: Figure['kind'], { values }: CallSide, isOlder: boolean) =>
      figureOf(kind, ratios(values, measure), isOlder);
    return [
      figureOf('callTwin', ratios(twin.values, byHand.values)),
      ...tested.flatMap(({ builtIn, stored }, index) => [
        figure('callBuiltIn', builtIn, index > 0),
        figure('callStored', stored, index > 0),
      ]),
    ];
  } finally {
    for (const { running } of sides) await running.stop();
  }
}

/** The CPU in milliseconds of `calls`, until the queue has `messages` messages in all. */
async function cpuOf({ pid, received, said }: Running, calls: () => Promise<void>, messages: number): Promise<number> {
  const before = cpuMs(pid);
  await calls().catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}\nThe Worker said:\n${said()}`);
  });
  const deadline = Date.now() + SETTLE_WITHIN_MS;
  let arrived = (await received()).messages;
  while (arrived < messages && Date.now() < deadline) {
    await wait(POLL_MS);
    arrived = (await received()).messages;
  }
  const cpu = cpuMs(pid) - before;
  if (arrived === messages && said() === '') return cpu;
  throw new Error(`${messages} calls, but the queue received ${arrived} messages. The Worker said:\n${said()}`);
}

async function refuseUnfair(...workers: Running[]): Promise<void> {
  const all = await Promise.all(workers.map(({ received }) => received()));
  const sizes = all.map(({ messages, bytes }) => Math.round(bytes / messages));
  if (Math.max(...sizes) / Math.min(...sizes) - 1 <= MOST_SIZE_DIFFERENCE) return;
  throw new Error(
    `The messages have ${sizes.join(', ')} bytes. Change workers/by-hand.ts so that it sends what Gatehouse sends.`,
  );
}
