/** How the policy in force lies in Workers KV: documents that never change, and one pointer that says which of them decides. */
/** JSON of {@link Pointer}. */
export const POINTER_KEY = 'policy:active';
/** The text of a document, as it was saved; never changed. Only the Worker before plans reads it. */
export const versionKey = (number: number) => `policy:version:${number}`;
/** One key for each saving that may not be in KV yet; the cron publishes while there is any. */
export const PUBLISH_DUE_PREFIX = 'policy:publish-due:';

export interface Pointer {
  readonly v: 1;
  /** The version that decides. */
  readonly number: number;
  /** A version that runs after the reply, for this share of the calls (0 to 1). */
  readonly shadow?: { readonly number: number; readonly sample: number };
}

/** A KV value as a pointer, undefined when it is none. */
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
