/** Limits of expressions, with their reasons: neither an author nor a person who fills in a form can hold up an isolate. */

/** Characters of an expression, as its author counts them. */
export const MAX_SOURCE = 4_000;
/** Levels of a tree: evaluation recurses through it. */
export const MAX_DEPTH = 100;

/** Texts are counted in UTF-16 units from here on. */
export const MAX_RESULT_TEXT = 10_000;
/** Texts of a call are truncated to this length: one more than a result may have, so that no truncated text becomes a claim. */
export const MAX_TEXT_READ = MAX_RESULT_TEXT + 1;
/** The longest text within an expression: three texts of a call, joined. */
export const MAX_TEXT = 32_000;

/** Names of roles or groups, as entitlements keep them. */
export const MAX_ROLES = 100;
export const MAX_ROLE_TEXT = 64;
/** The longest list that `split` makes. */
export const MAX_PARTS = 100;
/** The longest list that is written out, and that `+` makes. */
export const MAX_ENTRIES = 200;

/** Characters of a pattern. The next two limits are checked before RE2 compiles it: 400 × `a{1000}` took 1.7 s. */
export const MAX_PATTERN_TEXT = 500;
/** The sum of the counts in a pattern, as 5 in `[0-9]{5}`. */
export const MAX_PATTERN_COUNTS = 1_000;
/** Classes of Unicode in a pattern, as in `\p{L}`: each is a table of up to 700 ranges. */
export const MAX_PATTERN_CLASSES = 20;
/** Instructions that RE2 makes of a pattern: a search takes time proportional to them times the length of the text. */
export const MAX_PATTERN_SIZE = 700;
/** A pattern costs at least as much as one of this size. */
export const MIN_PATTERN_COST = 30;

/**
 * Units of work that all expressions of a call may spend together. A unit takes at most 100 ns of CPU, as measured on two shared
 * cores, so a call takes at most 0.2 s. Beyond it, an expression fails.
 */
export const MAX_WORK = 2_000_000;
