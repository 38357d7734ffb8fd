/** Reads the settings once per isolate. `/health/ready` reports an invalid value, whose default is used. */
import type { Credentials } from '../callers/credential.ts';
import { canonicalName, shortName } from '../sign-in/claim-names.ts';
import { readCredentials } from './credential-settings.ts';

/** The `EMAIL_KEY` while `LOCAL=yes` and none is set. */
export const SAMPLE_EMAIL_KEY = 'digests e-mail addresses on this machine only';

/** Parses a trimmed setting; undefined when it is invalid. */
type Read<Value> = (text: string) => Value | undefined;
/** `preset` applies when the setting is absent or invalid. */
type Setting<Value> = readonly [read: Read<Value>, preset: string];

export const EVERY_CLAIM = '*';

const text: Read<string> = (value) => value;
const list: Read<readonly string[]> = (value) =>
  value
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
const lines: Read<readonly string[]> = (value) =>
  [...new Set(value.split(/[\r\n]/).map((line) => line.trim()))].filter(Boolean);
const names: Read<readonly string[]> = (value) => list(value)?.map(canonicalName);
/** Words and names of claims. `*` is every claim. */
const words: Read<readonly string[]> = (value) => {
  const entries = list(value);
  return entries?.every((entry) => entry === EVERY_CLAIM || /[\p{L}\p{N}]/u.test(entry)) ? entries : undefined;
};
/** Accepts digits only: `Number` reads `''` as 0 and `1e3` as 1000. */
const integer = (least: number, most: number, preset: number): Setting<number> => [
  (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  },
  String(preset),
];

/** Excludes the names of B2C's envelope and protocol members. */
const CLAIM_NAME =
  /^$|^(?!(?:email|version|action|status|userMessage|code|step|client_id|ui_locales|identities|objectId)$)[A-Z][A-Z0-9_]{0,99}$/i;
/** Accepts the long name of a custom attribute. The application id is a separate setting. */
const claimName: Read<string> = (name) =>
  CLAIM_NAME.test(name) ? shortName(name).replace(/^extension_/i, 'extension_') : undefined;

const appId: Read<string> = (id) => {
  const digits = id.replaceAll('-', '').toLowerCase();
  return /^$|^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
};

const policy: Read<'built-in' | 'stored'> = (word) => (word === 'built-in' || word === 'stored' ? word : undefined);

const collected: Read<'' | 'yes' | 'no'> = (word) =>
  word === '' || word === 'yes' || word === 'no' ? word : undefined;

/** Each setting is read separately, so an invalid one does not affect the others. Units are in the names. */
const SETTINGS = {
  DATABASE_URL: [text, ''],
  SUPPORT_CODE_KEY: [text, ''],
  EMAIL_KEY: [lines, ''],
  POLICY: [policy, 'built-in'],
  ROLES_CLAIM: [claimName, 'extension_Roles'],
  EXTENSIONS_APP_ID: [appId, ''],
  EMAIL_TRUSTED_ISSUERS: [list, ''],
  EMAIL_COLLECTED_ON_PAGE: [collected, ''],
  KEEP_CLAIMS: [names, 'displayName,country,ui_locales'],
  NEVER_STORE: [words, ''],
  RETENTION_DAYS: integer(1, 3650, 90),
  STALE_ROLES_MAX_SECONDS: integer(0, 86_400, 900),
  KV_TIMEOUT_MS: integer(10, 4_000, 1_000),
  DECISION_TIMEOUT_MS: integer(20, 4_500, 2_000),
  CONNECTOR_KEY_HEADERS: [list, 'x-functions-key,api-key,x-api-key,aeg-sas-key'],
} as const satisfies { readonly [name: string]: Setting<unknown> };

/** A call reads each record under each key, and a bulk read of KV takes 100 keys. */
const MAX_EMAIL_KEYS = 3;

/** Settings whose safe fallback is not the default. */
const SAFE_FALLBACKS: { readonly [name: string]: string } = {
  POLICY: 'stored',
  EMAIL_COLLECTED_ON_PAGE: 'yes',
  NEVER_STORE: EVERY_CLAIM,
};

type Settings = { readonly [Name in keyof typeof SETTINGS]: NonNullable<ReturnType<(typeof SETTINGS)[Name][0]>> };

