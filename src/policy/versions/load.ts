/** Versions in Neon for those that may not need them: `versions.ts` is loaded at the first question, since drizzle costs start-up time. */
import type { Config } from '../../config.ts';
import type { Versions } from '../version.ts';

export const versionsIn = (config: Config): Versions => ({
  readPresent: async () => (await load()).readPresent(config),
  readInForce: async () => (await load()).readInForce(config),
  readVersion: async (number) => (await load()).readVersion(config, number),
  listVersions: async (limit, before) => (await load()).listVersions(config, limit, before),
  addVersion: async (version, change) => (await load()).addVersion(config, version, change),
});

const load = () => import('../versions.ts');
