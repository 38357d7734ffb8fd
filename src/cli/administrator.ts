/** How a command calls Gatehouse: the address, the credential and the meaning of each response. */
import { type ClientResponse, hc } from 'hono/client';
import * as z from 'zod/mini';
import { isLoopback } from '../database/loopback.ts';
import type { ManagementApi } from '../desk/api/client-types.ts';
import type { Code } from '../desk/http/error-codes.ts';
import { SAMPLE_CREDENTIALS } from '../platform/credential-settings.ts';
import { DEFAULT_URL } from './connector.ts';
import { rootCauseOf } from './driver-error.ts';
import { jsonIn } from './files.ts';
import type { Io } from './io.ts';
import type { Program } from './program.ts';
import { CommandRefusal } from './refusal.ts';

/** A missing variable defaults to a sample pair. Only a Gatehouse with LOCAL=yes accepts sample pairs. */
const CREDENTIALS = {
  admin: { variable: 'GATEHOUSE_ADMIN', secret: 'ADMIN_BASIC' },
  reports: { variable: 'GATEHOUSE_REPORTS', secret: 'REPORTS_BASIC' },
} as const;
/** Longer than Gatehouse itself waits for KV, queue and database together. */
const ANSWER_LIMIT_MS = 40_000;

/** The help text about the credential. */
export const credentialHelp = (kind: keyof typeof CREDENTIALS = 'admin'): string => `
Credential: ${CREDENTIALS[kind].variable}=user:password in the environment, a line of the secret ${CREDENTIALS[kind].secret}.
For a local URL the default is ${SAMPLE_CREDENTIALS[kind]}.`;

/** Adds the option `--url` and the help on credentials to a command. */
export const atGatehouse = (command: Program, kind: keyof typeof CREDENTIALS = 'admin'): Program =>
  command
    .option('--url <URL>', `the address of Gatehouse (default: ${DEFAULT_URL})`)
    .addHelpText('after', credentialHelp(kind));

/** The management API of one Gatehouse, with one credential: addresses, parameters and answers have types. */
export type Gatehouse = ReturnType<typeof hc<ManagementApi>>;

/** One response. `body` is parsed JSON, undefined when the response has none. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterSeconds: number;
  /** The header ETag, `''` when missing. */
  readonly etag: string;
  /** Never set: the type of the body of a 200 by the API description. */
  readonly described?: Body;
}

type BodyOf<Response> =
  Response extends ClientResponse<infer Body, infer Status, 'json'> ? (200 extends Status ? Body : never) : never;

/** Waits for a call of a {@link Gatehouse}, and reads its response. */
export async function responseTo<Response extends ClientResponse<unknown, number>>(
  asked: Promise<Response>,
): Promise<Answer<BodyOf<Response>>> {
  const response = await asked;
  const { status, headers } = response;
  const retryAfterSeconds = Number(headers.get('Retry-After') ?? 0) || 0;
  return { status, body: jsonIn(await response.text()), retryAfterSeconds, etag: headers.get('ETag') ?? '' };
}

/** The Gatehouse at `--url`, for an administrator. */
export const administrator = (io: Io, url = DEFAULT_URL): Gatehouse =>
  gatehouseAt('admin', url, io.env[CREDENTIALS.admin.variable], io.fetch);

/** The same with the reports credential. */
export const reporter = (io: Io, url = DEFAULT_URL): Gatehouse =>
  gatehouseAt('reports', url, io.env[CREDENTIALS.reports.variable], io.fetch);

/** Like {@link administrator}, without a process. Throws when address or credential cannot be used. */
export const administratorAt = (url: string, credential: string | undefined): Gatehouse =>
  gatehouseAt('admin', url, credential, fetch);

function gatehouseAt(
  kind: keyof typeof CREDENTIALS,
  url: string,
  credential: string | undefined,
  fetcher: typeof fetch,
): Gatehouse {
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
  return hc<ManagementApi>(base.origin, {
    headers: { Authorization: authorization, Accept: 'application/json' },
    fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
      const response = await reach(fetcher, new URL(String(input)), init);
      if (response.status !== 401) return response;
      throw new CommandRefusal(
        `${base.origin} does not accept this credential. Set ${variable} to user:password, a line of the secret ${secret}.`,
      );
    },
  });
}

/**
 * Returns the checked body of a 200. Throws a refusal with Gatehouse's own message for any other status. Does not
 * compile when the schema reads what the API description does not have.
 */
export function accepted<Body, Schema extends z.ZodMiniType>(
  answer: Answer<Body>,
  schema: [Body] extends [z.input<Schema>] ? Schema : never,
): z.output<Schema> {
  if (answer.status !== 200) throw new CommandRefusal(errorSentence(answer));
  const parsed = schema.safeParse(answer.body);
  if (!parsed.success)
    throw new CommandRefusal('The response does not come from Gatehouse. Is --url the address of a Gatehouse?');
  return parsed.data;
}

/** Returns every page of a list. `read` returns the page at a cursor. */
export async function followPages<Page extends { next?: string | undefined }>(
  read: (cursor: string | undefined) => Promise<Page>,
): Promise<Page[]> {
  const pages = [await read(undefined)];
  for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) pages.push(await read(next));
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

/** The message of a response other than 200, with the request id to find in the logs. */
export function errorSentence(answer: Answer): string {
  const { data } = problemDocument.safeParse(answer.body);
  if (data === undefined) {
    return `Status ${answer.status} without Gatehouse’s problem details. Is --url the address of a Gatehouse, without a proxy that answers in its place?`;
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

/** Reads the whole response, so that a connection that breaks meanwhile has the same message. */
async function reach(fetcher: typeof fetch, url: URL, request: RequestInit = {}): Promise<Response> {
  try {
    const response = await fetcher(url, {
      ...request,
      // A redirect would send the password or the body to another host.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    const { status, headers } = response;
    return new Response((await response.text()) || null, { status, headers });
  } catch (error) {
    const { code, message } = rootCauseOf(error);
    const reason = code === 'TimeoutError' ? `timeout after ${ANSWER_LIMIT_MS / 1_000} s` : (code ?? message);
    const advice = isLoopback(url.hostname)
      ? 'Start it with npm run dev, or set its address with --url.'
      : 'Try again.';
    throw new CommandRefusal(`${url.origin} did not answer (${reason}). ${advice}`);
  }
}
