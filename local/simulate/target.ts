/** The Gatehouse that is played to: its address, the credential, and one call over HTTP as B2C makes it. */
import { isLoopback } from '../../src/database/loopback.ts';
import { calledWrongly, Refusal } from '../commands/ending.ts';
import { noAnswer, type Reply, readReply } from './reply.ts';
import type { ScriptedCall } from './script.ts';

export const DEFAULT_URL = 'http://localhost:8787';
/** The sample pair, which only a Gatehouse that runs with LOCAL=yes takes. */
const LOCAL_CREDENTIAL = 'Test:Test';
const WRONG_PASSWORD = 'not-the-password';
const ROUTE = '/connectors/user-flow';
/** B2C waits so long for a user flow's connector (contract 2.6). */
export const B2C_TIMEOUT_MS = 5_000;

export interface Sent {
  readonly reply: Reply;
  /** From sending to the last byte of the answer; undefined when none came. */
  readonly latencyMs: number | undefined;
}

export interface Target {
  readonly origin: string;
  /** Refuses with what to do when nobody there would take our calls. Records nothing. */
  probe(): Promise<void>;
  /** Makes one call. Never throws: a call without an answer is a reply of that kind. */
  send(call: ScriptedCall): Promise<Sent>;
}

/** Checks address and credential. `sure` says that the user knows that it is not local; `pair` is user:password. */
export function targetAt(text: string, pair: string | undefined, sure: boolean, timeoutMs = B2C_TIMEOUT_MS): Target {
  const base = readUrl(text);
  const local = isLoopback(base.hostname);
  if (!local && !sure) {
    throw new Refusal(
      `${base.origin} is not on this machine. The calls of made-up people would be in its attempts and reports for as long as it keeps them. ` +
        'If that is what you want, add --yes.',
      2,
    );
  }
  if (!local && base.protocol !== 'https:') {
    throw new Refusal(`${base.origin} would get the password in clear text. Use its https:// address.`, 2);
  }
  const credential = pair ?? (local ? LOCAL_CREDENTIAL : '');
  if (!/^[^:]+:./.test(credential)) {
    throw new Refusal(
      `${pair === undefined ? `${base.origin} needs a credential` : 'GATEHOUSE_CONNECTOR has no user:password in it'}. ` +
        'Set the environment variable GATEHOUSE_CONNECTOR to user:password, a line of the secret CONNECTOR_BASIC.',
      2,
    );
  }
  const authorization = {
    own: basic(credential),
    wrong: basic(`${credential.slice(0, credential.indexOf(':'))}:${WRONG_PASSWORD}`),
  };
  const request = async (path: string, init: RequestInit) => {
    // A redirect would take the password elsewhere, and B2C does not follow one.
    const bounded = { ...init, redirect: 'manual' as const, signal: AbortSignal.timeout(timeoutMs) };
    const response = await fetch(new URL(ROUTE + path, base), bounded);
    return {
      status: response.status,
      contentType: response.headers.get('Content-Type') ?? '',
      text: await response.text(),
    };
  };
  return {
    origin: base.origin,
    async probe() {
      const answer = await request('', { headers: { Authorization: authorization.own } }).catch((error: unknown) => {
        const advice = local ? 'Start it with npm run dev, or give its address with --url.' : 'Try again.';
        throw new Refusal(`Gatehouse does not answer at ${base.origin} (${reasonOf(error, timeoutMs)}). ${advice}`);
      });
      if (answer.status === 401) {
        throw new Refusal(
          `${base.origin} does not take this credential. Set GATEHOUSE_CONNECTOR to user:password, a line of the secret CONNECTOR_BASIC.`,
        );
      }
      if (answer.status !== 200 || answer.text !== '') {
        throw new Refusal(
          `${base.origin} answers, but not as a Gatehouse does (status ${answer.status}). Is --url right?`,
        );
      }
    },
    async send(call) {
      const headers = { Authorization: authorization[call.credential], 'Content-Type': 'application/json' };
      const startedAt = performance.now();
      try {
        const answer = await request(call.path, { method: 'POST', headers, body: call.body });
        return { reply: readReply(call, answer), latencyMs: performance.now() - startedAt };
      } catch (error) {
        return { reply: noAnswer(reasonOf(error, timeoutMs)), latencyMs: undefined };
      }
    },
  };
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw calledWrongly(`--url ${text} is not an address. Write for example --url ${DEFAULT_URL}`, 'simulate');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Refusal('Leave user and password out of --url; set GATEHOUSE_CONNECTOR to user:password instead.', 2);
  }
  return url;
}

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError') return `not within ${timeoutMs / 1_000} s`;
  const cause = error.cause;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : error.message;
}
