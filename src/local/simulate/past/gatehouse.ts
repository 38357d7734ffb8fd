/** Answers a simulated call with Gatehouse's own code. No other file of this folder depends on the gate. */

import type { AttemptNumber } from '../../../attempts/attempt-number.ts';
import { answer, type Call } from '../../../gate/answer.ts';
import { attemptOf } from '../../../gate/compose-attempt.ts';
import { customPolicyDoor } from '../../../gate/custom-policy/door.ts';
import { KvWorld } from '../../../gate/know.ts';
import { userFlowDoor } from '../../../gate/user-flow/door.ts';
import type { Config } from '../../../platform/config.ts';
import { withTimeout } from '../../../platform/timeout.ts';
import { stepNamed } from '../../../sign-in/steps.ts';

/** The user name of the sample credential. */
const CALLER = 'Test';

export interface PlayedCall {
  /** The path after `/connectors`. */
  readonly path: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Returns the value of a key in KV, null when missing. Rejects when KV is unavailable. */
  readonly held: (key: string) => Promise<string | null>;
}

/** Returns the reply, and a function that composes the attempt with a given id, number and duration. */
export async function answerTo({ path, body, atMs, held }: PlayedCall, config: Config) {
  const get = async (asked: string | readonly string[]) =>
    typeof asked === 'string'
      ? held(asked)
      : new Map(await Promise.all(asked.map(async (key) => [key, await held(key)] as const)));
  // A call uses no other method of KV.
  const kv = { get } as unknown as KVNamespace;
  const deadline = Date.now() + config.DECISION_TIMEOUT_MS;
  const world = new KvWorld({ kv, config, startedAt: atMs, deadline, withTimeout, later: () => undefined });
  const headers = { 'Content-Type': 'application/json' };
  const [, channel = '', name = ''] = path.split('/');
  const call: Omit<Call, 'urlStep'> = {
    request: new Request(`https://gatehouse.example/connectors${path}`, { method: 'POST', headers, body }),
    caller: CALLER,
    callerKind: 'basic',
    startedAt: atMs,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    withTimeout,
  };
  const isExchange = channel === 'custom-policy';
  const answered = isExchange
    ? await answer(customPolicyDoor([]), world, { ...call, urlStep: name })
    : await answer(userFlowDoor, world, { ...call, urlStep: stepNamed(name) });
  const { recorded } = isExchange ? customPolicyDoor([]) : userFlowDoor;
  return {
    reply: answered.reply,
    attempt: (id: string, number: AttemptNumber, durationMs: number) =>
      attemptOf(config, { ...answered, durationMs }, recorded(answered.reached), id, number),
  };
}
