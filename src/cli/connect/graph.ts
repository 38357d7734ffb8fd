/** Microsoft Graph, as far as user flows need it. User flows of B2C exist under `/beta` only. */
import * as z from 'zod/mini';
import { jsonIn } from '../files.ts';
import type { Io } from '../io.ts';
import { CommandRefusal } from '../refusal.ts';

export const GRAPH = 'https://graph.microsoft.com/beta';
const TIMEOUT_MS = 30_000;
/** Graph asks for seconds to minutes. A longer wait is the person's decision. */
const MAX_RETRY_AFTER_SECONDS = 120;
const MAX_TRIES = 4;

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT';

/** Sends a request and returns the parsed body; undefined when it is empty. Throws a refusal that says what to do. */
export type GraphCall = (method: Method, path: string, body?: unknown) => Promise<unknown>;

const RIGHTS = 'APIConnectors.ReadWrite.All and IdentityUserFlow.ReadWrite.All';
const AGAIN = 'What was done stays. Run the command again: it continues where this one stopped.';

/** What the payload of a token says. Graph's tokens are opaque by contract: an unreadable one is sent as it is. */
const payload = z.object({ exp: z.optional(z.number()), tid: z.optional(z.string()) });

export function tokenFacts(token: string): z.output<typeof payload> {
  const [, middle = ''] = token.split('.');
  const { success, data } = payload.safeParse(jsonIn(Buffer.from(middle, 'base64url').toString('utf8')));
  return success ? data : {};
}

/** `token`: never printed. */
export function graphWith({ fetch }: Pick<Io, 'fetch'>, token: string): GraphCall {
  return async (method, path, body) => {
    for (let tries = 1; ; tries++) {
      const response = await send(fetch, token, method, path, body);
      if (response.status === 429 && tries < MAX_TRIES) {
        await wait(response, method, path);
        continue;
      }
      const { text } = response;
      if (response.ok) return text === '' ? undefined : jsonIn(text);
      throw new CommandRefusal(refusalFor(response.status, method, path, text));
    }
  };
}

interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;
  readonly text: string;
}

async function send(fetch: Io['fetch'], token: string, method: Method, path: string, body: unknown): Promise<Answer> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  try {
    const response = await fetch(path.startsWith('https:') ? path : `${GRAPH}${path}`, {
      method,
      headers,
      ...sent,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { status, ok, headers: received } = response;
    return { status, ok, headers: received, text: await response.text() };
  } catch (error) {
    const why =
      error instanceof Error && error.name === 'TimeoutError' ? 'did not answer in time' : 'cannot be reached';
    throw new CommandRefusal(`Microsoft Graph ${why} (${method} ${path}). ${AGAIN}`);
  }
}

async function wait({ headers }: Answer, method: Method, path: string): Promise<void> {
  const seconds = retryAfterSeconds(headers.get('Retry-After'), Date.now());
  if (seconds > MAX_RETRY_AFTER_SECONDS)
    throw new CommandRefusal(`Microsoft Graph asks to wait for ${seconds} seconds (${method} ${path}). ${AGAIN}`);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

const USUAL_WAIT_SECONDS = 10;

/** The header has seconds or a date (RFC 9110). A past date is no wait, and another text is the usual one. */
export function retryAfterSeconds(header: string | null, nowMs: number): number {
  if (header === null) return USUAL_WAIT_SECONDS;
  if (/^\s*\d+\s*$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? USUAL_WAIT_SECONDS : Math.max(0, Math.ceil((at - nowMs) / 1000));
}

const problem = z.object({ error: z.object({ code: z.optional(z.string()), message: z.optional(z.string()) }) });

function refusalFor(status: number, method: Method, path: string, text: string): string {
  const { success, data } = problem.safeParse(jsonIn(text));
  const said = success ? ` It says ${data.error.code ?? ''}: ${data.error.message ?? ''}` : '';
  const call = `Microsoft Graph answered ${status} (${method} ${path}).${said.trimEnd()}`;
  if (status === 401) return `${call}\nThe token is expired or none of Graph's. Get a new one and set GRAPH_TOKEN.`;
  if (status === 403)
    return `${call}\nThe token lacks a right. It needs ${RIGHTS}; grant them to the application that the token is of.`;
  if (status === 429) return `${call}\nToo many requests. ${AGAIN}`;
  if (status >= 500) return `${call}\n${AGAIN}`;
  return `${call}\nCorrect what it names. ${AGAIN}`;
}
