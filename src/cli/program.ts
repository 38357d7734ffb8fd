/** commander with this project's usage lines, messages and exit codes. */
import { Command, type ErrorOptions, type HelpContext } from 'commander';
import type { Io } from './io.ts';
import { CommandRefusal } from './refusal.ts';

/** Adds subcommands, options and actions to a command of `npm run`. */
export type Define = (program: Program, io: Io) => void;

/** `what` is the option, argument or command that commander's message quotes. */
const SENTENCES: { readonly [code: string]: (program: Program, what: string) => string } = {
  'commander.unknownOption': (program, what) =>
    program.commands.length === 0
      ? `${program.name()} does not take ${what}.`
      : `${what} comes too early: options go after the command, one of ${program.commandNames()}.`,
  'commander.unknownCommand': (program, what) =>
    `"${what}" is not a command. The commands are ${program.commandNames()}.`,
  'commander.missingArgument': (program, what) => `${program.name()} needs the argument ${what}.`,
  'commander.excessArguments': (program) =>
    `${program.name()} takes no further argument: "${program.args[program.registeredArguments.length]}".`,
};

/** Options go after the command. */
const usageOf = (command: Command) => (command.commands.length === 0 ? command.usage() : '<command> [options]');

export class Program extends Command {
  readonly #io: Io;
  readonly #ended: { code: number };

  constructor(name: string | undefined, io: Io, ended: { code: number } = { code: 0 }) {
    super(name);
    this.#io = io;
    this.#ended = ended;
    this.helpCommand(false)
      .helpOption('-h, --help', 'this text')
      .exitOverride()
      .configureOutput({ writeOut: (text) => io.stdout.write(text) })
      .configureHelp({ commandUsage: (command) => `${(command as Program).typed()} ${usageOf(command)}` });
  }

  override createCommand(name?: string): Program {
    return new Program(name, this.#io, this.#ended);
  }

  /** Sets the action of a command. It returns the exit code. */
  does<Args extends unknown[]>(work: (...args: Args) => Promise<number>): this {
    return this.action(async (...args) => {
      this.#ended.code = await work(...(args as Args));
    });
  }

  exitCode(): number {
    return this.#ended.code;
  }

  /** The command as people type it: `npm run policy -- push`. */
  typed(): string {
    const names: string[] = [];
    for (let command: Command = this; command.parent !== null; command = command.parent) names.unshift(command.name());
    return ['npm run', names[0], '--', ...names.slice(1)].filter((word) => word !== undefined).join(' ');
  }

  commandNames(): string {
    return this.commands.map((command) => command.name()).join(', ');
  }

  /** Exit code 2: wrong usage. */
  override error(message: string, { code = '' }: ErrorOptions = {}): never {
    const [, what = ''] = /'(-[^'=]+|[^']*)/.exec(message) ?? [];
    const [, suggestion] = message.split('\n');
    const sentence = SENTENCES[code]?.(this, what);
    const text =
      sentence === undefined ? message.replace('error: o', 'O').replace('error: ', '') : [sentence, suggestion];
    throw new CommandRefusal(`${[text].flat().filter(Boolean).join(' ')}\nTry: ${this.typed()} --help`, 2);
  }

  /** commander shows the help as an error when the command is missing. */
  override help(context?: HelpContext | ((text: string) => string)): never {
    if (typeof context === 'object' && context.error)
      this.error(`A command is missing. The commands are ${this.commandNames()}.`);
    return super.help(context as HelpContext);
  }
}
