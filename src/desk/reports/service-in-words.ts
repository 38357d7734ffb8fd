/** Whether Gatehouse was slow or failed, in words that a support agent can read out. Pure. */

import { isOurFailure } from './attempt-verdict.ts';
import { total } from './breakdowns.ts';
import { waitsMs } from './repeated-calls.ts';
import type { Summary } from './summary.ts';

type Known = Pick<Summary, 'totals' | 'durationMs' | 'byChannel' | 'byReason' | 'byDegraded' | 'refusedCalls'>;

/** Without what the summary leaves out. Calls that were refused are those of all filters. */
export function serviceInWords(known: Known): string {
  const refused = known.refusedCalls.filter(({ route }) => route === 'connector');
  return [
    ...(known.totals.attempts === 0
      ? ['Whether Gatehouse was slow or failed is unknown: no such call is recorded.']
      : [aboutSpeed(known), aboutFailures(known)]),
    refused.length === 0
      ? ''
      : `Calls of connectors were refused: ${listed(refused.map(({ reason, calls }) => [reason, calls]))}.`,
    'A call that did not reach Gatehouse is in no number.',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function aboutSpeed({ durationMs: { p50, p95, p99 }, byChannel }: Known): string {
  if (p50 === null || p95 === null || p99 === null) return '';
  const limitMs = Math.min(...byChannel.map(({ channel }) => waitsMs(channel)));
  const took = `half of the calls were answered within ${p50} ms, 95 % within ${p95} ms and 99 % within ${p99} ms. Microsoft waits ${limitMs / 1_000} seconds`;
  if (p99 < limitMs) return `Not slow: ${took}.`;
  const late = p50 >= limitMs ? 'half of the calls' : p95 >= limitMs ? '5 % of the calls' : '1 % of the calls';
  return `Slow: ${took}, so for ${late} or more the answer came too late or nearly.`;
}

function aboutFailures({ totals, byReason, byDegraded = [] }: Known): string {
  const failed = `${totals.byOutcome.error ?? 0} of ${totals.attempts} calls failed`;
  if (byReason === undefined) return `${failed}. include=facets adds the reasons.`;
  const isFailing = byDegraded.length > 0 || byReason.some(({ reason }) => isOurFailure(reason));
  const reasons = listed(byReason.map(({ reason, attempts }) => [reason, attempts]));
  const parts = listed(byDegraded.map(({ degraded, attempts }) => [degraded, attempts]));
  const why = reasons === '' ? '' : ` (${reasons})`;
  const behind = parts === '' ? '' : `, and a part behind Gatehouse did not work in ${total(byDegraded)} (${parts})`;
  return `${isFailing ? 'Failing' : 'Not failing'}: ${failed}${why}${behind}.`;
}

/** `deadline 2, exception 1`. */
function listed(counts: readonly (readonly [code: string, calls: number])[]): string {
  const sums = new Map<string, number>();
  for (const [code, calls] of counts) sums.set(code, (sums.get(code) ?? 0) + calls);
  return [...sums].map(([code, calls]) => `${code} ${calls}`).join(', ');
}
