/** The Gatehouse of a simulation: its address, the credential, and HTTP calls as B2C makes them. */
import { assertConnector, B2C_TIMEOUT_MS, connectorAt, presentedPair, whyNoAnswer } from '../../cli/connector.ts';
import { noAnswer, type ReceivedReply, readReply } from '../../cli/received-reply.ts';
import { CommandRefusal } from '../../cli/refusal.ts';
import type { ScriptedCall } from './script.ts';

export type Target = ReturnType<typeof targetAt>;

/** Checks address and credential. `sure` allows an address that is not local; `pair` is user:password. */
export function targetAt(url: string, pair: string | undefined, sure: boolean, timeoutMs = B2C_TIMEOUT_MS) {
  const connector = connectorAt(url, presentedPair(pair), fetch, timeoutMs);
  const { origin, isLocal, credentials, request } = connector;
  if (!isLocal && !sure)
    throw new CommandRefusal(
      `${origin} is not on this machine and would store attempts of made-up people. Add --yes to continue.`,
      2,
    );
  return {
    origin,
    /** Rejects with a refusal when the address is not a Gatehouse that accepts the credential. Records nothing. */
    probe: () => assertConnector(connector),
    /** Makes one call. Never rejects: a missing response is a reply of kind `no answer` without latency. */
    async send({ path, step, credential, body }: ScriptedCall): Promise<{ reply: ReceivedReply; latencyMs?: number }> {
      const headers = new Headers(credentials[credential]);
      headers.set('Content-Type', 'application/json');
      const channel = path.startsWith('/custom-policy/') ? 'custom-policy' : 'user-flow';
      const startedAt = performance.now();
      try {
        const answer = await request(path, { method: 'POST', headers, body });
        return { reply: readReply({ channel, step, credential }, answer), latencyMs: performance.now() - startedAt };
      } catch (error) {
        return { reply: noAnswer(whyNoAnswer(error, timeoutMs)) };
      }
    },
  };
}
