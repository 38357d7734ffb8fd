/** People are found by what they are called: calls as B2C sends them, and the searches of a support agent. */
import { expect, test } from 'vitest';
import type { AttemptJson } from '../../src/desk/reports/attempt-json.ts';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { anAttempt } from '../support/attempt.ts';
import { call, newClient, newObjectId, rowsOfOnce, WRITTEN_WITHIN_MS } from '../support/call.ts';
import { send as exchange, posted } from '../support/exchange-call.ts';
import { idsOf, keep, type Listed, type Problem, report } from '../support/reports-call.ts';

interface Found extends Listed {
  key: string;
  keys: string[];
  standing: string;
  takenFor?: string;
  nearMiss?: string;
  matched?: string[];
  signInNames?: string[];
  sameEmail: AttemptJson[];
}

const search = async (question: object): Promise<Found> => {
  const response = await report('/people/search', question);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};

/** Makes a call and waits for its row. */
async function recorded(body: object) {
  const clientId = newClient();
  await call({ step: 'PreTokenIssuance', client_id: clientId, ...body });
  const [row] = await rowsOfOnce(clientId, 1);
  if (row === undefined) throw new Error('The call was not recorded.');
  return row;
}

const local = (signInType: string, issuerAssignedId: string) => ({
  signInType,
  issuer: 'contoso.onmicrosoft.com',
  issuerAssignedId,
});
const federated = (issuerAssignedId: string) => ({
  signInType: 'federated',
  issuer: 'google.com',
  issuerAssignedId,
});
const mark = () => crypto.randomUUID().slice(0, 13);
const digits = () => String(crypto.getRandomValues(new Uint32Array(1))[0]).padStart(10, '7');

test('an address that is only a sign-in name finds the person, at any position and in any case, marked as a sign-in name', async () => {
  const address = `Ann.${mark()}@Example.com`;
  const first = await recorded({ objectId: newObjectId(), identities: [local('emailAddress', address)] });
  const second = await recorded({
    objectId: newObjectId(),
    identities: [federated(digits()), local('EMAILADDRESS', address.toUpperCase())],
  });
  for (const question of [{ key: `email:${address}` }, { text: address }, { text: `"${address.toUpperCase()}"` }]) {
    const found = await search(question);
    expect(idsOf(found)).toEqual([second.id, first.id]);
    expect(found.standing).toMatch(/^2 accounts have used this address, and the address alone identifies no one: /);
    expect(found.signInNames).toEqual([address.toLowerCase()]);
    const listed = await report('/attempts/search', { email: address, step: 'PreTokenIssuance' });
    expect(idsOf(await listed.json())).toEqual([second.id, first.id]);
    expect(found.attempts[0]?.signInNames).toEqual([address.toLowerCase()]);
    expect(found.attempts.flatMap(({ personKeys }) => personKeys).join()).not.toContain('name:');
  }
  // Two people with one sign-in name stay two.
  expect(idsOf(await search({ key: first.oidKey }))).toEqual([first.id]);
});

test('a telephone number finds the person in any notation and without the domain of the tenant', async () => {
  const number = digits();
  const row = await recorded({ objectId: newObjectId(), identities: [local('phoneNumber', `+1${number}`)] });
  const grouped = `(${number.slice(0, 3)}) ${number.slice(3, 6)}-${number.slice(6)}`;
  for (const text of [`+1${number}`, `+1 ${grouped}`, `001${number}`, `1${number}`, `tel:+1${number}`]) {
    expect(await search({ text })).toMatchObject({ takenFor: 'phone number', attempts: [{ id: row.id }] });
  }
  expect(idsOf(await search({ key: `name:+1 ${grouped}` }))).toEqual([row.id]);
});

test('a user name finds the person in any case, with and without the domain of the tenant', async () => {
  const name = `Max.Power-${mark()}`;
  const row = await recorded({ objectId: newObjectId(), identities: [local('userName', name)] });
  const withDomain = await recorded({
    objectId: newObjectId(),
    identities: [federated(digits()), local('userName', `${name}@contoso.onmicrosoft.com`)],
  });
  for (const text of [name, name.toUpperCase(), ` ${name}\u200b`, name.replace('-', '\u2011')]) {
    const found = await search({ text });
    expect([text, found.takenFor, idsOf(found)]).toEqual([text, 'user name', [withDomain.id, row.id]]);
  }
  expect(idsOf(await search({ text: `${name}@contoso.onmicrosoft.com` }))).toEqual([withDomain.id]);
});

