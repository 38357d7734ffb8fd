/** A data folder with one Postgres, for one process at a time. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';
import type { DatabaseCredentials } from './caller.ts';
import { openPostgres, type PglitePostgres } from './postgres.ts';

/** Opens the Postgres in `folder` and creates it if missing. Rejects with a message that says what to do. */
export async function openFolder(folder: string, ours: DatabaseCredentials, copyOf?: Blob): Promise<PglitePostgres> {
  const root = resolve(folder);
  const because = (problem: string, advice: string) => (error: Error) => {
    throw new Error(`The data folder ${root} ${problem}: ${error.message}. ${advice}`);
  };
  await makeFolder(root).catch(because('cannot be created', 'Choose a writable folder.'));
  let lost: Error | undefined;
  const unlock = await lock(root, {
    // The lock of a killed process expires. A long query blocks Node, and with it the refresh of the lock.
    stale: 10_000,
    update: 1_000,
    lockfilePath: join(root, 'lock'),
    onCompromised: (error) => {
      lost = error;
    },
  }).catch(because('is in use', 'Stop that process or choose another folder. After a kill, try again in 10 seconds.'));
  try {
    const postgres = await openFiles(join(root, 'postgres'), ours, copyOf);
    return {
      exclusively: async (work) => (lost ? because('lost its lock', 'Start again.')(lost) : postgres.exclusively(work)),
      dump: postgres.dump,
      // Without the lock, closing would write into the files of another process.
      close: async () => (lost ? undefined : postgres.close().finally(unlock)),
    };
  } catch (error) {
    await unlock();
    return because('cannot be opened', 'Use its user and database, or choose another folder.')(error as Error);
  }
}

/** Node's recursive mkdir never returns where the system refuses a folder, as in /proc (measured with 24.21). */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolder(dirname(path));
  mkdirSync(path);
}

/** Creates the files under another name and renames them, so a killed start never leaves a half-made database. */
async function openFiles(files: string, ours: DatabaseCredentials, copyOf: Blob | undefined): Promise<PglitePostgres> {
  if (!existsSync(files)) {
    rmSync(`${files}.unfinished`, { recursive: true, force: true });
    await (await openPostgres(`${files}.unfinished`, ours, copyOf)).close();
    renameSync(`${files}.unfinished`, files);
  }
  return openPostgres(files, ours);
}
