/** Connects to Postgres by Neon's SQL over HTTP. Import it lazily (`await import`): a sign-in call never needs it. */
import { type HTTPTransactionOptions, type NeonQueryPromise, neon, neonConfig } from '@neondatabase/serverless';
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
 * How Postgres writes and reads values, whatever an operator sets on the role or the database (`alter role … set
 * datestyle = 'SQL, DMY'` would make 6 November 11 June). Neon's HTTP has no session: each transaction sets them.
 */
const VALUE_FORMATS = `select set_config('datestyle', 'ISO, MDY', true), set_config('timezone', 'UTC', true),
  set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
  set_config('extra_float_digits', '1', true)`;

/** Postgres does not allow it in a transaction. It returns no values. */
const ALONE = /^\s*vacuum\b/i;

type Query = NeonQueryPromise<false, false>;
type Options = HTTPTransactionOptions<false, false>;

/**
 * Creates a client without a socket. Its requests are aborted `limitMs` milliseconds after this call. `db` is
 * Drizzle; `sql` is the driver, whose `sql.transaction([...])`, with an array, is the only form of a transaction.
 * Every query runs in one, with {@link VALUE_FORMATS}; only a tagged template that is awaited itself does not.
 */
export function connect(databaseUrl: string, limitMs: number) {
  const sql = neon(databaseUrl, { fetchOptions: { signal: AbortSignal.timeout(limitMs) } });
  const { query, transaction } = sql;
  const withFormats = async (queries: readonly Query[], options?: Options): Promise<unknown[]> => {
    const [, ...results] = await transaction([query(VALUE_FORMATS), ...queries], options);
    return results;
  };
  sql.transaction = withFormats as typeof transaction;
  sql.query = ((text: string, params?: unknown[], options?: object) => {
    const one: Query = query(text, params, options);
    // The driver calls it when the query itself is awaited, and not for a query of a transaction.
    if (!ALONE.test(text)) one.execute = async () => (await withFormats([one]))[0];
    return one;
  }) as typeof query;
  return { db: drizzle(sql, { schema, casing: 'snake_case' }), sql };
}

export type Database = ReturnType<typeof connect>['db'];
