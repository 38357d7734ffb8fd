/** `npm run policy -- replay` against the attempts of a running Gatehouse. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { reporter } from '../../src/cli/administrator.ts';
import { processIo } from '../../src/cli/io.ts';
import { replay as replayDirectly } from '../../src/cli/policy/replay/replay.ts';
import { keepAttempts } from '../support/attempt.ts';
import { ownGatehouse, run } from '../support/gatehouse.ts';
import { checked, type Given, recorded } from '../support/policy-replay.ts';

const gatehouse = ownGatehouse();
const replay = (...args: string[]) => gatehouse.run('policy', 'replay', ...args);

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-replay-'));
function fileOf(document: object): string {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(file, JSON.stringify(document));
  return file;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MESSAGES = { no: { en: 'No: {supportCode}' } };
const STEP = 'PostAttributeCollection';
const roles = { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } };
const refusing = (id: string, when: string) => ({ id, steps: [STEP], when, onError: 'skip', invalid: 'no' });
const mail = refusing('no-throwaway-mail', "domain(claims.email) == 'mailinator.com'");
const invited = refusing('invited', "claims.extension_InvitationCode == 'SPRING'");
const postal = refusing('postal-code', "!claims.postalCode.matches('^[0-9]{5}$')");
const draftWith = (...rules: object[]) => fileOf({ messages: MESSAGES, rules: [...rules, roles] });

/** A replay must not show these: values of claims, stored or not, and identities. */
const PERSONAL = /@|Jane Secret|secretville|NO-POSTAL|google-4711|SPRING|owner|[0-9a-f]{8}-0bad-/;

let made = 0;
/** Records one call a minute, the newest a minute ago, each by another person. */
async function visits(count: number, more: object = {}, given: Partial<Given> = {}): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (let index = 0; index < count; index += 1) {
    made += 1;
    const { attempt } = await recorded({
      body: {
        ...{ step: STEP, client_id: 'shop', email: `jane-${made}@example.com`, displayName: 'Jane Secret' },
        ...{ city: 'secretville', ui_locales: 'de-AT' },
        identities: [{ signInType: 'federated', issuer: 'google.com', issuerAssignedId: `google-4711-${made}` }],
        ...more,
      },
      now: Date.now() - (index + 1) * MINUTE_MS,
      keep: ['displayName', 'country', 'ui_locales'],
      ...given,
    });
    attempts.push(attempt);
  }
  await keepAttempts(gatehouse.database.db(), attempts);
  return attempts;
}

const rowOf = (stdout: string, first: string): string[] =>
  stdout
    .split('\n')
    .find((line) => line.startsWith(first))
    ?.split(/ {2,}/)
    .slice(1) ?? [];

it('policy replay --json counts the calls that a draft decides differently, with examples, and exits with 1', async () => {
  const throwaway = await visits(2, { email: 'secret@mailinator.com' });
  await visits(598);
  const { code, stdout, stderr } = await replay('--policy', draftWith(mail), '--json');
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    policy: expect.stringContaining('.json'),
    asked: { from: expect.stringMatching(/Z$/), to: expect.stringMatching(/Z$/) },
    ...{ read: 600, same: 598, different: 2, notJudged: 0, skipped: {} },
    differences: [
      {
        recorded: { outcome: 'continue', rule: '', messageKey: '' },
        draft: { outcome: 'invalid', rule: 'no-throwaway-mail', messageKey: 'no' },
        attempts: 2,
        examples: throwaway.map(({ id }) => ({
          ...{ id, occurredAt: expect.stringMatching(/Z$/), step: STEP, clientId: 'shop', supportCode: '' },
        })),
      },
    ],
    rules: [
      { rule: 'no-throwaway-mail', applied: 2, didNotApply: 598, notReached: 0, notJudged: 0 },
      { rule: 'roles', applied: 0, didNotApply: 0, notReached: 0, notJudged: 0 },
    ],
    wants: [],
    keepClaims: { added: [], already: [] },
  });
  expect(gatehouse.requests.map(({ body }) => JSON.parse(body).limit)).toEqual([500, 500]);

  gatehouse.requests.length = 0;
  const limited = await replay('--policy', draftWith(), '--limit', '502');
  expect(limited).toMatchObject({ code: 0, stdout: expect.stringContaining('502, the newest: --limit excludes') });
  expect(gatehouse.requests.map(({ body }) => JSON.parse(body).limit)).toEqual([500, 2]);
});

it('policy replay names the undecided rules, the claims that they lack, and the KEEP_CLAIMS that would store them', async () => {
  await visits(3, { postalCode: 'NO-POSTAL-CODE', extension_InvitationCode: 'SPRING' });
  await visits(2);
  await visits(1, { email: 'secret@mailinator.com', country: 'Iceland' }, { keep: [] });
  const country = refusing('country', "claims.country == 'Iceland'");
  const { code, stdout, stderr } = await replay('--policy', draftWith(mail, postal, invited, country));
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  const counts = ['attempts read', 'skipped', 'decided as before', 'decided differently', 'undecided'];
  expect(counts.map((name) => rowOf(stdout, name)[0])).toEqual(['6', '0', '2', '1', '3']);
  expect(stdout).toMatch(/^NO +RECORDED +DRAFT +ATTEMPTS\n1 +continue +invalid by no-throwaway-mail +1$/m);
  expect(rowOf(stdout, 'RULE')).toEqual(['APPLIES', 'DOES NOT', 'NOT REACHED', 'UNDECIDED']);
  expect(rowOf(stdout, 'postal-code')).toEqual(['0', '2', '1', '3']);
  expect(rowOf(stdout, 'claims.postalCode')).toEqual(['3', 'postal-code']);
  expect(stdout).toMatch(/^To decide postal-code .*\n\nKEEP_CLAIMS="displayName,country,ui_locales,postalCode"$/m);
  expect(stdout).toContain('KEEP_CLAIMS cannot store claims.extension_InvitationCode');
  const before = await replay('--policy', draftWith(country));
  expect(before.stdout).toContain('KEEP_CLAIMS in wrangler.toml already names country.');
});

