/** The policy that the README shows may be saved, and its examples are answered as it says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkText } from '../../src/desk/policies/check.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { tryCall } from '../../src/gate/trial.ts';
import { NOTHING_HELD } from '../../src/policy/policy.ts';
import { run } from '../support/command.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const SECTION = README.slice(README.indexOf('## Deciding: the policy'), README.indexOf('### What a policy says'));
const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };

const [document = ''] = [...SECTION.matchAll(/```json\n(\{\n.*?\n\})\n```/gs)].map(([, text = '']) => text);
/** Each curl call of the section with the answer below it, where `…` stands for the support code. */
const examples = [...SECTION.matchAll(/ -d '(\{.*?\})'\n```\n```json\n(\{.*?\})\n```/gs)].map(
  ([, body = '', reply = '']) => ({
    body: JSON.parse(body) as Record<string, unknown>,
    reply: JSON.parse(reply.replaceAll('…', 'ABCDE-12345')) as Record<string, unknown>,
  }),
);

describe('the policy of the README', () => {
  it('may be saved, without a warning', () => {
    expect(checkText(document, NAMES.rolesClaim)).toMatchObject({ ok: true, policy: { warnings: [] } });
  });

  it('passes the cases that are shown for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'));
    writeFileSync(join(folder, 'policy.json'), document);
    const [cases = ''] = [...README.matchAll(/```json\n(\{ "cases": .*?)\n```/gs)].map(([, text = '']) => text);
    writeFileSync(join(folder, 'policy.test.json'), cases);
    const { code, stdout } = await run('policy', ['test', join(folder, 'policy.test.json')]);
    rmSync(folder, { recursive: true });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('1 case: 1 ok, 0 failed.') });
  });

  it('answers both examples as shown', async () => {
    const checked = checkText(document, NAMES.rolesClaim);
    if (!checked.ok) throw new Error('it may not be saved');
    const policy = await compilePolicy(checked.policy, 1, NAMES);
    expect(examples.map(({ reply }) => reply.action)).toEqual(['Continue', 'ValidationError']);
    for (const { body, reply } of examples) {
      const tried = await tryCall({
        body,
        urlStep: undefined,
        policy,
        entitlements: () => NOTHING_HELD,
        now: Date.now(),
        supportCode: async () => 'ABCDE-12345',
      });
      expect(tried.reply.body).toEqual(reply);
    }
  });
});
