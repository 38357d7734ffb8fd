/** The setting that lists who may sign tokens. It is checked by hand: zod is larger than the whole gate may be. */
import { TOKEN_USES, type TokenIssuer, type TokenUse } from './credential.ts';

export interface IssuerList {
  readonly issuers: readonly TokenIssuer[];
  /** What is wrong, as sentences that name the entry. */
  readonly faults: readonly string[];
}

const MEMBERS = ['name', 'issuer', 'metadata', 'audience', 'clients', 'kind'];
const WELL_KNOWN = '/.well-known/openid-configuration';
/** A name is in attempts, logs and reports. */
const MAX_NAME_CHARS = 100;

/**
 * Reads a JSON list of `{ name, issuer or metadata, audience, clients, kind }`. An entry with a fault is left out, so
 * that the others count. `local` also admits http on this machine.
 */
export function readIssuers(text: string, local: boolean): IssuerList {
  if (text.trim() === '') return { issuers: [], faults: [] };
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return { issuers: [], faults: ['not JSON'] };
  }
  if (!Array.isArray(list)) return { issuers: [], faults: ['not a list'] };
  const issuers: TokenIssuer[] = [];
  const faults: string[] = [];
  const names = new Set<string>();
  list.forEach((entry: unknown, index) => {
    const read = readIssuer(entry, local);
    if (typeof read === 'string') faults.push(`entry ${index + 1}: ${read}`);
    else if (names.has(read.name)) faults.push(`entry ${index + 1}: another entry has the same "name"`);
    else {
      names.add(read.name);
      issuers.push(read);
    }
  });
  return { issuers, faults };
}

function readIssuer(entry: unknown, local: boolean): TokenIssuer | string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'not an object';
  const members = entry as Record<string, unknown>;
  const unknown = Object.keys(members).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) return `unknown member ${JSON.stringify(unknown.slice(0, MAX_NAME_CHARS))}`;
  const { name, issuer, metadata, kind } = members;
  const audience = textsOf(members.audience);
  const clients = textsOf(members.clients);
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_CHARS)
    return `"name" must be a text of at most ${MAX_NAME_CHARS} characters`;
  if (issuer === undefined && metadata === undefined) return '"issuer" or "metadata" is missing';
  if (issuer !== undefined && !isSecureUrl(issuer, local)) return '"issuer" must be an https URL';
  if (metadata !== undefined && !isSecureUrl(metadata, local)) return '"metadata" must be an https URL';
  if (audience === undefined) return '"audience" must be a text or a list of texts, and not empty';
  if (clients === undefined) return '"clients" must be a list of client ids, and not empty';
  if (!isUse(kind)) return `"kind" must be one of ${TOKEN_USES.join(', ')}`;
  return {
    name,
    ...(issuer === undefined ? {} : { issuer }),
    metadata: metadata ?? `${(issuer ?? '').replace(/\/$/, '')}${WELL_KNOWN}`,
    audience,
    clients,
    kind,
  };
}

const isUse = (kind: unknown): kind is TokenUse => TOKEN_USES.some((use) => use === kind);

function textsOf(value: unknown): string[] | undefined {
  const texts = [value].flat();
  return texts.length > 0 && texts.every((text): text is string => typeof text === 'string' && text !== '')
    ? texts
    : undefined;
}

/** https: the server at this address names the keys that count. */
export function isSecureUrl(value: unknown, local: boolean): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (local && protocol === 'http:' && /^(?:localhost|127\.0\.0\.1)$/.test(hostname));
}
