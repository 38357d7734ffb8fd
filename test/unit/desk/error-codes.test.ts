/** The sentences of refusals, all in one place: every other test compares codes. */
import { expect, it } from 'vitest';
import { type Code, REFUSALS } from '../../../src/desk/http/error-codes.ts';

const faults = [
  { path: '', message: 'Not JSON.' },
  { path: 'rules[0].when', rule: 'no-spam', message: 'Unknown.' },
];
const counts = { address: '/admin/policy', current: 7, author: 'anna', createdAt: new Date('2026-11-21T08:00:00Z') };
const version = 'version 7 (saved by anna at 2026-11-21T08:00:00.000Z)';
const say = 'Nothing was changed: name the version that you replace, so that no change is overwritten unseen.';
const again = 'Nothing was changed. Make the same call again.';

/** By code: status, sentence, parameters, and after how many seconds to try again. A code may have several rows. */
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
  [
    'cross-site',
    403,
    'A page of another site caused this request, so nothing was done. Send it from a program, or from a page of this host.',
  ],
  ['no-such-address', 404, 'This address does not exist. src/desk/README.md lists every address.'],
  [
    'no-such-attempt',
    404,
    'No attempt has this id. Check it for typing errors. A new attempt appears after about two seconds; attempts are kept for 90 days and the rest of their month.',
    { by: 'id', days: 90 },
  ],
  ['no-such-person', 404, 'No record is stored under this key. One saved in the last minute may not show yet.'],
  [
    'no-person-named',
    404,
    'This text leads to no person: the call that it names has no objectId, e-mail address or identity. Ask for one of them.',
  ],
  ['no-such-dead-letter', 404, 'This dead letter was replayed, removed or has expired. See GET /admin/dead-letters.'],
  ['no-policy', 404, 'No policy has been saved. Save the first one: PUT /admin/policy with If-None-Match: *.'],
  ['no-shadow', 404, 'No shadow policy runs. Save one: PUT /admin/policy/shadow?sample=0.1 with If-None-Match: *.'],
  ['no-such-version', 404, 'There is no version 3. See GET /admin/policy/versions.', { number: 3 }],
  [
    'no-such-version',
    404,
    'There is no version 3. See GET /reports/policy/versions.',
    { number: 3, address: '/reports/policy' },
  ],
  [
    'version-without-document',
    404,
    'Version 3 ended a shadow policy, so it says nothing. Choose another one: GET /reports/policy/versions.',
    { number: 3 },
  ],
  [
    'no-such-rule',
    404,
    'Version 3 of the policy has no rule rolse. Did you mean roles? For the rule of an attempt, add ?version= with its policyVersion. GET /reports/rules lists the rules.',
    { id: 'rolse', version: 3, near: 'roles' },
  ],
  [
    'version-unreadable',
    500,
    'The document of version 3 is damaged: it does not have the form of a policy. Choose another version, and ask an administrator to look at it.',
    { number: 3 },
  ],
  [
    'no-such-list',
    404,
    'The policy has no list blockedDomain, so nothing was changed. Did you mean blockedDomains? Its lists: blockedDomains, vip.',
    { name: 'blockedDomain', near: 'blockedDomains', names: 'blockedDomains, vip' },
  ],
  [
    'no-such-list',
    404,
    'The policy has no list vip, so nothing was changed. It has no lists: add one to the document (PUT /admin/policy).',
    { name: 'vip', near: undefined, names: '' },
  ],
  ['method-not-allowed', 405, 'This address does not take this method. Use GET, HEAD.', { allowed: 'GET, HEAD' }],
  [
    'no-policy-to-shadow',
    409,
    'A shadow policy runs beside a saved policy, and none has been saved. Save one: PUT /admin/policy.',
  ],
  [
    'version-missing',
    412,
    'Nothing was changed: the version in If-Match does not exist. To save the first version, send If-None-Match: *.',
  ],
  [
    'version-changed',
    412,
    `Nothing was changed: ${version} is in force now. Read it (GET /admin/policy), merge it into yours, and send If-Match: "7".`,
    counts,
  ],
  ['version-identical', 412, `Nothing was changed: ${version} is identical to what you sent.`, counts],
  [
    'body-too-large',
    413,
    'The body exceeds 65536 bytes, the limit for a record. Shorten it.',
    { maxBytes: 65_536, what: 'record' },
  ],
  ['body-not-json', 415, 'The Content-Type is not JSON. Send JSON with Content-Type: application/json.'],
  ['precondition-missing', 428, `${say} No version exists yet: send If-None-Match: *.`, { ...counts, current: null }],
  [
    'precondition-missing',
    428,
    `${say} GET /admin/policy returns its number as ETag: send it in If-Match.`,
    { ...counts, current: undefined },
  ],
  [
    'precondition-missing',
    428,
    `${say} Version 7 is in force: read it (GET /admin/policy), then send If-Match: "7" alone.`,
    counts,
  ],
  [
    'too-many-guesses',
    429,
    'Too many wrong credentials came from your address or for this name. Wait a minute; a correct credential is admitted at once.',
    undefined,
    60,
  ],
  ['internal-error', 500, 'An unexpected error occurred. Try again, or search the logs for the request id.'],
  [
    'not-logged',
    503,
    `The change could not be logged: the queue and the database both refused it. ${again}`,
    { afterwards: 'nothing-changed' },
    30,
  ],
  [
    'kv-busy',
    503,
    'Workers KV takes one write a second for one key. The audit log (/admin/changes) holds this change, and it may or may not be in force. Make the same call again until its status is 200: that is safe.',
    { afterwards: 'change-logged' },
    2,
  ],
  ['kv-timeout', 503, `Workers KV did not answer in time. ${again}`, { afterwards: 'nothing-changed' }, 5],
  ['kv-failed', 503, `Workers KV failed. ${again}`, { afterwards: 'nothing-changed' }, 5],
  ['kv-refused', 503, `Workers KV refused the request. ${again}`, { afterwards: 'nothing-changed' }, 5],
  [
    'database-unavailable',
    503,
    'The database did not answer. No attempt is lost: attempts wait in the queue. Try again in a few seconds, or ask for a shorter period. If this persists, give the request id to the operator.',
    { afterwards: 'attempts-wait' },
    5,
  ],
  [
    'database-not-migrated',
    503,
    `The database lacks a table. Run npm run migrate against it. ${again}`,
    { afterwards: 'nothing-changed' },
    60,
  ],
  [
    'nothing-decides',
    503,
    'No policy could be read from Workers KV, so sign-ups are blocked. Save a policy (PUT /admin/policy), or send a draft as "policy".',
    undefined,
    30,
  ],
  ['contended', 503, `Several people are saving at the same time. ${again}`, { afterwards: 'nothing-changed' }, 2],
  [
    'shared-address',
    409,
    'Nothing was erased: this address or name was seen with 2 accounts or identities, which may be different persons. Erase the person under oid:<objectId>, or say that you mean all of them (DELETE: ?shared=yes; POST: "shared": "yes"; npm run roles: --shared).',
    { accounts: 2 },
  ],
  [
    'save-uncertain',
    503,
    'The database did not answer. It is unknown whether this was saved as version 8. Make the same call again: that is safe and saves nothing twice.',
    { number: 8 },
    5,
  ],
  [
    'dead-letters-not-replayed',
    503,
    'The queue or Workers KV did not answer. Messages that the queue accepted are no longer dead letters; the others remain. Check /health/ready, then try again.',
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