test('what a person typed at a custom policy finds them: a user name, a telephone number and an objectId in any notation', async () => {
  const [name, number, objectId] = [`max-${mark()}`, `+1${digits()}`, newObjectId()];
  const started = async (body: object) => {
    const clientId = newClient();
    await exchange(posted('SignInStarted', JSON.stringify({ clientId, ...body })), { POLICY: 'built-in' });
    const [row] = await rowsOfOnce(clientId, 1);
    return row;
  };
  const byName = await started({ signInName: ` ${name.toUpperCase()}` });
  const byNumber = await started({ signInName: `(${number.slice(0, 2)}) ${number.slice(2, 5)}-${number.slice(5)}` });
  const byId = await started({ objectId: `{${objectId.toUpperCase()}}` });
  expect(idsOf(await search({ text: name }))).toEqual([byName?.id]);
  expect(idsOf(await search({ text: `name:${name}` }))).toEqual([byName?.id]);
  expect(idsOf(await search({ text: number }))).toEqual([byNumber?.id]);
  expect(idsOf(await search({ text: `My number is ${number}, thanks` }))).toEqual([byNumber?.id]);
  expect(idsOf(await search({ text: objectId }))).toEqual([byId?.id]);
  // Words that mean no one are no names, and none of these is an address.
  const unnamed = await started({ signInName: 'unknown', objectId: '00000000000000000000000000000000' });
  expect(unnamed).toMatchObject({ oidKey: '', otherKeys: [] });
  expect([byName, byNumber, byId].map((row) => [row?.email, row?.emailKey])).toEqual([
    ['', ''],
    ['', ''],
    ['', ''],
  ]);
});

test('addresses in emails and otherMails find the person and are no claims', async () => {
  const [one, other] = [`kim.${mark()}@example.com`, `kim.${mark()}@example.net`];
  const row = await recorded({ objectId: newObjectId(), emails: [one], otherMails: [other.toUpperCase(), 7, null] });
  for (const address of [one, other]) expect(idsOf(await search({ key: `email:${address}` }))).toEqual([row.id]);
  expect(row).toMatchObject({ email: '', emailKey: '', unexpectedClaims: ['emails', 'otherMails'] });
  expect(row.claimNames).not.toContain('emails');
});

test.each([
  ['a zero-width space before it', (address: string) => `\u200b${address}`],
  ['marks of direction around it', (address: string) => `\u202a${address}\u202c`],
  ['isolates around it', (address: string) => `\u2068${address}\u2069`],
  ['a byte order mark before it', (address: string) => `\ufeff${address}`],
  ['a soft hyphen and a joiner in it', (address: string) => address.replace('.', '\u00ad.\u200d')],
  ['full-width letters', (address: string) => address.replace(/^bob/, '\uff42\uff4f\uff42')],
  ['a typographic apostrophe', (address: string) => address.replace("'", '\u2019')],
  ['a control character in it', (address: string) => address.replace('b', '\u0007b')],
])('an address that the provider has with %s is found as it is typed, and as it is pasted', async (_, changed) => {
  const address = `bob.o'hara.${mark()}@example.com`;
  const row = await recorded({ objectId: newObjectId(), email: changed(address) });
  expect(row.emailKey).toBe(`email:${address}`);
  expect(idsOf(await search({ key: `email:${address}` }))).toEqual([row.id]);
  expect(idsOf(await search({ text: changed(address.toUpperCase()) }))).toEqual([row.id]);
  const listed = await report('/attempts/search', { email: address });
  expect(idsOf(await listed.json())).toEqual([row.id]);
});

test('an objectId in any notation of a GUID finds the person, as a key, a text and a filter', async () => {
  const objectId = newObjectId();
  const row = await recorded({ objectId });
  const upper = objectId.toUpperCase();
  for (const typed of [
    `{${upper}}`,
    objectId.replaceAll('-', ''),
    `urn:uuid:${objectId}`,
    `"${objectId}"`,
    `\u200b${upper}`,
  ]) {
    expect([typed, idsOf(await search({ key: `oid:${typed}` }))]).toEqual([typed, [row.id]]);
    expect(await search({ text: typed })).toMatchObject({ takenFor: 'objectId', attempts: [{ id: row.id }] });
    const listed = await report('/attempts/search', { objectId: typed });
    expect([typed, idsOf(await listed.json())]).toEqual([typed, [row.id]]);
  }
});

