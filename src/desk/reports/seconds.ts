/** A time as sentences have it. Pure. */

/** ISO 8601 in UTC, to the second: `2026-11-21T08:40:00Z`. */
export const toSeconds = (instant: Date | string): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;
