/** Runs commands in this process, and returns their output and exit code. */
import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { expect } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import { main as testPostgres } from '../../src/local/postgres/test-postgres.ts';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const matching = (text: string | RegExp): unknown =>
  typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text);

/** For toMatchObject: exit code 0 and this output. */
export const done = (text: string | RegExp) => ({ code: 0, stdout: matching(text) });

/** For toMatchObject: another exit code and this error output. */
export const refused = (code: 1 | 2 | 130, text: string | RegExp) => ({ code, stderr: matching(text) });

export interface Running {
  readonly finished: Promise<Finished>;
  /** Sends a Ctrl-C. */
  readonly interrupt: () => void;
}

export interface Given {
  /** The whole environment of the command. */
  readonly env?: Io['env'];
  readonly fetch?: typeof fetch;
  /** Input at the terminal; undefined: no terminal. */
  readonly answer?: string | undefined;
}

export function start(command: string, args: readonly string[], { env = {}, answer, ...given }: Given = {}): Running {
  const output = { stdout: '', stderr: '' };
  const signals = new EventEmitter();
  const sink = (name: keyof typeof output) =>
    new Writable({
      write(chunk, _, done) {
        output[name] += chunk;
        done();
      },
    });
  const io: Io = {
    stdin: Object.assign(Readable.from(answer === undefined ? [] : [answer]), { isTTY: answer !== undefined }),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env,
    fetch: given.fetch ?? fetch,
    onInterrupt(listener) {
      signals.once('SIGINT', listener);
      return () => signals.off('SIGINT', listener);
    },
  };
  const ended = command === 'test:postgres' ? testPostgres(args, io) : main([command, ...args], io);
  const finished = ended.then((code) => ({ code, ...output }));
  return { finished, interrupt: () => signals.emit('SIGINT') };
}

export const run = (command: string, args: readonly string[], env: Io['env'] = {}): Promise<Finished> =>
  start(command, args, { env }).finished;

/** `npm run` as a shell starts it, in another folder than the project's. */
export const npmRun = (script: string, ...args: string[]) =>
  new Promise<Finished>((resolve) => {
    const npm = ['--prefix', process.cwd(), 'run', '--silent', script, '--', ...args];
    const child = execFile('npm', npm, { cwd: tmpdir() }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
