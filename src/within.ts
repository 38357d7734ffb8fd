/** Waits for something outside for so long and no longer. */

/** The time was up. What was waited for may still happen; how it ends is then nobody's concern. */
export class Late extends Error {
  override readonly name = 'Late';
}

/** What `work` resolves to. Rejects with what it throws, or with {@link Late} after `limitMs` by a timer (deployed clocks stand still while computing). */
export async function within<Value>(limitMs: number, work: () => Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`not done within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
