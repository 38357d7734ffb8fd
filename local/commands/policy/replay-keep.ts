/** Which claims would have to be kept for a replay to judge more. */
import type { Want } from './replay-tally.ts';

export interface Keeping {
  /** The setting, with what it names already; undefined when nothing is to be added. */
  readonly line: string | undefined;
  readonly added: readonly string[];
  /** Named already: the attempts came before that, or from a Gatehouse that is set otherwise. */
  readonly already: readonly string[];
}

const CLAIM = 'claims.';

/** `kept` is what `KEEP_CLAIMS` names now. */
export function keepingFor(wants: readonly Want[], kept: readonly string[]): Keeping {
  const wanted = wants.filter(({ why }) => why === 'not-kept').map(({ what }) => what.slice(CLAIM.length));
  const added = wanted.filter((claim) => !kept.includes(claim)).sort();
  const line = added.length === 0 ? undefined : `KEEP_CLAIMS=${JSON.stringify([...kept, ...added].join(','))}`;
  return { line, added, already: wanted.filter((claim) => kept.includes(claim)).sort() };
}
