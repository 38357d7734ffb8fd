/** Reads the Worker's settings once an isolate. A bad value never stops a call: its default counts, and `/health/ready` names it. */
import { readBasicLines } from '../callers/basic.ts';
import type { BasicCredential, Credentials } from '../callers/credential.ts';
import { canonicalName, shortName } from '../sign-in/claim-names.ts';

/** The pairs that count while `LOCAL=yes`, which only `npm run dev` and the tests pass. */
export const SAMPLE_CREDENTIALS = { connector: 'Test:Test', reports: 'support:support', admin: 'admin:admin' } as const;

const SAMPLE_LINES = new Set<string>(Object.values(SAMPLE_CREDENTIALS));

/** Reads the text of a setting, without the spaces around it; undefined when it cannot be used. */
type Read<Value> = (text: string) => Value | undefined;
/** How a setting is read, and the text that counts when it is absent or cannot be used. */
type Setting<Value> = readonly [read: Read<Value>, preset: string];

const text: Read<string> = (value) => value;
const list: Read<readonly string[]> = (value) =>
  value
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
const names: Read<readonly string[]> = (value) => list(value)?.map(canonicalName);
/** Plain digits: to a number, `''` is 0 and `1e3` is 1000. */
const integer = (least: number, most: number, preset: number): Setting<number> => [
  (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  },
  String(preset),
];

/** A name that neither B2C's envelope nor its protocol members use, and that may be set at the token step. */
const CLAIM_NAME =
  /^$|^(?!(?:email|version|action|status|userMessage|code|step|client_id|ui_locales|identities|objectId)$)[A-Z][A-Z0-9_]{0,99}$/i;
/** The claim may be named as in a body; the application id is a setting of its own. */
const claimName: Read<string> = (name) =>
  CLAIM_NAME.test(name) ? shortName(name).replace(/^extension_/i, 'extension_') : undefined;

const appId: Read<string> = (id) => {
  const digits = id.replaceAll('-', '').toLowerCase();
  return /^$|^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
};

const policy: Read<'built-in' | 'stored'> = (word) => (word === 'built-in' || word === 'stored' ? word : undefined);

/** Each setting is read by itself, so that a bad one is replaced by its default alone. Units are in the names. */
const SETTINGS = {
  DATABASE_URL: [text, ''],
  SUPPORT_CODE_KEY: [text, ''],
  POLICY: [policy, 'built-in'],
  ROLES_CLAIM: [claimName, 'extension_Roles'],
  EXTENSIONS_APP_ID: [appId, ''],
  EMAIL_TRUSTED_ISSUERS: [list, ''],
  KEEP_CLAIMS: [names, 'displayName,country,ui_locales'],
  RETENTION_DAYS: integer(1, 3650, 90),
  STALE_ROLES_MAX_SECONDS: integer(0, 86_400, 900),
  KV_TIMEOUT_MS: integer(10, 4_000, 1_000),
  DECISION_TIMEOUT_MS: integer(20, 4_500, 2_000),
} as const satisfies { readonly [name: string]: Setting<unknown> };

/** Where the default would open what the operator meant to close. */
const WHEN_UNUSABLE: { readonly [name: string]: string } = { POLICY: 'stored' };

type Settings = { readonly [Name in keyof typeof SETTINGS]: NonNullable<ReturnType<(typeof SETTINGS)[Name][0]>> };

export interface Config extends Settings {
  /** True only under `LOCAL=yes`. */
  readonly local: boolean;
  readonly credentials: Credentials;
  /** What an operator should mend, as sentences without secrets. */
  readonly problems: readonly string[];
}

const known = new WeakMap<object, Config>();

/** The settings of this environment; read at the first call, then from memory. */
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
  // Each Worker speaks of what it is given: the gate, which is bound to the desk, holds no secret of staff.
  const isGate = 'DESK' in env;
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, [read, preset]]) => {
      const given = env[name] ?? preset;
      const value = typeof given === 'string' ? read(given.trim()) : undefined;
      if (value !== undefined) return [name, value];
      const standsIn = WHEN_UNUSABLE[name];
      const counts = standsIn === undefined ? 'so its default counts' : `so that "${standsIn}" counts`;
      problems.push(`${name} has a value that cannot be used, ${counts}. Correct it in wrangler.toml.`);
      return [name, read(standsIn ?? preset)];
    }),
  ) as unknown as Settings;
  const local = env.LOCAL === 'yes';
  if (local) problems.push('LOCAL is set: the sample credentials open every door. Never deploy with it.');
  if (settings.DATABASE_URL === '' && !isGate)
    problems.push('DATABASE_URL is not set: attempts wait in the queue. Set the secret.');
  if (settings.SUPPORT_CODE_KEY.length < 32 && !local) {
    problems.push(
      'SUPPORT_CODE_KEY is missing or shorter than 32 characters: support codes may change between retries.',
    );
  }
  if (settings.KV_TIMEOUT_MS >= settings.DECISION_TIMEOUT_MS) {
    problems.push(
      'KV_TIMEOUT_MS is not below DECISION_TIMEOUT_MS: KV is given less time, so that a call can still be answered.',
    );
  }
  const credentials: Credentials = {
    connector: isGate ? credentialsOf('CONNECTOR_BASIC', SAMPLE_CREDENTIALS.connector) : [],
    reports: isGate ? [] : credentialsOf('REPORTS_BASIC', SAMPLE_CREDENTIALS.reports),
    admin: isGate ? [] : credentialsOf('ADMIN_BASIC', SAMPLE_CREDENTIALS.admin),
  };
  return { ...settings, local, credentials, problems };

  function credentialsOf(name: string, sample: string): BasicCredential[] {
    const lines = typeof env[name] === 'string' ? env[name] : '';
    const { credentials: configured, faulty } = readBasicLines(lines);
    if (faulty.length > 0) {
      const which = `line ${faulty.join(', ')}`;
      problems.push(
        `${name}, ${which}: not a plain username:password (a colon, no quotes or spaces around it). Correct the secret.`,
      );
    }
    const real = configured.filter(({ line }) => !SAMPLE_LINES.has(new TextDecoder().decode(line)));
    if (real.length < configured.length) {
      problems.push(`${name} holds a sample credential, which opens nothing outside local development. Replace it.`);
    }
    if (real.length === 0 && !local) problems.push(`${name} has no usable line: nobody gets in. Set the secret.`);
    return local ? [...real, ...readBasicLines(sample).credentials] : real;
  }
}
