/** The sentences of the report on credentials: what a person who retires one should know, and what is counted. Pure. */
import { DAY_MS } from '../../platform/duration.ts';
import type { CallerCounts, CredentialUse } from './callers-report.ts';
import { dayOf, type Stretch } from './parts.ts';

/** The setting of the gate that has the credentials of a kind. */
const SETTINGS: Readonly<Record<string, string>> = {
  certificate: 'CONNECTOR_CERTIFICATES',
  jwt: 'CONNECTOR_ISSUERS',
  'api-key': 'CONNECTOR_KEYS',
  code: 'CONNECTOR_KEYS',
  'static-bearer': 'CONNECTOR_TOKENS',
  basic: 'CONNECTOR_BASIC',
};

type Use = Omit<CredentialUse, 'advice'>;

interface Around {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly range: Stretch;
  /** The first day with a counted call; undefined without one. */
  readonly countedSince: string | undefined;
  /** Other ways in which the same line was presented. */
  readonly others: readonly Use[];
  /** Number of configured lines with this name. */
  readonly sharedBy: number;
}

/** When a credential was last used, and what follows from it. */
export function adviceFor(use: Use, { now, range, countedSince, others, sharedBy }: Around): string {
  const isCurrent = range.to.getTime() > now;
  const sentences = [lastUse(use, now, isCurrent, laterDay(dayOf(range.from), countedSince))];
  if (use.configured === false) sentences.push('It is no longer configured.');
  if (sharedBy > 1)
    sentences.push(`${sharedBy} lines of ${SETTINGS[use.kind]} have this name and cannot be distinguished.`);
  for (const other of others.filter(({ lastSeen }) => lastSeen !== null))
    sentences.push(`The same line, presented as ${other.kind}, was last used ${onOrAt(other.lastSeen ?? '')}.`);
  if (use.refused > 0) {
    const calls = use.refused === 1 ? '1 call under this name was' : `${use.refused} calls under this name were`;
    sentences.push(
      `${calls} refused, the last on ${use.refusals
        .map(({ lastDay }) => lastDay)
        .sort()
        .at(-1)}.`,
    );
  }
  const isUsedToday = [use, ...others].some(({ lastSeen }) => lastSeen?.slice(0, 10) === dayOf(now));
  if (isCurrent && use.configured === true && !isUsedToday)
    sentences.push(
      `Before you remove it from ${SETTINGS[use.kind]}, check that no connector or custom policy in the portal has it.`,
    );
  return sentences.join(' ');
}

function lastUse({ lastSeen, refused, configured }: Use, now: number, isCurrent: boolean, since: string): string {
  if (lastSeen === null) {
    if (configured !== true && refused > 0) return 'Every call with it in this range was refused.';
    return isCurrent ? `Nothing has used it since ${since}.` : 'Nothing used it in this range.';
  }
  const used = `Last used ${onOrAt(lastSeen)}`;
  if (!isCurrent) return `${used} in this range, which ends before today: leave out "to" to see later calls.`;
  const days = Math.round((Date.parse(dayOf(now)) - Date.parse(lastSeen.slice(0, 10))) / DAY_MS);
  if (days <= 0) return `${used}: it is in use.`;
  return `${used}; nothing has used it for ${days} ${days === 1 ? 'day' : 'days'}.`;
}

/** `on 2026-11-21`, or `at 2026-11-21 08:15:30 UTC`. */
const onOrAt = (seen: string) => (seen.length > 10 ? `at ${seen.slice(0, 19).replace('T', ' ')} UTC` : `on ${seen}`);

const laterDay = (one: string, other: string | undefined) => (other !== undefined && other > one ? other : one);

interface Covered {
  readonly range: Stretch;
  readonly counts: CallerCounts;
  /** The day since which refused calls are kept. */
  readonly refusedSince: string;
  /** Whether the gate named its credentials. */
  readonly gateNames: boolean;
}

export function callersCoverage({ range, counts, refusedSince, gateNames }: Covered): string[] {
  const { countedSince, kindsSince, waiting } = counts;
  const from = dayOf(range.from);
  const sentences = [
    'An accepted call is an attempt, whatever its outcome: the credential was right. A call with several credentials counts for the strongest one only, so a weaker one beside it may be in use without a trace here.',
    'Two lines of a setting with the same name cannot be distinguished. Give every new line a name of its own.',
    '"lastSeen" is a time for a call of today or yesterday (UTC), else a day. "firstSeen" is a day. Both are within the range.',
    'Refused calls are counted under the name that they presented if it is configured, and else under "unnamed". Only user names of Basic, certificates, issuers of tokens, and keys in ?code= have one. Guesses of strangers are counted too, and the last calls of a burst with the next one after it.',
    '"error" is what B2C shows to its users according to Microsoft. Where the kind of a refused credential is unknown, it is AADB2C90075; for a wrong user name of Basic, B2C may show AADB2C90027.',
    countedSince === undefined
      ? 'No accepted call is counted yet.'
      : `Accepted calls are counted since ${countedSince}, without an end.`,
    `Refused calls are kept since ${refusedSince}${from < refusedSince ? ': earlier ones are not counted' : ''}.`,
  ];
  if (countedSince !== undefined && countedSince < (kindsSince ?? '9') && from < (kindsSince ?? '9'))
    sentences.push(
      `${kindsSince === undefined ? 'All counted calls' : `Calls before ${kindsSince}`} count as basic: an earlier version counted them without a kind.`,
    );
  if (!gateNames)
    sentences.push(
      'The gate did not name its credentials, so "configured" is absent and unused ones are not listed. Deploy the gate of this version.',
    );
  if (waiting > 0)
    sentences.push(
      `Attempts that arrived late in ${waiting} hours of the range are not counted yet. They are counted within a few minutes.`,
    );
  return sentences;
}
