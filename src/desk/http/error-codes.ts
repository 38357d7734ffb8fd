/**
 * Every refusal outside `/connectors`: a code, which programs compare and which never changes, its status, and a
 * sentence that says what is wrong and what to do, which may change. Pure. The gate answers `no-such-address` too, and
 * has one more code, for a desk that is away: `desk-unavailable` (gate/index.ts).
 */
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { NO_SUCH_ADDRESS } from '../../platform/no-such-address.ts';

/** A fault of a request. */
export interface Fault {
  /** The parameter or member, as people write it: `rules[2].when`. `''` is the whole. */
  readonly path: string;
  /** The member of the request's body, as a JSON Pointer (json-pointer.ts). Absent when the fault is elsewhere. */
  readonly pointer?: string;
  /** What is wrong and what to send instead. */
  readonly message: string;
  /** Id of the rule of a policy. */
  readonly rule?: string;
}

interface Numbered {
  readonly number: number;
}

interface Faults {
  readonly errors: readonly Fault[];
  /** Their number, when `errors` has only the first. */
  readonly total?: number;
}

/** The version in force at an address (`/admin/policy` or `/admin/policy/shadow`). */
export interface CurrentVersion {
  readonly address: string;
  readonly current: number;
  readonly author: string;
  readonly createdAt: Date;
}

/** The state after a call that failed, and what to do. */
const AFTERWARDS = {
  'nothing-changed': 'Nothing was changed. Make the same call again.',
  'change-logged':
    'The audit log (/admin/changes) holds this change, and it may or may not be in force. ' +
    'Make the same call again until its status is 200: that is safe.',
  'erasure-begun':
    'A part may be erased already, and the rest is not. Make the same call again until its status is 200: that is safe.',
  'attempts-wait':
    'No attempt is lost: attempts wait in the queue. Try again in a few seconds, or ask for a shorter period. ' +
    'If this persists, give the request id to the operator.',
} as const;

interface Afterwards {
  readonly afterwards: keyof typeof AFTERWARDS;
}

const failed =
  (what: string) =>
  ({ afterwards }: Afterwards) =>
    `${what} ${AFTERWARDS[afterwards]}`;

export type Entry = readonly [
  status: ContentfulStatusCode,
  sentence: string | ((parameters: never) => string),
  retryAfterSeconds?: number,
];

/** By code. Parameters that are called `errors` or `current` become members of the problem document. */
export const REFUSALS = {
  'invalid-request': [400, ({ errors }: Faults) => errors.map(named).join('; ')],
  'invalid-policy': [400, invalidPolicy],
  'not-authenticated': [
    401,
    ({ kind }: { kind: string }) => `Use HTTP Basic with a pair from ${kind.toUpperCase()}_BASIC.`,
  ],
  'cross-site': [
    403,
    'A page of another site caused this request, so nothing was done. Send it from a program, or from a page of this host.',
  ],
  'no-such-address': [404, NO_SUCH_ADDRESS],
  'no-such-attempt': [404, noSuchAttempt],
  'no-such-person': [404, 'No record is stored under this key. One saved in the last minute may not show yet.'],
  'no-person-named': [
    404,
    'This text leads to no person: the call that it names has no objectId, e-mail address or identity. Ask for one of them.',
  ],
  'no-such-dead-letter': [404, 'This dead letter was replayed, removed or has expired. See GET /admin/dead-letters.'],
  'no-policy': [404, 'No policy has been saved. Save the first one: PUT /admin/policy with If-None-Match: *.'],
  'no-shadow': [404, 'No shadow policy runs. Save one: PUT /admin/policy/shadow?sample=0.1 with If-None-Match: *.'],
  'no-such-version': [
    404,
    ({ number, address = '/admin/policy' }: Numbered & { address?: string }) =>
      `There is no version ${number}. See GET ${address}/versions.`,
  ],
  'version-without-document': [
    404,
    ({ number }: Numbered) =>
      `Version ${number} ended a shadow policy, so it says nothing. Choose another one: GET /reports/policy/versions.`,
  ],
  'no-such-rule': [404, noSuchRule],
  'no-such-list': [404, noSuchList],
  'method-not-allowed': [
    405,
    ({ allowed }: { allowed: string }) => `This address does not take this method. Use ${allowed}.`,
  ],
  'no-policy-to-shadow': [
    409,
    'A shadow policy runs beside a saved policy, and none has been saved. Save one: PUT /admin/policy.',
  ],
  'shared-address': [
    409,
    ({ accounts }: { accounts: number }) =>
      `Nothing was erased: this address or name was seen with ${accounts} accounts or identities, which may be different persons. ` +
      'Erase the person under oid:<objectId>, or say that you mean all of them (DELETE: ?shared=yes; POST: "shared": "yes"; npm run roles: --shared).',
  ],
  'version-missing': [
    412,
    'Nothing was changed: the version in If-Match does not exist. To save the first version, send If-None-Match: *.',
  ],
  'version-changed': [412, versionChanged],
  'version-identical': [
    412,
    (inForce: CurrentVersion) => `Nothing was changed: ${versionOf(inForce)} is identical to what you sent.`,
  ],
  'body-too-large': [
    413,
    ({ maxBytes, what }: { maxBytes: number; what: string }) =>
      `The body exceeds ${maxBytes} bytes, the limit for a ${what}. Shorten it.`,
  ],
  'body-not-json': [415, 'The Content-Type is not JSON. Send JSON with Content-Type: application/json.'],
  'precondition-missing': [428, preconditionMissing],
  'too-many-guesses': [
    429,
    'Too many wrong credentials came from your address or for this name. Wait a minute; a correct credential is admitted at once.',
    60,
  ],
  'version-unreadable': [
    500,
    ({ number }: Numbered) =>
      `The document of version ${number} is damaged: it does not have the form of a policy. Choose another version, and ask an administrator to look at it.`,
  ],
  'internal-error': [500, 'An unexpected error occurred. Try again, or search the logs for the request id.'],
  'not-logged': [503, failed('The change could not be logged: the queue and the database both refused it.'), 30],
  'kv-busy': [503, failed('Workers KV takes one write a second for one key.'), 2],
  'kv-timeout': [503, failed('Workers KV did not answer in time.'), 5],
  'kv-failed': [503, failed('Workers KV failed.'), 5],
  'kv-refused': [503, failed('Workers KV refused the request.'), 5],
  'database-unavailable': [503, failed('The database did not answer.'), 5],
  'database-not-migrated': [503, failed('The database lacks a table. Run npm run migrate against it.'), 60],
  'nothing-decides': [
    503,
    'No policy could be read from Workers KV, so sign-ups are blocked. Save a policy (PUT /admin/policy), or send a draft as "policy".',
    30,
  ],
  contended: [503, failed('Several people are saving at the same time.'), 2],
  'save-uncertain': [503, saveUncertain, 5],
  'dead-letters-not-replayed': [
    503,
    'The queue or Workers KV did not answer. Messages that the queue accepted are no longer dead letters; the others remain. Check /health/ready, then try again.',
    30,
  ],
} as const satisfies { readonly [code: string]: Entry };

