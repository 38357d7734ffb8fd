/** A JSON file as somebody wrote it: its text, what it holds, and where in it something stands. */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { Refusal } from '../ending.ts';
import { type Positions, positionsIn } from './positions.ts';

export interface JsonFile {
  readonly file: string;
  readonly text: string;
  /** Made when first asked for: it costs as much as reading the file. */
  readonly positions: () => Positions;
}

/** The file as text; refuses what cannot be read, and what is not UTF-8. */
export async function readJsonFile(file: string): Promise<JsonFile> {
  const text = decoded(file, await bytesOf(file));
  let known: Positions | undefined;
  return {
    file,
    text,
    positions: () => {
      known ??= positionsIn(text);
      return known;
    },
  };
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    // npm runs commands in the project's folder, wherever somebody typed them.
    const where = isMissing(error) && !isAbsolute(file) ? ` in ${process.cwd()}` : '';
    throw new Refusal(`${file} could not be read: ${failure(error)}${where}.`, 2);
  }
}

/** Without the byte order mark that some editors write. */
function decoded(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new Refusal(`${file} is not UTF-8, which JSON is written in: save it as UTF-8.`, 2);
  }
}

const FAILURES: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
};

/** Whether there is no such file, or no such folder for it. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** What Node says of a file that cannot be read or written, in words. */
export function failure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = 'code' in error && typeof error.code === 'string' ? FAILURES[error.code] : undefined;
  return words ?? error.message;
}

/** What the file holds; refuses what is not JSON, and says where. */
export function parsedJson({ file, text, positions }: JsonFile): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal(`${file}:${positions().brokenAt ?? 1}: Not JSON: ${why}. Correct it there.`);
  }
}

/** {@link parsedJson} for what people write: refuses a member that stands twice. */
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
