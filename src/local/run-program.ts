/** Parses options with commander, prints, and maps errors to exit codes. */
import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import { CommandRefusal } from '../cli/refusal.ts';

/** The output of a process. Tests replace it. */
export interface Streams {
  readonly stdout: Pick<NodeJS.WritableStream, 'write'>;
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
}

export const printLine = ({ stdout }: Streams, text: string): unknown => stdout.write(`${text}\n`);
/** Writes progress or a warning, which is not part of the result. */
export const warnLine = ({ stderr }: Streams, text: string): unknown => stderr.write(`${text}\n`);

/**
 * Parses `argv` (without the program name), runs `work` and returns its exit code: 0 after the help, 2 for wrong
 * options, and the refusal's own after a refusal.
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

/** Parses an option: digits only, limits inclusive. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