export interface Config extends Settings {
  /** True only under `LOCAL=yes`. */
  readonly local: boolean;
  readonly credentials: Credentials;
  /** Problems for the operator to fix, as sentences without secrets. */
  readonly problems: readonly string[];
  /** Those of them that are about a value which cannot be used, by the name of the setting. */
  readonly unusable: ReadonlyMap<string, string>;
}

const known = new WeakMap<object, Config>();

/** The settings of this environment, cached after the first call. */
export function configOf(env: object): Config {
  let config = known.get(env);
  if (config === undefined) {
    config = readConfig(env as Record<string, unknown>);
    known.set(env, config);
  }
  return config;
}

/** Pure form of {@link configOf}. */
export function readConfig(env: Record<string, unknown>): Config {
  const problems: string[] = [];
  const unusable = new Map<string, string>();
  // Only the gate has a binding to the desk. It does not receive the credentials for reports and administration.
  const isGate = 'DESK' in env;
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, [read, preset]]) => {
      const given = env[name] ?? preset;
      const value = typeof given === 'string' ? read(given.trim()) : undefined;
      if (value !== undefined) return [name, value];
      const fallback = SAFE_FALLBACKS[name];
      const used = fallback === undefined ? 'Its default' : `"${fallback}"`;
      const problem = `${name} has a value that cannot be used. ${used} applies until you correct it in wrangler.toml.`;
      problems.push(problem);
      unusable.set(name, problem);
      return [name, read(fallback ?? preset)];
    }),
  ) as unknown as Settings;
  const local = env.LOCAL === 'yes';
  if (local) problems.push('LOCAL is set: anyone can use the sample credentials. Never deploy with it.');
  if (settings.DATABASE_URL === '' && !isGate)
    problems.push('DATABASE_URL is not set: attempts stay in the queue. Set the secret.');
  if (settings.SUPPORT_CODE_KEY.length < 32 && !local) {
    problems.push(
      'SUPPORT_CODE_KEY is missing or shorter than 32 characters: a retry may get another support code. Set the secret.',
    );
  }
  const emailKeys = emailKeysOf(settings.EMAIL_KEY);
  if (settings.KV_TIMEOUT_MS >= settings.DECISION_TIMEOUT_MS) {
    problems.push(
      'KV_TIMEOUT_MS is not below DECISION_TIMEOUT_MS: KV gets less time, so that a call is still answered. Lower it.',
    );
  }
  const given = { env, local, isGate, keyHeaders: settings.CONNECTOR_KEY_HEADERS };
  const credentials = readCredentials(given, (sentence) => problems.push(sentence));
  return { ...settings, EMAIL_KEY: emailKeys, local, credentials, problems, unusable };

  /** At most {@link MAX_EMAIL_KEYS} keys, the newest first. */
  function emailKeysOf(configured: readonly string[]): readonly string[] {
    const real = configured.filter((line) => line !== SAMPLE_EMAIL_KEY);
    if (real.length < configured.length)
      problems.push('EMAIL_KEY contains the sample key, which is valid in local development only. Replace it.');
    if (local && real.length === 0) return [SAMPLE_EMAIL_KEY];
    if (real.length === 0) {
      problems.push(
        'EMAIL_KEY is missing: e-mail addresses of people with roles are keys in Workers KV. Set the same secret in both Workers.',
      );
    }
    const short = real.flatMap((line, index) => (line.length < 32 ? [index + 1] : []));
    if (short.length > 0) {
      problems.push(
        `EMAIL_KEY, line ${short.join(', ')}: shorter than 32 characters. Put a new one above it, made with openssl rand -base64 48.`,
      );
    }
    if (real.includes(settings.SUPPORT_CODE_KEY)) {
      problems.push('EMAIL_KEY contains SUPPORT_CODE_KEY. Put a key of its own above it.');
    }
    if (real.length > MAX_EMAIL_KEYS) {
      problems.push(
        `EMAIL_KEY has ${real.length} lines, and only the first ${MAX_EMAIL_KEYS} are used. Remove those that no record needs.`,
      );
    }
    return real.slice(0, MAX_EMAIL_KEYS);
  }
}
