/** The Gatehouse of a simulation: its address, the credential, and HTTP calls as B2C makes them. */

import { CommandRefusal } from '../../cli/refusal.ts';
import { isLoopback } from '../../database/loopback.ts';
import { noAnswer, type ReceivedReply, readReply } from './received-reply.ts';
import type { ScriptedCall } from './script.ts';

export const DEFAULT_URL = 'http://localhost:8787';
/** Only a Gatehouse with LOCAL=yes accepts the sample pair. */
const LOCAL_CREDENTIAL = 'Test:Test';
const WRONG_PASSWORD = 'not-the-password';
const CREDENTIAL = 'GATEHOUSE_CONNECTOR to user:password, a line of the secret CONNECTOR_BASIC.';
/** B2C's timeout for the API connector of a user flow (contract 2.6). */
export const B2C_TIMEOUT_MS = 5_000;

export type Target = ReturnType<typeof targetAt>;

/** Checks address and credential. `sure` allows an address that is not local; `pair` is user:password. */
export function targetAt(text: string, pair: string | undefined, sure: boolean, timeoutMs = B2C_TIMEOUT_MS) {
  const base = readUrl(text);
  const { origin } = base;
  const local = isLoopback(base.hostname);
  const refuse = (problem: string) => new CommandRefusal(problem, 2);
  if (!local && !sure)
    throw refuse(`${origin} is not on this machine and would store attempts of made-up people. Add --yes to continue.`);
  if (!local && base.protocol !== 'https:')
    throw refuse(`${origin} would get the password in clear text. Use its https:// address.`);
  const credential = pair ?? (local ? LOCAL_CREDENTIAL : '');
  if (!/^[^:]+:./.test(credential)) {
    const problem =
      pair === undefined ? `${origin} needs a credential` : 'GATEHOUSE_CONNECTOR has no user:password in it';
    throw refuse(`${problem}. Set the environment variable ${CREDENTIAL}`);
  }
  const [user] = credential.split(':', 1);
  const authorization = { own: basic(credential), wrong: basic(`${user}:${WRONG_PASSWORD}`) };
  const request = async (path: string, init: RequestInit) => {
    // A redirect would send the password to another host, and B2C does not follow redirects.
    const bounded = { ...init, redirect: 'manual' as const, signal: AbortSignal.timeout(timeoutMs) };
    const response = await fetch(new URL(`/connectors${path}`, base), bounded);
    const contentType = response.headers.get('Content-Type') ?? '';
    return { status: response.status, contentType, text: await response.text() };
  };
  return {
    origin,
    /** Rejects with a refusal when the address is not a Gatehouse that accepts the credential. Records nothing. */
    async probe(): Promise<void> {
      const answer = await request('/user-flow', { headers: { Authorization: authorization.own } }).catch(
        (error: unknown) => {
          const advice = local ? 'Start it with npm run dev, or set its address with --url.' : 'Try again.';
          throw new CommandRefusal(`Gatehouse does not answer at ${origin} (${reasonOf(error, timeoutMs)}). ${advice}`);
        },
      );
      if (answer.status === 401)
        throw new CommandRefusal(`${origin} does not accept this credential. Set ${CREDENTIAL}`);
      if (answer.status !== 200 || answer.text !== '')
        throw new CommandRefusal(`${origin} is not a Gatehouse (status ${answer.status}). Check --url.`);
    },
    /** Makes one call. Never rejects: a missing response is a reply of kind `no answer` without latency. */
    async send(call: ScriptedCall): Promise<{ reply: ReceivedReply; latencyMs?: number }> {
      const headers = { Authorization: authorization[call.credential], 'Content-Type': 'application/json' };
      const startedAt = performance.now();
      try {
        const answer = await request(call.path, { method: 'POST', headers, body: call.body });
        return { reply: readReply(call, answer), latencyMs: performance.now() - startedAt };
      } catch (error) {
        return { reply: noAnswer(reasonOf(error, timeoutMs)) };
      }
    },
  };
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

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError') return `timeout after ${timeoutMs / 1_000} s`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
