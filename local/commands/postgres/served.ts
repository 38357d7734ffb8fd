/**
 * A real Postgres behind Neon's SQL over HTTP, with as many connections as are wanted at once: so the code of `src/` runs
 * against it through the driver it always uses.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { refusal } from '../../neon/answer.ts';
import type { Outcome, Postgres, Session } from '../../neon/postgres.ts';
import { sqlOverHttp } from '../../neon/sql-over-http.ts';

/** Postgres takes 100 unless told otherwise; some are the server's own. */
const MAX_CONNECTIONS = 32;
/** Only this process can reach it, and only for as long as it runs. */
const CREDENTIALS = { user: 'gatehouse', password: 'local' };

export interface Served {
  /** A DATABASE_URL for `connect`. */
  readonly url: string;
  /** The same Postgres without HTTP, for what Neon's HTTP cannot do: transactions that stay open. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Serves the database that a `postgres://` URL names. */
export async function serve(databaseUrl: string): Promise<Served> {
  const database = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: MAX_CONNECTIONS });
  // A connection that breaks while idle would else end the process; whoever uses the next one is told.
  pool.on('error', () => undefined);
  const answerSql = sqlOverHttp(postgresOf(pool), { ...CREDENTIALS, database });
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { status, body: answer } = await answerSql(request.headers, body, () => response.destroyed).catch((error) =>
      refusal(500, String(error)),
    );
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://${CREDENTIALS.user}:${CREDENTIALS.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    pool,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.end();
    },
  };
}

function postgresOf(pool: pg.Pool): Postgres {
  return {
    exclusively: async (work) => {
      const client = await pool.connect();
      try {
        return await work(sessionOf(client));
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

function sessionOf(client: pg.PoolClient): Session {
  return {
    run: async (text, values): Promise<Outcome> => {
      // Without `extended`, pg would send a query that has no parameters in the simple protocol; Neon never does.
      const query = { text, values: [...values], rowMode: 'array' as const, types: TEXT, queryMode: 'extended' };
      try {
        const { fields, rows, command, rowCount } = await client.query<(string | null)[]>(query);
        const tag = [command, rowCount].filter((part) => part !== null).join(' ');
        return { ok: true, result: { fields: fields.map((field) => ({ ...field, format: 'text' })), rows, tag } };
      } catch (error) {
        if (error instanceof pg.DatabaseError) return { ok: false, error };
        throw error;
      }
    },
  };
}
