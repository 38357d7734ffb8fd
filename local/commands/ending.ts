/** How a command ends: with a code, and when it refuses with a sentence that says what to do. */

/** What stops a command, told to the person in front of it. Exit code 1: it did not work; 2: it was called wrongly. */
export class Refusal extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'Refusal';
    this.exitCode = exitCode;
  }
}

/** A refusal of wrong arguments; `command` is its name in package.json. */
export const calledWrongly = (message: string, command: string) =>
  new Refusal(`${message}\nTry: npm run ${command} -- --help`, 2);

/** Runs a command and sets the exit code that it returns. */
export async function end(command: (args: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
