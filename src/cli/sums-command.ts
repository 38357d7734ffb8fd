/** `npm run sums -- rebuild`: aggregates every stored attempt again, and makes users and accounts from them. */
import { connect } from '../database/connect.ts';
import { markAll } from '../desk/aggregates/rebuild.ts';
import { sumDue } from '../desk/aggregates/sum-due.ts';
import { rebuildUsers } from '../desk/users/rebuild-users.ts';
import { findDatabaseUrl, onDatabase } from './database-url.ts';
import { isWrongAddress, rootCauseOf } from './driver-error.ts';
import { type Io, print } from './io.ts';
import type { Define } from './program.ts';
import { progressBar } from './progress-bar.ts';
import { CommandRefusal } from './refusal.ts';

/** For each request. One request aggregates one day. The cron gives up sooner, so that a tick ends. */
const LIMIT_MS = 60_000;
/** Below the limit of a request, so that Postgres also stops what is given up. */
const STATEMENT_LIMIT_MS = 50_000;

export const define: Define = (program, io) => {
  onDatabase(program.command('rebuild'))
    .description(
      'Marks every hour that has stored attempts, makes users and accounts from the attempts, then aggregates the marked ' +
        'hours day by day. The cron may do part of the work. Aggregates of older months do not change. Safe at any time, ' +
        'also while attempts are written and reports are read; reports miss some users until it ends. If it is ' +
        'interrupted, the cron continues with the aggregates: run it again for users and accounts. Run it after a dump ' +
        'was restored into another Postgres, and once after the upgrade that brought users and accounts.',
    )
    .summary('Aggregates every stored attempt again, and makes users and accounts from them.')
    .does(({ databaseUrl }: { databaseUrl?: string }) => rebuildSums(io, databaseUrl));
};

async function rebuildSums(io: Io, databaseUrl: string | undefined): Promise<number> {
  const found = findDatabaseUrl(databaseUrl, io.env);
  if (!found.ok) throw new CommandRefusal(found.problem, 2);
  const open = () => connect(found.url, LIMIT_MS).db;
  try {
    const hours = await markAll(open(), new Date());
    print(io, `Marked ${shown(hours)} hours in ${found.name}`);
    const { users, accounts } = await rebuiltUsers(open);
    print(io, `Made ${shown(users)} users and ${shown(accounts)} accounts`);
    print(io, `Done: ${shown(await sumMarked(open))} days aggregated.`);
    return 0;
  } catch (error) {
    throw new CommandRefusal(`The rebuild failed: ${advice(error)}`);
  }
}

/** Returns the number of days that this run aggregated. */
async function sumMarked(open: Parameters<typeof sumDue>[0]): Promise<number> {
  let bar: ReturnType<typeof progressBar> | undefined;
  try {
    const { days } = await sumDue(open, new Date(), {
      statementLimitMs: STATEMENT_LIMIT_MS,
      onDay: ({ days, left }) => {
        bar ??= progressBar('Aggregating {bar} {value} of {total} days, {eta_formatted} left', days + left);
        bar.update(days);
      },
    });
    return days;
  } finally {
    bar?.stop();
  }
}

/** Returns the number of rows. */
async function rebuiltUsers(open: Parameters<typeof rebuildUsers>[0]) {
  let bar: ReturnType<typeof progressBar> | undefined;
  try {
    return await rebuildUsers(open, ({ days, left }) => {
      bar ??= progressBar('Users {bar} {value} of {total} days, {eta_formatted} left', days + left);
      bar.update(days);
    });
  } finally {
    bar?.stop();
  }
}

function shown(count: number): string {
  return count.toLocaleString('en');
}

/** The message of an error, with advice where the cause is known. */
function advice(error: unknown): string {
  const { code, message } = rootCauseOf(error);
  if (code === '42P01') return 'the tables of Gatehouse are missing or outdated. Run `npm run migrate` first.';
  if (code === 'TimeoutError' || code === '57014')
    return 'a day took longer than a minute. Run it again when the database is less busy.';
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return 'the database does not answer. Check that it runs and that the URL is right.';
  if (code === 'UND_ERR_SOCKET') {
    return 'the server does not speak HTTP. Use the URL of Neon or of its local emulator, not of a plain Postgres.';
  }
  if (isWrongAddress(message)) return `${message}. Correct user, password and database in the URL, then run it again.`;
  return `${message}. Correct that, then run it again.`;
}
