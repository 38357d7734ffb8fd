/** What the programs of this folder share: reading options with commander, where they print, and how they end. */
import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import { CommandRefusal } from '../cli/refusal.ts';

/** What a program has of the process that runs it. Tests bring their own. */
export interface Streams {
  readonly stdout: Pick<NodeJS.WritableStream, 'write'>;
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
}

export const printLine = ({ stdout }: Streams, text: string): unknown => stdout.write(`${text}\n`);
/** Beside the result: progress, a warning. */
export const warnLine = ({ stderr }: Streams, text: string): unknown => stderr.write(`${text}\n`);

/**
 * Does `work` with the options that `argv` gives (without the name of the program), and returns its exit code. After the
 * help it is 0, after wrong options 2, after a refusal the refusal's own.
 */
export async function run<Options>(
  program: Command,
  argv: readonly string[],
  io: Streams,
  work: (options: Options) => Promise<number>,
): Promise<number> {
  program
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError('Try --help.')
    .allowExcessArguments(false);
  try {
    return await work(program.parse(argv, { from: 'user' }).opts() as Options);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof CommandRefusal)) throw error;
    warnLine(io, error.message);
    return error.exitCode;
  }
}

/** Reads the value of an option: digits alone, both bounds included. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
