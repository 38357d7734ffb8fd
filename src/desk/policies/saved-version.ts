/** Types of policy versions and of their store in Neon. `versions.ts` implements the store. */
import type { KvResult } from '../../platform/kv.ts';
import type { Pointer } from '../../policy/pointer.ts';
import type { Differences } from './differences.ts';

/** `active` decides. `shadow` runs beside it. `no-shadow` ends the shadow. */
export type Use = 'active' | 'shadow' | 'no-shadow';

export interface VersionInfo {
  readonly number: number;
  readonly use: Use;
  /** Share of calls that a shadow evaluates, above 0 and at most 1; null for the other uses. */
  readonly sample: number | null;
  /** Name of the credential that saved it. */
  readonly author: string;
  readonly note: string;
  readonly createdAt: Date;
  readonly rules: number;
  readonly lists: number;
  readonly messages: number;
  /** When the next version of its use took its place; null while none has. Only of a version that was asked for. */
  readonly until?: Date | null;
}

/** A version without its document, as JSON. */
export function shownVersion({ number, use, sample, author, note, createdAt, ...counts }: VersionInfo) {
  const { rules, lists, messages } = counts;
  return {
    number,
    use,
    ...(sample === null ? {} : { sample }),
    author,
    note,
    createdAt: createdAt.toISOString(),
    ...(use === 'no-shadow' ? {} : { rules, lists, messages }),
  };
}

export interface Version extends VersionInfo {
  /** The document as JSON; null when the use is `no-shadow`. */
  readonly text: string | null;
}

/** The current versions at one moment. */
export interface Present {
  /** The highest number of all uses; 0 when there is no version. */
  readonly last: number;
  readonly active: Version | undefined;
  readonly shadow: Version | undefined;
}

/** The pointer for Workers KV; undefined before the first policy is saved. */
export function policyPointer({ active, shadow }: Numbers): Pointer | undefined {
  if (active === undefined) return undefined;
  const beside = shadow === undefined ? {} : { shadow: { number: shadow.number, sample: shadow.sample ?? 1 } };
  return { v: 1, number: active.number, ...beside };
}

interface Numbers {
  readonly active: Pick<VersionInfo, 'number'> | undefined;
  readonly shadow: Pick<VersionInfo, 'number' | 'sample'> | undefined;
}

/** Neon refused, failed or timed out; or the database is not migrated and lacks the table. */
export interface NeonRefusal {
  readonly ok: false;
  readonly reason: 'database-unavailable' | 'database-not-migrated';
  /** SQLSTATE of Postgres; `''` when there is none. */
  readonly code: string;
  /** True when the write may have succeeded and only its response was lost. */
  readonly uncertain: boolean;
}

export const CHANGE_SUBJECTS = { active: 'policy', shadow: 'policy:shadow', 'no-shadow': 'policy:shadow' } as const;

/** A row of the audit log about a version. */
export interface ChangeRow {
  /** UUIDv7. */
  readonly id: string;
  readonly occurredAt: Date;
  readonly changedBy: string;
  readonly subject: string;
  readonly before: ChangedVersion | null;
  readonly after: ChangedVersion;
}

export interface ChangedVersion {
  readonly version: number;
  readonly sample?: number;
  readonly note?: string;
  readonly removed?: true;
  /** After a rollback, the version that the document is from. */
  readonly documentOf?: number;
  /** The base of `changes`; null when there was no policy. */
  readonly comparedWith?: number | null;
  readonly changes?: Differences;
}

/** Conflict: another save took the number. Nothing was added. Read the current versions again and retry. */
export interface NumberTaken {
  readonly ok: false;
  readonly reason: 'number-taken';
}

export type VersionsResult<Value, Refused = never> = Promise<KvResult<Value, NeonRefusal | Refused>>;

/** The store of versions in Neon. No method rejects. */
export interface Versions {
  /** The current versions with their documents. */
  readPresent(): VersionsResult<Present>;
  /** The pointer for KV; undefined before the first policy is saved. */
  readInForce(): VersionsResult<Pointer | undefined>;
  /** Undefined when there is no version of this number. */
  readVersion(number: number): VersionsResult<Version | undefined>;
  /** The version that decided before this number was saved, or decides now; undefined when there is none. */
  readDeciding(before: number | undefined): VersionsResult<Version | undefined>;
  /** At most `limit` versions below `before` (undefined: all), newest first. */
  listVersions(limit: number, before: number | undefined): VersionsResult<VersionInfo[]>;
  /** Adds a version and its audit row in one transaction. Returns the pointer after that. */
  addVersion(version: Version, change: ChangeRow): VersionsResult<Pointer | undefined, NumberTaken>;
}
