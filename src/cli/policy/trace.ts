/** The result of each rule as a table. */
import { table } from '../table.ts';
import type { Traced } from './policy-api.ts';

const MAX_VALUE_CHARS = 80;
const NONE = '-';

export const traceTable = (trace: readonly Traced[]): string =>
  table(
    ['RULE', 'APPLIED', 'CONDITION', 'EFFECT'],
    trace.map((entry) => [entry.rule, appliedOf(entry), resultOf(entry.when), effectOf(entry)]),
  );

function appliedOf({ reached, applied }: Traced): string {
  if (!reached) return 'not reached';
  return applied === true ? 'yes' : 'no';
}

/** A rule that applies and sets nothing turns the person away. */
function effectOf({ applied, set }: Traced): string {
  if (set === undefined) return applied === true ? 'turns away' : NONE;
  return Object.entries(set)
    .map(([claim, result]) => `${claim} ${'error' in result ? '' : '= '}${resultOf(result)}`)
    .join(', ');
}

/** An error is not truncated: it says what to write instead. */
function resultOf(result: Traced['when']): string {
  if (result === undefined) return NONE;
  if ('error' in result) return `failed: ${result.error}`;
  const text = JSON.stringify(result.value);
  return text.length <= MAX_VALUE_CHARS ? text : `${text.slice(0, MAX_VALUE_CHARS)}…`;
}
