/** What an expression may cost: neither its author nor whoever fills in a form can hold up an isolate. */

/** In characters, as a person counts them who wrote the expression. */
export const MAX_SOURCE = 4_000;
/** Levels of the parsed tree: evaluation recurses through it. */
export const MAX_DEPTH = 100;

/** Texts are counted in UTF-16 code units from here on. */
export const MAX_RESULT_TEXT = 10_000;
/** What a text of the call is cut at: one more than a result may have, so that a cut text never becomes a claim. */
export const MAX_TEXT_READ = MAX_RESULT_TEXT + 1;
/** The longest text within an expression: three texts of a call, joined. */
export const MAX_TEXT = 32_000;

/** Names of roles or groups, as entitlements keep them. */
export const MAX_ROLES = 100;
export const MAX_ROLE_TEXT = 64;
/** What `split` makes at most. */
export const MAX_PARTS = 100;
/** The longest list that `+` and macros make. */
export const MAX_ENTRIES = 200;

/**
 * Instructions that RE2 compiles a pattern to. A search takes up to time(instructions × text): 700 of them over a text of
 * 10,000 characters took 0.3 to 1.2 s in the worst patterns found, 2,000 took 12 over 260,000.
 */
export const MAX_PATTERN_SIZE = 700;
/** Characters looked at by one run at the worst, times the size of the pattern where there is one. */
export const MAX_WORK = 30_000_000;
