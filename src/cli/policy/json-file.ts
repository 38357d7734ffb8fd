/** Reads and checks JSON files that people write. A refusal lists every problem with its line. */
import type * as z from 'zod/mini';
import { namesTwice, twice } from '../../desk/policies/duplicate-keys.ts';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { readText } from '../files.ts';
import { CommandRefusal } from '../refusal.ts';
import { type Positions, positionsIn } from './positions.ts';
import { issuesIn, type Located, located, refusalOf } from './problems.ts';

export interface JsonFile {
  readonly file: string;
  /** Computed on first use: it takes as long as reading the file. */
  readonly positions: () => Positions;
}

/** The result of a check: the value, or every problem. */
export type CheckedFile<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Throws a refusal when a file cannot be read, is not JSON, has duplicate keys, or fails `check`. */
export async function readJson<Value>(
  file: string,
  check: (parsed: unknown) => CheckedFile<Value>,
): Promise<{ readonly value: Value; readonly source: JsonFile }> {
  const text = await readText(file);
  let known: Positions | undefined;
  const positions = () => {
    known ??= positionsIn(text);
    return known;
  };
  const refusal = (problems: readonly Located[]) => new CommandRefusal(refusalOf(file, problems));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const message = `Not JSON: ${error instanceof Error ? error.message : error}. Correct the syntax at this line.`;
    throw refusal([{ rule: '', path: '', message, line: positions().brokenAt ?? 1 }]);
  }
  const checked = check(parsed);
  const problems = namesTwice(text).map((found): Located => ({ ...twice(found), line: found.line }));
  if (!checked.ok) problems.push(...located(checked.problems, { positions }));
  if (!checked.ok || problems.length > 0) throw refusal(problems);
  return { value: checked.value, source: { file, positions } };
}

/** Checks against a schema. */
export const shapedAs =
  <Schema extends z.ZodMiniType>(schema: Schema) =>
  (parsed: unknown): CheckedFile<z.output<Schema>> => {
    const { success, data, error } = schema.safeParse(parsed);
    return success ? { ok: true, value: data } : { ok: false, problems: issuesIn(error) };
  };
