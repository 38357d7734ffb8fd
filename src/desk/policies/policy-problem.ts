/** How a document is told what is wrong with it: the one form for files, HTTP and the terminal. */

/** Something at fault. */
export interface Problem {
  /** Id of the rule, `''` when it is about something else. */
  readonly rule: string;
  /** Where in the document, as one writes it: `rules[2].when`, `lists.blockedDomains`; `''` is the whole. */
  readonly path: string;
  /** A sentence that says what is wrong and what to write. */
  readonly message: string;
  /** Where in the text at `path`, in UTF-16 units; `to` is exclusive. Absent: all of it. */
  readonly at?: { readonly from: number; readonly to: number };
}
