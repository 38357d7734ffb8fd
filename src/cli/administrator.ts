/** How a command calls Gatehouse, mostly as an administrator: where it is, with which credential, and what its answers mean. */
import * as z from 'zod/mini';
import { isLoopback } from '../database/loopback.ts';
import type { Code } from '../desk/http/error-codes.ts';
import { SAMPLE_CREDENTIALS } from '../platform/config.ts';
import { rootCauseOf } from './driver-error.ts';
import { jsonIn } from './files.ts';
import type { Io } from './io.ts';
import type { Program } from './program.ts';
import { CommandRefusal } from './refusal.ts';

const DEFAULT_URL = 'http://localhost:8787';
/** Sample pairs, which only a Gatehouse that runs with LOCAL=yes takes, stand in for a variable that is not set. */
const CREDENTIALS = {
  admin: { variable: 'GATEHOUSE_ADMIN', secret: 'ADMIN_BASIC' },
  reports: { variable: 'GATEHOUSE_REPORTS', secret: 'REPORTS_BASIC' },
} as const;
/** Longer than Gatehouse itself waits for KV, queue and database together. */
const ANSWER_LIMIT_MS = 40_000;

/** What the help says of the credential. */
export const credentialHelp = (kind: keyof typeof CREDENTIALS = 'admin'): string => `
Credential: ${CREDENTIALS[kind].variable}=user:password in the environment, a line of the secret ${CREDENTIALS[kind].secret}.
For a local URL it may be left out: then it is ${SAMPLE_CREDENTIALS[kind]}.`;

/** Adds to a command what it needs to call a Gatehouse. */
export const atGatehouse = (command: Program, kind: keyof typeof CREDENTIALS = 'admin'): Program =>
  command
    .option('--url <URL>', `where Gatehouse is (default: ${DEFAULT_URL})`)
    .addHelpText('after', credentialHelp(kind));

/** One answer: `body` is what was in it as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds: number;
  /** The header ETag as it came, `''` when there was none. */
  readonly etag: string;
}

/** `body` goes as JSON; `headers` are those beyond the credential and what JSON needs. */
export type ApiCall = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** How a command calls the Gatehouse of its `--url`. Paths begin with `/admin`. */
export const administrator = (io: Io, url = DEFAULT_URL): ApiCall =>
  callerAt('admin', url, io.env[CREDENTIALS.admin.variable], io.fetch);

/** The same for paths that begin with `/reports`. */
export const reporter = (io: Io, url = DEFAULT_URL): ApiCall =>
  callerAt('reports', url, io.env[CREDENTIALS.reports.variable], io.fetch);

/** Checks address and credential, and returns the way to call. */
export const administratorAt = (url: string, credential: string | undefined): ApiCall =>
  callerAt('admin', url, credential, fetch);

function callerAt(
  kind: keyof typeof CREDENTIALS,
  url: string,
  credential: string | undefined,
  fetcher: typeof fetch,
): ApiCall {
  const { variable, secret } = CREDENTIALS[kind];
  const base = readUrl(url, variable);
  const local = isLoopback(base.hostname);
  const pair = credential ?? (local ? SAMPLE_CREDENTIALS[kind] : undefined);
  if (pair === undefined || !/^[^:]+:./.test(pair)) {
    throw new CommandRefusal(
      `${pair === undefined ? `${base.origin} is not local, so it needs a credential` : `${variable} has no user:password in it`}. ` +
        `Set the environment variable ${variable} to user:password, a line of the secret ${secret}.`,
      2,
    );
  }
  if (!local && base.protocol !== 'https:') {
    throw new CommandRefusal(`${base.origin} would get the password in clear text. Use its https:// address.`, 2);
  }
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  return async (method, path, body, headers = {}) => {
    const answer = await reach(fetcher, new URL(path, base), {
      method,
      headers: {
        ...headers,
        Authorization: authorization,
        Accept: 'application/json',
        'Content-Type': 'application/json',
      },
      body: body === undefined ? null : JSON.stringify(body),
      // A redirect would take the password or the body elsewhere.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    if (answer.status !== 401) return answer;
    throw new CommandRefusal(
      `${base.origin} does not take this credential. Set ${variable} to user:password, a line of the secret ${secret}.`,
    );
  };
}

/** The body of a 200, checked; any other answer becomes a refusal with the sentence that Gatehouse gave. */
export function accepted<Schema extends z.ZodMiniType>(answer: Answer, schema: Schema): z.output<Schema> {
  if (answer.status !== 200) throw new CommandRefusal(errorSentence(answer));
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success)
    throw new CommandRefusal('The answer is not one of Gatehouse’s. Is --url the address of a Gatehouse?');
  return parsed.data;
}

/** Every page of a list; `path` ends with a query. */
export async function followPages<Page extends { next?: string | undefined }>(
  call: ApiCall,
  path: string,
  schema: z.ZodMiniType<Page>,
): Promise<Page[]> {
  const pages = [accepted(await call('GET', path), schema)];
  for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next)
    pages.push(accepted(await call('GET', `${path}&cursor=${encodeURIComponent(next)}`), schema));
  return pages;
}

const problemDocument = z.object({
  detail: z.string(),
  code: z.optional(z.string()),
  requestId: z.optional(z.string()),
});

/** Whether Gatehouse refused with one of these codes. A Gatehouse of before there were codes has none. */
export function isRefusedAs({ body }: Answer, ...codes: readonly Code[]): boolean {
  const { data } = problemDocument.safeParse(body);
  return codes.some((code) => code === data?.code);
}

/** What an answer other than 200 says, with the request id for whoever reads the logs. */
export function errorSentence(answer: Answer): string {
  const { data } = problemDocument.safeParse(answer.body);
  if (data === undefined) {
    return `Status ${answer.status}, and not in Gatehouse’s words. Is --url the address of a Gatehouse, with nothing in front that answers for it?`;
  }
  return data.requestId === undefined ? data.detail : `${data.detail} (request ${data.requestId})`;
}

function readUrl(text: string, variable: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CommandRefusal(
      `--url ${text} is not an address. Write for example --url https://gatehouse.example.workers.dev`,
      2,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new CommandRefusal(`Leave user and password out of --url; set ${variable} to user:password instead.`, 2);
  }
  if (url.pathname !== '/' || url.search !== '') {
    throw new CommandRefusal(`--url ${text} has a path. Give the address alone: ${url.origin}`, 2);
  }
  return url;
}

async function reach(fetcher: typeof fetch, url: URL, request: RequestInit): Promise<Answer> {
  try {
    const response = await fetcher(url, request);
    const { status, headers } = response;
    const retryAfterSeconds = Number(headers.get('Retry-After') ?? 0) || 0;
    return { status, body: jsonIn(await response.text()), retryAfterSeconds, etag: headers.get('ETag') ?? '' };
  } catch (error) {
    const { code, message } = rootCauseOf(error);
    const reason = code === 'TimeoutError' ? `not within ${ANSWER_LIMIT_MS / 1_000} s` : (code ?? message);
    const advice = isLoopback(url.hostname)
      ? 'Start it with npm run dev, or give its address with --url.'
      : 'Try again.';
    throw new CommandRefusal(`${url.origin} did not answer (${reason}). ${advice}`);
  }
}
