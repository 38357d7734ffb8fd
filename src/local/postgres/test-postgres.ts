/**
 * `npm run test:postgres -- URL`: checks aggregates, partitions and retention on your own Postgres, with the duration
 * and the number of rows that you choose. `npm test` does the same for a few seconds on an embedded Postgres.
 */
import { InvalidArgumentError } from 'commander';
import pg from 'pg';
import { type Io, print, processIo } from '../../cli/io.ts';
import { main as runCommand } from '../../cli/main.ts';
import type { Define } from '../../cli/program.ts';
import { CommandRefusal } from '../../cli/refusal.ts';
import { runConcurrently } from './concurrency.ts';
import { type Finding, findingLine } from './finding.ts';
import { compareSums, fillWithOldRows } from './scale.ts';
import type { Served } from './served.ts';
import { runSlowReport } from './slow-report.ts';
import { ownDatabase } from './temporary-database.ts';

const NAME = 'test:postgres';
/** The baseline of the budget. */
const FEW_ROWS = 100_000;

interface Options {
  readonly seconds: number;
  readonly rows: number;
}

/** Returns the exit code: 0 all checks pass, 1 a check fails, 2 wrong usage. */
export const main = (argv: readonly string[], io: Io): Promise<number> =>
  runCommand([NAME, ...argv], io, { [NAME]: { description: '', load: async () => ({ define }) } });

const define: Define = (program, io) => {
  program
    .description(
      'Checks on a real Postgres (15 or newer) that aggregates equal plain counts while writers, aggregation, marks, ' +
        'retention and reports run at the same time. The user must be allowed to create databases: the checks use ' +
        'temporary databases with random names. Nothing else on the server is changed, but the load is high.',
    )
    .argument('<url>', 'postgres://user:password@host:port/database', serverUrl)
    .option('--seconds <N>', 'how long everything runs at the same time', number(2, 3_600), 20)
    .option(
      '--rows <N>',
      'old rows for the aggregation check; its budget is for 10000000, which take half an hour and 15 GB',
      number(FEW_ROWS, 1_000_000_000),
      1_000_000,
    )
    .does((url: string, options: Options) => test(io, url, options));
};

async function test(io: Io, url: string, { seconds, rows }: Options): Promise<number> {
  await refuseOld(io, url);
  const say = (line: string) => print(io, `          ${line}`);
  const findings: Finding[] = [];
  const show = (found: readonly Finding[]) => {
    for (const one of found) print(io, findingLine(one));
    findings.push(...found);
  };

  print(io, `Everything at the same time, for ${seconds} s:`);
  await inOwnDatabase(url, async (own) => show(await runConcurrently(own, seconds)));
  print(io, '\nA slow report (retention logs each lock that it did not get):');
  await inOwnDatabase(url, async (own) => show(await runSlowReport(own)));
  print(io, `\nOld rows, ${FEW_ROWS.toLocaleString('en')} and ${rows.toLocaleString('en')}:`);
  await inOwnDatabase(url, (few) =>
    inOwnDatabase(url, async (many) => {
      await fillWithOldRows(few, FEW_ROWS, say);
      await fillWithOldRows(many, rows, say);
      show(await compareSums(few, many, `${rows.toLocaleString('en')} old rows`));
    }),
  );

  const failed = findings.filter(({ holds }) => !holds).length;
  print(
    io,
    failed === 0 ? `\nAll ${findings.length} checks pass.` : `\n${failed} of ${findings.length} checks FAILED.`,
  );
  return failed === 0 ? 0 : 1;
}

async function inOwnDatabase<T>(url: string, work: (own: Served) => Promise<T>): Promise<T> {
  const own = await ownDatabase(url);
  try {
    return await work(own);
  } finally {
    await own.drop();
  }
}

function serverUrl(typed: string): string {
  if (/^postgres(ql)?:$/.test(URL.parse(typed)?.protocol ?? '')) return typed;
  throw new CommandRefusal(
    'This is not the URL of a Postgres server. Write postgres://user:password@host:port/database.',
    2,
  );
}

const number = (least: number, most: number) => (typed: string) => {
  if (/^\d+$/.test(typed) && Number(typed) >= least && Number(typed) <= most) return Number(typed);
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
};

/** Throws a refusal when the server cannot be used, before anything is created. */
async function refuseOld(io: Io, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; number: number; may: boolean }>(
      `select version(), current_setting('server_version_num')::int as number,
         (select rolsuper or rolcreatedb from pg_roles where rolname = current_user) as may`,
    );
    const [server] = rows;
    print(io, `${server?.version}\n`);
    if (server === undefined || server.number < 150_000) throw new CommandRefusal('This needs Postgres 15 or newer.');
    if (!server.may) throw new CommandRefusal('This user may not create databases. Use one that may.');
  } catch (error) {
    if (error instanceof CommandRefusal) throw error;
    throw new CommandRefusal(`This Postgres cannot be used: ${error instanceof Error ? error.message : error}`);
  } finally {
    await client.end();
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), processIo);
