/** The sentences of refusals, all in one place: every other test compares codes. */
import { expect, it } from 'vitest';
import { type Code, REFUSALS } from '../../../src/desk/http/error-codes.ts';

const faults = [
  { path: '', message: 'Not JSON.' },
  { path: 'rules[0].when', rule: 'no-spam', message: 'Unknown.' },
];
const counts = { address: '/admin/policy', current: 7, author: 'anna', createdAt: new Date('2026-11-21T08:00:00Z') };
const version = 'version 7 (saved by anna at 2026-11-21T08:00:00.000Z)';
const say = 'Nothing was changed: say which version you changed, so that no change is overwritten unseen.';
const again = 'Nothing was changed. Make the same call again.';

/** By code: status, sentence, parameters, and after how many seconds to try again. A code may stand here several times. */
const TABLE: [Code, number, string, (object | undefined)?, number?][] = [
  ['invalid-request', 400, 'Not JSON.; rules[0].when: Unknown.', { errors: faults }],
  [
    'invalid-policy',
    400,
    'The document has 2 problems. Nothing was saved. Not JSON. rules[0].when (rule no-spam): Unknown.',
    { errors: faults },
  ],
  [
    'invalid-policy',
    400,
    'By the rules of today version 2 has one problem. Nothing was saved. Not JSON.',
    { errors: faults.slice(0, 1), what: 'By the rules of today version 2' },
  ],
  ['not-authenticated', 401, 'Use HTTP Basic with a pair from ADMIN_BASIC.', { kind: 'admin' }],
  ['no-such-address', 404, 'There is nothing at this address. The README lists every address.'],
  [
    'no-such-attempt',
    404,
    'No attempt has this id. Check it for typing errors. A new attempt appears after about two seconds; attempts are kept for 90 days and the rest of their month.',
    { by: 'id', days: 90 },
  ],
  ['no-such-person', 404, 'No record is stored under this key. One saved in the last minute may not show yet.'],
  ['no-such-dead-letter', 404, 'This dead letter was replayed, removed or has expired. See GET /admin/dead-letters.'],
  ['no-policy', 404, 'No policy was saved yet. Save the first one: PUT /admin/policy with If-None-Match: *.'],
  ['no-shadow', 404, 'No shadow runs. Save one: PUT /admin/policy/shadow?sample=0.1 with If-None-Match: *.'],
  ['no-such-version', 404, 'There is no version 3. See GET /admin/policy/versions.', { number: 3 }],
  ['method-not-allowed', 405, 'This address does not take this method. Use GET, HEAD.', { allowed: 'GET, HEAD' }],
  ['no-policy-to-shadow', 409, 'A shadow runs beside a policy, and none was saved yet. Save one: PUT /admin/policy.'],
  [
    'version-missing',
    412,
    'Nothing was changed: the version you named does not exist. For the first one send If-None-Match: *.',
  ],
  [
    'version-changed',
    412,
    `Nothing was changed, since ${version} counts now. Look at it (GET /admin/policy), take over what is new in it, and send If-Match: "7".`,
    counts,
  ],
  ['version-identical', 412, `Nothing was changed, since ${version} says exactly what you sent.`, counts],
  [
    'body-too-large',
    413,
    'The body is larger than 65536 bytes, the limit for a record. Shorten it.',
    { maxBytes: 65_536, what: 'record' },
  ],
  ['body-not-json', 415, 'The body is not marked as JSON. Send JSON with Content-Type: application/json.'],
  ['precondition-missing', 428, `${say} There is none yet: send If-None-Match: *.`, { ...counts, current: null }],
  [
    'precondition-missing',
    428,
    `${say} Look at it: GET /admin/policy gives its number as ETag. Then send If-Match.`,
    { ...counts, current: undefined },
  ],
  [
    'precondition-missing',
    428,
    `${say} Version 7 counts now: look at it (GET /admin/policy), then send If-Match: "7" alone.`,
    counts,
  ],
  ['internal-error', 500, 'Something unexpected failed. Try again, or look for the request id in the logs.'],
  [
    'not-logged',
    503,
    `The change could not be logged: neither queue nor database took it. ${again}`,
    { afterwards: 'nothing-changed' },
    30,
  ],
  [
    'kv-busy',
    503,
    'Workers KV takes one write a second for one key. Whether this change is in force is not certain, and /admin/changes lists it already. Make the same call again until its status is 200: that is safe.',
    { afterwards: 'change-logged' },
    2,
  ],
  ['kv-timeout', 503, `Workers KV did not answer in time. ${again}`, { afterwards: 'nothing-changed' }, 5],
  ['kv-failed', 503, `Workers KV failed. ${again}`, { afterwards: 'nothing-changed' }, 5],
  ['kv-refused', 503, `Workers KV refused the request. ${again}`, { afterwards: 'nothing-changed' }, 5],
  [
    'database-unavailable',
    503,
    'The database did not answer. No attempt is lost: they wait in the queue. Try again in a few seconds, or ask for a shorter time. If this persists, give the request id to the operator.',
    { afterwards: 'attempts-wait' },
    5,
  ],
  [
    'database-not-migrated',
    503,
    `The database lacks a table: run npm run migrate against it. ${again}`,
    { afterwards: 'nothing-changed' },
    60,
  ],
  [
    'nothing-decides',
    503,
    'No policy could be read from Workers KV, so that nothing can be decided: at this moment sign-ups are blocked. Save one (PUT /admin/policy), or give a draft as "policy".',
    undefined,
    30,
  ],
  ['contended', 503, `Several people are saving at this moment. ${again}`, { afterwards: 'nothing-changed' }, 2],
  [
    'save-uncertain',
    503,
    'The database did not answer: whether this was saved, as version 8, is not known. Make the same call again, which is safe: it saves nothing twice.',
    { number: 8 },
    5,
  ],
  [
    'dead-letters-not-replayed',
    503,
    'The queue or Workers KV did not answer. Letters that the queue took are gone, the others are still there. Look at /health/ready, then try again.',
    undefined,
    30,
  ],
];

it.each(TABLE)('the refusal %s is a %i with this sentence: %s', (code, status, sentence, parameters, seconds) => {
  const [itsStatus, itsSentence, itsSeconds]: readonly [number, string | ((given: never) => string), number?] =
    REFUSALS[code];
  const said = typeof itsSentence === 'string' ? itsSentence : itsSentence(parameters as never);
  expect([itsStatus, said, itsSeconds]).toEqual([status, sentence, seconds]);
});

it('every refusal has its sentence in this table', () => {
  expect(new Set(TABLE.map(([code]) => code))).toEqual(new Set(Object.keys(REFUSALS)));
});
