/** Gatehouse's own code for a call that is only played: the one file here that knows how a call is answered. */
import { attemptOf } from '../../../src/attempts/compose.ts';
import type { Config } from '../../../src/config.ts';
import { answer, type Call } from '../../../src/connectors/user-flow/answer.ts';
import { stepNamed } from '../../../src/connectors/user-flow/claims.ts';
import { within } from '../../../src/within.ts';

/** The user name of the sample credential. */
const CALLER = 'Test';

export interface PlayedCall {
  /** After `/connectors/user-flow`. */
  readonly path: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** What KV holds under a key, null when nothing; rejects when KV does not answer. */
  readonly held: (key: string) => Promise<string | null>;
}

/** The reply, and what is remembered of the call under an id and a duration of the play. */
export async function answerTo({ path, body, atMs, held }: PlayedCall, config: Config) {
  const get = async (keys: readonly string[]) =>
    new Map(await Promise.all(keys.map(async (key) => [key, await held(key)] as const)));
  const headers = { 'Content-Type': 'application/json' };
  const call: Call = {
    request: new Request(`https://gatehouse.example/connectors/user-flow${path}`, { method: 'POST', headers, body }),
    urlStep: stepNamed(path.slice(1)),
    callerName: CALLER,
    startedAt: atMs,
    // A call uses nothing else of it.
    kv: { get } as unknown as KVNamespace,
    later: () => undefined,
    afterReply: () => undefined,
    within,
    config,
  };
  const answered = await answer(call);
  return {
    reply: answered.reply,
    attempt: (id: string, durationMs: number) => attemptOf(call, { ...answered, durationMs }, id),
  };
}
