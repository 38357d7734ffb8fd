/** How a command fails: an exit code and a message that says what to do. */

/** Ends a command with a message for the user. Exit code 1: it failed; 2: wrong usage. */
export class CommandRefusal extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

/** Refuses wrong arguments. `command` is its name in package.json. */
export const calledWrongly = (message: string, command: string) =>
  new CommandRefusal(`${message}\nTry: npm run ${command} -- --help`, 2);
