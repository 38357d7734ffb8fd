/** The policy in force, and warnings about it for the operator. */
import { KvWorld } from '../../gate/know.ts';
import type { Config } from '../../platform/config.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { POINTER_KEY, readPointer } from '../../policy/pointer.ts';
import { unpublishedSince } from '../policies/publish.ts';

export interface PolicyState {
  /** False when no policy could be read: sign-ups are blocked. */
  readonly decides: boolean;
  /** 0 is the built-in policy. Absent when none decides. */
  readonly version?: number;
  /** The version of the shadow policy; absent when there is none. */
  readonly shadow?: number;
  /** `''`, or why this may not be the version that was saved last, as in an attempt's `degraded`. */
  readonly fault: string;
  /** True when KV has a policy but the built-in one decides. */
  readonly unused: boolean;
  /** Time (ISO 8601) of a save that may not be in KV yet; absent when none waits longer than the cron takes. */
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
      : [`A policy saved at ${since} may not be in Workers KV yet. Check that the cron trigger runs.`];
  return [...warningsOf(state), ...waiting];
}

function warningsOf({ decides, version, fault, unused }: Omit<PolicyState, 'unpublishedSince'>): string[] {
  if (unused)
    return [
      'A policy is saved, but the built-in one decides. Set POLICY = "stored" in wrangler.toml to use the saved one.',
    ];
  if (decides)
    return fault === ''
      ? []
      : [
          `Version ${version} of the policy is served from memory, and a new isolate blocks sign-ups. ${CAUSE[fault] ?? fault}`,
        ];
  return [`No policy decides, so sign-ups are blocked. ${CAUSE[fault] ?? fault}`];
}

/** Cause and remedy of a fault. */
const CAUSE: { readonly [fault: string]: string } = {
  'policy-missing':
    'Workers KV has no policy. Save one with `npm run policy -- push FILE`. The cron publishes a saved one within minutes.',
  'policy-unreadable':
    'The policy in Workers KV cannot be read; it was probably written by hand. The cron publishes the saved one again within minutes; `npm run policy -- push FILE` publishes at once.',
  'policy-kv-unavailable': 'Workers KV does not answer.',
};
