/** The HTTP server in front of Postgres. It listens on 127.0.0.1 only and, unlike Neon, does not allow CORS. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextEvents } from 'node:timers/promises';
import { checkCaller, type DatabaseCredentials, refusal } from './caller.ts';
import type { Postgres } from './postgres.ts';
import { answerSql, MAX_SQL_BODY_BYTES } from './sql-over-http.ts';

/** `url` is a DATABASE_URL: `postgres://user:password@127.0.0.1:port/database`. `close` waits for running requests. */
export type LocalNeon = { readonly url: string; readonly port: number; readonly close: () => Promise<void> };

/** Port 0 means any free port. When the port is not available, closes Postgres and rejects. */
export async function serve(postgres: Postgres, ours: DatabaseCredentials, port: number): Promise<LocalNeon> {
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await answer(request, postgres, ours).catch(errorAnswer);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  // Idle connections stay open: a client could send a request just when the server closes one.
  server.keepAliveTimeout = 0;
  await once(server.listen(port, '127.0.0.1'), 'listening').catch(async (cause) => {
    await postgres.close();
    throw new Error(`Port ${port} is taken or not allowed. Choose another, or 0 for any free one.`, { cause });
  });
  const { port: listening } = server.address() as AddressInfo;
  const [user, password, database] = [ours.user, ours.password, ours.database].map(encodeURIComponent);
  const close = async () => {
    server.close();
    await postgres.close();
    await nextEvents();
    server.closeAllConnections();
  };
  return {
    url: `postgres://${user}:${password}@127.0.0.1:${listening}/${database}`,
    port: listening,
    close,
  };
}

async function answer(request: IncomingMessage, postgres: Postgres, ours: DatabaseCredentials) {
  if (request.method !== 'POST' || request.url?.split('?')[0] !== '/sql') {
    throw refusal(400, 'query is not supported: the Neon emulator takes POST /sql only');
  }
  const header = (name: string) => request.headers[name]?.toString();
  const gone = () => request.socket.readableEnded || request.socket.destroyed;
  const body = await buffer(request);
  if (body.length > MAX_SQL_BODY_BYTES) throw refusal(413, `request is too large (max is ${MAX_SQL_BODY_BYTES} bytes)`);
  checkCaller(header('neon-connection-string'), ours);
  return { status: 200, ...(await answerSql(postgres, { header, body, gone })) };
}

/** Postgres's errors have a `severity`. The driver parses the body of a 400 only and quotes any other. */
function errorAnswer(error: Error & { status?: number; severity?: string }) {
  const status = error.status ?? (error.severity === undefined ? 500 : 400);
  return { status, headers: {}, body: JSON.stringify({ ...error, message: error.message }) };
}
