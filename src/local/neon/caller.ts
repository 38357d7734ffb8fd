/** Checks the connection string in the header, and refuses a wrong one as Neon's proxy does. */

export type DatabaseCredentials = { readonly user: string; readonly password: string; readonly database: string };

/** An error with its HTTP status. In Neon, `code` and `severity` are empty unless the error comes from Postgres. */
export const refusal = (status: number, message: string, code = '', severity = '') =>
  Object.assign(new Error(message), { status, code, severity });

/**
 * Throws unless the connection string has these credentials. Statuses and texts are from neondatabase/neon,
 * proxy/src/serverless/error.rs and proxy/src/auth/mod.rs. The proxy checks user and password itself, so that error has
 * no code. Postgres reports an unknown database as FATAL, in a 500.
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
