/** Reads the JSON of user flows into a {@link SignInEvent}, with every documented name (contract 1.3 to 1.7). */
import { canonicalName, comparableName, LIST_NAMES } from '../../sign-in/claim-names.ts';
import {
  type ClaimValue,
  emailKey,
  type Identity,
  idpKey,
  isExact,
  MAX_IDENTITIES,
  MAX_OTHER_EMAILS,
  oidKey,
  type SignInEvent,
  type Step,
  TEXT_CLAIMS,
} from '../../sign-in/event.ts';
import { clientIdIn } from '../../sign-in/normal-form.ts';
import { stepNamed } from '../../sign-in/steps.ts';
import { uiLocalesIn } from '../../sign-in/ui-locales.ts';
import { type Call, type Parsed, Stopped, type Understood } from '../answer.ts';
import { readBody } from '../body.ts';

/** Other types count as absent in these claims. Custom attributes may be text, number or boolean. */
const ONLY_TEXT: ReadonlySet<string> = new Set(TEXT_CLAIMS);

export interface UserFlowCall extends Parsed {
  readonly members: Record<string, unknown>;
}

/** Parses the body of a call, with any Content-Type. */
export async function parse(call: Call): Promise<UserFlowCall | Stopped> {
  const body = await readBody(call.request);
  const read = { ...call, text: body.text };
  return body.ok ? { ...read, members: body.members } : new Stopped(body.reason, read);
}

/** Converts a body to an event. It does not depend on the policy. */
export async function understand(parsed: UserFlowCall): Promise<Understood | Stopped> {
  const event = await readEvent(parsed.members, parsed.urlStep);
  const { step } = event;
  return step === undefined
    ? new Stopped('unknown-step', { ...parsed, event })
    : { ...parsed, event: { ...event, step } };
}

/** Reads the members of a body. It awaits only the digests of long person keys. */
export async function readEvent(members: Record<string, unknown>, urlStep: Step | undefined): Promise<SignInEvent> {
  const { claims, unexpected, lists } = readClaims(members);
  const identities = readIdentities(lists.get('identities'));
  const bodyStep = textOf(claims.step);
  const known = stepNamed(bodyStep);
  const objectId = textOf(claims.objectId).trim().toLowerCase();
  const email = textOf(claims.email);
  const oid = objectId === '' ? undefined : oidKey(objectId);
  const idp = identities.list.map(({ issuer, issuerAssignedId }) => idpKey(issuer, issuerAssignedId));
  const mail = email.trim() === '' ? undefined : emailKey(email);
  return {
    channel: 'user-flow',
    step: known ?? urlStep,
    unknownStep: known === undefined ? bodyStep : '',
    urlStep: known !== undefined && urlStep !== known ? urlStep : undefined,
    claims,
    claimNames: Object.keys(claims),
    unexpectedClaims: identities.unexpected ? [...unexpected, 'identities'] : unexpected,
    clientId: clientIdIn(textOf(claims.client_id)),
    ...uiLocalesIn(textOf(claims.ui_locales)),
    objectId,
    email,
    otherNames: [lists.get('emails'), lists.get('otherMails')].flatMap(textsIn).slice(0, MAX_OTHER_EMAILS),
    identities: identities.list,
    claimedIdentities: identities.claimed,
    identitiesAre: identities.are,
    personKeys: {
      oid: typeof oid === 'object' ? await oid : oid,
      idp: idp.every((key) => typeof key === 'string') ? idp : await Promise.all(idp),
      email: typeof mail === 'object' ? await mail : mail,
    },
  };
}

/** Members that may be lists, and are no claims then. */
const LISTS: ReadonlySet<string> = new Set(LIST_NAMES);

const textOf = (value: ClaimValue | undefined): string => (typeof value === 'string' ? value : '');

/** A text, or the texts of a list. */
const textsIn = (value: unknown): string[] =>
  [value]
    .flat()
    .slice(0, MAX_OTHER_EMAILS)
    .filter((one) => typeof one === 'string');

/**
 * Null counts as absent. The canonical name wins over its aliases, and the first of two spellings over the second. No
 * prototype: `__proto__` is an ordinary name.
 */
function readClaims(members: Record<string, unknown>) {
  const claims: { [name: string]: ClaimValue } = Object.create(null);
  const unexpected: string[] = [];
  const spellings = new Map<string, string>();
  const lists = new Map<string, unknown>();
  for (const name of Object.keys(members)) {
    const value = members[name];
    if (value === null) continue;
    const canonical = canonicalName(name);
    if (LISTS.has(canonical) && !lists.has(canonical)) lists.set(canonical, value);
    if (canonical === 'identities') continue;
    const comparable = comparableName(canonical);
    const before = spellings.get(comparable) ?? canonical;
    if (!isExpected(canonical, value) || before !== canonical) {
      unexpected.push(name);
      continue;
    }
    spellings.set(comparable, canonical);
    if (name === canonical || claims[canonical] === undefined) claims[canonical] = value;
  }
  return { claims, unexpected, lists };
}

function isExpected(name: string, value: unknown): value is ClaimValue {
  if (typeof value === 'string') return true;
  if (ONLY_TEXT.has(name)) return false;
  return typeof value === 'boolean' || (typeof value === 'number' && isExact(value));
}

/** Reads identities of any sign-in type. An identity needs an issuer and an id. */
function readIdentities(value: unknown) {
  if (value === undefined || value === null) return { list: [], claimed: [], are: 'none', unexpected: false } as const;
  if (!Array.isArray(value)) return { list: [], claimed: [], are: 'partial', unexpected: true } as const;
  const claimed = value
    .slice(0, MAX_IDENTITIES)
    .map(readIdentity)
    .filter((identity) => identity !== undefined);
  const list = claimed.filter(({ issuerAssignedId }) => issuerAssignedId !== '');
  const whole = list.length === value.length;
  const are = value.length === 0 ? 'none' : whole ? 'complete' : 'partial';
  return { list, claimed, are, unexpected: list.length < Math.min(value.length, MAX_IDENTITIES) } as const;
}

/** Some providers send ids as numbers. `''` when it is unreadable. */
const idOf = (id: unknown): string =>
  typeof id === 'string' ? id : typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : '';

function readIdentity(value: unknown): Identity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { signInType, issuer, issuerAssignedId } = value as Record<string, unknown>;
  if (typeof issuer !== 'string' || issuer === '') return undefined;
  return {
    signInType: typeof signInType === 'string' ? signInType : '',
    issuer,
    issuerAssignedId: idOf(issuerAssignedId),
  };
}
