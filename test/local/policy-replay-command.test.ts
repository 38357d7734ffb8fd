/** `npm run policy -- replay` as people run it: attempts that Gatehouse made and keeps, asked for page by page. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { keepAttempts } from '../attempt.ts';
import { ownGatehouse, run } from './gatehouse.ts';
import { recorded } from './policy-replay.ts';

const gatehouse = ownGatehouse();
const replay = (...args: string[]) => gatehouse.run('policy', 'replay', ...args);

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-replay-'));
function fileOf(document: object): string {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(file, JSON.stringify(document));
  return file;
}

const MINUTE_MS = 60_000;
const MESSAGES = { no: { en: 'No: {supportCode}' } };
const roles = { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } };
const mail = {
  id: 'no-throwaway-mail',
  steps: ['PostFederationSignup', 'PostAttributeCollection'],
  when: "domain(claims.email) == 'mailinator.com'",
  onError: 'skip',
  block: 'no',
};
const postal = {
  id: 'postal-code',
  steps: ['PostAttributeCollection'],
  when: "has(claims.postalCode) && !claims.postalCode.matches('^[0-9]{5}$')",
  invalid: 'no',
};
const invited = {
  id: 'invited',
  steps: ['PostAttributeCollection'],
  when: "claims.extension_InvitationCode == 'SPRING'",
  onError: 'skip',
  invalid: 'no',
};
const draftWith = (...rules: object[]) => fileOf({ messages: MESSAGES, rules: [...rules, roles] });

/** What nobody who reads a replay may learn: values of claims, kept or not, and by whom a person is known. */
const PERSONAL = /@|Jane Secret|secretville|NO-POSTAL|google-4711|SPRING|owner|[0-9a-f]{8}-0bad-/;

let made = 0;
/** One call a minute, the newest a minute ago; a new person for each. */
async function visits(
  count: number,
  more: object = {},
  given: Partial<Parameters<typeof recorded>[0]> = {},
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (let index = 0; index < count; index += 1) {
    made += 1;
    const { attempt } = await recorded({
      body: {
        step: 'PostAttributeCollection',
        client_id: 'shop',
        email: `jane-${made}@example.com`,
        displayName: 'Jane Secret',
        city: 'secretville',
        ui_locales: 'de-AT',
        identities: [{ signInType: 'federated', issuer: 'google.com', issuerAssignedId: `google-4711-${made}` }],
        ...more,
      },
      now: Date.now() - (index + 1) * MINUTE_MS,
      keep: ['displayName', 'country', 'ui_locales'],
      ...given,
    });
    attempts.push(attempt);
  }
  return attempts;
}
const keep = (attempts: readonly Attempt[]) => keepAttempts(gatehouse.database.db(), attempts);

function rowOf(stdout: string, first: string): string[] {
  const row = stdout.split('\n').find((line) => line.startsWith(first));
  return row?.split(/ {2,}/) ?? [];
}
/** The figures at the top. */
const countsIn = (stdout: string) =>
  Object.fromEntries(
    ['attempts read', 'skipped', 'decided as before', 'decided otherwise', 'could not be judged'].map((name) => [
      name,
      rowOf(stdout, name)[1],
    ]),
  );

describe('some hundred attempts', () => {
  it('are told apart: those that a draft decides otherwise, by rule with examples, and those that it does not', async () => {
    const throwaway = await visits(2, { email: 'secret@mailinator.com' });
    await keep([...(await visits(598)), ...throwaway, ...(await visits(20, { step: 'PostFederationSignup' }))]);
    const { code, stdout, stderr } = await replay('--policy', draftWith(mail));
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(countsIn(stdout)).toEqual({
      'attempts read': '620',
      skipped: '0',
      'decided as before': '618',
      'decided otherwise': '2',
      'could not be judged': '0',
    });
    expect(stdout).toMatch(/^NO +RECORDED +DRAFT +ATTEMPTS\n1 +continue +block by no-throwaway-mail +2$/m);
    for (const { id, supportCode } of throwaway) {
      expect(supportCode).toBe('');
      expect(stdout).toMatch(new RegExp(`^1 +${id} +\\S+Z +PostAttributeCollection +shop$`, 'm'));
    }
    expect(rowOf(stdout, 'no-throwaway-mail')).toEqual(['no-throwaway-mail', '2', '618', '0', '0']);
    const asked = gatehouse.requests.map(({ method, url }) => `${method} ${url}`);
    expect(asked).toEqual(['POST /reports/attempts/search', 'POST /reports/attempts/search']);
  });
});

