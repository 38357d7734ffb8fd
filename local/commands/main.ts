/** The program behind `npm run roles`, `policy`, `dead-letters`, `sums`, `migrate` and `test:postgres`. */
import { CommanderError } from 'commander';
import { Refusal } from './ending.ts';
import { type Io, processIo } from './io.ts';
import { type Define, Program } from './program.ts';

interface Part {
  readonly summary: string;
  /** Loaded only when it is asked for: expressions, database drivers and CSV take a second together. */
  readonly load: () => Promise<Define>;
}

const EXIT_CODES = '\nExit code 0: it is done; 1: it is not, or a problem was found; 2: called wrongly.';

/** By the name in `package.json`. */
const PARTS: { readonly [name: string]: Part } = {
  roles: {
    summary: 'who holds which roles',
    load: async () => (await import('./roles.ts')).roles,
  },
  policy: {
    summary: 'the policy as a file: checked, tested, tried, compared and put in force',
    load: async () => (await import('./policy.ts')).policy,
  },
  'dead-letters': {
    summary: 'messages that could not be written to the database',
    load: async () => (await import('./dead-letters-program.ts')).deadLetters,
  },
  sums: {
    summary: 'the hourly sums that reports read',
    load: async () => (await import('./sums.ts')).sums,
  },
  migrate: {
    summary: 'brings a database up to date',
    load: async () => (await import('./migrate.ts')).migration,
  },
  'test:postgres': {
    summary: 'sums under concurrency on a real Postgres',
    load: async () => (await import('./test-postgres.ts')).testPostgres,
  },
};

/** Runs a command such as `['roles', 'list']`. Returns the exit code: 0 done, 1 not done, 2 called wrongly. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const program = new Program('gatehouse', io);
  for (const [name, { summary }] of Object.entries(PARTS))
    program.command(name).description(summary).addHelpText('afterAll', EXIT_CODES);
  program.hook('preSubcommand', async (_, part) => (await PARTS[part.name()]?.load())?.(part as Program, io));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return program.exitCode();
  } catch (error) {
    // The help was asked for and shown.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof Refusal)) throw error;
    io.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), processIo);