it('policy replay shows no personal data, as text or as JSON', async () => {
  const person = {
    ...{
      objectId: '12345678-0bad-4000-8000-000000000001',
      postalCode: 'NO-POSTAL',
      extension_InvitationCode: 'SPRING',
    },
  };
  const then = checked({ messages: MESSAGES, rules: [refusing('then', "claims.city == 'secretville'"), roles] });
  const token = { ...person, step: 'PreTokenIssuance' };
  await visits(2, person, { policy: then });
  await visits(2, token, { held: { roles: ['owner'] } });
  await visits(2, token, { held: { roles: ['owner'] }, policy: then });
  await visits(2, { ...person, email: 'x@mailinator.com' });
  const name = refusing('name', "claims.displayName == 'Jane Secret' && claims.city == 'x'");
  const rights = { ...roles, id: 'rights', set: { extension_Roles: 'claims.displayName' } };
  const file = draftWith(mail, postal, invited, name, rights);
  for (const args of [[], ['--json']]) {
    const { code, stdout, stderr } = await replay('--policy', file, ...args);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain('no-throwaway-mail');
    expect(stdout.replace(file, '')).not.toMatch(PERSONAL);
  }
});

it('policy replay selects attempts by time, step and application', async () => {
  const now = Date.now();
  await visits(3);
  await visits(2, { client_id: 'Club' });
  await visits(1, { step: 'PostFederationSignup' });
  await visits(1, {}, { now: now - 8 * DAY_MS });
  await visits(1, {}, { now: now - 3 * DAY_MS });
  const file = draftWith();
  const daysAgo = (days: number) => new Date(now - days * DAY_MS + 1).toISOString();
  for (const [read, ...args] of [
    ['7'],
    ['2', '--client-id', 'CLUB'],
    ['1', '--step', 'postfederationsignup'],
    ['8', '--from', '2026-01-01'],
    ['1', '--from', daysAgo(4), '--to', daysAgo(2)],
  ] as const) {
    const { stdout } = await replay('--policy', file, ...args);
    expect([rowOf(stdout, 'attempts read'), ...args]).toEqual([[read], ...args]);
  }
});

it('policy replay retries when Gatehouse is unavailable, and exits with 2 and its message when it stays unavailable', async () => {
  let refused = 0;
  gatehouse.letThrough(() => {
    refused += 1;
    return refused < 3 ? 'refuse' : 'pass';
  });
  expect(await replay('--policy', draftWith())).toMatchObject({ code: 0, stderr: '' });
  gatehouse.letThrough(() => 'refuse');
  const message = expect.stringContaining('Workers KV takes one write a second');
  expect(await replay('--policy', draftWith())).toMatchObject({ code: 2, stdout: '', stderr: message });
});

it('policy replay takes -24h, and dates in a zone, and says in UTC which period it read', async () => {
  await visits(1);
  const read = async (...period: string[]) => {
    const { stdout } = await replay('--policy', draftWith(), ...period, '--limit', '1', '--json');
    return (JSON.parse(stdout) as { asked: { from: string; to: string } }).asked;
  };
  const { from, to } = await read('--from', '-24h');
  expect((Date.parse(to) - Date.parse(from)) / 3_600_000).toBeCloseTo(24, 1);
  expect(await read('--from', '2026-03-29', '--to', '2026-03-30', '--tz', 'Europe/Berlin')).toMatchObject({
    from: '2026-03-28T23:00:00.000Z',
    to: '2026-03-29T22:00:00.000Z',
  });
});

it('policy replay exits with 2 when an option, the draft or the credential is invalid', async () => {
  const noRequest = reporter({ ...processIo, fetch: () => Promise.reject(new Error('This test expects no request.')) });
  const broken = fileOf({ rules: [{ ...mail, when: 'claims.email ==' }] });
  for (const [options, what] of [
    [{ from: 'heute' }, '--from: not a time'],
    [{ from: 'today', to: 'yesterday' }, '--from: not before "to"'],
    [{ from: 'today', tz: 'Europe/Berlim' }, '--tz: not a time zone'],
    [{ from: '2026-01-02', to: '2026-01-01' }, '--from: not before "to"'],
    [{ from: '2199-01-01' }, '--from is in the future'],
    [{ step: 'Nonsense' }, '--step Nonsense is not a step: PostFederationSignup'],
    [{ limit: '0' }, '--limit 0 is not a number of attempts'],
    [{ limit: '1e3' }, '--limit 1e3 is not a number of attempts'],
    [{ 'client-id': '' }, '--client-id: empty'],
    [{ policy: broken }, 'rules[0].when'],
    [{ policy: join(folder, 'none.json') }, 'no such file'],
  ] as const) {
    const refused = replayDirectly(processIo, noRequest, { policy: draftWith(), ...options }, {});
    await expect(refused).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(what) });
  }
  const replayAs = (GATEHOUSE_REPORTS: string) =>
    run('policy', ['replay', '--policy', draftWith(), '--url', gatehouse.url()], { GATEHOUSE_REPORTS });
  const reports = expect.stringContaining('GATEHOUSE_REPORTS');
  expect(await replayAs('admin:admin')).toMatchObject({ code: 2, stdout: '', stderr: reports });
  expect(await replayAs('support:support')).toMatchObject({ code: 0, stderr: '' });
});