test('a support code, an attempt id and a correlation id as a bare text lead to the timeline of their person', async () => {
  const objectId = crypto.randomUUID();
  const correlationId = crypto.randomUUID();
  const supportCode = `${digits().slice(0, 5)}-${digits().slice(0, 5)}`;
  const refused = anAttempt({ objectId, supportCode, correlationId, outcome: 'block', rule: 'closed' });
  const earlier = anAttempt({ objectId, at: new Date(Date.now() - 60_000) });
  const unnamed = anAttempt({ objectId: '', correlationId: 'trace-of-no-one' });
  await keep(earlier, refused, unnamed);
  for (const [text, takenFor] of [
    [supportCode, 'support code'],
    [supportCode.replace('-', '\u2013'), 'support code'],
    [`\u201c${supportCode}.\u201d`, 'support code'],
    [refused.id.toUpperCase(), 'attempt id'],
    [`{${correlationId}}`, 'correlation id'],
  ] as const) {
    const found = await search({ text });
    expect(found).toMatchObject({ takenFor, key: `oid:${objectId}`, matched: [refused.id] });
    expect(idsOf(found)).toEqual([refused.id, earlier.id]);
  }
  const alone = await search({ text: 'Trace-of-no-one'.toLowerCase() });
  expect(alone).toMatchObject({ takenFor: 'correlation id', key: '', keys: [], attempts: [{ id: unnamed.id }] });
});

test.each([
  ['Please give this code to support: 7K3QX\u20139M2TB. Thank you.', 'support code'],
  ['Jane Doe <jane.doe@example.com>', 'e-mail address'],
  ['My address is jane.doe@example.com, and I cannot sign in', 'e-mail address'],
  ['objectId 0f8fad5b-d9cb-469f-a165-70867728950e', 'objectId'],
  ['oid:0f8fad5b-d9cb-469f-a165-70867728950e', 'person key'],
  ['name:max.power', 'person key'],
  ['Tel.: +49 151\u201323456789', 'phone number'],
  ['call me at (0049) 151 / 2345 6789, please', 'phone number'],
  ['room 12, floor 3456789', 'user name'],
  ['mailto:jane.doe@example.com', 'e-mail address'],
])('what is pasted with words around it, %j, is taken for the %s in it', async (text, takenFor) => {
  expect((await search({ text })).takenFor).toBe(takenFor);
});

test('a stranger who signs up with the address of an account is counted before the status of either', async () => {
  const address = `victim.${mark()}@example.com`;
  await recorded({ objectId: newObjectId(), email: address, identities: [federated(mark())] });
  await recorded({ step: 'PostFederationSignup', email: address, identities: [federated(mark())] });
  const { standing } = await search({ key: `email:${address}` });
  expect(standing).toMatch(
    /^2 accounts or identities have used this address, and the address alone identifies no one: /,
  );

  const identity = federated(mark());
  const own = `own.${mark()}@example.com`;
  await recorded({ step: 'PostFederationSignup', email: own, identities: [identity] });
  await recorded({ objectId: newObjectId(), email: own, identities: [identity] });
  expect((await search({ key: `email:${own}` })).standing).toMatch(/^Last try/);
});

test.each([
  ['0f8fad5b-d9cb-469f-a165-70867728950', /one character is missing/],
  ['7K3QX-9M2T', /one character is missing/],
  ['7K3QX-9M2TBB', /one character is too many/],
  ['7K3QU-9M2TB', /letter U/],
])('the address of one attempt says how %s misses an id or a support code', async (typed, miss) => {
  const response = await report(`/attempts/${typed}`);
  expect(response.status).toBe(400);
  expect((await response.json<Problem>()).detail).toMatch(miss);
});

test('the pages of a search by text contain each attempt once', async () => {
  const objectId = crypto.randomUUID();
  const all = Array.from({ length: 5 }, (_, nth) => anAttempt({ objectId, at: new Date(Date.now() - nth * 60_000) }));
  await keep(...all);
  const seen: string[] = [];
  let page = await search({ text: objectId, limit: 2 });
  seen.push(...idsOf(page));
  while (page.next !== undefined) {
    page = await search({ text: objectId, limit: 2, cursor: page.next });
    seen.push(...idsOf(page));
  }
  expect(seen).toEqual(all.map(({ id }) => id));
});

