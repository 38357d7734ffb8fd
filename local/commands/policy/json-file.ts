/** A JSON file as somebody wrote it: its text, what it holds, and where in it something stands. */
import { Refusal } from '../ending.ts';
import { readText } from '../files.ts';
import { type Positions, positionsIn } from './positions.ts';

export interface JsonFile {
  readonly file: string;
  readonly text: string;
  /** Made when first asked for: it costs as much as reading the file. */
  readonly positions: () => Positions;
}

export async function readJsonFile(file: string): Promise<JsonFile> {
  const text = await readText(file);
  let known: Positions | undefined;
  const positions = () => {
    known ??= positionsIn(text);
    return known;
  };
  return { file, text, positions };
}

/** What the file holds; refuses what is not JSON, and says where. */
function parsedJson({ file, text, positions }: JsonFile): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(`${file}:${positions().brokenAt ?? 1}: Not JSON: ${why}. Correct it there.`);
  }
}

/** What the file holds; refuses a member that stands twice. */
export function parsedOnce(source: JsonFile): unknown {
  const parsed = parsedJson(source);
  const [repeated] = source.positions().repeated;
  if (repeated === undefined) return parsed;
  throw new Refusal(`${source.file}:${repeated.lines.at(-1)}: ${repeatedSentence(repeated)}`);
}

/** What the file holds when it is a JSON object; refuses anything else, and says what it should be. */
export function parsedObject(source: JsonFile, what: string): Record<string, unknown> {
  const parsed = parsedJson(source);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new Refusal(`${source.file}:1: Not a JSON object: it must be ${what}.`);
}

export const repeatedSentence = ({ name, lines }: { name: string; lines: readonly number[] }) =>
  `"${name}" stands more than once in this object (lines ${lines.join(' and ')}), and only the last would count. Keep one.`;
