/** `npm run policy -- replay` as people run it: attempts that Gatehouse made and keeps, asked for page by page. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { keepAttempts } from '../attempt.ts';
import { ownGatehouse, start } from './gatehouse.ts';
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
  set: { city: "'Berlin'" },
};
const draftWith = (...rules: object[]) => fileOf({ messages: MESSAGES, rules: [...rules, roles] });

/** What nobody who reads a replay may learn. */
const SECRETS = ['Jane Secret', 'secretville', 'NO-POSTAL-CODE', 'google-4711', 'a-secret-code', 'secret-role'];

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
