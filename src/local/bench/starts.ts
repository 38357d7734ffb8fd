/** Measures the CPU of a start minus that of an empty Worker: until workerd listens, and until the first reply. */
import type { Bundle, Bundles } from './bundles.ts';
import { cpuMs } from './cpu.ts';
import { type Figure, figureOf } from './figures.ts';
import { type KvValues, PEOPLE_VALUES, policyValues } from './kv-values.ts';
import { callMany } from './load-calls.ts';
import { inTurns, means, pairedDifferences, ratios, type Side } from './turns.ts';
import { startWorkerd } from './workerd.ts';

/** Milliseconds of CPU. */
interface Start {
  /** Reading the bundle and running its top level. */
  readonly listens: number;
  /** The first call, which includes lazy initialisation. */
  readonly firstCall: number;
}

export interface StartsPlan {
  readonly turns: number;
  readonly tell: (line: string) => void;
}

/** Rejects when a Worker does not start, or its first reply is wrong. */
export async function measureStarts(bundles: Bundles, older: Bundle | undefined, plan: StartsPlan): Promise<Figure[]> {
  const { gatehouse, empty, stubs } = bundles;
  const sides: Side<Start>[] = [];
  const open = (bundle: Bundle, policy: KvValues = {}) => {
    const side: Side<Start> = { measure: () => startOnce(bundle, stubs, { ...PEOPLE_VALUES, ...policy }), values: [] };
    sides.push(side);
    return side;
  };
  const [rulesAlone, withEntries] = [await policyValues(50, 0), await policyValues(50, 100_000)];
  const openTested = (bundle: Bundle) => {
    const stored = { ...bundle, texts: { ...bundle.texts, POLICY: 'stored' } };
    return {
      builtIn: open(bundle),
      rules: open(stored, rulesAlone),
      entries: open(stored, withEntries),
    };
  };
  const none = open(empty);
  const twin = open(empty);
  const pad = open({ ...empty, pad: gatehouse.main });
  const tested = [openTested(gatehouse), ...(older === undefined ? [] : [openTested(older)])];
  await inTurns(sides, plan.turns, (turn) => plan.tell(`starts: ${turn} of ${plan.turns}`));

  const [emptyListens, emptyAnswers] = [means(listens(none), listens(twin)), means(answers(none), answers(twin))];
  const beyond = (kind: Figure['kind'], more: readonly number[], less: readonly number[], isOlder = false) =>
    figureOf(kind, ratios(pairedDifferences(more, less), emptyListens), isOlder);
  return [
    figureOf('startTwin', ratios(listens(twin), listens(none))),
    beyond('startPad', listens(pad), emptyListens),
    ...tested.flatMap(({ builtIn, rules, entries }, index) => [
      beyond('start', listens(builtIn), emptyListens, index > 0),
      beyond('startStored', answers(rules), emptyAnswers, index > 0),
      beyond('startEntries', answers(entries), answers(rules), index > 0),
    ]),
  ];
}

const listens = ({ values }: Side<Start>) => values.map((start) => start.listens);
const answers = ({ values }: Side<Start>) => values.map((start) => start.listens + start.firstCall);

async function startOnce(bundle: Bundle, stubs: Bundle, values: KvValues): Promise<Start> {
  const running = await startWorkerd(bundle, stubs);
  try {
    const listens = cpuMs(running.pid);
    await running.hold(values);
    const before = cpuMs(running.pid);
    await callMany(running.url, 1, 1);
    return { listens, firstCall: cpuMs(running.pid) - before };
  } catch (error) {
    throw new Error(
      `A start failed: ${error instanceof Error ? error.message : error}\nThe Worker logged:\n${running.log()}`,
    );
  } finally {
    await running.stop();
  }
}
