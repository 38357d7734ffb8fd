/** The settings that policies depend on, as `wrangler.toml` deploys them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import * as z from 'zod/mini';
import type { StoredClaims } from '../../attempts/redaction.ts';
import { readConfig } from '../../platform/config.ts';
import type { ClaimNames } from '../../policy/load-plan.ts';
import { CommandRefusal, calledWrongly } from '../refusal.ts';

const WRANGLER_TOML = join(import.meta.dirname, '../../../wrangler.toml');

export type Settings = { readonly [name in (typeof SETTINGS)[number]]?: string | undefined };
const SETTINGS = ['ROLES_CLAIM', 'EXTENSIONS_APP_ID'] as const;

const deployed = z.object({
  vars: z._default(
    z.object({
      ROLES_CLAIM: z.optional(z.string()),
      EXTENSIONS_APP_ID: z.optional(z.string()),
      KEEP_CLAIMS: z.optional(z.string()),
      NEVER_STORE: z.optional(z.string()),
      CONNECTOR_KEY_HEADERS: z.optional(z.string()),
    }),
    {},
  ),
});

export const deployedSettings = async (): Promise<Settings> => {
  const { ROLES_CLAIM, EXTENSIONS_APP_ID } = await deployedVars();
  return { ROLES_CLAIM, EXTENSIONS_APP_ID };
};

/** The claims whose values are stored in attempts, and those whose values never are. */
export const storedClaims = async (): Promise<StoredClaims> => readConfig(await deployedVars());

/** The headers that may carry a key of a caller. */
export const keyHeaders = async (): Promise<readonly string[]> =>
  readConfig(await deployedVars()).CONNECTOR_KEY_HEADERS;

async function deployedVars() {
  try {
    return deployed.parse(parse(await readFile(WRANGLER_TOML, 'utf8'))).vars;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandRefusal(`wrangler.toml, which has ROLES_CLAIM and other settings, could not be read: ${why}`, 2);
  }
}

/** Parses `--var NAME=value`, as Wrangler takes it, and adds it to the settings `before` it. */
export function readSetting(assignment: string, before: Settings = {}): Settings {
  const [, name, value] = /^([A-Z_]+)[=:](.*)$/s.exec(assignment) ?? [];
  if (SETTINGS.some((known) => known === name)) return { ...before, [String(name)]: value };
  throw calledWrongly(`--var ${assignment} must be NAME=value. NAME is ${SETTINGS.join(' or ')}.`, 'policy');
}

/** The claim names under these settings, and a message for each setting whose value is invalid. */
export function claimNames(settings: Settings): { names: ClaimNames; problems: readonly string[] } {
  const { ROLES_CLAIM, EXTENSIONS_APP_ID, unusable } = readConfig(settings);
  return {
    names: { rolesClaim: ROLES_CLAIM, extensionsAppId: EXTENSIONS_APP_ID },
    problems: SETTINGS.flatMap((name) => unusable.get(name) ?? []),
  };
}

/** The claim names under the settings of `wrangler.toml` and the command line. Throws a refusal for invalid values. */
export async function claimNamesGiven(given: Settings = {}): Promise<ClaimNames> {
  const { names, problems } = claimNames({ ...(await deployedSettings()), ...given });
  if (problems.length === 0) return names;
  throw new CommandRefusal(`${problems.join('\n')} Or override it with --var NAME=value.`, 2);
}
