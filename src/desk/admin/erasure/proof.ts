/** The proof of an erasure: what was done, and what remains where. It is in the audit log and names no one. */
import { erasedKeysRetentionDays } from '../../../database/retention.ts';
import type { Config } from '../../../platform/config.ts';
import { DAY_MS } from '../../../platform/duration.ts';

/** The subject of an erasure in the audit log. */
export const ERASURE_SUBJECT = 'erasure';

/** Days of UTC, such as `2026-11-21`. */
export interface DayRange {
  readonly from: string;
  readonly to: string;
}

/** What one request did. A repeated request has a proof of its own. */
export interface ErasureDone {
  /** Number of keys by kind, the asked one included. */
  readonly keys: Readonly<Record<string, number>>;
  /** Number of keys by kind that occurred with the person's and may be another person's too. */
  readonly notFollowed: Readonly<Record<string, number>>;
  readonly tables: {
    readonly attempts: { readonly blinded: number; readonly days?: DayRange | undefined };
    readonly changes: { readonly blinded: number };
    /** Rows that named the person. Those of other people are made again from what is left. */
    readonly users: { readonly removed: number };
    readonly accounts: { readonly removed: number };
  };
  /** Records of roles in Workers KV. */
  readonly records: { readonly removed: number };
  /** `unreadable`: messages of no known version, which were not searched by key. */
  readonly deadLetters: { readonly removed: number; readonly unreadable: number };
  /** Days whose aggregates, and numbers of distinct people, are calculated again by the schedule. */
  readonly daysToSumAgain: number;
}

export interface ErasureProof extends ErasureDone {
  /** Id of the row in the audit log. */
  readonly id: string;
  /** ISO 8601, UTC. Everything of calls until then is erased. */
  readonly erasedAt: string;
  /** False: send the same request again. */
  readonly finished: boolean;
  readonly remains: readonly Remains[];
}

export interface Remains {
  readonly where: string;
  readonly what: string;
  /** ISO 8601, UTC; absent where Gatehouse cannot know it. */
  readonly until?: string;
}

/** Workers Logs, on the longest plan: https://developers.cloudflare.com/workers/observability/logs/workers-logs/. */
const LOGS_DAYS = 7;
/** The longest history of a Neon project: https://neon.com/docs/introduction/history-window. */
const HISTORY_DAYS = 30;
/** Cloudflare keeps a message for 14 days at most, in each of two queues. */
const QUEUE_DAYS = 28;

export function remainsAfter({ RETENTION_DAYS }: Pick<Config, 'RETENTION_DAYS'>, erasedAt: Date): readonly Remains[] {
  const after = (days: number) => new Date(erasedAt.getTime() + days * DAY_MS).toISOString();
  return [
    {
      where: 'queues',
      what: 'messages of earlier calls that still wait: they are blinded when they are written',
      until: after(QUEUE_DAYS),
    },
    {
      where: 'tables visits and user_days',
      what: 'digests of the objectId and of keys, for counting people and their calls, until the schedule has summed the days again',
    },
    {
      where: 'table erased_keys',
      what: 'digests of the keys under SUPPORT_CODE_KEY, so that such messages are recognised',
      until: after(erasedKeysRetentionDays(RETENTION_DAYS)),
    },
    {
      where: 'logs of the Workers',
      what: 'lines about lost attempts name the objectId; logs that are pushed elsewhere are not known here',
      until: after(LOGS_DAYS),
    },
    {
      where: "Neon's history, for restoring a point in time",
      what: 'the rows as they were. At the latest until then; branches and dumps until they are deleted',
      until: after(HISTORY_DAYS),
    },
    {
      where: 'copies made by CSV export',
      what: 'files that people downloaded from /reports or with npm run roles -- export',
    },
    {
      where: 'saved policies',
      what: 'a list or a rule of any version may name the person; versions are never changed',
    },
    { where: 'Azure AD B2C', what: 'the account and its sign-in logs. Delete the account there' },
  ];
}

/** Number of keys by kind. A long key is only known by its digest. */
export function countsByKind(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) {
    const kind = key.slice(0, key.indexOf(':'));
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}
