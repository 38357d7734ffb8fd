/** Who asks: the connection string in the header, and how Neon's proxy refuses a wrong one. */

export type DatabaseCredentials = { readonly user: string; readonly password: string; readonly database: string };

/** An error with the status to answer with. Neon leaves `code` and `severity` empty when it does not come from Postgres. */
export const refusal = (status: number, message: string, code = '', severity = '') =>
  Object.assign(new Error(message), { status, code, severity });

/**
 * Throws unless the connection string has our credentials. Statuses and wording are those of neondatabase/neon,
 * proxy/src/serverless/error.rs and proxy/src/auth/mod.rs: the proxy checks user and password itself, so that error has no
 * code; Postgres misses an unknown database, and its FATAL error comes in a 500.
 */
export function checkCaller(connectionString: string | undefined, ours: DatabaseCredentials): void {
  if (connectionString === undefined) throw refusal(400, 'invalid header: neon-connection-string');
  const url = /%(?![\da-f]{2})/i.test(connectionString) ? null : URL.parse(connectionString);
  if (!url) throw refusal(400, 'invalid connection string: it is not a URL');
  if (!/^postgres(ql)?:$/.test(url.protocol)) throw refusal(400, 'incorrect scheme');
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent);
  if (!user) throw refusal(400, 'missing username');
  if (!database) throw refusal(400, 'missing database name');
  if (!password) throw refusal(400, 'missing authentication credentials: required password');
  const known = user === ours.user && password === ours.password;
  if (!known) throw refusal(400, `password authentication failed for user '${user}'`);
  if (database !== ours.database) throw refusal(500, `database "${database}" does not exist`, '3D000', 'FATAL');
}
