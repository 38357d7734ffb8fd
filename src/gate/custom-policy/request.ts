/**
 * Reads the calls of custom policies into a {@link SignInEvent}: JSON or a form in the body, or a query string or
 * headers without one. The same claims arrive whatever the transport (contract lines 61, 101 to 105).
 */
import type { BodyFault } from '../../attempts/error-reasons.ts';
import { type Exchange, exchangeKey } from '../../policy/exchange.ts';
import { type Incoming, type ReadInputs, readInputs } from '../../policy/exchange-inputs.ts';
import type { Policy } from '../../policy/policy.ts';
import { type Claims, emailKey, idpKey, oidKey, type SignInEvent } from '../../sign-in/event.ts';
import { tagOfLcid } from '../../sign-in/lcid.ts';
import { networkOf } from '../../sign-in/network.ts';
import { clientIdIn, guidOf, isAddress, normalText } from '../../sign-in/normal-form.ts';
import { uiLocalesIn } from '../../sign-in/ui-locales.ts';
import { type Call, type Parsed, Stopped, type Understood } from '../answer.ts';
import { isJsonRoot, parseBody, readBodyText, type TextRead } from '../body.ts';
import { whyNotJson } from '../encoding.ts';

export interface ExchangeCall extends Parsed {
  readonly incoming: Incoming;
  readonly fault: BodyFault | undefined;
}

/** The event of an exchange, and what only its attempt records. */
export interface ExchangeEvent extends SignInEvent {
  readonly exchange: Exchange;
  readonly inputs: ReadInputs;
  readonly correlationId: string;
  readonly policyId: string;
  readonly ipNetwork: string;
}

const NOTHING: Incoming = { members: [], root: undefined };

/** Headers of HTTP, of proxies and of credentials. A custom policy sends none of them as a claim. */
const NO_CLAIM =
  /^(?:accept.*|authorization|cache-control|cdn-loop|cf-.*|connection|content-.*|cookie|date|expect|forwarded|host|if-.*|keep-alive|origin|pragma|proxy-.*|range|referer|sec-.*|te|trailer|transfer-encoding|true-client-ip|upgrade.*|user-agent|via|x-forwarded-.*|x-real-ip|trace(?:parent|state))$/;
/** The key in a URL is a credential (contract 3.1), never a claim. */
const KEY_PARAMETER = 'code';

/** Parses a call. What cannot be read is a fault that the exchange's `whenUnavailable` answers. */
export async function parse(call: Call, keyHeaders: readonly string[]): Promise<ExchangeCall> {
  const { method, headers, url } = call.request;
  if (method === 'GET') {
    const incoming = inQuery(new URL(url).searchParams) ?? inHeaders(headers, keyHeaders);
    return { ...call, text: textOf(incoming), incoming, fault: undefined };
  }
  const body = await readBodyText(call.request);
  const { text } = body;
  if (body.fault !== undefined) return { ...call, text, incoming: NOTHING, fault: body.fault };
  const read = isForm(text, headers) ? formIn(body) : jsonIn(body);
  return { ...call, text, incoming: read.incoming ?? NOTHING, fault: read.fault };
}

/** Undefined when the query has no claims. */
function inQuery(query: URLSearchParams): Incoming | undefined {
  const members = [...query].filter(([name]) => name.toLowerCase() !== KEY_PARAMETER);
  return members.length === 0 ? undefined : { members, root: undefined };
}

/** Others than the author of the custom policy add headers, so those that no input reads mean nothing. */
function inHeaders(headers: Headers, keyHeaders: readonly string[]): Incoming {
  const sent = [...headers].filter(([name]) => !NO_CLAIM.test(name) && !keyHeaders.includes(name));
  const members = sent.map(([name, value]) => [name, readable(value)] as const);
  return { members, root: undefined, hasStrangers: true };
}

/** Header values arrive as Latin-1. A custom policy that sends UTF-8 is understood too. */
function readable(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value) || /[^\0-\u00ff]/.test(value)) return value;
  try {
    return utf8.decode(Uint8Array.from(value, (sign) => sign.charCodeAt(0)));
  } catch {
    return value;
  }
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Replaces the body in support codes and fingerprints. */
function textOf({ members, hasStrangers = false }: Incoming): string {
  // A retry has other values in the headers of proxies.
  const own = hasStrangers ? members.filter(([name]) => !name.startsWith('x-')) : members;
  return own.length === 0 ? '' : JSON.stringify(own);
}

/** Takes a padded base64 text, which may be a secret, for no form: its name would be noted in the attempt. */
const BASE64 = /^\s*[\w+/-]+==\s*$/;

