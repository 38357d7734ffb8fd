/** Who asks: the connection string in the header, and what Neon's proxy says to a wrong one. */
import { type Answer, errorAnswer, refusal } from './answer.ts';
import type { Names } from './postgres.ts';

export type Credentials = Names & { password: string };

/**
 * Undefined when the connection string names our user, password and database. Statuses and wording are those of
 * neondatabase/neon, proxy/src/serverless/error.rs and proxy/src/auth/mod.rs: a wrong user or password is a 400 without
 * a code, as the proxy finds it out itself; an unknown database is Postgres' FATAL error in a 500.
 */
export function refuseCaller(connectionString: string | undefined, ours: Credentials): Answer | undefined {
  if (connectionString === undefined) return refusal(400, 'invalid header: neon-connection-string');
  const named = readConnectionString(connectionString);
  if (typeof named === 'string') return refusal(400, named);
  if (named.user !== ours.user || named.password !== ours.password) {
    return refusal(400, `password authentication failed for user '${named.user}'`);
  }
  if (named.database !== ours.database) {
    const message = `database "${named.database}" does not exist`;
    return errorAnswer(500, { message, code: '3D000', severity: 'FATAL', file: 'postinit.c', routine: 'InitPostgres' });
  }
  return undefined;
}

/** Its parts, or what is wrong with it. */
function readConnectionString(text: string): Credentials | string {
  const url = URL.parse(text);
  if (!url) return 'invalid connection string: it is not a URL';
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') return 'incorrect scheme';
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (user === undefined || password === undefined || database === undefined) {
    return 'invalid connection string: a percent sign must be followed by two hexadecimal digits';
  }
  if (user === '') return 'missing username';
  if (database === '') return 'missing database name';
  if (password === '') return 'missing authentication credentials: required password';
  return { user, password, database };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
