/** `npm run simulate`: simulates B2C, live against a Gatehouse or as past attempts in a local database. */
import { Command, Option } from 'commander';
import { DEFAULT_URL } from '../cli/connector.ts';
import { CommandRefusal } from '../cli/refusal.ts';
import { run, type Streams, wholeNumber } from './run-program.ts';
import { playLive } from './simulate/live.ts';
import { targetAt } from './simulate/target.ts';

const CALLS_PER_SECOND = 50;

interface Options {
  readonly people: number;
  readonly seed: number;
  readonly rate?: number;
  readonly url?: string;
  readonly yes?: true;
  readonly days?: number;
  readonly databaseUrl?: string;
}

const program = () =>
  new Command('npm run simulate --')
    .description(
      'Without --days, simulates people who sign up and sign in at a running Gatehouse, with the calls of Azure AD B2C: ' +
        'several applications and identity providers, many languages. Some people close the page, some calls are ' +
        'repeated, and one person in eight causes an unusual call: half a JSON, a wrong credential, an unknown step. At ' +
        'the end it prints the replies and latencies. Ctrl-C ends it early and prints the results so far.\n\n' +
        'With --days, writes attempts of the last days into the local database, distributed over hours and weekdays as ' +
        'people sign in. Running it again adds nothing twice: the same seed and number of people give the same attempts ' +
        'with the same ids, and a run on a later day adds only the new ones.',
    )
    .option(
      '--people <n>',
      'how many people; with --days, how many are active at a time: about 20 attempts each in 30 days',
      wholeNumber(1, 1_000_000),
      200,
    )
    .option('--seed <n>', 'the same seed simulates the same people', wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option(
      '--rate <n>',
      `calls a second, independent of the responses (default: ${CALLS_PER_SECOND})`,
      wholeNumber(1, 10_000),
    )
    .option('--url <url>', `the address of Gatehouse (default: ${DEFAULT_URL})`)
    .option('--yes', 'allow an address that is not on this machine')
    .addOption(
      new Option(
        '--days <n>',
        'how many past days (at most RETENTION_DAYS, 90: older attempts are not stored)',
      ).argParser(wholeNumber(1, 3_650)),
    )
    .option(
      '--database-url <url>',
      'with --days (default: DATABASE_URL, else the database of npm run dev in .gatehouse)',
    )
    .addHelpText(
      'after',
      `
Credential: GATEHOUSE_CONNECTOR=user:password in the environment, a line of the secret CONNECTOR_BASIC. Optional for a
local URL. Exit code 1: an error, a reply that B2C does not accept at its step, or a missing reply.`,
    );

/** Returns the exit code. The first Ctrl-C shuts down gracefully, the second one kills the process. */
export const main = (argv: readonly string[], io: Streams): Promise<number> =>
  run<Options>(program(), argv, io, async ({ people, seed, rate, url, yes = false, days, databaseUrl }) => {
    const controller = new AbortController();
    const stop = controller.signal;
    const interrupt = () => controller.abort();
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      if (days !== undefined) {
        if (url !== undefined)
          throw new CommandRefusal(
            '--days writes to a database, not to the Gatehouse of --url. Use --database-url, which npm run dev prints.',
            2,
          );
        if (rate !== undefined) throw new CommandRefusal('--days makes no calls. Leave --rate out.', 2);
        // The driver of the database takes a second to load.
        const { playPast } = await import('./simulate/past.ts');
        return await playPast({ people, seed, days, databaseUrl, stop }, io);
      }
      if (databaseUrl !== undefined)
        throw new CommandRefusal('--database-url needs --days. Add --days, or remove --database-url.', 2);
      const target = targetAt(url ?? DEFAULT_URL, process.env.GATEHOUSE_CONNECTOR, yes);
      return await playLive(target, { people, seed, callsPerSecond: rate ?? CALLS_PER_SECOND, stop }, io);
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
  });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), process);
