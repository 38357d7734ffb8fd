/** Calls a connector of Gatehouse as Microsoft does: the address, the credential, and one request. */
import { isLoopback } from '../database/loopback.ts';
import { SAMPLE_CREDENTIALS } from '../platform/credential-settings.ts';
import { CommandRefusal } from './refusal.ts';

export const DEFAULT_URL = 'http://localhost:8787';
const CREDENTIAL = 'GATEHOUSE_CONNECTOR to user:password, a line of the secret CONNECTOR_BASIC.';
const WRONG_PASSWORD = 'not-the-password';
/** B2C's timeout for the API connector of a user flow (contract 2.6). */
export const B2C_TIMEOUT_MS = 5_000;

export interface ReceivedAnswer {
  readonly status: number;
  /** `''` when missing. */
  readonly contentType: string;
  readonly text: string;
}

export interface Connector {
  readonly origin: string;
  /** On this machine. */
  readonly isLocal: boolean;
  /** The user of the credential. */
  readonly user: string;
  /** Values of `Authorization`: the credential, and one with a wrong password. */
  readonly authorization: { readonly own: string; readonly wrong: string };
  readonly timeoutMs: number;
  /** `path` follows `/connectors`. Rejects after `timeoutMs`; `whyNoAnswer` says why. */
  readonly request: (path: string, init: RequestInit) => Promise<ReceivedAnswer>;
}

/** Checks address and credential. `pair` is user:password; a local address has a sample pair. */
export function connectorAt(
  url: string | undefined,
  pair: string | undefined,
  fetcher: typeof fetch,
  timeoutMs = B2C_TIMEOUT_MS,
): Connector {
  const base = readUrl(url ?? DEFAULT_URL);
  const { origin } = base;
  const isLocal = isLoopback(base.hostname);
  if (!isLocal && base.protocol !== 'https:')
    throw new CommandRefusal(`${origin} would get the password in clear text. Use its https:// address.`, 2);
  const credential = pair ?? (isLocal ? SAMPLE_CREDENTIALS.connector : '');
  if (!/^[^:]+:./.test(credential)) {
    const problem =
      pair === undefined ? `${origin} needs a credential` : 'GATEHOUSE_CONNECTOR has no user:password in it';
    throw new CommandRefusal(`${problem}. Set the environment variable ${CREDENTIAL}`, 2);
  }
  const [user = ''] = credential.split(':', 1);
  return {
    origin,
    isLocal,
    user,
    timeoutMs,
    authorization: { own: basic(credential), wrong: basic(`${user}:${WRONG_PASSWORD}`) },
    async request(path, init) {
      // A redirect would send the password to another host, and B2C does not follow redirects.
      const bounded = { ...init, redirect: 'manual' as const, signal: AbortSignal.timeout(timeoutMs) };
      const response = await fetcher(new URL(`/connectors${path}`, base), bounded);
      const contentType = response.headers.get('Content-Type') ?? '';
      return { status: response.status, contentType, text: await response.text() };
    },
  };
}

/** Rejects with a refusal when the address is not a Gatehouse that accepts the credential. It records nothing. */
export async function assertConnector({
  origin,
  isLocal,
  authorization,
  timeoutMs,
  request,
}: Connector): Promise<void> {
  const answer = await request('/user-flow', { headers: { Authorization: authorization.own } }).catch(
    (error: unknown) => {
      const advice = isLocal ? 'Start it with npm run dev, or set its address with --url.' : 'Try again.';
      throw new CommandRefusal(`Gatehouse does not answer at ${origin} (${whyNoAnswer(error, timeoutMs)}). ${advice}`);
    },
  );
  if (answer.status === 401) throw new CommandRefusal(`${origin} does not accept this credential. Set ${CREDENTIAL}`);
  if (answer.status !== 200 || answer.text !== '')
    throw new CommandRefusal(`${origin} is not a Gatehouse (status ${answer.status}). Check --url.`);
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new CommandRefusal(`--url ${text} is not an address. Write for example --url ${DEFAULT_URL}`, 2);
  if (url.username !== '' || url.password !== '')
    throw new CommandRefusal(
      'Leave user and password out of --url; set GATEHOUSE_CONNECTOR to user:password instead.',
      2,
    );
  return url;
}

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

/** Why a request has no answer, in a few words. */
export function whyNoAnswer(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError') return `timeout after ${timeoutMs / 1_000} s`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
