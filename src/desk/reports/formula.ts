/** Where a spreadsheet may find a formula in a cell of CSV. */

/** `=`, `+`, `-`, `@` and the characters that Unicode counts as one of them (NFKC). */
const SIGN = String.raw`[=⁼₌﹦＝⩵⩶+⁺₊﬩﹢＋\-﹣－−@﹫＠]`;
/** What a spreadsheet may skip before it, and the apostrophe that makes a text a text. */
const SKIPPED = String.raw`[[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}"']--[\t\r\n]]`;

export const FORMULA_AT_START = new RegExp(String.raw`^(?:[\t\r\n]|${SKIPPED}*${SIGN})`, 'v');

/**
 * The places within a cell where a formula begins, and the separator before each. A cell also begins at `;`, a tab or a
 * line break, since in many countries the separator of lists is `;`, and there a quote within a line protects nothing.
 */
const WITHIN = new RegExp(String.raw`([;\t\r\n])(?=${SKIPPED}*${SIGN})`, 'gv');
const GUARDED_WITHIN = new RegExp(String.raw`([;\t\r\n])'(?=${SKIPPED}*${SIGN})`, 'gv');

/** Puts an apostrophe before each formula that does not begin the cell. {@link unguardWithin} is its inverse. */
export const guardWithin = (cell: string): string => cell.replace(WITHIN, "$1'");
export const unguardWithin = (cell: string): string => cell.replace(GUARDED_WITHIN, '$1');