describe('what is not kept', () => {
  it('leaves rules unjudged, with the claims they lack and the KEEP_CLAIMS that would keep them', async () => {
    const typed = { postalCode: 'NO-POSTAL-CODE', extension_InvitationCode: 'SPRING' };
    await keep([...(await visits(3, typed)), ...(await visits(2))]);
    const { code, stdout, stderr } = await replay('--policy', draftWith(postal, invited));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(countsIn(stdout)).toMatchObject({
      'decided as before': '2',
      'decided otherwise': '0',
      'could not be judged': '3',
    });
    expect(rowOf(stdout, 'RULE')).toEqual(['RULE', 'APPLIES', 'DOES NOT', 'NOT REACHED', 'NOT JUDGED']);
    expect(rowOf(stdout, 'postal-code')).toEqual(['postal-code', '0', '2', '0', '3']);
    expect(rowOf(stdout, 'invited')).toEqual(['invited', '0', '2', '0', '3']);
    expect(rowOf(stdout, 'claims.postalCode')).toEqual([
      'claims.postalCode',
      '3',
      'KEEP_CLAIMS did not name it',
      'postal-code',
    ]);
    expect(rowOf(stdout, 'claims.extension_InvitationCode').slice(2)).toEqual([
      'never kept, whatever KEEP_CLAIMS names',
      'invited',
    ]);
    expect(stdout).toMatch(
      /^To judge postal-code on attempts to come, .*\n\nKEEP_CLAIMS="displayName,country,ui_locales,postalCode"$/m,
    );
  });

  it('and is kept by now is said to be', async () => {
    const city = { ...mail, id: 'city', when: "claims.country == 'Iceland'" };
    await keep(await visits(1, { country: 'Iceland' }, { keep: [] }));
    const { stdout } = await replay('--policy', draftWith(city));
    expect(stdout).toContain('country: KEEP_CLAIMS in wrangler.toml names it already.');
    expect(stdout).not.toContain('KEEP_CLAIMS=');
  });
});

