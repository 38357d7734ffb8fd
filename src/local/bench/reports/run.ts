/** `npm run bench -- reports`: fills a real Postgres with 400 days of attempts and measures reports and aggregation. */
import { Command } from 'commander';
import pg from 'pg';
import { findDatabaseUrl } from '../../../cli/database-url.ts';
import { migrate } from '../../../cli/migrate-command.ts';
import { CommandRefusal } from '../../../cli/refusal.ts';
import { type Served, servePostgres } from '../../postgres/served.ts';
import { printLine, run, type Streams, warnLine, wholeNumber } from '../../run-program.ts';
import { exitCodeOf, type Figure, figureRow } from '../figures.ts';
import { fillWithRows } from './fill-rows.ts';
import { measureInsert } from './insert.ts';
import { measureReports, measureTraffic, sumHourMs } from './measure.ts';
import { DAYS, type Day, daysUntil } from './rows.ts';

interface Options {
  readonly databaseUrl: string;
  readonly attempts: number;
  readonly filled?: true;
}

/** Measured on two cores: filling, indexes and aggregation; then the reports. */
const SECONDS_A_MILLION = 150;
const SECONDS_BESIDES = 240;
const BYTES_AN_ATTEMPT = 2_500;
/** The last whole day without open hours. */
const LAST_WHOLE_DAY = -3;

const program = () =>
  new Command('npm run bench -- reports')
    .description(
      `Fills an empty Postgres (15 or newer) with ${DAYS} days of made-up attempts, aggregates them, and measures every ` +
        'report, the aggregation and an insert through the functions of Gatehouse. The data stay in the database.',
    )
    .requiredOption('--database-url <postgres://…>', 'an empty database')
    .option('--attempts <n>', 'how many; the budgets are for ten million', wholeNumber(1_000, 100_000_000), 10_000_000)
    .option('--filled', 'measure only: an earlier run filled the database')
    .addHelpText(
      'after',
      '\nExit code 0: every figure is within its budget; 1: one is over, or something failed; 2: wrong arguments.',
    );

/** Returns the exit code. */
export const main = (argv: readonly string[], io: Streams): Promise<number> =>
  run<Options>(program(), argv, io, async ({ databaseUrl, attempts, filled = false }) => {
    const found = findDatabaseUrl(databaseUrl);
    if (!found.ok) throw new CommandRefusal(found.problem, 2);
    await refuse(found.url, filled);
    const minutes = Math.ceil(((filled ? 0 : (attempts / 1e6) * SECONDS_A_MILLION) + SECONDS_BESIDES) / 60);
    const gigabytes = (attempts * BYTES_AN_ATTEMPT) / 1e9;
    printLine(
      io,
      filled
        ? `This takes about ${minutes} minutes.`
        : `This takes about ${minutes} minutes and ${gigabytes.toFixed(1)} GB in ${found.name}.`,
    );
    const served = await servePostgres(found.url);
    try {
      const figures = await measure(served, attempts, filled, (line) => warnLine(io, line));
      printLine(io, figureRow(figures));
      return exitCodeOf(figures);
    } catch (error) {
      throw new CommandRefusal(
        `The bench FAILED, so no figure is valid: ${error instanceof Error ? error.message : error}`,
      );
    } finally {
      await served.close();
    }
  });

async function measure(
  served: Served,
  attempts: number,
  filled: boolean,
  tell: (line: string) => void,
): Promise<Figure[]> {
  // The attempts of an earlier run end at its time.
  const now = filled ? await lastAttempt(served) : Date.now();
  let few: number | undefined;
  let days: readonly Day[] = daysUntil(now, attempts);
  if (!filled) {
    tell('migrations');
    await migrate(served.url);
    const whenFew = async (first: readonly Day[]) => {
      few = await sumHourMs(served, lastOf(first, -1));
    };
    days = await fillWithRows(served, { attempts, now, tell, whenFew });
  }
  const figures = await measureReports(served, now, tell);
  figures.push(await measureTraffic(served, now, days));
  tell('aggregation');
  const many = await sumHourMs(served, lastOf(days, LAST_WHOLE_DAY));
  figures.push({ kind: 'sumHour', value: many, detail: 'wall clock, at the end of a whole day' });
  if (few !== undefined)
    figures.push({ kind: 'sumHourGrowth', value: many / few, detail: `${few.toFixed(0)} ms before` });
  tell('inserts');
  figures.push(await measureInsert(served));
  return figures;
}

async function lastAttempt({ pool }: Served): Promise<number> {
  const { rows } = await pool.query<{ last: Date }>('select max(occurred_at) as last from attempts');
  return rows[0]?.last.getTime() ?? Date.now();
}

function lastOf(days: readonly Day[], at: number): Day {
  const day = days.at(at);
  if (day === undefined) throw new Error('There are too few days.');
  return day;
}

/** Throws a refusal when the database cannot be used, before anything is written. */
async function refuse(url: string, filled: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    const { rows } = await client.query<{ number: number; tables: number; made: boolean }>(
      `select current_setting('server_version_num')::int as number, to_regclass('attempts') is not null as made,
         (select count(*)::int from pg_class where relkind in ('r', 'p') and relnamespace not in (
           select oid from pg_namespace where nspname like 'pg\\_%' or nspname = 'information_schema')) as tables`,
    );
    const [server] = rows;
    if (server === undefined || server.number < 150_000) throw new CommandRefusal('This needs Postgres 15 or newer.');
    if (!filled && server.tables > 0) {
      throw new CommandRefusal(
        'This database has tables. Use an empty one, or add --filled when an earlier run filled it.',
        2,
      );
    }
    if (!filled) return;
    const { rows: others } = server.made
      ? await client.query("select 1 from attempts where caller <> 'b2c-2026a' limit 1")
      : { rows: [1] };
    if (others.length > 0)
      throw new CommandRefusal('No earlier run filled this database. Use an empty one without --filled.', 2);
  } catch (error) {
    if (error instanceof CommandRefusal) throw error;
    throw new CommandRefusal(`This Postgres cannot be used: ${error instanceof Error ? error.message : error}`);
  } finally {
    await client.end();
  }
}
