/** A real Postgres behind Neon's SQL over HTTP with many connections, so `src/` can use it through its usual driver. */
import pg from 'pg';
import type { Postgres } from '../neon/postgres.ts';
import { serve as serveHttp } from '../neon/server.ts';

/** Postgres's default limit is 100, and the server reserves some. */
const MAX_CONNECTIONS = 32;

export interface Served {
  /** A DATABASE_URL for `connect`. */
  readonly url: string;
  /** The same Postgres without HTTP, for transactions that stay open. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Serves the database of a `postgres://` URL. */
export async function servePostgres(databaseUrl: string): Promise<Served> {
  const database = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: MAX_CONNECTIONS });
  // Without a listener, a broken idle connection would end the process. The next query reports the error.
  pool.on('error', () => undefined);
  // A fixed password suffices: only this process knows the port.
  const { url, close } = await serveHttp(postgresOf(pool), { user: 'gatehouse', password: 'local', database }, 0);
  return { url, pool, close };
}

function postgresOf(pool: pg.Pool): Postgres {
  return {
    exclusively: async (work) => {
      const client = await pool.connect();
      try {
        return await work(async (text, values) => {
          // pg would send a query without parameters in the simple protocol; Neon never does.
          const query = { text, values: [...values], rowMode: 'array' as const, types: TEXT, queryMode: 'extended' };
          const { fields, rows, command, rowCount } = await client.query<(string | null)[]>(query);
          return { fields, rows, tag: [command, rowCount].filter((part) => part !== null).join(' ') };
        });
      } finally {
        // Neon rolls back open transactions too.
        if (client.getTransactionStatus() !== 'I') await client.query('rollback');
        client.release();
      }
    },
    close: () => pool.end(),
  };
}

const TEXT = { getTypeParser: () => (text: string) => text };
