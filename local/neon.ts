/**
 * A stand-in for Neon on your machine: SQL over HTTP on PGlite, for the real driver. `npx node local/neon.ts --help`.
 *
 * It listens on 127.0.0.1 only and answers no web page (no CORS, other than Neon): its password is no secret.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { type Answer, refusal } from './neon/answer.ts';
import type { Credentials } from './neon/caller.ts';
import { openFolder } from './neon/data-folder.ts';
import { openPostgres, type Postgres } from './neon/postgres.ts';
import { type AnswerSql, MAX_BODY_BYTES, sqlOverHttp } from './neon/sql-over-http.ts';

const HOST = '127.0.0.1';
/** How long a client may take to read its last answer, or to send the rest of a request that will not be run. */
const CLOSING_GRACE_MS = 1_000;

export type LocalNeonOptions = Partial<Credentials> & {
  /** 0 or left out: any free one. */
  port?: number;
  /** Where the data stays; left out, it is in memory and gone at the end. */
  dataDir?: string;
};

export type LocalNeon = {
  /** `postgres://user:password@127.0.0.1:port/database`: a DATABASE_URL. */
  url: string;
  port: number;
  /** Lets requests under way finish, then closes Postgres. */
  close(): Promise<void>;
};

/** Rejects with a message for the user: port taken, data folder in use, data folder of another user or database. */
export async function startNeon(options: LocalNeonOptions = {}): Promise<LocalNeon> {
  const { user = 'gatehouse', password = 'local', database = 'gatehouse', port = 0, dataDir } = options;
  const names = { user, database };
  const opened = Promise.withResolvers<AnswerSql>();
  const server = createServer((request, response) => void serve(opened.promise, request, response));
  // Not closed while idle: a client that sends on a connection at the very moment we close it would see a failed fetch.
  server.keepAliveTimeout = 0;
  await listen(server, port);
  let postgres: Postgres;
  try {
    postgres = await (dataDir === undefined ? openPostgres(undefined, names, true) : openFolder(dataDir, names));
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  opened.resolve(sqlOverHttp(postgres, { ...names, password }));
  const { port: listening } = server.address() as AddressInfo;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return {
    url: `postgres://${login}@${HOST}:${listening}/${encodeURIComponent(database)}`,
    port: listening,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      await postgres.close();
      server.closeIdleConnections();
      const grace = setTimeout(() => server.closeAllConnections(), CLOSING_GRACE_MS);
      await closed;
      clearTimeout(grace);
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new Error(`Port ${port} is taken: choose another, or 0 for any free one`) : error);
    });
    server.listen(port, HOST, resolve);
  });
}

async function serve(opened: Promise<AnswerSql>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request;
  const gone = () => socket.readableEnded || socket.destroyed;
  const answer = await answerTo(opened, request, gone).catch((error: unknown) =>
    refusal(500, error instanceof Error ? error.message : String(error)),
  );
  if (!gone())
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
}

async function answerTo(opened: Promise<AnswerSql>, request: IncomingMessage, gone: () => boolean): Promise<Answer> {
  if (request.method !== 'POST' || request.url?.split('?')[0] !== '/sql') {
    return refusal(400, 'query is not supported: this is a stand-in for Neon, which takes POST /sql only');
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The default, destroying the request at an early return, would take the connection with it, and so our answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return refusal(413, `request is too large (max is ${MAX_BODY_BYTES} bytes)`);
    chunks.push(chunk);
  }
  const answerSql = await opened;
  return answerSql(request.headers, Buffer.concat(chunks).toString('utf8'), gone);
}

const USAGE = `A stand-in for Neon: Postgres (PGlite) behind SQL over HTTP on ${HOST}.

  npx node local/neon.ts [--port N] [--data DIR] [--url-file FILE] [--user U] [--password P] [--database D]

  --port N         port to listen on; 0, the default, takes any free one
  --data DIR       keep the data in DIR, for one process at a time; without it they are gone at the end
  --url-file FILE  write the postgres:// URL there as soon as it answers
  --user, --password, --database    what a client must give: gatehouse, local and gatehouse by default
  --help           this text

Stop it with Ctrl-C or SIGTERM.
`;

/** Exit code 2: wrong arguments; 1: it could not start. */
async function main(): Promise<void> {
  const read = readArguments(process.argv.slice(2));
  if ('wrong' in read) return fail(2, `${read.wrong}\n\n${USAGE}`);
  const { help, urlFile, ...options } = read;
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  try {
    // A URL of last time would send a client to a port that is no longer ours.
    if (urlFile !== undefined) rmSync(urlFile, { force: true });
    const neon = await startNeon(options);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void neon.close().then(() => process.exit(0)));
    }
    try {
      if (urlFile !== undefined) writeWhole(urlFile, `${neon.url}\n`);
    } catch (error) {
      await neon.close();
      throw error;
    }
    process.stdout.write(`${neon.url}\n`);
  } catch (error) {
    fail(1, `${error instanceof Error ? error.message : error}\n`);
  }
}

function readArguments(args: string[]): (LocalNeonOptions & { help: boolean; urlFile?: string }) | { wrong: string } {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: text,
        data: text,
        'url-file': text,
        user: text,
        password: text,
        database: text,
        help: { type: 'boolean', default: false },
      },
    });
    const { port = '0', data, 'url-file': urlFile, ...rest } = values;
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
      return { wrong: `--port takes a number from 0 to 65535, not "${port}"` };
    for (const [name, value] of Object.entries(values))
      if (value === '') return { wrong: `--${name} must not be empty` };
    return {
      ...rest,
      port: Number(port),
      ...(data === undefined ? {} : { dataDir: data }),
      ...(urlFile === undefined ? {} : { urlFile }),
    };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

/** Whoever waits for the file sees all of it or nothing. */
function writeWhole(file: string, content: string): void {
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
}

function fail(exitCode: number, message: string): void {
  process.stderr.write(message);
  process.exitCode = exitCode;
}

if (import.meta.main) await main();
