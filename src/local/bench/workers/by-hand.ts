/**
 * The baseline of the bench: the token step for one tenant, written by hand without libraries. It checks the caller in
 * constant time, limits and parses the body, reads the same keys from KV in one bulk read, merges the roles of the
 * application, sends the same reply, and then sends a message with the same members and size to the queue. When KV, a
 * record or the queue fails, it logs a line and the person still gets in.
 *
 * It has no other steps or request variants, timeouts, stale copy, check of records, redaction, support codes or keyed
 * hash (a constant here, so that messages have the same size).
 */
interface Bindings {
  GATEHOUSE: KVNamespace;
  ATTEMPTS: Queue;
  CONNECTOR_BASIC: string;
}

interface Body {
  step?: unknown;
  client_id?: unknown;
  ui_locales?: unknown;
  email?: unknown;
  objectId?: unknown;
  displayName?: unknown;
  country?: unknown;
  identities?: { signInType: string; issuer: string; issuerAssignedId: string }[];
}

interface Person {
  roles: string[];
  applications: Record<string, { roles?: string[] }>;
  updatedAt: string;
}

const MAX_BODY_BYTES = 256 * 1024;
const JSON_HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
const HEX_DIGITS_OF_A_HASH = '0'.repeat(32);
const isolate = '01a21c32-4d5a-776a-aa9a-055dfaf56e51';
let sequence = 0;
const encoder = new TextEncoder();

export default {
  async fetch(request: Request, env: Bindings, ctx: ExecutionContext): Promise<Response> {
    const startedAt = Date.now();
    if (request.method !== 'POST' || new URL(request.url).pathname !== '/connectors/user-flow') {
      return new Response(null, { status: 404 });
    }
    if (!isCaller(request.headers.get('Authorization'), env.CONNECTOR_BASIC)) {
      return new Response(null, { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="Gatehouse"' } });
    }
    const body = await readBody(request);
    const keys = body === undefined ? undefined : keysOf(body);
    const person = keys === undefined ? undefined : await readPerson(env.GATEHOUSE, keys);
    const roles = person === undefined ? [] : rolesOf(person, text(body?.client_id));
    const reply = JSON.stringify({ version: '1.0.0', action: 'Continue', extension_Roles: roles.join(' ') });
    ctx.waitUntil(remember(env, attemptOf(request, startedAt, env.CONNECTOR_BASIC, body, keys, person, roles)));
    return new Response(reply, { headers: JSON_HEADERS });
  },
};

function isCaller(header: string | null, pair: string): boolean {
  if (header === null || !/^basic /i.test(header)) return false;
  let presented: Uint8Array;
  try {
    presented = Uint8Array.from(atob(header.slice(6)), (character) => character.charCodeAt(0));
  } catch {
    return false;
  }
  const expected = encoder.encode(pair);
  const sameLength = presented.byteLength === expected.byteLength;
  return crypto.subtle.timingSafeEqual(sameLength ? presented : expected, expected) && sameLength;
}

async function readBody(request: Request): Promise<Body | undefined> {
  if (!(Number(request.headers.get('Content-Length')) <= MAX_BODY_BYTES)) return undefined;
  try {
    const body: unknown = JSON.parse(await request.text());
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function keysOf(body: Body) {
  const [identity] = Array.isArray(body.identities) ? body.identities : [];
  return {
    oid: `oid:${text(body.objectId).toLowerCase()}`,
    idp: `idp:${encodeURIComponent(text(identity?.issuer))}:${encodeURIComponent(text(identity?.issuerAssignedId))}`,
    email: `email:${text(body.email).trim().normalize('NFC').toLowerCase()}`,
  };
}

type Keys = ReturnType<typeof keysOf>;

async function readPerson(kv: KVNamespace, keys: Keys): Promise<Person | undefined> {
  try {
    // The e-mail is not trusted, so its record is not read.
    const values = await kv.get([`person:${keys.oid}`, `person:${keys.idp}`]);
    const value = values.get(`person:${keys.oid}`) ?? values.get(`person:${keys.idp}`);
    return value === null || value === undefined ? undefined : (JSON.parse(value) as Person);
  } catch (error) {
    console.log(JSON.stringify({ event: 'person-not-read', error: String(error) }));
    return undefined;
  }
}

const rolesOf = (person: Person, clientId: string): string[] => [
  ...new Set([...person.roles, ...(person.applications[clientId.toLowerCase()]?.roles ?? [])]),
];

/** Claim names. Custom attributes lose the 32 hex digits of the extensions app. */
const namesOf = (body: object): string[] =>
  Object.keys(body)
    .filter((name) => name !== 'identities')
    .map((name) => (name.startsWith('extension_') ? `extension_${name.slice('extension_'.length + 33)}` : name));

async function remember(env: Bindings, attempt: object): Promise<void> {
  try {
    await env.ATTEMPTS.send(attempt);
  } catch (error) {
    console.log(JSON.stringify({ event: 'attempt-not-sent', error: String(error) }));
  }
}

function attemptOf(
  request: Request,
  startedAt: number,
  pair: string,
  body: Body | undefined,
  keys: Keys | undefined,
  person: Person | undefined,
  roles: string[],
) {
  const [identity] = Array.isArray(body?.identities) ? body.identities : [];
  return {
    kind: 'attempt',
    v: 1,
    id: crypto.randomUUID(),
    channel: 'user-flow',
    step: text(body?.step),
    urlStep: '',
    outcome: body === undefined ? 'error' : 'continue',
    reason: body === undefined ? 'unreadable-body' : '',
    reply: 'Continue',
    status: 200,
    rule: '',
    messageKey: '',
    message: '',
    messageLanguage: '',
    supportCode: '',
    policyVersion: 0,
    clientId: text(body?.client_id),
    objectId: text(body?.objectId),
    email: text(body?.email),
    issuer: text(identity?.issuer),
    issuerAssignedId: text(identity?.issuerAssignedId),
    signInType: text(identity?.signInType),
    oidKey: keys?.oid ?? '',
    idpKey: keys?.idp ?? '',
    emailKey: keys?.email ?? '',
    otherKeys: [],
    locale: text(body?.ui_locales),
    claimNames: namesOf(body ?? {}),
    unexpectedClaims: [],
    keptClaims: { displayName: body?.displayName, country: body?.country, ui_locales: body?.ui_locales },
    sentClaims: ['extension_Roles'],
    failedRules: [],
    quotedClaims: [],
    roles,
    rolesUpdatedAt: person?.updatedAt ?? null,
    durationMs: Date.now() - startedAt,
    degraded: '',
    notes: [],
    caller: pair.slice(0, pair.indexOf(':')),
    cfRay: request.headers.get('cf-ray') ?? '',
    correlationId: '',
    fingerprint: HEX_DIGITS_OF_A_HASH,
    policyId: '',
    ipNetwork: '',
    callerKind: 'basic',
    isolate,
    sequence: ++sequence,
  };
}
