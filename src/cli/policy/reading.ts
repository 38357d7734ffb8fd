/** `pull`, `diff` and `versions`: read the policies of a Gatehouse and compare them with files. */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Gatehouse } from '../administrator.ts';
import { jsonIn, readText, writeText } from '../files.ts';
import { type Io, print, warn } from '../io.ts';
import { CommandRefusal } from '../refusal.ts';
import { quoted, table } from '../table.ts';
import { difference } from './difference.ts';
import * as server from './policy-api.ts';
import { readPolicy } from './policy-file.ts';

/** Writes a version, by default the one in force, to `file` or to the terminal. */
export async function pull(
  io: Io,
  gatehouse: Gatehouse,
  file: string | undefined,
  { version, force }: { readonly version?: number; readonly force?: true },
): Promise<number> {
  const { number, document } = await chosen(gatehouse, version);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (file === undefined) {
    io.stdout.write(text);
    warn(io, `Version ${number}.`);
    return 0;
  }
  const existing = existsSync(file) ? await readText(file) : undefined;
  if (existing !== undefined && isDeepStrictEqual(jsonIn(existing), document)) {
    print(io, `${file} already equals version ${number}.`);
    return 0;
  }
  if (existing !== undefined && !force)
    throw new CommandRefusal(
      `${file} exists and differs from version ${number}. Compare them with npm run policy -- diff ${quoted(file)}, or overwrite the file with --force.`,
    );
  await writeText(file, text);
  print(io, `Version ${number} written to ${file}.`);
  return 0;
}

/** Exit codes as in diff(1): 1 when the file differs, 2 on an error. */
export async function diff(io: Io, gatehouse: Gatehouse, file: string, version: number | undefined): Promise<number> {
  try {
    // The roles claim affects only warnings.
    const wanted = await readPolicy(file, '');
    const { number, document } = await chosen(gatehouse, version);
    const lines = difference(document, wanted.document);
    print(
      io,
      lines.length === 0
        ? `No difference: ${file} equals version ${number}.`
        : `- version ${number}\n+ ${file}\n\n${lines.join('\n')}`,
    );
    return lines.length === 0 ? 0 : 1;
  } catch (error) {
    throw error instanceof CommandRefusal ? new CommandRefusal(error.message, 2) : error;
  }
}

export async function listVersions(io: Io, gatehouse: Gatehouse): Promise<number> {
  const all = await server.versions(gatehouse);
  const inForce = all.find(({ use }) => use === 'active')?.number;
  const lastShadow = all.find(({ use }) => use !== 'active')?.number;
  const rows = all.map((version) => [
    String(version.number),
    version.createdAt,
    version.author,
    version.number === inForce ? 'in force' : useOf(version, version.number === lastShadow),
    version.note,
  ]);
  print(io, rows.length === 0 ? 'No policy was saved yet.' : table(['VERSION', 'SAVED', 'BY', '', 'NOTE'], rows));
  return 0;
}

function useOf({ use, sample }: server.RemoteVersion, isLast: boolean): string {
  if (use === 'active') return '';
  if (use === 'no-shadow') return 'shadow removed';
  // Samples have at most six decimals; 0.07 * 100 has more.
  return isLast ? `shadow, for ${Number(((sample ?? 1) * 100).toFixed(4))} % of the calls` : 'was a shadow';
}

/** The version with this number, or the one in force. */
async function chosen(gatehouse: Gatehouse, version: number | undefined): Promise<server.RemotePolicy> {
  if (version !== undefined) return { number: version, document: await server.versionNumbered(gatehouse, version) };
  const found = await server.inForce(gatehouse);
  if (found !== undefined) return found;
  throw new CommandRefusal('No policy was saved yet. Save one with npm run policy -- push FILE.');
}
