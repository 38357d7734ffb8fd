/** `npm run bench`: what Gatehouse costs, each figure beside its budget. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calledWrongly, end, Refusal } from '../commands/ending.ts';
import { build } from './build.ts';
import { measureBundle } from './bundle.ts';
import { measureCallCost } from './call-cost.ts';
import { noCpuFigures } from './cpu.ts';
import { type Finding, shown } from './finding.ts';
import { measureStalledNeon } from './stalled-neon.ts';
import { measureStartUp } from './start-up.ts';
import { measureVisible } from './visible.ts';
import { startWhole } from './whole.ts';

const HELP = `Usage: npm run bench -- [--quick]

Builds the production bundle and measures it: its size, what starting and a call cost in bare workerd beside a Worker
written by hand, in turns, and what a sign-in notices of a Neon that does not answer. Takes a few minutes; a machine
that does nothing else gives the steadiest figures.

  --quick   fewer rounds: a first look, not for the record
  --help    this text

Exit code 0: everything within its budget; 1: something is not, or could not be measured; 2: wrong arguments.`;

/** Short turns and many of them: what else the machine does then hits both sides of a pair. */
const CALLS = { warmUpCalls: 10_000, rounds: 25, callsARound: 2_000 };
const QUICK_CALLS = { warmUpCalls: 5_000, rounds: 5, callsARound: 1_000 };

await end(main);

async function main(args: string[]): Promise<number> {
  const { help, quick } = read(args);
  if (help) {
    console.log(HELP);
    return 0;
  }
  const missing = noCpuFigures();
  if (missing !== undefined) throw new Refusal(`The bench cannot measure CPU: ${missing}.`);

  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    console.log(`${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)} before the bench began`);
    const findings = await measure(folder, quick);
    console.log(`\n${shown(findings)}`);
    console.log('\nSums and look-ups at 10 million rows: npm run test:postgres -- URL --rows 10000000');
    return findings.every(({ within }) => within !== false) ? 0 : 1;
  } catch (error) {
    throw new Refusal(`The bench FAILED, so that no figure counts: ${error instanceof Error ? error.message : error}`);
  }
}

async function measure(folder: string, quick: boolean): Promise<Finding[]> {
  progress('building the bundles');
  const gatehouse = await build(join(folder, 'gatehouse'));
  const byHand = await build(join(folder, 'by-hand'), 'local/bench/workers/by-hand.ts');
  const empty = await build(join(folder, 'empty'), 'local/bench/workers/empty.ts');
  const stubs = await build(join(folder, 'stubs'), 'local/bench/workers/stubs.ts');
  const bundles = { gatehouse, byHand, empty, stubs, folder };
  return [
    ...(await measureCallCost(bundles, { ...(quick ? QUICK_CALLS : CALLS), progress })),
    ...measureBundle(gatehouse),
    ...(await measureStartUp(bundles, { starts: quick ? 5 : 15, progress })),
    ...(await measureWhole(gatehouse, folder, quick)),
  ];
}

async function measureWhole(bundle: string, folder: string, quick: boolean): Promise<Finding[]> {
  progress('starting the whole: Neon, queue and consumer');
  const whole = await startWhole(bundle, folder);
  try {
    return [
      ...(await measureStalledNeon(whole, {
        rounds: quick ? 3 : 8,
        secondsARound: quick ? 2 : 4,
        long: !quick,
        progress,
      })),
      ...(await measureVisible(whole, { tries: quick ? 3 : 10, progress })),
    ];
  } finally {
    await whole.stop();
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function read(args: string[]): { help: boolean; quick: boolean } {
  try {
    const boolean = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({ args, options: { quick: boolean, help: { ...boolean, short: 'h' } } });
    return values;
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'bench');
  }
}
