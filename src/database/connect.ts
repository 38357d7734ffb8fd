/** Connects to Postgres by Neon's SQL over HTTP. Import it lazily (`await import`): a sign-in call never needs it. */
import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import { isLoopback } from './loopback.ts';
import * as schema from './schema.ts';

const hostedEndpoint = neonConfig.fetchEndpoint;

// The driver posts to https://api.<rest of the host>/sql. The local Neon server uses plain HTTP and its own port.
neonConfig.fetchEndpoint = (host, port, options) => {
  if (isLoopback(host)) return `http://${host}:${port}/sql`;
  return typeof hostedEndpoint === 'function' ? hostedEndpoint(host, port, options) : hostedEndpoint;
};

/**
 * Creates a client without a socket. Its requests are aborted `limitMs` milliseconds after this call. `db` is Drizzle;
 * `sql` is the driver, whose `sql.transaction([...])` is the only form of a transaction.
 */
export function connect(databaseUrl: string, limitMs: number) {
  const sql = neon(databaseUrl, { fetchOptions: { signal: AbortSignal.timeout(limitMs) } });
  return { db: drizzle(sql, { schema, casing: 'snake_case' }), sql };
}

export type Database = ReturnType<typeof connect>['db'];
