/** The program behind `npm run roles`, `policy`, `connect`, `dead-letters`, `sums`, `migrate` and `deploy`. */
import { CommanderError } from 'commander';
import { type Io, processIo } from './io.ts';
import { type Define, Program } from './program.ts';
import { CommandRefusal } from './refusal.ts';

export interface Command {
  readonly description: string;
  /** Loaded on demand: expressions, database drivers and CSV together take a second. */
  readonly load: () => Promise<{ readonly define: Define }>;
}

/** By the name in `package.json`. */
export type Commands = { readonly [name: string]: Command };

const PARTS: Commands = {
  roles: { description: 'The roles of people.', load: () => import('./roles/roles-command.ts') },
  policy: {
    description: 'Checks, tests, tries and compares a policy file, and puts it in force.',
    load: () => import('./policy/policy-command.ts'),
  },
  connect: {
    description: 'Connects a B2C tenant to Gatehouse, and proves that it is connected.',
    load: () => import('./connect/connect-command.ts'),
  },
  'dead-letters': {
    description: 'Messages that could not be written to the database.',
    load: () => import('./dead-letters/dead-letters-command.ts'),
  },
  sums: { description: 'The hourly and daily aggregates that reports read.', load: () => import('./sums-command.ts') },
  migrate: {
    description:
      'Applies the migrations in drizzle/ that the database does not have yet, each in one transaction. Safe to repeat ' +
      'and to run twice at once.',
    load: () => import('./migrate-command.ts'),
  },
  deploy: {
    description:
      'Deploys both Workers with wrangler, the desk first. Waits until the policy in force is compiled for the new gate. ' +
      'Needs wrangler to be logged in.',
    load: () => import('./deploy.ts'),
  },
};

/** User and password in an address. No refusal repeats them. */
const CREDENTIAL = /\/\/\S*@/g;
const EXIT_CODES = '\nExit code 0: done; 1: not done, or a problem was found; 2: wrong usage.';

/** Runs a command such as `['roles', 'list']`. Returns the exit code: 0 done, 1 not done, 2 wrong usage. */
export async function main(argv: readonly string[], io: Io, parts: Commands = PARTS): Promise<number> {
  const program = new Program('gatehouse', io);
  for (const [name, { description }] of Object.entries(parts))
    program.command(name).description(description).addHelpText('afterAll', EXIT_CODES);
  program.hook('preSubcommand', async (_, part) => (await parts[part.name()]?.load())?.define(part as Program, io));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return program.exitCode();
  } catch (error) {
    // commander throws after it shows the help.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof CommandRefusal)) throw error;
    io.stderr.write(`${error.message.replace(CREDENTIAL, '//…@')}\n`);
    return error.exitCode;
  }
}

/** `… | head` closes the pipe: nothing reads any further output. */
const endQuietly = (error: NodeJS.ErrnoException): void => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
};

if (import.meta.main) {
  process.stdout.on('error', endQuietly);
  process.exitCode = await main(process.argv.slice(2), processIo);
}
