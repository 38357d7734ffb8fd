/** A problem of a policy document, as files, HTTP and the terminal show it. */
export interface Problem {
  /** Id of the rule; `''` when the problem is not in a rule. */
  readonly rule: string;
  /** Path in the document, such as `rules[2].when` or `lists.blockedDomains`; `''` for the whole document. */
  readonly path: string;
  /** What is wrong, and what to write instead. */
  readonly message: string;
  /** Range in the text at `path`, in UTF-16 units; `to` is exclusive. Absent: the whole text. */
  readonly at?: { readonly from: number; readonly to: number };
}
