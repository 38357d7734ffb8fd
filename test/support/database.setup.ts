/** One Postgres for all tests in workerd, in which each test uses its own ids; and one that always fails. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startMigratedNeon } from './migrated-neon.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
    /** A database that answers only errors, as Neon's proxy does while its Postgres is down. */
    awayUrl: string;
  }
}

export default async function startDatabase(project: TestProject) {
  const neon = await startMigratedNeon();
  project.provide('databaseUrl', neon.url);
  const away = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  await once(away, 'listening');
  project.provide('awayUrl', `postgres://gatehouse:local@127.0.0.1:${(away.address() as AddressInfo).port}/gatehouse`);
  return async () => {
    away.close();
    await neon.close();
  };
}
