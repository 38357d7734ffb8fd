/**
 * `npm run deploy`: deploys the desk, waits until it has published the plans of the new format, then deploys the gate.
 * So every isolate, old or new, finds a plan of its format.
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
/** The cron publishes missing plans every five minutes. KV shows them up to one minute later. */
const PLANS_WITHIN_MS = 15 * 60_000;
const LOOK_EVERY_MS = 10_000;

/** Everything that the program does outside of itself. Tests replace it. */
export interface Outside {
  /** Runs wrangler, shows its output and returns its exit code. */
  readonly run: (args: readonly string[]) => number;
  /** Returns the value of a key in the deployed KV, undefined when missing. Throws when KV cannot be read. */
  readonly readKv: (key: string) => string | undefined;
  readonly wait: (ms: number) => Promise<void>;
  readonly say: (line: string) => void;
}

/** Returns the exit code: 0 when both Workers are deployed. Never deploys a gate without its plans. */
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
          'The gate was not deployed; the earlier one keeps running. Correct the policy (npm run policy -- push), then deploy again.',
        );
        return 1;
      }
      if (waitedMs >= PLANS_WITHIN_MS) {
        say(`Version ${number} has no plan of format ${FORMAT} yet, so the gate was not deployed.`);
        say('Check that the cron trigger of gatehouse-desk runs (/health/ready), then deploy again.');
        return 1;
      }
      if (waitedMs === 0) say(`Waiting for the desk to publish the plan of version ${number}, at most 15 minutes ...`);
      await wait(LOOK_EVERY_MS);
    }
  }
  return run(['deploy', '-c', GATE]);
}

/** Uses this project's wrangler and the account that it is logged in to. */
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
      if (listed.status !== 0) throw new Error(`Workers KV could not be read: ${listed.stderr.trim()}`);
      const keys = JSON.parse(listed.stdout.slice(listed.stdout.indexOf('['))) as { name: string }[];
      if (!keys.some(({ name }) => name === key)) return undefined;
      const got = spawn(['kv', 'key', 'get', key, '--binding', 'GATEHOUSE', '--remote', '--text', '-c', DESK], 'pipe');
      if (got.status !== 0) throw new Error(`Workers KV could not be read: ${got.stderr.trim()}`);
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
