/** Whether everything behind Gatehouse works, each part asked at once with a limit of its own, and what an operator should mend. */

import { type Config, configOf } from '../../platform/config.ts';
import { type GateState, signedPairs } from '../../platform/gate-state.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { type DeadLetterKind, listDeadLetters } from '../consume/dead-letters.ts';
import type { DeskEnv } from '../env.ts';
import { type Readiness, readiness } from './database-state.ts';
import { policyState, policyWarnings } from './policy-state.ts';

/** One limit a part, so that one that hangs does not hide the others. */
const PART_LIMIT_MS = 1_000;
/** One page of KV's list: beyond it a figure is `"1000 or more"`. */
const MAX_COUNTED = 1_000;
/** Sums run every five minutes while there is something to sum. */
const UNSUMMED_TOO_LONG_SECONDS = 20 * 60;

type Part<Facts> = ({ readonly ok: true } & Facts) | { readonly ok: false; readonly problem: string };

/** The answer of `/health/ready`. Never throws, and holds no secret and no personal data. `later` takes work that goes on after it. */
export async function askParts(env: DeskEnv, gate: GateState | undefined, later: (work: Promise<unknown>) => void) {
  const config = configOf(env);
  const [kv, queue, neon, policy] = await Promise.all([
    part('Workers KV', async () => {
      await env.GATEHOUSE.get('health');
      return {};
    }),
    part('Workers KV (dead letters)', () => countDeadLetters(env.GATEHOUSE)),
    part('Neon', () => readiness(config)),
    part('Workers KV (policy)', () => policyState(env.GATEHOUSE, config, later)),
  ]);
  const warnings = [
    ...problemsOf(config.problems, gate),
    ...(await sharedPairs(config, gate)),
    ...(policy.ok ? policyWarnings(policy) : []),
  ];
  if (queue.ok && (queue.refused !== 0 || queue.outage !== 0)) {
    warnings.push(
      'Messages wait among the dead letters. Look at them with `npm run dead-letters -- list`, then replay or remove them.',
    );
  }
  if (neon.ok) warnings.push(...neonWarnings(neon));
  return {
    status:
      [kv, queue, neon, policy].every(({ ok }) => ok) && neon.ok && neon.migrated && policy.ok && policy.decides
        ? 'ready'
        : 'not-ready',
    kv,
    queue,
    neon,
    policy,
    warnings,
  };
}

/** What an operator should mend by what Postgres says, as sentences. Pure. */
export function neonWarnings(neon: Readiness): string[] {
  const warnings: string[] = [];
  if (!neon.migrated) {
    warnings.push(
      'The database lacks what this Gatehouse writes: attempts wait in the queue until somebody runs `npm run migrate` with its DATABASE_URL.',
    );
  }
  if ((neon.oldestUnsummedSeconds ?? 0) > UNSUMMED_TOO_LONG_SECONDS) {
    warnings.push('Attempts wait long to be summed: look whether the cron trigger runs.');
  }
  if (neon.differentSteps > 0) {
    warnings.push(
      `${neon.differentSteps} calls in 24 hours named one step in the URL and another in the body: correct the connector’s URL in the Azure portal.`,
    );
  }
  if (neon.unknownSteps > 0) {
    warnings.push(
      `${neon.unknownSteps} calls in 24 hours named no step that we know: give the connector the URL of its step in the Azure portal.`,
    );
  }
  const failed = Object.entries(neon.failedRules).map(([rule, calls]) => `${rule} (${calls} calls)`);
  if (failed.length > 0) {
    warnings.push(
      `Conditions of the policy failed unforeseen today or yesterday: ${failed.join(', ')}. Look at the notes of such attempts, then guard what failed with has(), or say "onError".`,
    );
  }
  return warnings;
}

/** What either Worker finds wrong with its settings, each once. */
const problemsOf = (own: readonly string[], gate: GateState | undefined): string[] => [
  ...new Set([...own, ...(gate?.problems ?? [])]),
];

/** A pair that opens two kinds of doors: B2C's copy of it would let its holder read reports or change roles. */
async function sharedPairs(
  { SUPPORT_CODE_KEY, credentials: { reports, admin } }: Config,
  gate: GateState | undefined,
): Promise<string[]> {
  const signed = await Promise.all([reports, admin].map((pairs) => signedPairs(SUPPORT_CODE_KEY, pairs)));
  const all = [gate?.pairs ?? [], ...signed].flatMap((pairs) => [...new Set(pairs)]);
  if (new Set(all).size === all.length) return [];
  return ['A pair opens two kinds of doors (connector, reports, admin). Give each kind a pair of its own.'];
}

async function countDeadLetters(kv: KVNamespace) {
  const { letters, next } = await listDeadLetters(kv, MAX_COUNTED);
  const count = (kind: DeadLetterKind) => {
    const found = letters.filter((letter) => letter.kind === kind).length;
    return next === undefined ? found : `${found} or more`;
  };
  return { outage: count('outage'), refused: count('refused') };
}

async function part<Facts extends object>(name: string, ask: () => Promise<Facts>): Promise<Part<Facts>> {
  try {
    return { ok: true, ...(await withTimeout(PART_LIMIT_MS, ask)) };
  } catch {
    return { ok: false, problem: `${name} did not answer within ${PART_LIMIT_MS / 1_000} s, or refused.` };
  }
}