/** What the body is decides; the Content-Type only when both are possible. */
function isForm(text: string, headers: Headers): boolean {
  const start = text.trimStart().charAt(0);
  if (start === '{' || start === '[' || BASE64.test(text)) return false;
  const type = headers.get('Content-Type') ?? '';
  return /^application\/x-www-form-urlencoded/i.test(type.trim()) || /^[^\s"=&]{1,200}=/.test(text);
}

interface ReadBody {
  readonly incoming?: Incoming;
  readonly fault: BodyFault | undefined;
}

function formIn({ headers, bytes, text }: TextRead): ReadBody {
  const fault = whyNotJson(headers, bytes, text);
  // A form is not JSON, but it must be neither compressed nor in another encoding.
  return fault === 'not-json'
    ? { incoming: { members: [...new URLSearchParams(text)], root: undefined }, fault: undefined }
    : { fault };
}

function jsonIn(body: TextRead): ReadBody {
  const { text } = body;
  // B2C leaves out empty claims, and so perhaps the body.
  if (text.trim() === '') return { incoming: NOTHING, fault: undefined };
  const read = parseBody(body, isJsonRoot);
  if (!read.ok) return { fault: read.fault };
  const root = read.value;
  if (Array.isArray(root)) return { incoming: { members: [], root }, fault: undefined };
  return { incoming: { members: repeatedMembers(text) ?? Object.entries(root), root }, fault: undefined };
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs;

/**
 * The members of an object, in order, when a name repeats with an empty value last: JSON.parse keeps only that one.
 * Undefined when JSON.parse lost nothing. The text is valid JSON.
 */
function repeatedMembers(text: string): [name: string, value: unknown][] | undefined {
  if (!/:\s*(?:""|null)/.test(text)) return undefined;
  const members: [name: string, value: unknown][] = [];
  let depth = 0;
  let name: string | undefined;
  let from = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const ends = (token === '}' && depth === 1) || (token === ',' && depth === 1);
    if (ends && name !== undefined) {
      members.push([name, JSON.parse(text.slice(from, index))]);
      name = undefined;
    } else if (depth === 1 && name === undefined && token.startsWith('"')) {
      name = JSON.parse(token) as string;
    } else if (depth === 1 && name !== undefined && token === ':') {
      from = index + 1;
    }
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
  }
  return members;
}

/** Finds the exchange and reads its inputs. */
export async function understand(parsed: ExchangeCall, policy: Policy | undefined): Promise<Understood | Stopped> {
  const exchange = policy?.exchanges.get(exchangeKey(parsed.urlStep ?? ''));
  if (exchange === undefined) return new Stopped(policy === undefined ? 'no-policy' : 'unknown-exchange', parsed);
  const event = await eventOf(exchange, parsed.incoming);
  const understood = { ...parsed, event: { ...event, step: exchange.name } };
  return parsed.fault === undefined ? understood : new Stopped(parsed.fault, understood);
}

async function eventOf(exchange: Exchange, incoming: Incoming): Promise<ExchangeEvent> {
  const inputs = readInputs(exchange, incoming);
  const claims: Claims = inputs.claims;
  const text = (name: string): string => (typeof claims[name] === 'string' ? claims[name].trim() : '');
  const { email, objectId } = exchange.identifies;
  const id = objectId === undefined ? '' : identifying(text('objectId'));
  // As it arrives: a record of roles is not found by another spelling.
  const guid = GUID.test(id) ? id.toLowerCase() : undefined;
  const typed = email === undefined ? '' : text('email');
  const address = addressIn(typed);
  const other = guid === undefined && objectId?.form === 'any' && id !== '';
  const identity = { signInType: '', issuer: exchange.issuer, issuerAssignedId: id };
  const identities = other ? [identity] : [];
  return {
    channel: 'custom-policy',
    step: exchange.name,
    unknownStep: '',
    urlStep: undefined,
    claims,
    claimNames: Object.keys(claims),
    unexpectedClaims: inputs.unexpected,
    clientId: clientIdIn(text('client_id')),
    ...uiLocalesIn(tagOfLcid(text('ui_locales'))),
    // In another notation it is found, and gains no record.
    objectId: guid ?? identifying(guidOf(id) ?? ''),
    email: address,
    // A custom policy sends what the person signs in with, which may be a user name.
    otherNames: address === '' && identifying(typed) !== '' ? [typed] : [],
    identities,
    claimedIdentities: identities,
    identitiesAre: other ? 'complete' : 'none',
    emailIsTrusted: email?.trusted === true,
    personKeys: {
      oid: guid === undefined ? undefined : await oidKey(guid),
      idp: other ? [await idpKey(exchange.issuer, id)] : [],
      email: address === '' ? undefined : await emailKey(address),
    },
    exchange,
    inputs,
    correlationId: guidOf(text('correlationId')) ?? text('correlationId'),
    policyId: text('policyId'),
    ipNetwork: networkOf(text('ipAddress')),
  };
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Words that policies and forms send for "no value". They identify no one. */
const NO_ONE = /^(?:empty|null|undefined|unknown|none|nil|n\/a|na|anonymous|guest|test|true|false|[0.-]+|0{8}-.*)$/i;
function identifying(id: string): string {
  const seen = normalText(id);
  return seen === '' || NO_ONE.test(seen) ? '' : id;
}

const addressIn = (text: string): string => (isAddress(text) ? text : '');
