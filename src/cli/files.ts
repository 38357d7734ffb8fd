/** Reads and writes the files that people name. A refusal says what is wrong and what to do. */
import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CommandRefusal } from './refusal.ts';

const FAILURES: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not open it',
};

/** Removes the byte order mark that some editors write. */
export async function readText(file: string, ifNotUtf8 = 'Save it as UTF-8'): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    // npm runs commands in the project's folder, not in the folder where they were typed.
    const where = isMissing(error) && !isAbsolute(file) ? ` in ${process.cwd()}` : '';
    throw new CommandRefusal(`${file} could not be read: ${failure(error)}${where}.`, 2);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new CommandRefusal(`${file} could not be read: it is not UTF-8. ${ifNotUtf8}.`, 2);
  }
}

export async function writeText(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new CommandRefusal(
      `${file} could not be written: ${isMissing(error) ? 'there is no such folder' : failure(error)}.`,
    );
  });
}

/** Parses JSON. Returns undefined when the text is not JSON. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

function failure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = 'code' in error && typeof error.code === 'string' ? FAILURES[error.code] : undefined;
  return words ?? error.message;
}
