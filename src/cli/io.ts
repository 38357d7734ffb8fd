/** What a command has of the process that runs it: streams, environment, network and Ctrl-C. Tests bring their own. */
import { createInterface } from 'node:readline/promises';
import { CommandRefusal } from './refusal.ts';

export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: { readonly [name: string]: string | undefined };
  readonly fetch: typeof fetch;
  /** Calls `listener` at the first Ctrl-C; the second one ends the process. Returns how to stop listening. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

export const processIo: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  fetch,
  onInterrupt(listener) {
    process.once('SIGINT', listener).once('SIGTERM', listener);
    return () => process.off('SIGINT', listener).off('SIGTERM', listener);
  },
};

/** A line, or several, for the person or program that reads the result. */
export const print = ({ stdout }: Io, text: string): unknown => stdout.write(`${text}\n`);

/** A line beside the result: a warning, a note. */
export const warn = ({ stderr }: Io, text: string): unknown => stderr.write(`${text}\n`);

/** Asks before something changes for everybody. Anything but yes is no; refuses where there is no terminal. */
export async function confirmed({ stdin, stderr }: Io, question: string): Promise<boolean> {
  if (stdin.isTTY !== true)
    throw new CommandRefusal(`${question} There is no terminal to ask at: add --yes. Nothing was changed.`, 2);
  const lines = createInterface({ input: stdin, output: stderr });
  // The end of the input is an answer too.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const answer = await Promise.race([lines.question(`${question} [y/N] `), closed]);
  lines.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
