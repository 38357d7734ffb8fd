/**
 * `npm run deploy`: the desk first, then the gate, and in between the wait for the plans that the new gate reads. So no isolate,
 * old or new, is without a plan of its format.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { FORMAT } from '../expressions/tree.ts';
import { planKey, planRefusedKey } from '../policy/plan.ts';
import { POINTER_KEY, readPointer } from '../policy/pointer.ts';
import { type Io, print } from './io.ts';
import type { Define } from './program.ts';
import { CommandRefusal } from './refusal.ts';

const DESK = 'src/desk/wrangler.toml';
const GATE = 'wrangler.toml';
/** The schedule publishes what is missing every five minutes; KV takes up to one more to show it. */
const PLANS_WITHIN_MS = 15 * 60_000;
const LOOK_EVERY_MS = 10_000;

/** What the program asks of the outside. */
export interface Outside {
  /** Runs wrangler with its output shown; its exit code. */
  readonly run: (args: readonly string[]) => number;
  /** The text under a key of the deployed KV; undefined when there is none. Throws when KV cannot be asked. */
  readonly readKv: (key: string) => string | undefined;
  readonly wait: (ms: number) => Promise<void>;
  readonly say: (line: string) => void;
}

/** The exit code: 0 when both Workers are deployed. A gate is never deployed without its plans. */
export async function deploy({ run, readKv, wait, say }: Outside): Promise<number> {
  if (run(['deploy', '-c', DESK]) !== 0) return 1;
  const pointer = readKv(POINTER_KEY);
  const active = pointer === undefined ? undefined : readPointer(pointer);
  const numbers = active === undefined ? [] : [active.number, ...(active.shadow ? [active.shadow.number] : [])];
  for (const number of numbers) {
    for (let waitedMs = 0; readKv(planKey(number)) === undefined; waitedMs += LOOK_EVERY_MS) {
      const refused = readKv(planRefusedKey(number));
      if (refused !== undefined) {
        say(`Version ${number} of the policy does not compile with this release: ${refused}`);
        say(
          'The gate was not deployed; the one that is deployed goes on. Correct the policy (npm run policy -- push), then deploy again.',
        );
        return 1;
      }
      if (waitedMs >= PLANS_WITHIN_MS) {
        say(`There is no plan of version ${number} yet (format ${FORMAT}), so the gate was not deployed.`);
        say('Look whether the cron trigger of gatehouse-desk runs (/health/ready), then deploy again.');
        return 1;
      }
      if (waitedMs === 0) say(`Waiting for the desk to publish the plan of version ${number}, at most 15 minutes ...`);
      await wait(LOOK_EVERY_MS);
    }
  }
  return run(['deploy', '-c', GATE]);
}

/** Wrangler of this project, at the account that it is logged in to. */
function wranglerOutside(io: Io): Outside {
  const wrangler = join(createRequire(import.meta.url).resolve('wrangler/package.json'), '..', 'bin', 'wrangler.js');
  const spawn = (args: readonly string[], stdio: 'inherit' | 'pipe') =>
    spawnSync(process.execPath, [wrangler, ...args], { encoding: 'utf8', stdio: ['ignore', stdio, stdio] });
  return {
    run: (args) => spawn(args, 'inherit').status ?? 1,
    readKv: (key) => {
      const listed = spawn(
        ['kv', 'key', 'list', '--binding', 'GATEHOUSE', '--remote', '--prefix', key, '-c', DESK],
        'pipe',
      );
      if (listed.status !== 0) throw new Error(`Workers KV could not be asked: ${listed.stderr.trim()}`);
      const keys = JSON.parse(listed.stdout.slice(listed.stdout.indexOf('['))) as { name: string }[];
      if (!keys.some(({ name }) => name === key)) return undefined;
      const got = spawn(['kv', 'key', 'get', key, '--binding', 'GATEHOUSE', '--remote', '--text', '-c', DESK], 'pipe');
      if (got.status !== 0) throw new Error(`Workers KV could not be asked: ${got.stderr.trim()}`);
      return got.stdout;
    },
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    say: (line) => print(io, line),
  };
}

export const define: Define = (program, io) => {
  program.does(async () => {
    try {
      return await deploy(wranglerOutside(io));
    } catch (error) {
      throw new CommandRefusal(error instanceof Error ? error.message : String(error));
    }
  });
};
