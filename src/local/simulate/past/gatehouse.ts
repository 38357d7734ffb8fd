/** Answers a simulated call with Gatehouse's own code. No other file of this folder depends on the gate. */

import { answer } from '../../../gate/answer.ts';
import { attemptOf } from '../../../gate/compose-attempt.ts';
import { KvWorld } from '../../../gate/know.ts';
import { userFlowDoor } from '../../../gate/user-flow/door.ts';
import type { Config } from '../../../platform/config.ts';
import { withTimeout } from '../../../platform/timeout.ts';
import { stepNamed } from '../../../sign-in/steps.ts';

/** The user name of the sample credential. */
const CALLER = 'Test';

export interface PlayedCall {
  /** The path after `/connectors/user-flow`. */
  readonly path: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Returns the value of a key in KV, null when missing. Rejects when KV is unavailable. */
  readonly held: (key: string) => Promise<string | null>;
}

/** Returns the reply, and a function that composes the attempt with a given id and duration. */
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
  const answered = await answer(userFlowDoor, world, {
    request: new Request(`https://gatehouse.example/connectors/user-flow${path}`, { method: 'POST', headers, body }),
    urlStep: stepNamed(path.slice(1)),
    caller: CALLER,
    callerKind: 'basic',
    startedAt: atMs,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    withTimeout,
  });
  return {
    reply: answered.reply,
    attempt: (id: string, durationMs: number) =>
      attemptOf(config, { ...answered, durationMs }, userFlowDoor.recorded(answered.reached), id),
  };
}
