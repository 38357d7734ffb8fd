/** One Postgres for all tests in workerd: each test owns its rows by ids of its own. */
import type { TestProject } from 'vitest/node';
import { migrate } from '../local/commands/migrate.ts';
import { startNeon } from '../local/neon.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
  }
}

export default async function startDatabase(project: TestProject) {
  const neon = await startNeon({});
  await migrate(neon.url);
  project.provide('databaseUrl', neon.url);
  return () => neon.close();
}
