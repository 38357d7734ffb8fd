/** Writes several files, all or none. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandRefusal } from '../refusal.ts';

export interface NewFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Writes the files into a folder, which it makes. A reader never sees half a file: each is written beside its place and
 * renamed when all are complete. Throws a refusal when one exists with another text, unless `isForced`; `advice` says
 * what else to do.
 */
export async function writeWhole(
  folder: string,
  files: readonly NewFile[],
  isForced: boolean,
  advice: string,
): Promise<string[]> {
  const placed = files.map(({ name, text }) => ({
    text,
    file: join(folder, name),
    part: join(folder, `.${name}.part`),
  }));
  for (const { file, text } of placed)
    if (!isForced && ((await readFile(file, 'utf8').catch(missing(file))) ?? text) !== text)
      throw new CommandRefusal(
        `${file} exists and differs. Add --force to overwrite it. ${advice} Nothing was written.`,
      );
  try {
    await mkdir(folder, { recursive: true });
    for (const { part, text } of placed) await writeFile(part, text);
    for (const { part, file } of placed) await rename(part, file);
  } catch (error) {
    for (const { part } of placed) await rm(part, { force: true }).catch(() => {});
    throw new CommandRefusal(
      `${folder} could not be written: ${error instanceof Error ? error.message : error}. Choose another folder with --out.`,
    );
  }
  return placed.map(({ file }) => file);
}

/** Undefined for a file that does not exist. */
const missing = (file: string) => (error: unknown) => {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined;
  throw new CommandRefusal(`${file} could not be read: ${error instanceof Error ? error.message : error}. Remove it.`);
};
