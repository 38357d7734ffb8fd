/** `npm run sums -- rebuild`: counts every kept attempt anew. */
import { connect } from '../../src/database/connect.ts';
import { rebuild } from '../../src/summaries/rebuild.ts';
import { findDatabaseUrl, onDatabase } from './database-url.ts';
import { isWrongAddress, rootOf } from './driver-error.ts';
import { Refusal } from './ending.ts';
import { type Io, print } from './io.ts';
import type { Define } from './program.ts';

/** For each request, of which a month is one: ten million attempts took two minutes. Node's fetch gives up at five anyway. */
const LIMIT_MS = 5 * 60_000;

export const define: Define = (program, io) => {
  onDatabase(program.command('rebuild'))
    .description(
      'Counts the attempts of every month that is still kept and replaces the sums of that month; older sums stay as ' +
        'they are. Safe at any time, while attempts are written and reports are read, and safe to repeat when it breaks ' +
        'off. Needed when /health/ready says that sums are stopped, which is so after a dump was restored into another ' +
        'Postgres.',
    )
    .summary('Counts every kept attempt anew.')
    .does(({ databaseUrl }: { databaseUrl?: string }) => rebuildSums(io, databaseUrl));
};

async function rebuildSums(io: Io, databaseUrl: string | undefined): Promise<number> {
  const found = findDatabaseUrl(databaseUrl, io.env);
  if (!found.ok) throw new Refusal(found.problem, 2);
  print(io, `Counting the attempts in ${found.name}`);
  try {
    const open = () => connect(found.url, LIMIT_MS).db;
    let listed = 0;
    const { attempts, months } = await rebuild(open, ({ name }, counted) => {
      listed += counted;
      print(io, `${name}: ${shown(counted)}`);
    });
    if (attempts > listed)
      print(io, `and ${shown(attempts - listed)} written since the last sum, in any of these months`);
    print(io, `Done: ${shown(attempts)} attempts in ${months} months are summed. Sums go on from here.`);
    return 0;
  } catch (error) {
    throw new Refusal(`The rebuild broke off: ${advice(error)}`);
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
