/** What the programs of this folder share: reading arguments with commander, and where they print. */
import { type Command, CommanderError, InvalidArgumentError } from 'commander';

/** Where a program prints, a text without its last line break at a time. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export const TERMINAL: Io = {
  out: (text) => console.log(text),
  err: (text) => void process.stderr.write(`${text}\n`),
};

/**
 * The options that `argv` gives (without the program's name), or the exit code with which the program ends at once:
 * 0 after the help, 2 after a message that says what is wrong.
 */
export function readOptions<Options extends object>(
  program: Command,
  argv: readonly string[],
  io: Io,
): Options | number {
  program
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) })
    .showHelpAfterError('Try --help.')
    .allowExcessArguments(false);
  try {
    return program.parse(argv, { from: 'user' }).opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
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
