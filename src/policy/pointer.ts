/** The keys of the policy in Workers KV: immutable documents, and a pointer to the active version. */
/** JSON of {@link Pointer}. */
export const POINTER_KEY = 'policy:active';
/** The saved text of a document. It never changes. Only releases without plans read it. */
export const versionKey = (number: number) => `policy:version:${number}`;
/** One key per save that may be missing in KV. The cron publishes while any exists. */
export const PUBLISH_DUE_PREFIX = 'policy:publish-due:';

export interface Pointer {
  readonly v: 1;
  /** The active version. */
  readonly number: number;
  /** A version that runs after the reply, for this share of the calls (0 to 1). */
  readonly shadow?: { readonly number: number; readonly sample: number };
}

/** Parses a KV value; undefined when it is invalid. */
export function readPointer(value: string): Pointer | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    return isPointer(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isPointer(value: unknown): value is Pointer {
  if (typeof value !== 'object' || value === null) return false;
  const { v, number, shadow } = value as Record<string, unknown>;
  return v === 1 && isVersion(number) && (shadow === undefined || isShadow(shadow));
}

function isShadow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { number, sample } = value as Record<string, unknown>;
  return isVersion(number) && typeof sample === 'number' && sample >= 0 && sample <= 1;
}

const isVersion = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 1;
