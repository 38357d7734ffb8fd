/** Checks drafts, and runs calls through Gatehouse's own code to get attempts as reports return them. */
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { type StoredAttempt, storedAttempt } from '../../src/cli/policy/replay/replay-attempts.ts';
import { attemptRow } from '../../src/desk/consume/row.ts';
import type { CheckedPolicy } from '../../src/desk/policies/check.ts';
import { checkRules } from '../../src/desk/policies/check-rules.ts';
import { compilePlan } from '../../src/desk/policies/compile-plan.ts';
import { type PolicyDocument, policySchema } from '../../src/desk/policies/policy-document.ts';
import { attemptJson } from '../../src/desk/reports/attempt-json.ts';
import type { AttemptRow } from '../../src/desk/reports/queries/columns.ts';
import { type Answered, answer, type Call } from '../../src/gate/answer.ts';
import { attemptOf } from '../../src/gate/compose-attempt.ts';
import { customPolicyDoor } from '../../src/gate/custom-policy/door.ts';
import { KvWorld } from '../../src/gate/know.ts';
import { heldBy, type TriedEntitlements } from '../../src/gate/trial.ts';
import { userFlowDoor } from '../../src/gate/user-flow/door.ts';
import { readConfig } from '../../src/platform/config.ts';
import { withTimeout } from '../../src/platform/timeout.ts';
import { listKey, planKey } from '../../src/policy/plan.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import { NOTHING_HELD, type PersonEntitlements } from '../../src/policy/policy.ts';
import type { SignInEvent } from '../../src/sign-in/event.ts';

export const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };

/** Undefined when the document cannot be saved. Skips the runs on samples, which take longer than the other checks. */
export function checked(written: object): CheckedPolicy | undefined {
  const document: PolicyDocument = policySchema.parse(JSON.parse(JSON.stringify(written)));
  const { rules, problems } = checkRules(document, NAMES.rolesClaim);
  return problems.length > 0 ? undefined : { document, rules, warnings: [] };
}

export interface Given {
  readonly body: Record<string, unknown>;
  /** The exchange that the call names; undefined: a user flow. */
  readonly exchange?: string | undefined;
  /** Undefined: the built-in policy. */
  readonly policy?: CheckedPolicy | undefined;
  /** The person's entitlements; undefined: none. */
  readonly held?: TriedEntitlements | undefined;
  readonly kvFails?: boolean;
  readonly keep?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: number;
}

export interface Recorded {
  readonly attempt: Attempt;
  /** The attempt as `/reports/attempts` returns it and a replay reads it. */
  readonly kept: StoredAttempt;
  readonly answered: Answered;
  /** The person's entitlements, as any policy sees them. */
  readonly entitlements: PersonEntitlements;
}

export async function recorded({ body, exchange, policy, held, kvFails = false, keep = [], now = Date.now() }: Given) {
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
  const plan = policy && (await compilePlan(policy, JSON.stringify(policy.document)));
  const stored = new Map([
    [POINTER_KEY, JSON.stringify({ v: 1, number: 7 })],
    [planKey(7), plan?.text ?? ''],
    ...[...(plan?.lists ?? [])].map(([name, text]) => [listKey(7, name), text] as const),
  ]);
  const heldUnder = (key: string) => stored.get(key) ?? (record === undefined ? null : JSON.stringify(record));
  const get = async (keys: string | string[]) => {
    if (typeof keys === 'string') return heldUnder(keys);
    if (kvFails) throw new Error('KV does not answer.');
    return new Map(keys.map((key) => [key, heldUnder(key)]));
  };
  const call: Call = {
    request: new Request('https://gatehouse.example/connectors/user-flow', {
      method: 'POST',
      body: JSON.stringify(body),
    }),
    urlStep: exchange,
    caller: 'Test',
    callerKind: 'basic',
    startedAt: now,
    decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
    withTimeout,
  };
  const kv = { get } as unknown as KVNamespace;
  const deadline = Date.now() + config.DECISION_TIMEOUT_MS;
  const world = new KvWorld({ kv, config, startedAt: now, deadline, withTimeout, later: () => undefined });
  const answered = await (exchange === undefined
    ? answer(userFlowDoor, world, call)
    : answer(customPolicyDoor([]), world, call));
  const { reached } = answered;
  const part = (exchange === undefined ? userFlowDoor : customPolicyDoor([])).recorded(reached);
  const attempt = await attemptOf(config, answered, part, uuidv7({ msecs: now }), { isolate: null, sequence: 0 });
  const row = attemptRow(attempt) as AttemptRow;
  const { event, lookup, person } = reached;
  return {
    attempt,
    kept: storedAttempt.parse(JSON.parse(JSON.stringify(attemptJson(row)))),
    answered,
    // Without a look-up, KV would have answered.
    entitlements: lookup === undefined && event !== undefined ? heldBy(event, held ?? {}) : (person ?? NOTHING_HELD),
  };
}

/** The event of a call that could be read. */
export function eventOf({ answered }: Pick<Recorded, 'answered'>): SignInEvent {
  if (answered.reached.event === undefined) throw new Error('The body could not be read.');
  return answered.reached.event;
}
