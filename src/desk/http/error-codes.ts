/**
 * Every refusal outside `/connectors`: a code, which programs compare and which never changes, its status, and a sentence that
 * says what is wrong and what to do, which may change. Pure.
 */
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** What is at fault in a request: the parameter or member (`''` when it is the whole), and what to send instead. */
export interface Fault {
  readonly path: string;
  readonly message: string;
  /** Id of the rule of a policy. */
  readonly rule?: string;
}

interface Numbered {
  readonly number: number;
}

interface Faults {
  readonly errors: readonly Fault[];
}

/** The version that counts for an address (`/admin/policy` or `/admin/policy/shadow`). */
export interface CurrentVersion {
  readonly address: string;
  readonly current: number;
  readonly author: string;
  readonly createdAt: Date;
}

/** What a call that failed left behind, and what to do. */
const AFTERWARDS = {
  'nothing-changed': 'Nothing was changed. Make the same call again.',
  'change-logged':
    'Whether this change is in force is not certain, and /admin/changes lists it already. ' +
    'Make the same call again until its status is 200: that is safe.',
  'attempts-wait':
    'No attempt is lost: they wait in the queue. Try again in a few seconds, or ask for a shorter time. ' +
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
  'no-such-address': [404, 'There is nothing at this address. The README lists every address.'],
  'no-such-attempt': [404, noSuchAttempt],
  'no-such-person': [404, 'No record is stored under this key. One saved in the last minute may not show yet.'],
  'no-such-dead-letter': [404, 'This dead letter was replayed, removed or has expired. See GET /admin/dead-letters.'],
  'no-policy': [404, 'No policy was saved yet. Save the first one: PUT /admin/policy with If-None-Match: *.'],
  'no-shadow': [404, 'No shadow runs. Save one: PUT /admin/policy/shadow?sample=0.1 with If-None-Match: *.'],
  'no-such-version': [404, ({ number }: Numbered) => `There is no version ${number}. See GET /admin/policy/versions.`],
  'method-not-allowed': [
    405,
    ({ allowed }: { allowed: string }) => `This address does not take this method. Use ${allowed}.`,
  ],
  'no-policy-to-shadow': [409, 'A shadow runs beside a policy, and none was saved yet. Save one: PUT /admin/policy.'],
  'version-missing': [
    412,
    'Nothing was changed: the version you named does not exist. For the first one send If-None-Match: *.',
  ],
  'version-changed': [412, versionChanged],
  'version-identical': [
    412,
    (counts: CurrentVersion) => `Nothing was changed, since ${versionOf(counts)} says exactly what you sent.`,
  ],
  'body-too-large': [
    413,
    ({ maxBytes, what }: { maxBytes: number; what: string }) =>
      `The body is larger than ${maxBytes} bytes, the limit for a ${what}. Shorten it.`,
  ],
  'body-not-json': [415, 'The body is not marked as JSON. Send JSON with Content-Type: application/json.'],
  'precondition-missing': [428, preconditionMissing],
  'internal-error': [500, 'Something unexpected failed. Try again, or look for the request id in the logs.'],
  'not-logged': [503, failed('The change could not be logged: neither queue nor database took it.'), 30],
  'kv-busy': [503, failed('Workers KV takes one write a second for one key.'), 2],
  'kv-timeout': [503, failed('Workers KV did not answer in time.'), 5],
  'kv-failed': [503, failed('Workers KV failed.'), 5],
  'kv-refused': [503, failed('Workers KV refused the request.'), 5],
  'database-unavailable': [503, failed('The database did not answer.'), 5],
  'database-not-migrated': [503, failed('The database lacks a table: run npm run migrate against it.'), 60],
  'nothing-decides': [
    503,
    'No policy could be read from Workers KV, so that nothing can be decided: at this moment sign-ups are blocked. Save one (PUT /admin/policy), or give a draft as "policy".',
    30,
  ],
  contended: [503, failed('Several people are saving at this moment.'), 2],
  'save-uncertain': [503, saveUncertain, 5],
  'dead-letters-not-replayed': [
    503,
    'The queue or Workers KV did not answer. Letters that the queue took are gone, the others are still there. Look at /health/ready, then try again.',
    30,
  ],
} as const satisfies { readonly [code: string]: Entry };

/** Closed: a new refusal is a new entry above. */
export type Code = keyof typeof REFUSALS;
export type ParametersOf<C extends Code> = (typeof REFUSALS)[C][1] extends (parameters: infer P) => string
  ? P
  : undefined;

const named = ({ path, message }: Fault) => (path === '' ? message : `${path}: ${message}`);

function invalidPolicy({ errors, what = 'The document' }: Faults & { what?: string }): string {
  const count = errors.length === 1 ? 'one problem' : `${errors.length} problems`;
  const all = errors.map(({ path, rule, message }) => named({ path: rule ? `${path} (rule ${rule})` : path, message }));
  return `${what} has ${count}. Nothing was saved. ${all.join(' ')}`;
}

function noSuchAttempt({ by, days }: { by: 'id' | 'support code'; days: number }): string {
  const kept = `attempts are kept for ${days} days and the rest of their month`;
  return `No attempt has this ${by}. Check it for typing errors. A new attempt appears after about two seconds; ${kept}.`;
}

function versionChanged(counts: CurrentVersion): string {
  const todo = `take over what is new in it, and send If-Match: "${counts.current}".`;
  return `Nothing was changed, since ${versionOf(counts)} counts now. Look at it (GET ${counts.address}), ${todo}`;
}

const versionOf = ({ current, author, createdAt }: CurrentVersion) =>
  `version ${current} (saved by ${author} at ${createdAt.toISOString()})`;

/** `current`: the number that counts; null when there is none, undefined when the database does not say. */
function preconditionMissing({ address, current }: { address: string; current: number | null | undefined }): string {
  const why = 'Nothing was changed: say which version you changed, so that no change is overwritten unseen.';
  if (current === null) return `${why} There is none yet: send If-None-Match: *.`;
  if (current === undefined) return `${why} Look at it: GET ${address} gives its number as ETag. Then send If-Match.`;
  return `${why} Version ${current} counts now: look at it (GET ${address}), then send If-Match: "${current}" alone.`;
}

function saveUncertain({ number }: Numbered): string {
  const unknown = `whether this was saved, as version ${number}, is not known`;
  return `The database did not answer: ${unknown}. Make the same call again, which is safe: it saves nothing twice.`;
}
