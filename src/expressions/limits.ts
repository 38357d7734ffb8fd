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

/** Characters of a pattern. This and the next two limits are checked before RE2 compiles it: 400 × `a{1000}` took 1.7 s. */
export const MAX_PATTERN_TEXT = 500;
/** Classes of Unicode in a pattern, as in `\p{L}`: each takes RE2 up to 15 ms. */
export const MAX_PATTERN_CLASSES = 10;
/** Characters and classes of a pattern, each as often as counts repeat it: RE2 writes repetitions out. */
export const MAX_PATTERN_STEPS = 1_000;
/** Instructions that RE2 makes of a pattern. A search takes time proportional to them times the length of the text. */
export const MAX_PATTERN_SIZE = 700;
/** A search costs at least as much as with a pattern of this size. */
export const MIN_PATTERN_COST = 15;

/**
 * Units of work that all expressions of a call may spend together. A unit takes at most 100 ns of CPU, as measured on two shared
 * cores, so a call takes at most 0.2 s. Beyond it, an expression fails.
 */
export const MAX_WORK = 2_000_000;
