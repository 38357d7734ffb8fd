/** `npm run sums -- rebuild`: has every kept attempt counted again. */
import { connect } from '../database/connect.ts';
import { markAll } from '../desk/aggregates/rebuild.ts';
import { sumDue } from '../desk/aggregates/sum-due.ts';
import { findDatabaseUrl, onDatabase } from './database-url.ts';
import { isWrongAddress, rootCauseOf } from './driver-error.ts';
import { type Io, print } from './io.ts';
import type { Define } from './program.ts';
import { progressBar } from './progress-bar.ts';
import { CommandRefusal } from './refusal.ts';

/** For each request, of which a day is one; the schedule gives it as long. */
const LIMIT_MS = 60_000;

export const define: Define = (program, io) => {
  onDatabase(program.command('rebuild'))
    .description(
      'Marks every hour whose attempts are kept, then sums what is marked, day by day, as the schedule does, which may do a ' +
        'part of it. Aggregates of older months stay as they are. Safe at any time, while attempts are written and reports ' +
        'are read. When it breaks off, the schedule goes on. Needed after a dump was restored into another Postgres.',
    )
    .summary('Counts every kept attempt again.')
    .does(({ databaseUrl }: { databaseUrl?: string }) => rebuildSums(io, databaseUrl));
};

async function rebuildSums(io: Io, databaseUrl: string | undefined): Promise<number> {
  const found = findDatabaseUrl(databaseUrl, io.env);
  if (!found.ok) throw new CommandRefusal(found.problem, 2);
  const open = () => connect(found.url, LIMIT_MS).db;
  try {
    const hours = await markAll(open(), new Date());
    print(io, `Marked ${shown(hours)} hours in ${found.name}`);
    print(io, `Done: ${shown(await sumMarked(open))} days are summed.`);
    return 0;
  } catch (error) {
    throw new CommandRefusal(`The rebuild broke off: ${advice(error)}`);
  }
}

/** Returns how many days were summed here. */
async function sumMarked(open: Parameters<typeof sumDue>[0]): Promise<number> {
  let bar: ReturnType<typeof progressBar> | undefined;
  try {
    const { days } = await sumDue(open, new Date(), {
      onDay: ({ days, left }) => {
        bar ??= progressBar('Summing {bar} {value} of {total} days, {eta_formatted} left', days + left);
        bar.update(days);
      },
    });
    return days;
  } finally {
    bar?.stop();
  }
}

function shown(count: number): string {
  return count.toLocaleString('en');
}

/** What went wrong, and what to do about it where we know. */
function advice(error: unknown): string {
  const { code, message } = rootCauseOf(error);
  if (code === '42P01') return 'this database has no tables of Gatehouse, or old ones. Run `npm run migrate` first.';
  if (code === 'TimeoutError' || code === '57014')
    return 'a day took longer than a minute. Run it again when the database is less busy.';
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return 'the database does not answer. Is it running, and the URL right?';
  if (code === 'UND_ERR_SOCKET') {
    return 'whatever listens there does not speak HTTP. The URL must be that of Neon or of the local stand-in, not of a plain Postgres.';
  }
  if (isWrongAddress(message)) return `${message}. Correct user, password and database in the URL, then run it again.`;
  return `${message}. Run it again when that is mended.`;
}
