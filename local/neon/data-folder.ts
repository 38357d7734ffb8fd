/** A folder that holds one Postgres and is used by one process at a time. */
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Names, openPostgres, type Postgres } from './postgres.ts';

/**
 * Opens the Postgres in `folder`, making folder and Postgres when there are none, and keeps other processes out until it
 * is closed. Rejects with a message for the user when the folder is in use or was made for other names.
 */
export async function openFolder(folder: string, names: Names): Promise<Postgres> {
  const root = resolve(folder);
  const unlock = lock(root);
  try {
    const files = join(root, 'postgres');
    if (!existsSync(files)) await found(files, names);
    const postgres = await openPostgres(files, names, false);
    return { ...postgres, close: () => postgres.close().finally(unlock) };
  } catch (error) {
    unlock();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The data folder ${root} cannot be opened: ${reason}. Give the user and database that it was made with, or another folder.`,
    );
  }
}

/** Level by level: Node's recursive form never ends where the system refuses a folder, as under /proc (measured with 24.21). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Two starts at once may both make it.
    if (existsSync(path)) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The data folder ${path} cannot be made: ${reason}. Choose a folder that you may write to.`);
  }
}

/** Under another name until it is whole, so that a start that was killed leaves nothing half made in use. */
async function found(files: string, names: Names): Promise<void> {
  const unfinished = `${files}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const postgres = await openPostgres(unfinished, names, true);
  await postgres.close();
  renameSync(unfinished, files);
}

type Owner = { pid: number; started: string | undefined };

/** Takes `<root>/in-use.json`, and returns how to give it back. A lock whose process is gone counts for nothing. */
function lock(root: string): () => void {
  const path = join(root, 'in-use.json');
  const mine = `${path}.${process.pid}`;
  makeFolder(root);
  const content = JSON.stringify({ pid: process.pid, started: startOf(process.pid) } satisfies Owner);
  // Written aside and linked into place: whoever sees the lock sees all of it.
  writeFileSync(mine, content);
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (linked(mine, path)) return () => rmSync(path, { force: true });
      const found = read(path);
      if (found === undefined) continue;
      const owner = living(found);
      if (owner) {
        throw new Error(
          `${root} is in use by process ${owner.pid}: stop that one first, or choose another data folder`,
        );
      }
      takeAway(path, found);
    }
    throw new Error(
      `${root} is being opened by another process at this moment: try again, or choose another data folder`,
    );
  } finally {
    rmSync(mine, { force: true });
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Removes the dead lock that was read, but puts back a living one that has taken its place in the meantime. */
function takeAway(path: string, dead: string): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  if (read(aside) !== dead) linked(aside, path);
  rmSync(aside, { force: true });
}

/** The owner, if that very process still runs. Another process may have been given its number since. */
function living(content: string): Owner | undefined {
  const owner = parseOwner(content);
  if (!owner || !runs(owner.pid)) return undefined;
  const started = startOf(owner.pid);
  return owner.started === undefined || started === undefined || started === owner.started ? owner : undefined;
}

function parseOwner(content: string): Owner | undefined {
  try {
    const { pid, started } = JSON.parse(content) as Record<string, unknown>;
    return typeof pid === 'number' ? { pid, started: typeof started === 'string' ? started : undefined } : undefined;
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return isErrno(error, 'EPERM');
  }
}

/** When a process began, in whatever form the system tells it: the same text for the same process. */
function startOf(pid: number): string | undefined {
  try {
    // Field 22 of proc(5)'s stat, clock ticks since boot; the command name before it may hold spaces and brackets.
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