/** Closed: a new refusal is a new entry above. */
export type Code = keyof typeof REFUSALS;
export type ParametersOf<C extends Code> = (typeof REFUSALS)[C][1] extends (parameters: infer P) => string
  ? P
  : undefined;

const named = ({ path, message }: Fault) => (path === '' ? message : `${path}: ${message}`);

function invalidPolicy({ errors, total = errors.length, what = 'The document' }: Faults & { what?: string }): string {
  const count = total === 1 ? 'one problem' : `${total} problems`;
  const all = errors.map(({ path, rule, message }) => named({ path: rule ? `${path} (rule ${rule})` : path, message }));
  return `${what} has ${count}. Nothing was saved. ${all.join(' ')}`;
}

function noSuchAttempt({ by, days }: { by: 'id' | 'support code'; days: number }): string {
  const kept = `attempts are kept for ${days} days and the rest of their month`;
  return `No attempt has this ${by}. Check it for typing errors. A new attempt appears after about two seconds; ${kept}.`;
}

function noSuchList({ name, near, names }: { name: string; near: string | undefined; names: string }): string {
  const known = names === '' ? 'It has no lists: add one to the document (PUT /admin/policy)' : `Its lists: ${names}`;
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return `The policy has no list ${name}, so nothing was changed.${hint} ${known}.`;
}

interface RuleAsked {
  readonly id: string;
  readonly version: number;
  readonly near: string | undefined;
}

function noSuchRule({ id, version, near }: RuleAsked): string {
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  const what = `Version ${version} of the policy has no rule ${id}.${hint}`;
  return `${what} For the rule of an attempt, add ?version= with its policyVersion. GET /reports/rules lists the rules.`;
}

function versionChanged(inForce: CurrentVersion): string {
  const next = `Read it (GET ${inForce.address}), merge it into yours, and send If-Match: "${inForce.current}".`;
  return `Nothing was changed: ${versionOf(inForce)} is in force now. ${next}`;
}

const versionOf = ({ current, author, createdAt }: CurrentVersion) =>
  `version ${current} (saved by ${author} at ${createdAt.toISOString()})`;

/** `current`: the number in force; null when no version exists, undefined when the database does not answer. */
function preconditionMissing({ address, current }: { address: string; current: number | null | undefined }): string {
  const why = 'Nothing was changed: name the version that you replace, so that no change is overwritten unseen.';
  if (current === null) return `${why} No version exists yet: send If-None-Match: *.`;
  if (current === undefined) return `${why} GET ${address} returns its number as ETag: send it in If-Match.`;
  return `${why} Version ${current} is in force: read it (GET ${address}), then send If-Match: "${current}" alone.`;
}

function saveUncertain({ number }: Numbered): string {
  const unknown = `It is unknown whether this was saved as version ${number}.`;
  return `The database did not answer. ${unknown} Make the same call again: that is safe and saves nothing twice.`;
}
