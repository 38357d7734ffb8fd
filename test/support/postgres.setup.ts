/** A real Postgres from npm for test/postgres: PGlite has only one connection and no statement timeout. */
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { loadEmbeddedPostgres } from './embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `postgres://` URL of a server on which these tests may create databases. */
    postgresUrl: string;
  }
}

/** Durability is not what is tested, and costs most of the time of small transactions. */
const FLAGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'listen_addresses=127.0.0.1'];

export default async function startPostgres(project: TestProject) {
  const port = await freePort();
  const log: string[] = [];
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const postgres = new EmbeddedPostgres({
    databaseDir: mkdtempSync(join(tmpdir(), 'gatehouse-postgres-')),
    port,
    user: 'gatehouse',
    password: 'local',
    persistent: false,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [...FLAGS, 'unix_socket_directories='].flatMap((flag) => ['-c', flag]),
    // Postgres refuses to run as root, and some CI systems run as root.
    createPostgresUser: userInfo().uid === 0,
    onLog: (line) => log.push(String(line)),
    onError: (line) => log.push(String(line)),
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    await postgres.stop();
    throw new Error(`Postgres did not start: ${log.slice(-5).join('')}`, { cause: error });
  }
  project.provide('postgresUrl', `postgres://gatehouse:local@127.0.0.1:${port}/postgres`);
  return () => postgres.stop();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
