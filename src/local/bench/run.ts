/** `npm run bench`: measures Gatehouse and compares each figure with its budget. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command, Option } from 'commander';
import { CommandRefusal } from '../../cli/refusal.ts';
import { printLine, run, type Streams, warnLine, wholeNumber } from '../run-program.ts';
import { buildAll } from './bundles.ts';
import { measureCalls } from './calls.ts';
import { noCpuFigures } from './cpu.ts';
import { exitCodeOf, type Figure, figureRow } from './figures.ts';
import { measureMemory } from './memory.ts';
import { main as reports } from './reports/run.ts';
import { measureStarts } from './starts.ts';

const PARTS = ['calls', 'start', 'memory', 'bundle'] as const;

export interface Options {
  readonly only?: (typeof PARTS)[number];
  readonly connections: number;
  readonly quick?: true;
  readonly against?: string;
}

/** Many short turns, so that other load on the machine affects both sides of a ratio. */
export interface Effort {
  readonly callTurns: number;
  readonly callsATurn: number;
  readonly warmUpCalls: number;
  readonly startTurns: number;
  readonly memoryTurns: number;
}
const FULL: Effort = { callTurns: 250, callsATurn: 200, warmUpCalls: 5_000, startTurns: 100, memoryTurns: 5 };
const QUICK: Effort = { callTurns: 30, callsATurn: 200, warmUpCalls: 3_000, startTurns: 15, memoryTurns: 1 };

const program = () =>
  new Command('npm run bench --')
    .description(
      'Builds the production bundle and measures it: the cost of a call and of a start in bare workerd, as ratios to a ' +
        'hand-written and an empty Worker; its memory; and its size. It takes some minutes. An idle machine gives the ' +
        'most stable figures.',
    )
    .addOption(new Option('--only <part>', 'measure this part only').choices(PARTS))
    .option('--connections <n>', 'calls at the same time', wholeNumber(1, 256), 16)
    .option('--quick', 'fewer turns: a rough estimate')
    .option('--against <file>', 'also measure this bundle of another commit, in the same turns')
    .addHelpText(
      'after',
      '\n`npm run bench -- reports` measures reports on your own Postgres; see its --help.\n\n' +
        'Exit code 0: every figure is within its budget; 1: one is over, or something failed; 2: wrong arguments;\n' +
        '3: too noisy (a Worker compared with itself differs), so no figure is valid.',
    );

/** Returns the exit code. */
export const main = (argv: readonly string[], io: Streams): Promise<number> =>
  run<Options>(program(), argv, io, async (options) => {
    const { only, quick = false, against } = options;
    if (against !== undefined && !existsSync(against))
      throw new CommandRefusal(`There is no file ${against}. Use --against with a built bundle.`, 2);
    const missing = only === 'bundle' || only === 'memory' ? undefined : noCpuFigures();
    if (missing !== undefined) throw new CommandRefusal(`The bench cannot measure CPU: ${missing}.`);
    const load = () => `${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)}`;
    printLine(io, `Before: ${load()}.`);
    const figures = await measure(options, quick ? QUICK : FULL, io).catch((error: unknown) => {
      throw new CommandRefusal(
        `The bench FAILED, so no figure is valid: ${error instanceof Error ? error.message : error}`,
      );
    });
    printLine(io, `After: ${load()}.\n\n${figureRow(figures)}`);
    const exitCode = exitCodeOf(figures);
    if (exitCode === 3)
      printLine(io, '\nToo noisy: no figure of this run is valid. Run it again on a less busy machine.');
    else if (only !== 'bundle' && only !== 'memory')
      printLine(io, '\nThe noise controls are 1.00 ± 0.03: this run is valid.');
    return exitCode;
  });

/** Rejects when something fails: then no figure is valid. */
export async function measure({ only, connections, against }: Options, effort: Effort, io: Streams): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const tell = (line: string) => warnLine(io, line);
    tell('building the bundles');
    const bundles = await buildAll(folder);
    const older = against === undefined ? undefined : { ...bundles.gatehouse, main: against };
    const wanted = (part: (typeof PARTS)[number]) => only === undefined || only === part;
    const { callTurns, startTurns, memoryTurns, ...calls } = effort;
    const figures: Figure[] = [];
    if (wanted('calls'))
      figures.push(...(await measureCalls(bundles, older, { ...calls, turns: callTurns, connections, tell })));
    if (wanted('start')) figures.push(...(await measureStarts(bundles, older, { turns: startTurns, tell })));
    if (wanted('memory')) figures.push(await measureMemory(bundles, { turns: memoryTurns, tell }));
    if (wanted('bundle'))
      for (const bundle of [bundles.gatehouse, ...(older === undefined ? [] : [older])])
        figures.push(sizeOf(bundle.main, bundle === older));
    return figures;
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** The size of the minified upload after gzip, as Cloudflare counts it. */
function sizeOf(path: string, older: boolean): Figure {
  const bytes = readFileSync(path);
  const detail = `${(bytes.byteLength / 1_024).toFixed(1)} KiB before gzip`;
  return { kind: 'bundle', value: gzipSync(bytes).byteLength / 1_024, detail, older };
}

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const [part, ...rest] = process.argv.slice(2);
  process.exitCode = await (part === 'reports' ? reports(rest, process) : main(process.argv.slice(2), process));
}
