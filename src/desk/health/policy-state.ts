/** Which policy decides, and what an operator should know about it. */

import { KvWorld } from '../../gate/know.ts';
import type { Config } from '../../platform/config.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { POINTER_KEY, readPointer } from '../../policy/pointer.ts';
import { unpublishedSince } from '../policies/publish.ts';

export interface PolicyState {
  /** False: sign-ups are blocked, since no policy could be read. */
  readonly decides: boolean;
  /** 0 is the built-in policy. Absent when none decides. */
  readonly version?: number;
  /** The version that runs in the shadow, when there is one. */
  readonly shadow?: number;
  /** `''`, or why this may not be the version that was saved last: as on attempts. */
  readonly fault: string;
  /** A policy lies in KV while the built-in one decides. */
  readonly unused: boolean;
  /** Since when (ISO 8601) something is saved that may not be in KV; absent when nothing waits longer than the cron takes. */
  readonly unpublishedSince?: string;
}

export async function policyState(
  kv: KVNamespace,
  config: Config,
  later: (work: Promise<unknown>) => void,
): Promise<PolicyState> {
  const since = await unpublishedSince(kv, Date.now());
  const waiting = since === undefined ? {} : { unpublishedSince: new Date(since).toISOString() };
  if (config.POLICY === 'built-in') {
    const pointer = await kv.get(POINTER_KEY);
    const unused = pointer !== null && readPointer(pointer) !== undefined;
    return { decides: true, version: 0, fault: '', unused, ...waiting };
  }
  const now = Date.now();
  const world = new KvWorld({
    kv,
    config,
    startedAt: now,
    deadline: now + config.DECISION_TIMEOUT_MS,
    withTimeout,
    later,
  });
  const { policy, shadow, fault } = await world.policyNow();
  return {
    decides: policy !== undefined,
    ...(policy === undefined ? {} : { version: policy.version }),
    ...(shadow === undefined ? {} : { shadow: shadow.number }),
    fault,
    unused: false,
    ...waiting,
  };
}

export function policyWarnings({ unpublishedSince: since, ...state }: PolicyState): string[] {
  const waiting =
    since === undefined
      ? []
      : [`A policy saved at ${since} may not be in Workers KV yet: look whether the cron trigger runs.`];
  return [...warningsOf(state), ...waiting];
}

function warningsOf({ decides, version, fault, unused }: Omit<PolicyState, 'unpublishedSince'>): string[] {
  if (unused)
    return ['A policy is saved, and the built-in one decides: set POLICY = "stored" in wrangler.toml to use it.'];
  if (decides)
    return fault === '' ? [] : [`Version ${version} of the policy decides from memory: ${MEND[fault] ?? fault}`];
  return [`No policy decides, so that sign-ups are blocked: ${MEND[fault] ?? fault}`];
}

const MEND: { readonly [fault: string]: string } = {
  'policy-missing':
    'Workers KV holds none. Save one with `npm run policy -- push FILE`; the cron publishes what was saved.',
  'policy-unreadable':
    'what Workers KV holds is no policy, so that somebody must have written it by hand. The cron publishes the saved one again within minutes; `npm run policy -- push FILE` does it now.',
  'policy-kv-unavailable': 'Workers KV does not answer.',
};
