/** The Postgres of the emulator: PGlite, one request at a time. */
import { existsSync } from 'node:fs';
import { messages, PGlite, protocol } from '@electric-sql/pglite';
import type { DatabaseCredentials } from './caller.ts';

/** Values are in Postgres's text format. `tag` is its command tag, such as `INSERT 0 3`, or '' for an empty query. */
export type WireResult = { fields: { readonly name: string }[]; rows: (string | null)[][]; tag: string };

/** Rejects with Postgres's error, which has a `severity`, or with another error when PGlite crashes. */
export type Ask = (query: string, parameters: readonly (string | null)[]) => Promise<WireResult>;

export interface Postgres {
  /** Runs `work` alone on a connection, then rolls back open transactions and resets the session. */
  exclusively<T>(work: (ask: Ask) => Promise<T>): Promise<T>;
  /** Waits for earlier work. */
  close(): Promise<void>;
}

export interface PglitePostgres extends Postgres {
  /** All files, for `copyOf` of {@link openPostgres}. */
  dump(): Promise<Blob>;
}

/**
 * Neon's search path, and a stack limit below Node's (measured: endless recursion crashes at 400 kB, not 300 kB). A
 * start touches all buffers, and a drop searches them: with 16 MB instead of 128 MB a start takes half the CPU time.
 */
const SETTINGS = [
  ...['-c', 'search_path="$user", public'],
  ...['-c', 'max_stack_depth=250kB'],
  ...['-c', 'shared_buffers=16MB'],
];

/**
 * Opens or creates the Postgres in `folder`, or in memory. Creating takes seconds; `copyOf`, a dump of another one,
 * avoids that. Rejects with Postgres's message when the names differ.
 */
export async function openPostgres(
  folder: string | undefined,
  ours: DatabaseCredentials,
  copyOf?: Blob,
): Promise<PglitePostgres> {
  const fresh = copyOf === undefined && (folder === undefined || !existsSync(folder));
  const log: string[] = [];
  const pglite = await PGlite.create(folder, {
    database: fresh ? 'postgres' : ours.database,
    ...(copyOf && { loadDataDir: copyOf }),
    startParams: [...PGlite.defaultStartParams, ...SETTINGS],
    onStderr: (line) => /FATAL|DETAIL/.test(line) && log.push(line) === 0,
  }).catch((error) => {
    throw new Error(log.join(' ') || String(error));
  });
  const run = async (...commands: string[]) => {
    for (const command of commands) await pglite.execProtocolStream(protocol.serialize.query(command));
  };
  const user = `"${ours.user.replaceAll('"', '""')}"`;
  // Neon spreads requests over many connections, so a request must not see the session of another.
  const reset = (...first: string[]) => run(...first, 'rollback', 'discard all', `set session authorization ${user}`);
  await reset(...(fresh ? [initialSql(user, ours.database)] : [])).catch(async (error) => {
    await pglite.close();
    throw error;
  });
  return {
    exclusively: (work) => pglite.runExclusive(() => work((...query) => ask(pglite, ...query)).finally(reset)),
    dump: () => pglite.dumpDataDir('none'),
    close: () => pglite.close(),
  };
}

/** A Neon owner is not a superuser. Postgres refuses to rename a connected database; creating another takes longer. */
const initialSql = (user: string, database: string) => `
  create role ${user} login createrole createdb bypassrls;
  grant pg_read_all_data, pg_write_all_data, pg_monitor to ${user} with admin option;
  alter database postgres owner to ${user};
  update pg_database set datname = '${database.replaceAll("'", "''")}' where datname = 'postgres'`;

/**
 * Sends the same messages as Neon's proxy (libs/proxy/tokio-postgres2/src/query.rs). `PGlite.query` drops the table,
 * column and size of a field, which the driver needs, and hangs in COPY FROM STDIN.
 */
async function ask(pglite: PGlite, text: string, parameters: readonly (string | null)[]): Promise<WireResult> {
  const { parse, describe, bind, execute, copyFail, sync } = protocol.serialize;
  const query = [parse({ text }), describe({ type: 'S' }), bind({ values: [...parameters] }), execute({})];
  const end = [copyFail('COPY FROM STDIN does not work over HTTP'), sync()];
  const result: WireResult = { fields: [], rows: [], tag: '' };
  const seen = new Set<string>();
  for (const message of await pglite.execProtocolStream(Buffer.concat([...query, ...end]))) {
    seen.add(message.name);
    if (message instanceof messages.RowDescriptionMessage) result.fields = message.fields;
    if (message instanceof messages.DataRowMessage) result.rows.push(message.fields);
    if (message instanceof messages.CommandCompleteMessage) result.tag = message.text;
  }
  // PGlite ignores an overflow of Node's stack and continues with the next message.
  if (seen.has('bindComplete') && (seen.has('commandComplete') || seen.has('emptyQuery'))) return result;
  throw new Error('PGlite did not finish the query: it is probably nested too deeply.');
}
