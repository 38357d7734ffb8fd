/** The one door to Postgres: Neon's SQL over HTTP. Import it lazily (`await import`): the road of a call never needs it. */
import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import { isLoopback } from './loopback.ts';
import * as schema from './schema.ts';

const hostedEndpoint = neonConfig.fetchEndpoint;

// The driver posts to https://api.<rest of the host>/sql; the local stand-in listens on plain HTTP at its own port.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (isLoopback(host)) return `http://${host}:${port}/sql`;
  return typeof hostedEndpoint === 'function' ? hostedEndpoint(host, port, options) : hostedEndpoint;
};

/**
 * A connection for one use: it holds no socket, and everything asked through it is aborted `limitMs` milliseconds after
 * this call. `db` is drizzle, `sql` the driver itself (for `sql.transaction([...])`, the only transaction there is).
 */
export function connect(databaseUrl: string, limitMs: number) {
  const sql = neon(databaseUrl, { fetchOptions: { signal: AbortSignal.timeout(limitMs) } });
  return { db: drizzle(sql, { schema, casing: 'snake_case' }), sql };
}

export type Database = ReturnType<typeof connect>['db'];
