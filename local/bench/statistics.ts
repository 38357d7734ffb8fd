/** The few figures that the bench makes of many. */

/** Of an even number the mean of the two in the middle. Throws without any. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Between two values in proportion; `share` from 0 to 1. Throws without any. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined)
    throw new Error('Nothing was measured, so that there is no quantile.');
  return below + (above - below) * (at - Math.floor(at));
}
