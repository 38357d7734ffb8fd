/** `npm run neon`: a stand-in for Neon on your machine, SQL over HTTP on PGlite, for the real driver. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { DatabaseCredentials } from './neon/caller.ts';
import { openFolder } from './neon/data-folder.ts';
import { openPostgres } from './neon/postgres.ts';
import { serve } from './neon/server.ts';

export type { LocalNeon } from './neon/server.ts';

/** `port` 0 is any free one. `dataDir` keeps the data; without it they are in memory and gone at the end. */
export type LocalNeonOptions = Partial<DatabaseCredentials> & {
  port?: number;
  dataDir?: string | undefined;
  /** A dump of another one with the same credentials: starts in a second instead of several. */
  copyOf?: Blob;
};

/** Rejects with a message for the user: port taken, data folder in use, data folder of another user or database. */
export async function startNeon(options: LocalNeonOptions = {}) {
  const { user = 'gatehouse', password = 'local', database = 'gatehouse', port = 0, dataDir, copyOf } = options;
  const ours = { user, password, database };
  const postgres = await (dataDir === undefined
    ? openPostgres(undefined, ours, copyOf)
    : openFolder(dataDir, ours, copyOf));
  return { ...(await serve(postgres, ours, port)), dump: postgres.dump };
}

/** Ends the process after `--help` with 0, and for wrong arguments with 2. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('npm run neon --')
    .description('A stand-in for Neon: Postgres (PGlite) behind SQL over HTTP on 127.0.0.1. Stop it with Ctrl-C.')
    .option('--port <N>', 'port to listen on; 0 takes any free one', '0')
    .option('--data <DIR>', 'keep the data in DIR, for one process at a time; without it they are gone at the end')
    .option('--url-file <FILE>', 'write the postgres:// URL to FILE as soon as it answers')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv, { from: 'user' });
  const { port, data, urlFile } = program.opts<{ port: string; data?: string; urlFile?: string }>();
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) program.error('--port must be a number from 0 to 65535.');
  if (data === '' || urlFile === '') program.error('--data and --url-file must not be empty.');
  // A URL of last time would send a client to a port that is no longer ours.
  if (urlFile !== undefined) rmSync(urlFile, { force: true });
  const neon = await startNeon({ port: Number(port), dataDir: data });
  const stop = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.resolve());
  if (urlFile !== undefined) {
    // A client that waits for the file sees all of it or nothing.
    writeFileSync(`${urlFile}.${process.pid}`, `${neon.url}\n`, { mode: 0o600 });
    renameSync(`${urlFile}.${process.pid}`, urlFile);
  }
  console.log(neon.url);
  await stop.promise;
  await neon.close();
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
