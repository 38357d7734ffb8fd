/** How the policy in force lies in Workers KV: documents that never change, and one pointer that says which of them decides. */
import * as z from 'zod/mini';

/** JSON of {@link Pointer}. */
export const POINTER_KEY = 'policy:active';
/** The text of a document, as it was saved; written once and never changed. */
export const versionKey = (number: number) => `policy:version:${number}`;
/** One key for each saving that may not be in KV yet; the cron publishes while there is any. */
export const PUBLISH_DUE_PREFIX = 'policy:publish-due:';

const number = z.int().check(z.gte(1));
export const pointerSchema = z.object({
  v: z.literal(1),
  /** The version that decides. */
  number,
  /** A version that runs after the reply, for this share of the calls (0 to 1). */
  shadow: z.optional(z.object({ number, sample: z.number().check(z.gte(0), z.lte(1)) })),
});
export type Pointer = z.infer<typeof pointerSchema>;

/** A KV value as a pointer, undefined when it is none. */
export function readPointer(value: string): Pointer | undefined {
  try {
    return pointerSchema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
