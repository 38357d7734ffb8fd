/** Calls a connector of Gatehouse as Microsoft does: the address, the credential, and one request. */
import { isLoopback } from '../database/loopback.ts';
import { SAMPLE_CREDENTIALS } from '../platform/credential-settings.ts';
import { CommandRefusal } from './refusal.ts';

export const DEFAULT_URL = 'http://localhost:8787';
const WRONG_PASSWORD = 'not-the-password';
/** What can be presented in headers. A client certificate is presented in the TLS handshake. */
const FORMS = {
  basic: { form: 'user:password', line: 'user:password, a line of the secret CONNECTOR_BASIC' },
  'api-key': { form: 'name:key', line: 'name:key, a line of the secret CONNECTOR_KEYS' },
  bearer: {
    form: 'name:token or JWT',
    line: 'name:token, a line of the secret CONNECTOR_TOKENS, or to a JWT of an issuer in CONNECTOR_ISSUERS',
  },
} as const;
export type PresentedKind = keyof typeof FORMS;

export interface Presented {
  readonly kind: PresentedKind;
  /** The value of `GATEHOUSE_CONNECTOR`. */
  readonly value: string | undefined;
  /** The header of an API key. */
  readonly header: string;
  /** Follows the message when the credential cannot be used; `''`: nothing does. */
  readonly advice: string;
}

/** With user name and password, as the connector of a user flow. */
export const presentedPair = (value: string | undefined): Presented => ({
  kind: 'basic',
  value,
  header: '',
  advice: '',
});
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
  /** Headers with the credential, and with a wrong one of the same name. */
  readonly credentials: { readonly own: Headers; readonly wrong: Headers };
  /** What to do when the credential is refused. */
  readonly remedy: string;
  readonly timeoutMs: number;
  /** `path` follows `/connectors`. Rejects after `timeoutMs`; `whyNoAnswer` says why. */
  readonly request: (path: string, init: RequestInit) => Promise<ReceivedAnswer>;
}

/** Checks address and credential. A local address has a sample pair. */
export function connectorAt(
  url: string | undefined,
  presented: Presented,
  fetcher: typeof fetch,
  timeoutMs = B2C_TIMEOUT_MS,
): Connector {
  const base = readUrl(url ?? DEFAULT_URL);
  const { origin } = base;
  const isLocal = isLoopback(base.hostname);
  if (!isLocal && base.protocol !== 'https:')
    throw new CommandRefusal(`${origin} would get the password in clear text. Use its https:// address.`, 2);
  const { kind, value, header, advice } = presented;
  const remedy = `Set GATEHOUSE_CONNECTOR to ${FORMS[kind].line}.${advice}`;
  const credential = value ?? (isLocal && kind === 'basic' ? SAMPLE_CREDENTIALS.connector : '');
  if (!isUsable(kind, credential)) {
    const problem =
      value === undefined
        ? `${origin} needs a credential`
        : `GATEHOUSE_CONNECTOR has no ${FORMS[kind].form} in it, or a character that a header cannot have`;
    throw new CommandRefusal(`${problem}. ${remedy}`, 2);
  }
  const [user = ''] = credential.split(':', 1);
  return {
    origin,
    isLocal,
    remedy,
    timeoutMs,
    credentials: {
      own: headersOf(kind, header, credential),
      wrong: headersOf(kind, header, `${user}:${WRONG_PASSWORD}`),
    },
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
  credentials,
  remedy,
  timeoutMs,
  request,
}: Connector): Promise<void> {
  const answer = await request('/user-flow', { headers: credentials.own }).catch((error: unknown) => {
    const advice = isLocal ? 'Start it with npm run dev, or set its address with --url.' : 'Try again.';
    throw new CommandRefusal(`Gatehouse does not answer at ${origin} (${whyNoAnswer(error, timeoutMs)}). ${advice}`);
  });
  if (answer.status === 401) throw new CommandRefusal(`${origin} does not accept this credential. ${remedy}`);
  if (answer.status !== 200 || answer.text !== '')
    throw new CommandRefusal(
      `${origin} is not a Gatehouse (status ${answer.status}). Check --url, and that no login page, challenge or redirect is before it.`,
    );
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

/** Base64 hides the characters of a pair; a key or token is a header's value as it is. */
const isUsable = (kind: PresentedKind, credential: string): boolean =>
  kind === 'basic'
    ? /^[^:]+:./.test(credential)
    : secretIn(credential) !== '' &&
      /^[!-~]+$/.test(secretIn(credential)) &&
      (kind === 'bearer' || credential.includes(':'));

/** A line is split at its first colon. A JWT has none. */
const secretIn = (line: string): string => line.slice(line.indexOf(':') + 1);

function headersOf(kind: PresentedKind, header: string, credential: string): Headers {
  if (kind === 'api-key') return new Headers({ [header]: secretIn(credential) });
  const value =
    kind === 'basic' ? `Basic ${Buffer.from(credential).toString('base64')}` : `Bearer ${secretIn(credential)}`;
  return new Headers({ Authorization: value });
}

/** Why a request has no answer, in a few words. */
export function whyNoAnswer(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError') return `timeout after ${timeoutMs / 1_000} s`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
