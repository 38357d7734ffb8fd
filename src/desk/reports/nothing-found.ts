/** What a search without a result says. Pure. */
import type { RefusedKind } from './queries/refused.ts';
import { toSeconds } from './seconds.ts';

/**
 * The sentence for a search without a result. `searched` says what the search looked for. A person may still have made
 * a call: under another key, or one that was not recorded.
 */
export function nothingFound(
  searched: readonly string[],
  keptSince: Date,
  refused: readonly RefusedKind[],
  nearMiss?: string,
): string {
  const since = keptSince.toISOString().slice(0, 10);
  const what = searched.length === 0 ? 'The text has no letters or digits to search for' : noneHas(searched, since);
  const near = nearMiss === undefined ? '' : ` Compare it with the original: ${nearMiss}.`;
  return (
    `${what}.${near}${refusedSentence(refused)} The person may have signed in under another address, phone number, user name or provider: ` +
    'ask for these, for the objectId, or for the support code on the page. ' +
    'A wrong password or a page that was left early makes no call, except in a custom policy that calls SignInStarted, ' +
    'and a new call appears after about two seconds.'
  );
}

/** Refused calls that came from B2C. One of them may have been this person's. */
function refusedSentence(refused: readonly RefusedKind[]): string {
  const ours = refused.filter(({ route }) => route === 'connector');
  if (ours.length === 0) return '';
  const calls = ours.reduce((sum, kind) => sum + kind.calls, 0);
  const [first = ''] = ours.map((kind) => kind.first).toSorted();
  const last =
    ours
      .map((kind) => kind.last)
      .toSorted()
      .at(-1) ?? '';
  const between = first === last ? `at ${toSeconds(first)}` : `between ${toSeconds(first)} and ${toSeconds(last)}`;
  return ` Gatehouse refused ${calls} ${calls === 1 ? 'call' : 'calls'} ${between} before it knew the person: it may have been one of them.`;
}

const noneHas = (searched: readonly string[], since: string) =>
  `No attempt recorded since ${since} has ${searched.join(' or ')}`;
