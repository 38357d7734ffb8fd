/** Text and JSON, mostly of files that people name: refused with what is wrong and what to do. */
import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CommandRefusal } from './refusal.ts';

const FAILURES: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not open it',
};

/** Without the byte order mark that some editors write. */
export async function readText(file: string, ifNotUtf8 = 'Save it as UTF-8'): Promise<string> {
  const bytes = await readFile(file).catch((error: unknown) => {
    // npm runs commands in the project's folder, wherever somebody typed them.
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

/** What a text holds as JSON; undefined when it is none. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether there is no such file, or no such folder for it. */
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** What Node says of a file, in words. */
function failure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words = 'code' in error && typeof error.code === 'string' ? FAILURES[error.code] : undefined;
  return words ?? error.message;
}
