/** `npm run neon`: the Neon emulator. It serves PGlite over Neon's HTTP protocol, for the real driver. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { DatabaseCredentials } from './neon/caller.ts';
import { openFolder } from './neon/data-folder.ts';
import { openPostgres } from './neon/postgres.ts';
import { serve } from './neon/server.ts';

export type { LocalNeon } from './neon/server.ts';

/** `port` 0 means any free port. Without `dataDir` the data are in memory only. */
export type LocalNeonOptions = Partial<DatabaseCredentials> & {
  port?: number;
  dataDir?: string | undefined;
  /** A dump of another one with the same credentials: starts in a second instead of several. */
  copyOf?: Blob;
};

/** Rejects with a message for the user when port or data folder are in use, or the folder has other credentials. */
export async function startNeon(options: LocalNeonOptions = {}) {
  const { user = 'gatehouse', password = 'local', database = 'gatehouse', port = 0, dataDir, copyOf } = options;
  const ours = { user, password, database };
  const postgres = await (dataDir === undefined
    ? openPostgres(undefined, ours, copyOf)
    : openFolder(dataDir, ours, copyOf));
  return { ...(await serve(postgres, ours, port)), dump: postgres.dump };
}

/** Exits the process with 0 after `--help` and with 2 for wrong arguments. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('npm run neon --')
    .description('Emulates Neon: Postgres (PGlite) behind SQL over HTTP on 127.0.0.1. Stop it with Ctrl-C.')
    .option('--port <N>', 'port to listen on; 0 means any free port', '0')
    .option('--data <DIR>', 'store the data in DIR, for one process at a time (default: in memory)')
    .option('--url-file <FILE>', 'write the postgres:// URL to FILE when it is ready')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv, { from: 'user' });
  const { port, data, urlFile } = program.opts<{ port: string; data?: string; urlFile?: string }>();
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) program.error('--port must be a number from 0 to 65535.');
  if (data === '' || urlFile === '') program.error('--data and --url-file must not be empty.');
  // An old file would send clients to a port of an earlier process.
  if (urlFile !== undefined) rmSync(urlFile, { force: true });
  const neon = await startNeon({ port: Number(port), dataDir: data });
  const stop = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.resolve());
  try {
    if (urlFile !== undefined) {
      // The rename is atomic: a client that waits for the file never reads half of it.
      writeFileSync(`${urlFile}.${process.pid}`, `${neon.url}\n`, { mode: 0o600 });
      renameSync(`${urlFile}.${process.pid}`, urlFile);
    }
    console.log(neon.url);
    await stop.promise;
  } finally {
    await neon.close();
  }
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}
