/** Headers of every answer that is no page. */

/** A browser that opens the answer guesses no other type, runs and loads nothing, and shows it in no frame. */
const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Answers differ from call to call, and contain personal data. */
export const NOT_STORED = { ...SECURITY_HEADERS, 'Cache-Control': 'no-store' } as const;
export const JSON_NOT_STORED = { ...NOT_STORED, 'Content-Type': 'application/json' } as const;
