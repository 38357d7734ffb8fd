/** `npm run sums -- rebuild`: counts every kept attempt anew. */
import { parseArgs } from 'node:util';
import { connect } from '../../src/database/connect.ts';
import { rebuild } from '../../src/summaries/rebuild.ts';
import { findDatabaseUrl } from './database-url.ts';
import { isWrongAddress, rootOf } from './driver-error.ts';
import { calledWrongly, end, Refusal } from './ending.ts';

const HELP = `Usage: npm run sums -- rebuild [--database-url postgres://…]

Counts the attempts of every month that is still kept and replaces the sums of that month; older sums stay as they are. Safe
at any time, while attempts are written and reports are read, and safe to repeat when it breaks off. Needed when
/health/ready says that sums are stopped, which is so after a dump was restored into another Postgres.

The database is that of --database-url, else of DATABASE_URL, else the one that \`npm run dev\` runs.

Exit code 0: done; 1: it failed; 2: wrong arguments.`;

/** For each request, of which a month is one: ten million attempts took two minutes. Node's fetch gives up at five anyway. */
const LIMIT_MS = 5 * 60_000;

await end(main);

async function main(args: string[]): Promise<number> {
  const options = read(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const found = findDatabaseUrl(options.databaseUrl);
  if (!found.ok) throw new Refusal(found.problem, 2);
  console.log(`Counting the attempts in ${found.name}`);
  try {
    const open = () => connect(found.url, LIMIT_MS).db;
    let listed = 0;
    const { attempts, months } = await rebuild(open, ({ name }, counted) => {
      listed += counted;
      console.log(`${name}: ${shown(counted)}`);
    });
    if (attempts > listed)
      console.log(`and ${shown(attempts - listed)} written since the last sum, in any of these months`);
    console.log(`Done: ${shown(attempts)} attempts in ${months} months are summed. Sums go on from here.`);
    return 0;
  } catch (error) {
    throw new Refusal(`The rebuild broke off: ${advice(error)}`);
  }
}

function read(args: string[]): { help: boolean; databaseUrl: string | undefined } {
  const { values, positionals } = parsed(args);
  if (!values.help && positionals.join(' ') !== 'rebuild') {
    throw calledWrongly(
      positionals.length === 0 ? 'Say what to do: rebuild.' : `Unknown: ${positionals.join(' ')}.`,
      'sums',
    );
  }
  return { help: values.help, databaseUrl: values['database-url'] };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h', default: false }, 'database-url': { type: 'string' } },
    });
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'sums');
  }
}

function shown(count: number): string {
  return count.toLocaleString('en');
}

/** What went wrong, and what to do about it where we know. */
function advice(error: unknown): string {
  const { code, message } = rootOf(error);
  if (code === '42P01') return 'this database has no tables of Gatehouse. Run `npm run migrate` first.';
  if (code === 'TimeoutError')
    return 'a month took longer than five minutes. Run it again when the database is less busy.';
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return 'the database does not answer. Is it running, and the URL right?';
  if (code === 'UND_ERR_SOCKET') {
    return 'whatever listens there does not speak HTTP. The URL must be that of Neon or of the local stand-in, not of a plain Postgres.';
  }
  if (isWrongAddress(message)) return `${message}. Correct user, password and database in the URL, then run it again.`;
  return `${message}. Run it again when that is mended.`;
}
