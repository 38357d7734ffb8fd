/** `pull`, `diff` and `versions`: what a Gatehouse has, beside what a file has. */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { ApiCall } from '../administrator.ts';
import { jsonIn, readText, writeText } from '../files.ts';
import { type Io, print, warn } from '../io.ts';
import { CommandRefusal } from '../refusal.ts';
import { quoted, table } from '../table.ts';
import { difference } from './difference.ts';
import * as server from './policy-api.ts';
import { readPolicy } from './policy-file.ts';

/** Writes a version, or the one in force, to a file, or to the terminal when there is no `file`. */
export async function pull(
  io: Io,
  call: ApiCall,
  file: string | undefined,
  { version, force }: { readonly version?: number; readonly force?: true },
): Promise<number> {
  const { number, document } = await chosen(call, version);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (file === undefined) {
    io.stdout.write(text);
    warn(io, `Version ${number}.`);
    return 0;
  }
  const there = existsSync(file) ? await readText(file) : undefined;
  if (there !== undefined && isDeepStrictEqual(jsonIn(there), document)) {
    print(io, `${file} says the same as version ${number} already.`);
    return 0;
  }
  if (there !== undefined && !force)
    throw new CommandRefusal(
      `${file} is there and says something else than version ${number}. See what with npm run policy -- diff ${quoted(file)}, or overwrite it with --force.`,
    );
  await writeText(file, text);
  print(io, `Version ${number} written to ${file}.`);
  return 0;
}

/** Exit code 1 when the file says something else, and 2 when that could not be found out, as diff(1) has it. */
export async function diff(io: Io, call: ApiCall, file: string, version: number | undefined): Promise<number> {
  try {
    // Names of claims matter to warnings alone.
    const wanted = await readPolicy(file, '');
    const { number, document } = await chosen(call, version);
    const lines = difference(document, wanted.document);
    print(
      io,
      lines.length === 0
        ? `No difference: ${file} says the same as version ${number}.`
        : `- version ${number}\n+ ${file}\n\n${lines.join('\n')}`,
    );
    return lines.length === 0 ? 0 : 1;
  } catch (error) {
    throw error instanceof CommandRefusal ? new CommandRefusal(error.message, 2) : error;
  }
}

export async function listVersions(io: Io, call: ApiCall): Promise<number> {
  const all = await server.versions(call);
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
  if (use === 'no-shadow') return 'shadow taken away';
  // Shares have six decimals at most; 0.07 times 100 has more.
  return isLast ? `shadow, for ${Number(((sample ?? 1) * 100).toFixed(4))} % of the calls` : 'was a shadow';
}

/** The version of that number, or the one in force. */
async function chosen(call: ApiCall, version: number | undefined): Promise<server.RemotePolicy> {
  if (version !== undefined) return { number: version, document: await server.versionNumbered(call, version) };
  const found = await server.inForce(call);
  if (found !== undefined) return found;
  throw new CommandRefusal('No policy was saved yet. Save one with npm run policy -- push FILE.');
}
