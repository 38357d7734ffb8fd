/** Options of `npm run dev`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run dev -- [--port N] [--data DIR] [--policy FILE] [--inspect N]

  --port N       port to listen on (default 8787)
  --data DIR     folder for database, KV and queue (default .gatehouse); a second Gatehouse needs its own
  --policy FILE  the policy that decides; each edit is put in force (default policy.json, if it exists). With
                 "none" instead of a file, Gatehouse only adds roles to the token
  --inspect N    port for a debugger of the Worker, such as 9229`;

export interface DevOptions {
  readonly port: number;
  /** An absolute path. */
  readonly data: string;
  /** A file, or `none`; undefined: `policy.json` when there is one. */
  readonly policy: string | undefined;
  /** 0: any. */
  readonly inspectorPort: number;
}

/** Throws an Error with a message for the user and {@link USAGE}. */
export function readOptions(argv: readonly string[]): DevOptions | 'help' {
  const { port, data, policy, inspect, help } = readArguments(argv);
  if (help) return 'help';
  const inspectorPort = inspect === undefined ? 0 : portOf('--inspect', inspect);
  return { port: portOf('--port', port), data: resolve(data), policy, inspectorPort };
}

function portOf(option: string, typed: string): number {
  const port = Number(typed);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new Error(`${option} takes a number from 1 to 65535.\n\n${USAGE}`);
}

function readArguments(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string', default: '8787' },
        data: { type: 'string', default: '.gatehouse' },
        policy: { type: 'string' },
        inspect: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}
