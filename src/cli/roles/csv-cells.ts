/** Cells that a spreadsheet neither executes nor changes, and that come back exactly as they were. */
import { FORMULA_AT_START, guardWithin, unguardWithin } from '../../desk/reports/formula.ts';

/** A way to write any text as a cell, and to read it back. */
export interface CellForm {
  readonly write: (text: string) => string;
  readonly read: (cell: string) => string;
}

/**
 * An apostrophe marks a text that `changes` names. `changes` is asked without leading apostrophes, so that a marked
 * text is itself one that would be marked: reading removes one apostrophe from exactly the cells that writing marked.
 */
function marking(changes: (text: string) => boolean): CellForm {
  const isMarked = (text: string) => changes(text.replace(/^'+/, ''));
  return {
    write: (text) => {
      const cell = guardWithin(text);
      return isMarked(cell) ? `'${cell}` : cell;
    },
    read: (cell) => unguardWithin(cell.startsWith("'") && isMarked(cell.slice(1)) ? cell.slice(1) : cell.trim()),
  };
}

const isPadded = (text: string) => text !== text.trim();

export const plainCell = marking((text) => FORMULA_AT_START.test(text) || isPadded(text));
/** A name that follows a prefix in its cell. */
export const nameInCell = marking(isPadded);
/** Spreadsheets read digits as numbers and dates (007, 760.50, MAR1) and truth values in capitals. Empty is absent. */
export const textCell = marking(
  (text) => text === '' || /\p{Nd}|^(?:true|false)$/iu.test(text) || FORMULA_AT_START.test(text) || isPadded(text),
);
