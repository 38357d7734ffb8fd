/** `npm run simulate`: B2C played by a program, live at a Gatehouse or into the past of a local database. */
import { Command, Option } from 'commander';
import { CommandRefusal } from '../cli/refusal.ts';
import { run, type Streams, wholeNumber } from './run-program.ts';
import { playLive } from './simulate/live.ts';
import { DEFAULT_URL, targetAt } from './simulate/target.ts';

interface Options {
  readonly people: number;
  readonly seed: number;
  readonly rate: number;
  readonly url: string;
  readonly yes?: true;
  readonly days?: number;
  readonly databaseUrl?: string;
}

const program = () =>
  new Command('npm run simulate --')
    .description(
      'Without --days, plays people signing up and in at a running Gatehouse, in the way Azure AD B2C calls it: with several ' +
        'applications and identity providers, in many languages. Some close the page, some calls are made twice, and one ' +
        'person in eight does something odd: half a JSON, a wrong credential, an unknown step. At the end it says what the ' +
        'replies were and how long they took. Ctrl-C ends it early, with what there is so far.\n\n' +
        'With --days, fills the past instead: attempts of the last days, by the hours and weekdays at which people sign in, ' +
        'are written straight into the local database. Running it again adds nothing twice: the same seed and number of ' +
        'people give the same attempts with the same ids, and on a later day only what is new is added.',
    )
    .option(
      '--people <n>',
      'how many people; with --days, how many come and go at any time: about 20 attempts each in 30 days',
      wholeNumber(1, 1_000_000),
      200,
    )
    .option('--seed <n>', 'the same number plays the same people', wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option('--rate <n>', 'calls a second, whether the ones before are answered or not', wholeNumber(1, 10_000), 50)
    .option('--url <url>', 'where Gatehouse is', DEFAULT_URL)
    .option('--yes', 'yes, at an address that is not on this machine')
    .addOption(
      new Option('--days <n>', 'how many days of the past (at most RETENTION_DAYS, 90: older ones would not be kept)')
        .argParser(wholeNumber(1, 3_650))
        .conflicts(['rate', 'url']),
    )
    .option(
      '--database-url <url>',
      'with --days; else DATABASE_URL, else the database of the npm run dev that keeps its data in .gatehouse',
    )
    .addHelpText(
      'after',
      `
Credential: GATEHOUSE_CONNECTOR=user:password in the environment, a line of the secret CONNECTOR_BASIC. For a local URL it
may be left out. Exit code 1: something went wrong, or a reply was not one that B2C takes at its step, or there was none.`,
    );

/** Returns the exit code. The first Ctrl-C ends in good order, the second one at once. */
export const main = (argv: readonly string[], io: Streams): Promise<number> =>
  run<Options>(program(), argv, io, async ({ people, seed, rate, url, yes = false, days, databaseUrl }) => {
    const controller = new AbortController();
    const stop = controller.signal;
    const cutOff = () => controller.abort();
    process.once('SIGINT', cutOff).once('SIGTERM', cutOff);
    try {
      if (days !== undefined) {
        // The driver of the database takes a second to load.
        const { playPast } = await import('./simulate/past.ts');
        return await playPast({ people, seed, days, databaseUrl, stop }, io);
      }
      if (databaseUrl !== undefined) throw new CommandRefusal('--database-url goes with --days only.', 2);
      const target = targetAt(url, process.env.GATEHOUSE_CONNECTOR, yes);
      return await playLive(target, { people, seed, callsPerSecond: rate, stop }, io);
    } finally {
      process.off('SIGINT', cutOff).off('SIGTERM', cutOff);
    }
  });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), process);
