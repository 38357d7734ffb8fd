/** `npm run policy` with exchanges: cases, tries, and the fixtures of Microsoft's walkthroughs and of the payloads. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { done, refused, run } from '../support/command.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/policy-custom');
const POLICY = join(FIXTURES, 'policy.json');
const NO_ROLES = ['--var', 'ROLES_CLAIM='];

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-exchanges-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function fileOf(content: object): string {
  files += 1;
  const file = join(folder, `${files}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}
const testing = (...cases: object[]) => run('policy', ['test', fileOf({ cases }), '--policy', POLICY, ...NO_ROLES]);

describe('the fixtures of exchanges', () => {
  it.each([
    ['policy.json', 'cases.json', 14],
    ['payloads-policy.json', 'payloads-cases.json', 13],
  ])('pass their cases, and every rule applies in one: %s', async (policy, cases, count) => {
    const ended = await run('policy', ['test', join(FIXTURES, cases), '--policy', join(FIXTURES, policy), ...NO_ROLES]);
    expect(ended).toMatchObject(done(`${count} cases: ${count} ok, 0 failed.`));
    expect(ended.stdout).not.toContain('Rules that applied in no case');
  });

  it('warn of nothing but the sentence of the walkthrough, which has no support code', async () => {
    const payloads = await run('policy', ['check', join(FIXTURES, 'payloads-policy.json'), ...NO_ROLES]);
    expect(payloads).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('8 exchanges') });
    const walkthroughs = await run('policy', ['check', POLICY, ...NO_ROLES]);
    expect(walkthroughs.stderr.match(/policy\.json:\d+/g)).toHaveLength(1);
  });
});

describe('policy test', () => {
  const call = { email: 'david@contoso.com', loyaltyId: '1234' };

  it('compares the status and the body of a reply by an exchange', async () => {
    const entitlements = { attributes: { loyaltyId: '1234', promoCode: '24534' } };
    const one = { name: 'one', step: 'ValidateProfile', call, entitlements, reply: { promoCode: '24534' } };
    expect(await testing(one, { ...one, name: 'two', status: 200 })).toMatchObject(done('2 ok'));
    const wrong = await testing({ ...one, status: 409 }, { ...one, name: 'two', reply: { promoCode: 24534 } });
    expect([wrong.code, wrong.stdout]).toEqual([1, expect.stringContaining('HTTP status')]);
    expect(wrong.stdout).toContain('received "24534"');
  });

  it('fails a case whose step is neither a step nor an exchange of the policy, in the letters of the policy', async () => {
    for (const step of ['validateProfile', 'ValidatProfile']) {
      const { code, stdout } = await testing({ name: 'one', step, call, reply: {} });
      expect([code, stdout]).toEqual([
        1,
        expect.stringContaining(`the policy has no step or exchange ${step}. Did you mean ValidateProfile?`),
      ]);
    }
  });
});

describe('policy try', () => {
  const call = fileOf({ objectId: 'ab3ec3b2-a435-45e4-b93a-56a005e88bb7' });
  const person = fileOf({ attributes: { balance: '760.50' } });
  const trying = (step: string) =>
    run('policy', ['try', call, '--policy', POLICY, '--entitlements', person, '--step', step, ...NO_ROLES]);

  it('shows the reply of an exchange, which may be named in any case', async () => {
    for (const step of ['GetProfile', 'getprofile']) {
      const ended = await trying(step);
      expect(ended).toMatchObject(done(/^\{"balance":"760\.50"\}\n/));
      expect(ended.stdout).toMatch(/balance +yes/);
    }
  });

  it('refuses a step that is neither a step nor an exchange of the policy', async () => {
    expect(await trying('Nonsense')).toMatchObject(
      refused(
        2,
        '--step Nonsense is not a step: PostFederationSignup, PostAttributeCollection, PreTokenIssuance, Valid',
      ),
    );
  });
});