describe('a replay', () => {
  it('tells nothing about anybody, in words or as JSON', async () => {
    const person = {
      objectId: '12345678-0bad-4000-8000-000000000001',
      postalCode: 'NO-POSTAL',
      extension_InvitationCode: 'SPRING',
    };
    const token = { ...person, step: 'PreTokenIssuance' };
    const held = { roles: ['owner'] };
    const policy = {
      messages: MESSAGES,
      rules: [{ ...mail, id: 'then', when: "claims.city == 'secretville'" }, roles],
    };
    await keep([
      ...(await visits(3, person)),
      ...(await visits(3, person, { policy })),
      ...(await visits(3, token, { held })),
      ...(await visits(3, token, { held, policy })),
      ...(await visits(3, { ...person, email: 'x@mailinator.com' })),
    ]);
    const name = { ...mail, id: 'name', when: "claims.displayName == 'Jane Secret' && claims.city == 'x'" };
    const rights = { ...roles, id: 'rights', set: { extension_Roles: 'claims.displayName' } };
    const file = draftWith(mail, postal, invited, name, rights);
    for (const args of [[], ['--json']]) {
      const { code, stdout, stderr } = await replay('--policy', file, ...args);
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(stdout).toContain('no-throwaway-mail');
      expect(stdout.replace(file, '')).not.toMatch(PERSONAL);
    }
  });

  it('is one JSON object for programs, with the same exit codes', async () => {
    const [blocked] = await visits(
      1,
      {},
      { policy: { messages: MESSAGES, rules: [{ ...mail, id: 'then', when: 'true' }] } },
    );
    await keep([...(blocked === undefined ? [] : [blocked]), ...(await visits(4, { city: 'secretville' }))]);
    const city = { ...mail, id: 'city', when: "claims.city == 'Rome' && has(claims.postalCode)" };
    const { code, stdout } = await replay('--policy', draftWith(city), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ read: 5, same: 4, different: 1, notJudged: 0, skipped: {} },
      differences: [
        {
          recorded: { outcome: 'block', rule: 'then', messageKey: 'no' },
          draft: { outcome: 'continue', rule: '', messageKey: '' },
          attempts: 1,
          examples: [
            { id: blocked?.id, supportCode: blocked?.supportCode, step: 'PostAttributeCollection', clientId: 'shop' },
          ],
        },
      ],
      rules: [{ rule: 'city', applied: 0, didNotApply: 5, notReached: 0, notJudged: 0 }, { rule: 'roles' }],
      wants: [],
      keepClaims: { added: [], already: [] },
    });
    const same = await replay('--policy', draftWith(), '--json', '--client-id', 'nobody');
    expect({ code: same.code, read: JSON.parse(same.stdout).read }).toEqual({ code: 0, read: 0 });
  });

  it('reads the attempts that it is told to, and no more of them', async () => {
    const now = Date.now();
    await keep([
      ...(await visits(3)),
      ...(await visits(2, { client_id: 'Club' })),
      ...(await visits(1, { step: 'PostFederationSignup' })),
      ...(await visits(1, {}, { now: now - 8 * 24 * 60 * MINUTE_MS })),
      ...(await visits(1, {}, { now: now - 3 * 24 * 60 * MINUTE_MS })),
    ]);
    const file = draftWith();
    const read = async (...args: string[]) =>
      countsIn((await replay('--policy', file, ...args)).stdout)['attempts read'];
    const daysAgo = (days: number) => new Date(now - days * 24 * 60 * MINUTE_MS + 1).toISOString();
    expect(await read()).toBe('7');
    expect(await read('--client-id', 'CLUB')).toBe('2');
    expect(await read('--step', 'postfederationsignup')).toBe('1');
    expect(await read('--from', '2026-01-01')).toBe('8');
    expect(await read('--from', daysAgo(4), '--to', daysAgo(2))).toBe('1');
    expect(await read('--to', daysAgo(2))).toBe('2');
    expect(await read('--limit', '5')).toBe('5, the newest: --limit leaves out the others');
  });

  it('asks for no more than its limit, and page by page', async () => {
    await keep(await visits(1_010));
    gatehouse.requests.length = 0;
    const { stdout } = await replay('--policy', draftWith(), '--limit', '1002');
    expect(countsIn(stdout)['attempts read']).toMatch(/^1002,/);
    expect(gatehouse.requests.map(({ body }) => JSON.parse(body).limit)).toEqual([500, 500, 2]);
  });

  it('asks again where Gatehouse could not answer, and gives up with its words', async () => {
    await keep(await visits(1));
    let refused = 0;
    gatehouse.letThrough(() => {
      refused += 1;
      return refused < 3 ? 'refuse' : 'pass';
    });
    expect(await replay('--policy', draftWith())).toMatchObject({ code: 0, stderr: '' });
    gatehouse.letThrough(() => 'refuse');
    const { code, stdout, stderr } = await replay('--policy', draftWith());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Workers KV takes one write a second');
    gatehouse.letThrough(() => 'be another');
    expect(await replay('--policy', draftWith())).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('called wrongly', () => {
  it('says what is wrong, with an exit code that is no answer', async () => {
    const file = draftWith();
    for (const [args, what] of [
      [['--from', 'yesterday'], '--from: not a time'],
      [['--from', '2026-01-02', '--to', '2026-01-01'], '--from: not before "to"'],
      [['--from', '2199-01-01'], '--from is yet to come'],
      [['--step', 'Nonsense'], '--step Nonsense is not a step: PostFederationSignup'],
      [['--limit', '0'], '--limit 0 is not a number of attempts'],
      [['--limit', '1e3'], '--limit 1e3 is not a number of attempts'],
      [['--client-id', ''], '--client-id: empty'],
      [['--note', 'x'], 'replay does not take --note'],
      [['policy.json'], '"policy.json" is too much after replay'],
    ] as const) {
      const { code, stdout, stderr } = await replay('--policy', file, ...args);
      expect([args, code, stdout, stderr]).toEqual([args, 2, '', expect.stringContaining(what)]);
    }
    expect(gatehouse.requests).toEqual([]);
  });

  it('needs a policy that may be saved, and a credential for reports', async () => {
    const broken = fileOf({ rules: [{ ...mail, when: 'claims.email ==' }] });
    expect(await replay('--policy', broken)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('rules[0].when'),
    });
    const none = await replay('--policy', join(folder, 'none.json'));
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') });
    const asked = (url: string, environment = {}) =>
      run('policy', ['replay', '--policy', draftWith(), '--url', url], environment);
    const remote = await asked('https://gatehouse.example');
    expect(remote).toMatchObject({ code: 2, stderr: expect.stringContaining('GATEHOUSE_REPORTS') });
    for (const wrong of ['admin:admin', 'support:wrong']) {
      const refused = await asked(gatehouse.url(), { GATEHOUSE_REPORTS: wrong });
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('a line of the secret REPORTS_BASIC') });
    }
    const right = await asked(gatehouse.url(), { GATEHOUSE_REPORTS: 'support:support', GATEHOUSE_ADMIN: 'x' });
    expect(right).toMatchObject({ code: 0, stderr: '' });
  });

  it('explains itself with --help', async () => {
    const { stdout } = await run('policy', ['--help']);
    for (const word of ['replay ', '--from, --to', '--client-id', '--limit', '--json', 'GATEHOUSE_REPORTS'])
      expect(stdout).toContain(word);
  });
});
