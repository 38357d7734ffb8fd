/** Limits of expressions. Neither an author nor a person who fills in a form can block an isolate. */

/** Characters of an expression, in Unicode code points. */
export const MAX_SOURCE = 4_000;
/** Levels of a tree: evaluation is recursive. */
export const MAX_DEPTH = 100;

/** This and the following lengths of texts are in UTF-16 units. */
export const MAX_RESULT_TEXT = 10_000;
/** Texts of a call are truncated to this length, above the limit of a result: no truncated text becomes a claim. */
export const MAX_TEXT_READ = MAX_RESULT_TEXT + 1;
/** The longest text within an expression: three texts of a call. */
export const MAX_TEXT = 32_000;

/** The limits of entitlements for names of roles and groups. */
export const MAX_PERSON_ROLES = 100;
export const MAX_ROLE_TEXT = 64;
/** The most identities of a call that expressions read. */
export const MAX_SCOPE_IDENTITIES = 10;
/** RFC 1035, 2.3.4. */
export const MAX_DOMAIN = 255;
/** The longest list that `split` returns. */
export const MAX_PARTS = 100;
/** The longest list literal, and the longest result of `+`. */
export const MAX_ENTRIES = 200;

/** Characters of a pattern. This and the next two limits apply before RE2 compiles it: 400 × `a{1000}` took 1.7 s. */
export const MAX_PATTERN_TEXT = 500;
/** Unicode classes in a pattern, such as `\p{L}`. RE2 takes up to 15 ms to compile each. */
export const MAX_PATTERN_CLASSES = 10;
/** Characters and classes of a pattern, multiplied by their counts: RE2 expands repetitions. */
export const MAX_PATTERN_STEPS = 1_000;
/** `compileWork` of all different patterns of a policy: a gate that loads it takes at most 0.2 s for them. */
export const MAX_COMPILE_WORK = 2_000;
/** Instructions of a compiled pattern. A search takes time proportional to instructions × length of the text. */
export const MAX_PATTERN_SIZE = 700;
/** The pattern size that a search costs at least. */
export const MIN_PATTERN_COST = 15;

/**
 * Units of work that all expressions of a call may spend together. Beyond it, an expression fails. A unit takes at most
 * 100 ns of CPU (measured on two shared cores), so a call takes at most 0.2 s.
 */
export const MAX_WORK = 2_000_000;
