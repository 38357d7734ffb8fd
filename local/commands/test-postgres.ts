/**
 * `npm run test:postgres -- URL`: sums, rebuild, partitions and retention on a real Postgres, where many connections work at
 * the same time. PGlite, on which the tests run, has one.
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { calledWrongly, end, Refusal } from './ending.ts';
import { runConcurrently } from './postgres/concurrency.ts';
import { type Finding, shown } from './postgres/finding.ts';
import { ownDatabase } from './postgres/own-database.ts';
import { runRestored } from './postgres/restored.ts';
import { compare, explain, fill } from './postgres/scale.ts';
import type { Served } from './postgres/served.ts';
import { runSlowReport } from './postgres/slow-report.ts';

const HELP = `Usage: npm run test:postgres -- postgres://user:password@host:port/database [--seconds N] [--rows N]

Checks on a real Postgres (15 or newer) that every attempt is summed exactly once while writers, sums, rebuilds, retention
and reports run at the same time. The user must be allowed to create databases: everything happens in new ones with random
names, which are dropped at the end. Nothing else on the server is touched, but it is kept busy.

  --seconds N   how long everything runs at once (default 20)
  --rows N      old rows for the plan of a sum and its duration (default 1000000). The design's budget is for 10000000, which
                takes some minutes and 15 GB
  --help        this text

Exit code 0: everything held; 1: something did not, or the server cannot be used; 2: wrong arguments.`;

/** What the budget compares with. */
const FEW_ROWS = 100_000;

await end(main);

async function main(args: string[]): Promise<number> {
  const options = read(args);
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const { url, seconds, rows } = options;
  await refuseOld(url);
  const findings: Finding[] = [];
  const show = (found: readonly Finding[]) => {
    for (const one of found) console.log(shown(one));
    findings.push(...found);
  };

  console.log(`Everything at once, for ${seconds} s:`);
  await inOwnDatabase(url, async (own) => show(await runConcurrently(own, seconds)));
  console.log('\nA slow report, and data from another Postgres (retention logs the locks it did not get):');
  await inOwnDatabase(url, async (own) => show(await runSlowReport(own)));
  await inOwnDatabase(url, async (own) => show(await runRestored(own)));
  console.log(`\nOld rows, ${FEW_ROWS.toLocaleString('en')} and ${rows.toLocaleString('en')}:`);
  await inOwnDatabase(url, (few) =>
    inOwnDatabase(url, async (many) => {
      await fill(few, FEW_ROWS, say);
      await fill(many, rows, say);
      show([await explain(many, rows)]);
      show([await compare(few, many, `${rows.toLocaleString('en')} old ones`)]);
    }),
  );

  const failed = findings.filter(({ holds }) => !holds).length;
  console.log(
    failed === 0 ? `\nAll ${findings.length} checks hold.` : `\n${failed} of ${findings.length} checks FAILED.`,
  );
  return failed === 0 ? 0 : 1;
}

function say(line: string): void {
  console.log(`          ${line}`);
}

async function inOwnDatabase<T>(url: string, work: (own: Served) => Promise<T>): Promise<T> {
  const own = await ownDatabase(url);
  try {
    return await work(own);
  } finally {
    await own.drop();
  }
}

/** Undefined when only help is wanted. */
function read(args: string[]): { url: string; seconds: number; rows: number } | undefined {
  const { values, positionals } = parsed(args);
  if (values.help) return undefined;
  const [url = '', ...rest] = positionals;
  if (rest.length > 0 || !/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw calledWrongly(
      'Give the URL of a Postgres server: postgres://user:password@host:port/database.',
      'test:postgres',
    );
  }
  const seconds = Number(values.seconds);
  const rows = Number(values.rows);
  if (!(seconds >= 2 && seconds <= 3_600))
    throw calledWrongly('--seconds takes a number from 2 to 3600.', 'test:postgres');
  if (!Number.isInteger(rows) || rows < FEW_ROWS) {
    throw calledWrongly(`--rows takes a whole number from ${FEW_ROWS} on.`, 'test:postgres');
  }
  return { url, seconds, rows };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '20' },
        rows: { type: 'string', default: '1000000' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'test:postgres');
  }
}

/** Says what stands in the way before anything is made. */
async function refuseOld(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; number: number; may: boolean }>(
      `select version(), current_setting('server_version_num')::int as number,
         (select rolsuper or rolcreatedb from pg_roles where rolname = current_user) as may`,
    );
    const [server] = rows;
    console.log(`${server?.version}\n`);
    if (server === undefined || server.number < 150_000) throw new Refusal('This needs Postgres 15 or newer.');
    if (!server.may) throw new Refusal('This user may not create databases: give one that may.');
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`This Postgres cannot be used: ${error instanceof Error ? error.message : error}`);
  } finally {
    await client.end();
  }
}