test.each([
  [
    'a GUID without its last digit',
    '0f8fad5b-d9cb-469f-a165-70867728950',
    /31 hexadecimal digits.*one character is missing/,
  ],
  [
    'a GUID with two digits too many',
    '0f8fad5bd9cb469fa16570867728950eaa',
    /34 hexadecimal.*two characters are too many/,
  ],
  ['a support code without its last character', '7K3QX-9M2T', /9 letters and digits.*one character is missing/],
  ['a support code with a character too many', '7K3QX-9M2TBB', /11 letters and digits.*one character is too many/],
])('a search for %s says how it misses', async (_, text, miss) => {
  const { nearMiss, standing, attempts } = await search({ text });
  expect(attempts).toEqual([]);
  expect(nearMiss).toMatch(miss);
  expect(standing).toContain(nearMiss);
});

test.each([
  ['oid:0f8fad5b-d9cb-469f-a165-70867728950'],
  ['oid:jane@example.com'],
  ['email:jane'],
  ['email:a@b@example.com'],
])('a search for %s, a key that no call can have, is a 400 that says what to write', async (key) => {
  for (const response of [
    await report('/people/search', { key }),
    await report(`/people/${encodeURIComponent(key)}`),
  ]) {
    expect(response.status).toBe(400);
    expect((await response.json<Problem>()).detail).toMatch(/email:/);
  }
  const [kind = '', value = ''] = key.split(':');
  const filter = await report('/attempts/search', { [kind === 'oid' ? 'objectId' : 'email']: value });
  expect(filter.status).toBe(400);
});

test.each([
  { key: 'email:no.one@example.com' },
  { key: 'oid:0f8fad5b-d9cb-469f-a165-70867728950e' },
  { key: 'idp:google.com:unknown' },
  { text: 'no.one@example.com' },
  { text: '+1 999 555 0199' },
  { text: 'no.one' },
  { text: '00000-00000' },
  { text: '0f8fad5b-d9cb-469f-a165-70867728950e' },
])(
  'a search for %j without a result says what was searched, since when and what else to ask, and claims nothing of the person',
  async (question) => {
    const { standing, attempts } = await search(question);
    expect(attempts).toEqual([]);
    expect(standing).toMatch(/^No attempt recorded since \d{4}-\d\d-\d\d has .+\. /);
    for (const else_ of ['another address', 'phone number', 'provider', 'support code'])
      expect(standing).toContain(else_);
    expect(standing).not.toMatch(/stopped earlier|never|has reached|did not/i);
  },
);

test('a person search without a key or text, or with both, is a 400', async () => {
  for (const question of [{}, { key: 'email:a@example.com', text: 'a@example.com' }, { text: ' ' }, { text: 7 }]) {
    expect((await report('/people/search', question)).status).toBe(400);
  }
});

test('a dimension that is truncated in the row is found by the whole value, stays distinct, and the attempt has a note', async () => {
  const start = `https://contoso.b2clogin.com/tfp/${crypto.randomUUID()}/${'b2c_1a_signup_signin_'.repeat(5)}`;
  const clientId = `${'client'.repeat(30)}${crypto.randomUUID()}`;
  const issuers = [`${start}one/v2.0/`, `${start}two/v2.0/`];
  const calls = issuers.map((issuer) => ({
    step: 'PreTokenIssuance',
    client_id: clientId.toUpperCase(),
    objectId: newObjectId(),
    identities: [{ signInType: 'federated', issuer, issuerAssignedId: '1' }],
  }));
  for (const body of calls) await call(body);
  for (const [nth, issuer] of issuers.entries()) {
    const rows = await expect
      .poll(async () => (await (await report('/attempts/search', { issuer, clientId })).json<Listed>()).attempts, {
        timeout: WRITTEN_WITHIN_MS,
      })
      .toHaveLength(1)
      .then(async () => (await (await report('/attempts/search', { issuer, clientId })).json<Listed>()).attempts);
    expect(rows[0]).toMatchObject({ objectId: calls[nth]?.objectId });
    expect(rows[0]?.notes.join()).toMatch(/truncated.*clientId \(\d+ characters\).*issuer \(\d+ characters\)/);
    // The value that the row shows finds it, too.
    const again = await report('/attempts/search', { issuer: rows[0]?.issuer, clientId: rows[0]?.clientId });
    expect(idsOf(await again.json())).toEqual(rows.map(({ id }) => id));
    const counted = await report(`/summary?issuer=${encodeURIComponent(issuer)}&clientId=${clientId}`);
    expect((await counted.json<Summary>()).totals.attempts).toBe(1);
  }
});
