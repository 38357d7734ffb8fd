/** Calls answered and remembered by the code that does so in Gatehouse, and their attempts as reports give them. */
import { v7 as uuidv7 } from 'uuid';
import { type KeptAttempt, keptAttempt } from '../../local/commands/policy/replay-attempts.ts';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { attemptOf } from '../../src/attempts/compose.ts';
import { attemptRow } from '../../src/attempts/row.ts';
import { readConfig } from '../../src/config.ts';
import type { SignInEvent } from '../../src/connectors/event.ts';
import { type Answer, answer, type Call } from '../../src/connectors/user-flow/answer.ts';
import { heldBy, type TriedEntitlements } from '../../src/connectors/user-flow/trial.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import type { PersonEntitlements } from '../../src/policy/policy.ts';
import { attemptJson } from '../../src/reports/attempt-json.ts';
import type { AttemptRow } from '../../src/reports/queries/columns.ts';
import { within } from '../../src/within.ts';

export interface Given {
  readonly body: Record<string, unknown>;
  /** Undefined: the built-in policy. */
  readonly policy?: object | undefined;
  /** What is held about whoever calls; undefined: nothing. */
  readonly held?: TriedEntitlements | undefined;
  readonly kvFails?: boolean;
  readonly keep?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: number;
}

export interface Recorded {
  readonly attempt: Attempt;
  /** As `/reports/attempts` gives it and a replay reads it. */
  readonly kept: KeptAttempt;
  readonly answered: Answer;
  /** What any policy would have been told of the person. */
  readonly entitlements: PersonEntitlements;
}

export async function recorded({ body, policy, held, kvFails = false, keep = [], now = Date.now() }: Given) {
  const config = readConfig({
    LOCAL: 'yes',
    POLICY: policy === undefined ? 'built-in' : 'stored',
    KEEP_CLAIMS: keep.join(','),
    EMAIL_TRUSTED_ISSUERS: '-',
  });
  const record = held && {
    ...{ v: 1, roles: [], groups: [], attributes: {}, applications: {} },
    ...held,
    ...{ updatedAt: '2026-11-01T12:00:00.000Z', updatedBy: 'admin' },
  };
  const get = async (keys: string | string[]) => {
    if (keys === POINTER_KEY) return JSON.stringify({ v: 1, number: 7 });
    if (typeof keys === 'string') return JSON.stringify(policy);
    if (kvFails) throw new Error('KV does not answer.');
    return new Map(keys.map((key) => [key, record === undefined ? null : JSON.stringify(record)]));
  };
  const call: Call = {
    request: new Request('https://gatehouse.example/connectors/user-flow', {
      method: 'POST',
      body: JSON.stringify(body),
    }),
    urlStep: undefined,
    callerName: 'Test',
    startedAt: now,
    kv: { get } as unknown as Call['kv'],
    later: () => undefined,
    afterReply: () => undefined,
    config,
    within,
  };
  const answered = await answer(call);
  const attempt = await attemptOf(call, answered, uuidv7({ msecs: now }));
  const row = attemptRow(attempt) as AttemptRow;
  const { event, lookup, entitlements } = answered.seen;
  return {
    attempt,
    kept: keptAttempt.parse(JSON.parse(JSON.stringify(attemptJson(row)))),
    answered,
    // Where nobody asked, KV would have answered.
    entitlements: lookup === undefined && event !== undefined ? heldBy(event, held ?? {}) : entitlements,
  };
}

/** The event of a call that could be read. */
export function eventOf({ answered }: Pick<Recorded, 'answered'>): SignInEvent {
  if (answered.seen.event === undefined) throw new Error('The body could not be read.');
  return answered.seen.event;
}
