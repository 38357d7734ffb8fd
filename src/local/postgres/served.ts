/**
 * A real Postgres behind Neon's SQL over HTTP, with as many connections as are wanted at once: so the code of `src/` runs
 * against it through the driver it always uses.
 */
import pg from 'pg';
import type { Postgres } from '../neon/postgres.ts';
import { serve as serveHttp } from '../neon/server.ts';

/** Postgres takes 100 unless told otherwise; some are the server's own. */
const MAX_CONNECTIONS = 32;

export interface Served {
  /** A DATABASE_URL for `connect`. */
  readonly url: string;
  /** The same Postgres without HTTP, for what Neon's HTTP cannot do: transactions that stay open. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Serves the database that a `postgres://` URL names. */
export async function servePostgres(databaseUrl: string): Promise<Served> {
  const database = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: MAX_CONNECTIONS });
  // A connection that breaks while idle would else end the process; whoever uses the next one is told.
  pool.on('error', () => undefined);
  // Only this process knows the port, and only for as long as it runs.
  const { url, close } = await serveHttp(postgresOf(pool), { user: 'gatehouse', password: 'local', database }, 0);
  return { url, pool, close };
}

function postgresOf(pool: pg.Pool): Postgres {
  return {
    exclusively: async (work) => {
      const client = await pool.connect();
      try {
        return await work(async (text, values) => {
          // Without `extended`, pg would send a query that has no parameters in the simple protocol; Neon never does.
          const query = { text, values: [...values], rowMode: 'array' as const, types: TEXT, queryMode: 'extended' };
          const { fields, rows, command, rowCount } = await client.query<(string | null)[]>(query);
          return { fields, rows, tag: [command, rowCount].filter((part) => part !== null).join(' ') };
        });
      } finally {
        // What a request leaves open is rolled back, as the stand-in and Neon do.
        if (client.getTransactionStatus() !== 'I') await client.query('rollback');
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

const TEXT = { getTypeParser: () => (text: string) => text };
