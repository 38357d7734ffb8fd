/** `npm run connect -- secret`: a new credential, where it goes, and how it replaces the old one without a gap. */
import { randomBytes } from 'node:crypto';
import { type Io, print } from '../io.ts';
import { calledWrongly } from '../refusal.ts';
import { pairs } from '../table.ts';

export const SECRET_KINDS = ['basic', 'key', 'token', 'reports', 'admin'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

interface Target {
  /** The secret of a Worker, with one `name:secret` a line. */
  readonly setting: string;
  readonly worker: 'gate' | 'desk';
  /** How a caller presents it: as a user name and a password, or the secret alone. */
  readonly isPair: boolean;
  /** Where it is entered. */
  readonly entered: string;
}

const TARGETS: { readonly [kind in SecretKind]: Target } = {
  basic: {
    setting: 'CONNECTOR_BASIC',
    worker: 'gate',
    isPair: true,
    entered:
      'in each API connector of the user flow, or in the policy keys B2C_1A_GatehouseUser and B2C_1A_GatehousePassword',
  },
  key: {
    setting: 'CONNECTOR_KEYS',
    worker: 'gate',
    isPair: false,
    entered: 'in the policy key B2C_1A_GatehouseKey, or as ?code= at the end of the URL of each API connector',
  },
  token: {
    setting: 'CONNECTOR_TOKENS',
    worker: 'gate',
    isPair: false,
    entered: 'in the policy key that the technical profiles name for BearerAuthenticationToken',
  },
  reports: { setting: 'REPORTS_BASIC', worker: 'desk', isPair: true, entered: 'where support staff sign in' },
  admin: { setting: 'ADMIN_BASIC', worker: 'desk', isPair: true, entered: 'in GATEHOUSE_ADMIN of administrators' },
};

/** 256 bits. Base64url has no character that a URL, a shell or a line of a secret treats in a special way. */
const SECRET_BYTES = 32;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** Two lines with one name cannot be distinguished in `/reports/callers`. */
const SUFFIX_BYTES = 2;

export interface SecretOptions {
  readonly kind: SecretKind;
  readonly name?: string;
}

export async function makeSecret(io: Io, { kind, name }: SecretOptions, now = new Date()): Promise<number> {
  if (name !== undefined && !NAME.test(name))
    throw calledWrongly(
      `--name ${name} cannot be the name of a credential. Write 1 to 63 letters, digits, dots, hyphens or underscores; the first is a letter or digit.`,
      'connect',
    );
  const owner = TARGETS[kind].worker === 'gate' ? 'b2c' : kind;
  const date = now.toISOString().slice(0, 10).replaceAll('-', '');
  const chosen = name ?? `${owner}-${date}-${randomBytes(SUFFIX_BYTES).toString('hex')}`;
  print(io, secretText(TARGETS[kind], chosen, randomBytes(SECRET_BYTES).toString('base64url')));
  return 0;
}

function secretText({ setting, worker, isPair, entered }: Target, name: string, secret: string): string {
  const shown = isPair
    ? pairs([
        ['user name', name],
        ['password', secret],
      ])
    : pairs([
        ['name', `${name} (in reports only)`],
        ['secret', secret],
      ]);
  const config = worker === 'desk' ? ' -c src/desk/wrangler.toml' : '';
  const old = worker === 'gate' ? 'the old name' : 'the old line';
  return `A new credential. It is shown once and stored nowhere.

${shown}

The line of ${setting}, a secret of the ${worker}:

${name}:${secret}

To put it in force without a gap (a first credential needs steps 1 and 2 only):

1. Write the line above to a file, with every line of ${setting} that is in use. wrangler replaces the whole secret:
   npx wrangler secret put ${setting}${config} < lines.txt
2. Enter the new credential ${entered}.
3. ${
    worker === 'gate'
      ? 'Ask when the old one was last used; advice says it for each name:\n   curl -s -u support:<password> https://<your Gatehouse>/reports/callers'
      : 'Ask those who use the old one whether they have the new one.'
  }
4. When nothing uses ${old} any more, put the secret again without its line. Delete the file.`;
}
