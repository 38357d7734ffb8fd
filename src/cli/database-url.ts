/** The database of a command: `--database-url`, else `DATABASE_URL`, else the embedded database of `npm run dev`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './program.ts';

/** `npm run dev` writes the URL of its embedded database here, relative to the project's folder. */
export const URL_FILE = '.gatehouse/database-url';
const urlFile = join(import.meta.dirname, '../..', URL_FILE);

export type FoundUrl =
  | {
      readonly ok: true;
      readonly url: string;
      /** Shows people the database and the source of its URL, without the password. */
      readonly name: string;
      /** Address of the Gatehouse that runs on it, where `npm run dev` started both. */
      readonly gatehouse?: string;
    }
  | { readonly ok: false; readonly problem: string };

/** Adds the option that {@link findDatabaseUrl} reads. */
export const onDatabase = (command: Program): Program =>
  command.option('--database-url <postgres://…>', 'default: DATABASE_URL, else the database that `npm run dev` runs');

/** `option` is the value of `--database-url`. `problem` is a message for the user. */
export function findDatabaseUrl(
  option: string | undefined,
  env: { readonly [name: string]: string | undefined } = process.env,
): FoundUrl {
  if (option !== undefined) return checked(option, '--database-url');
  if (env.DATABASE_URL) return checked(env.DATABASE_URL, 'the environment variable DATABASE_URL');
  try {
    const found = checked(readFileSync(urlFile, 'utf8'), URL_FILE);
    return found.ok ? { ...found, gatehouse: readFileSync(join(urlFile, '../url'), 'utf8').trim() } : found;
  } catch {
    return {
      ok: false,
      problem: `No database URL. Use --database-url postgres://…, set DATABASE_URL, or run \`npm run dev\` first: it writes its URL to ${URL_FILE}.`,
    };
  }
}

function checked(text: string, from: string): FoundUrl {
  const url = text.trim();
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.pathname.length < 2) {
    return {
      ok: false,
      problem: `The database URL in ${from} is not of the form postgres://user:password@host/database.`,
    };
  }
  return { ok: true, url, name: `${parsed.pathname.slice(1)} at ${parsed.host} (from ${from})` };
}
