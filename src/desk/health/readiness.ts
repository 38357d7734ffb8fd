/** Checks everything behind Gatehouse in parallel, and warns the operator of what to fix. */
import { notedCertificateWarnings } from '../../callers/certificate-expiry.ts';
import { type Config, configOf } from '../../platform/config.ts';
import { type GateState, signedPairs } from '../../platform/gate-state.ts';
import { withTimeout } from '../../platform/timeout.ts';
import { type DeadLetterKind, listDeadLetters } from '../consume/dead-letters.ts';
import type { DeskEnv } from '../env.ts';
import { type Readiness, readiness } from './database-state.ts';
import { policyState, policyWarnings } from './policy-state.ts';
import { type RecordsState, recordsState, recordsWarnings } from './records-state.ts';

/** Timeout of each part, so that one that hangs does not hide the others. */
const PART_LIMIT_MS = 1_000;
/** One page of KV's list. A higher count is `"1000 or more"`. */
const MAX_COUNTED = 1_000;
/** The schedule sums every five minutes. */
const UNSUMMED_TOO_LONG_SECONDS = 30 * 60;

type Part<Facts> = ({ readonly ok: true } & Facts) | { readonly ok: false; readonly problem: string };

/**
 * The response of `/health/ready`. Never throws. Contains no secrets and no personal data. `later` takes work that
 * continues after the response.
 */
export async function askParts(env: DeskEnv, gate: GateState | undefined, later: (work: Promise<unknown>) => void) {
  const config = configOf(env);
  const [kv, queue, neon, policy, certificates, records] = await Promise.all([
    part('Workers KV', async () => {
      await env.GATEHOUSE.get('health');
      return {};
    }),
    part('Workers KV (dead letters)', () => countDeadLetters(env.GATEHOUSE)),
    part('Neon', () => readiness(config)),
    part('Workers KV (policy)', () => policyState(env.GATEHOUSE, config, later)),
    part('Workers KV (certificates)', async () => ({ expiring: await notedCertificateWarnings(env.GATEHOUSE) })),
    part('Workers KV (records)', () => recordsState(env.GATEHOUSE, config, gate, Date.now())),
  ]);
  const warnings = [
    ...problemsOf(config.problems, gate, certificates.ok ? certificates.expiring : []),
    ...(await sharedPairs(config, gate)),
    ...(policy.ok ? policyWarnings(policy) : []),
  ];
  if (queue.ok && (queue.refused !== 0 || queue.outage !== 0)) {
    warnings.push('There are dead letters. List them with `npm run dead-letters -- list`, then replay or remove them.');
  }
  if (neon.ok) warnings.push(...neonWarnings(neon));
  if (records.ok) warnings.push(...recordsWarnings(records, config, gate));
  const isReady = kv.ok && queue.ok && neon.ok && neon.migrated && policy.ok && policy.decides && policy.fault === '';
  return {
    status: isReady ? ('ready' as const) : ('not-ready' as const),
    kv,
    queue,
    neon,
    policy,
    records: records.ok ? shownRecords(records) : records,
    warnings,
  };
}

const shownRecords = ({ rekey, moved, stuck, foreign }: RecordsState) => ({
  ok: true as const,
  rekey,
  moved,
  stuck,
  foreign,
});

/** Warnings for the operator from the database's state. Pure. */
export function neonWarnings(neon: Readiness): string[] {
  const warnings: string[] = [];
  if (!neon.migrated) {
    warnings.push(
      'The database is older than this Gatehouse, and attempts wait in the queue. Run `npm run migrate` with its DATABASE_URL.',
    );
  }
  if ((neon.oldestUnsummedSeconds ?? 0) > UNSUMMED_TOO_LONG_SECONDS) {
    warnings.push('Attempts have waited for aggregation for more than 30 minutes. Check that the cron trigger runs.');
  }
  if (neon.usersMissing) {
    warnings.push(
      'Reports on users lack people of older attempts. Run `npm run sums -- rebuild` once with its DATABASE_URL.',
    );
  }
  if (neon.differentSteps > 0) {
    warnings.push(
      `${neon.differentSteps} calls in 24 hours had different steps in URL and body. Correct the connector’s URL in the Azure portal.`,
    );
  }
  if (neon.unknownSteps > 0) {
    warnings.push(
      `${neon.unknownSteps} calls in 24 hours had no known step. Set the connector’s URL to that of its step in the Azure portal.`,
    );
  }
  const exchanges = Object.entries(neon.unknownExchanges).map(([name, calls]) => `${asQuoted(name)} (${calls})`);
  if (exchanges.length > 0) {
    warnings.push(
      `Custom policies called exchanges in 24 hours that the policy does not have: ${exchanges.join(', ')}. ` +
        'Correct the ServiceUrl of the technical profile, or add the exchange to the policy.',
    );
  }
  const refused = Object.entries(neon.refusedCalls).map(([kind, calls]) => `${kind} (${calls})`);
  if (refused.length > 0) {
    warnings.push(
      `Calls were refused in the last hour: ${refused.join(', ')}. ` +
        'Compare the credential and the URL of the caller; calls of strangers are refused too.',
    );
  }
  const failed = Object.entries(neon.failedRules).map(([rule, calls]) => `${rule} (${calls} calls)`);
  if (failed.length > 0) {
    warnings.push(
      `Conditions of these rules failed unexpectedly today or yesterday: ${failed.join(', ')}. Read the notes of such attempts, then guard the condition with has() or set "onError".`,
    );
  }
  return warnings;
}

/** A name that a caller chose, as text of one line in which nothing is invisible. */
const asQuoted = (name: string): string =>
  name === '' ? 'none at all' : `"${name.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]|["\\]/gu, '\ufffd')}"`;

/** Problems with the settings of both Workers and what the gate noted, without duplicates. */
const problemsOf = (own: readonly string[], gate: GateState | undefined, noted: readonly string[]): string[] => [
  ...new Set([...own, ...(gate?.problems ?? []), ...noted]),
];

/** Finds credentials of more than one kind: with B2C's copy, its holder could read reports or change roles. */
async function sharedPairs(
  { SUPPORT_CODE_KEY, credentials: { reports, admin } }: Config,
  gate: GateState | undefined,
): Promise<string[]> {
  const signed = await Promise.all([reports, admin].map((pairs) => signedPairs(SUPPORT_CODE_KEY, pairs)));
  const all = [gate?.pairs ?? [], ...signed].flatMap((pairs) => [...new Set(pairs)]);
  if (new Set(all).size === all.length) return [];
  return ['Two of connector, reports and admin have the same credentials. Use different credentials for each.'];
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
    return { ok: false, problem: `${name} failed or did not answer within ${PART_LIMIT_MS / 1_000} s.` };
  }
}
