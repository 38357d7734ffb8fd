/** `npm run sums -- rebuild`: counts every kept attempt anew. */
import { parseArgs } from 'node:util';
import { connect } from '../../src/database/connect.ts';
import { rebuild } from '../../src/summaries/rebuild.ts';
import { findDatabaseUrl } from './database-url.ts';

const HELP = `Usage: npm run sums -- rebuild [--database-url postgres://…]

Counts all attempts that are still kept and replaces the sums of their hours; older sums stay as they are. Safe at any
time, while attempts are written and reports read; sums wait for it. Needed when /health/ready says that sums are stopped,
which is so after a dump was restored into another Postgres.

The database is that of --database-url, else of DATABASE_URL, else the one that \`npm run dev\` runs.`;

/** Ten million attempts took two minutes. Node's fetch gives up after five anyway. */
const LIMIT_MS = 5 * 60_000;

process.exitCode = await main(process.argv.slice(2));

/** 0 when it is done, 1 when it failed and changed nothing, 2 when it was called wrongly. */
async function main(args: string[]): Promise<number> {
  const options = read(args);
  if ('problem' in options) {
    console.error(`${options.problem}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const found = findDatabaseUrl(options.databaseUrl);
  if (!found.ok) {
    console.error(found.problem);
    return 2;
  }
  console.log(`Counting the attempts in ${found.name} …`);
  try {
    const { attempts, hours } = await rebuild(connect(found.url, LIMIT_MS).db);
    console.log(
      `Done: ${attempts.toLocaleString('en')} attempts in ${hours.toLocaleString('en')} hours. Sums go on from here.`,
    );
    return 0;
  } catch (error) {
    console.error(`Nothing was changed: ${advice(error)}`);
    return 1;
  }
}

function read(args: string[]): { help: boolean; databaseUrl: string | undefined } | { problem: string } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false }, 'database-url': { type: 'string' } },
    });
    if (!values.help && positionals.join(' ') !== 'rebuild') {
      return { problem: positionals.length === 0 ? 'Say what to do: rebuild.' : `Unknown: ${positionals.join(' ')}.` };
    }
    return { help: values.help, databaseUrl: values['database-url'] };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** What went wrong, and what to do about it where we know. */
function advice(error: unknown): string {
  const { code, message } = rootOf(error);
  if (code === '42P01') return 'this database has no tables of Gatehouse. Run `npm run migrate` first.';
  if (code === '40001') return 'a sum ran at the same moment. Run the command again.';
  if (code === '28P01' || code === '3D000') return `${message}. Check user, password and database in the URL.`;
  if (code === 'TimeoutError') return 'it took longer than five minutes. Try again when the database is less busy.';
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return 'the database does not answer. Is it running, and the URL right?';
  return `${message} (${code ?? 'no code'})`;
}

/** Drizzle and the driver wrap what happened as a cause; the driver keeps fetch's error in `sourceError`. */
function rootOf(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const inner = error.cause ?? ('sourceError' in error ? error.sourceError : undefined);
  if (inner instanceof Error) return rootOf(inner);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { code: error.name === 'TimeoutError' ? error.name : code, message: error.message };
}
