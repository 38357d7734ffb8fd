/** How a command ends: with a code, and when it refuses with a sentence that says what to do. */

/** What stops a command, told to the person in front of it. Exit code 1: it did not work; 2: it was called wrongly. */
export class CommandRefusal extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

/** A refusal of wrong arguments; `command` is its name in package.json. */
export const calledWrongly = (message: string, command: string) =>
  new CommandRefusal(`${message}\nTry: npm run ${command} -- --help`, 2);
