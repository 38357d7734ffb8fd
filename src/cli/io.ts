/** The process as a command sees it: streams, environment, network and Ctrl-C. Tests replace it. */
import { createInterface } from 'node:readline/promises';
import { CommandRefusal } from './refusal.ts';

export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: { readonly [name: string]: string | undefined };
  readonly fetch: typeof fetch;
  /** Calls `listener` at the first Ctrl-C. The second one ends the process. Returns a function that stops listening. */
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

/** Writes the result, for a person or a program. */
export const print = ({ stdout }: Io, text: string): unknown => stdout.write(`${text}\n`);

/** Writes a warning or a note, which is not part of the result. */
export const warn = ({ stderr }: Io, text: string): unknown => stderr.write(`${text}\n`);

/** Asks for confirmation. Any answer but yes is no. Throws a refusal when there is no terminal. */
export async function confirmed({ stdin, stderr }: Io, question: string): Promise<boolean> {
  if (stdin.isTTY !== true)
    throw new CommandRefusal(`${question} There is no terminal to ask at. Add --yes. Nothing was changed.`, 2);
  const lines = createInterface({ input: stdin, output: stderr });
  // The end of the input counts as no.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const answer = await Promise.race([lines.question(`${question} [y/N] `), closed]);
  lines.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
