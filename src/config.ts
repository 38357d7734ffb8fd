/** Reads the Worker's settings once an isolate. A bad value never stops a call: its default counts, and `/health/ready` names it. */
import * as z from 'zod/mini';
import { readBasicLines } from './callers/basic.ts';
import type { BasicCredential, Credentials } from './callers/credential.ts';
import { canonicalName } from './sign-in/claim-names.ts';

/** The pairs that count while `LOCAL=yes`, which only `npm run dev` and the tests pass. */
export const SAMPLE_CREDENTIALS = { connector: 'Test:Test', reports: 'support:support', admin: 'admin:admin' } as const;

const SAMPLE_LINES = new Set<string>(Object.values(SAMPLE_CREDENTIALS));
const text = z._default(z.string().check(z.trim()), '');
const list = z.pipe(
  text,
  z.transform((value: string) =>
    value
      .split(/[,\n]/)
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
);
/** Plain digits: to a number, `''` is 0 and `1e3` is 1000. */
const integer = (least: number, most: number, preset: number) =>
  z._default(
    z.pipe(
      z.pipe(z.string().check(z.trim(), z.regex(/^\d{1,9}$/)), z.transform(Number)),
      z.int().check(z.gte(least), z.lte(most)),
    ),
    preset,
  );

/** A name that neither B2C's envelope nor its protocol members use, and that may be set at the token step. */
const CLAIM_NAME =
  /^$|^(?!(?:email|version|action|status|userMessage|code|step|client_id|ui_locales|identities|objectId)$)[A-Z][A-Z0-9_]{0,99}$/i;
/** The claim may be named as in a body; the application id is a setting of its own. */
const LONG_NAME = /^extension_[0-9a-f]{32}_/i;
const APP_ID = /^$|^[0-9a-f]{32}$/;

/** One schema a setting, so that a bad one is replaced by its default alone. Units are in the names. */
const SETTINGS = {
  DATABASE_URL: text,
  SUPPORT_CODE_KEY: text,
  POLICY: z._default(z.enum(['built-in', 'stored']), 'built-in'),
  ROLES_CLAIM: z._default(
    z.pipe(
      z.string().check(z.trim(), z.regex(CLAIM_NAME)),
      z.transform((name: string) => name.replace(LONG_NAME, 'extension_').replace(/^extension_/i, 'extension_')),
    ),
    'extension_Roles',
  ),
  EXTENSIONS_APP_ID: z.pipe(
    text,
    z.pipe(
      z.transform((id: string) => id.replaceAll('-', '').toLowerCase()),
      z.string().check(z.regex(APP_ID)),
    ),
  ),
  EMAIL_TRUSTED_ISSUERS: list,
  KEEP_CLAIMS: z.prefault(
    z.pipe(
      list,
      z.transform((names: string[]) => names.map(canonicalName)),
    ),
    'displayName,country,ui_locales',
  ),
  RETENTION_DAYS: integer(1, 3650, 90),
  STALE_ROLES_MAX_SECONDS: integer(0, 86_400, 900),
  KV_TIMEOUT_MS: integer(10, 4_000, 1_000),
  DECISION_TIMEOUT_MS: integer(20, 4_500, 2_000),
} as const;

/** Where the default would open what the operator meant to close. */
const WHEN_UNUSABLE: { readonly [name: string]: string } = { POLICY: 'stored' };

type Settings = { readonly [Name in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[Name]> };

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
  const settings = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, schema]) => {
      const parsed = schema.safeParse(env[name]);
      if (parsed.success) return [name, parsed.data];
      const standsIn = Object.hasOwn(WHEN_UNUSABLE, name) ? WHEN_UNUSABLE[name] : schema.parse(undefined);
      const counts = Object.hasOwn(WHEN_UNUSABLE, name) ? `so that "${standsIn}" counts` : 'so its default counts';
      problems.push(`${name} has a value that cannot be used, ${counts}. Correct it in wrangler.toml.`);
      return [name, standsIn];
    }),
  ) as Settings;
  const local = env.LOCAL === 'yes';
  if (local) problems.push('LOCAL is set: the sample credentials open every door. Never deploy with it.');
  if (settings.DATABASE_URL === '')
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
    connector: credentialsOf('CONNECTOR_BASIC', SAMPLE_CREDENTIALS.connector),
    reports: credentialsOf('REPORTS_BASIC', SAMPLE_CREDENTIALS.reports),
    admin: credentialsOf('ADMIN_BASIC', SAMPLE_CREDENTIALS.admin),
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
