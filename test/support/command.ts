/** Commands in this process, as `npm run` starts them in one of their own: what they print, and their exit code. */
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

const saying = (said: string | RegExp): unknown =>
  typeof said === 'string' ? expect.stringContaining(said) : expect.stringMatching(said);

/** For toMatchObject: a command that did what it should and printed this. */
export const done = (said: string | RegExp) => ({ code: 0, stdout: saying(said) });

/** For toMatchObject: a command that did not, and said so. */
export const refused = (code: 1 | 2 | 130, said: string | RegExp) => ({ code, stderr: saying(said) });

export interface Running {
  readonly finished: Promise<Finished>;
  /** The first Ctrl-C. */
  readonly interrupt: () => void;
}

export interface Given {
  /** Nothing else of the environment reaches the command. */
  readonly env?: Io['env'];
  readonly fetch?: typeof fetch;
  /** What somebody types at the terminal; undefined: there is none. */
  readonly answer?: string | undefined;
}

export function start(command: string, args: readonly string[], { env = {}, answer, ...given }: Given = {}): Running {
  const said = { stdout: '', stderr: '' };
  const signals = new EventEmitter();
  const sink = (name: keyof typeof said) =>
    new Writable({
      write(chunk, _, done) {
        said[name] += chunk;
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
  const finished = ended.then((code) => ({ code, ...said }));
  return { finished, interrupt: () => signals.emit('SIGINT') };
}

export const run = (command: string, args: readonly string[], env: Io['env'] = {}): Promise<Finished> =>
  start(command, args, { env }).finished;

/** `npm run` in another folder than the project's, as a shell would start it. */
export const npmRun = (script: string, ...args: string[]) =>
  new Promise<Finished>((resolve) => {
    const npm = ['--prefix', process.cwd(), 'run', '--silent', script, '--', ...args];
    const child = execFile('npm', npm, { cwd: tmpdir() }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
