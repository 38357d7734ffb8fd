/** Types of versions of the policy, and what can be asked of Neon about them. `versions.ts` has the queries. */
import type { KvResult } from '../../platform/kv.ts';
import type { Pointer } from '../../policy/pointer.ts';
import type { Differences } from './differences.ts';

/** To decide, to run beside what decides, or to say that nothing runs beside it any more. */
export type Use = 'active' | 'shadow' | 'no-shadow';

export interface VersionInfo {
  readonly number: number;
  readonly use: Use;
  /** Share of the calls that a shadow runs for, above 0 and at most 1; null for the other uses. */
  readonly sample: number | null;
  /** Name of the credential that saved it. */
  readonly author: string;
  readonly note: string;
  readonly createdAt: Date;
  /** How many of each the document has. */
  readonly rules: number;
  readonly lists: number;
  readonly messages: number;
}

export interface Version extends VersionInfo {
  /** The document as JSON; null when the use is `no-shadow`. */
  readonly text: string | null;
}

/** What counts at one moment. */
export interface Present {
  /** The highest number of all uses, 0 before the first: the next version is one above. */
  readonly last: number;
  readonly active: Version | undefined;
  readonly shadow: Version | undefined;
}

/** What Workers KV should say; undefined before the first policy is saved. */
export function pointerTo({ active, shadow }: Numbers): Pointer | undefined {
  if (active === undefined) return undefined;
  const beside = shadow === undefined ? {} : { shadow: { number: shadow.number, sample: shadow.sample ?? 1 } };
  return { v: 1, number: active.number, ...beside };
}

interface Numbers {
  readonly active: Pick<VersionInfo, 'number'> | undefined;
  readonly shadow: Pick<VersionInfo, 'number' | 'sample'> | undefined;
}

/** Neon refused, failed or took too long; or has no such table, since nobody migrated it. */
export interface NeonRefusal {
  readonly ok: false;
  readonly reason: 'database-unavailable' | 'database-not-migrated';
  /** Postgres' SQLSTATE, `''` when it said none. */
  readonly code: string;
  /** What was being written may be there all the same: only the answer is known to be lost. */
  readonly uncertain: boolean;
}

/** `changes.subject` of what is done to the policy. */
export const CHANGE_SUBJECTS = { active: 'policy', shadow: 'policy:shadow', 'no-shadow': 'policy:shadow' } as const;

/** A row of `changes` about a version. */
export interface ChangeRow {
  /** UUIDv7. */
  readonly id: string;
  readonly occurredAt: Date;
  readonly changedBy: string;
  readonly subject: string;
  readonly before: ChangedVersion | null;
  readonly after: ChangedVersion;
}

/** A version in the log of changes. */
export interface ChangedVersion {
  readonly version: number;
  /** Of a shadow. */
  readonly sample?: number;
  readonly note?: string;
  /** The shadow was taken away: nothing runs beside what decides. */
  readonly removed?: true;
  /** The version whose document was taken again. */
  readonly documentOf?: number;
  /** The version that `changes` are told against; null when there was none. */
  readonly comparedWith?: number | null;
  readonly changes?: Differences;
}

/** Somebody else has saved since the number was chosen: nothing was added, and what counts is to be read again. */
export interface NumberTaken {
  readonly ok: false;
  readonly reason: 'number-taken';
}

export type VersionsResult<Value, Refused = never> = Promise<KvResult<Value, NeonRefusal | Refused>>;

/** What can be asked of Neon, which `versions.ts` does. Nothing here rejects. */
export interface Versions {
  /** What counts now, with its documents. */
  readPresent(): VersionsResult<Present>;
  /** What KV should say; undefined before the first policy is saved. */
  readInForce(): VersionsResult<Pointer | undefined>;
  /** Undefined when there is no version of this number. */
  readVersion(number: number): VersionsResult<Version | undefined>;
  /** Newest first, those below `before` (all when undefined), at most `limit`. */
  listVersions(limit: number, before: number | undefined): VersionsResult<VersionInfo[]>;
  /** Adds a version and the line about it, both or neither, and says what is in force then. */
  addVersion(version: Version, change: ChangeRow): VersionsResult<Pointer | undefined, NumberTaken>;
}
