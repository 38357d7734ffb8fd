/** `npm run dev` with a policy: it is in force from the first call, follows its file, and a broken one never gets in. */
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { devProcesses, freePort } from '../support/dev-process.ts';
import { start } from '../support/gatehouse.ts';

const dev = devProcesses();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-dev-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const policySaying = (text: string) =>
  JSON.stringify(
    {
      messages: { closed: { en: `${text} {supportCode}` } },
      rules: [
        { id: 'closed', steps: ['PostFederationSignup'], when: 'true', block: 'closed' },
        { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } },
      ],
    },
    null,
    2,
  );

async function signUp(port: number): Promise<{ action: string; userMessage: string }> {
  const response = await fetch(`http://localhost:${port}/connectors/user-flow`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa('Test:Test')}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ step: 'PostFederationSignup' }),
  });
  return (await response.json()) as { action: string; userMessage: string };
}

describe('npm run dev with a policy', () => {
  it('decides by it from the first call, saves each edit that may be saved, and only those', async () => {
    const file = join(folder, 'policy.json');
    const data = join(folder, 'data');
    writeFileSync(file, policySaying('First.'));
    const port = await freePort();
    const args = ['--port', `${port}`, '--data', data, '--policy', file];
    const first = dev(args);
    await first.says('Gatehouse is running at');
    expect(first.said.text.indexOf(`${file} is saved as version 1`)).toBeGreaterThan(0);
    expect(await signUp(port)).toMatchObject({
      action: 'ShowBlockPage',
      userMessage: expect.stringContaining('First.'),
    });

    writeFileSync(file, policySaying('First.').replace('"block"', '"blcok"'));
    await first.says(`${file}:8: rules[0] (rule closed): Unknown: blcok.`);
    await first.says('The policy that was in force stays.');
    // As editors do that write beside the file and put the new one in its place.
    writeFileSync(`${file}.new`, policySaying('Second.'));
    renameSync(`${file}.new`, file);
    await first.says(`${file} is saved as version 2`);
    // And as those have it who keep a policy elsewhere.
    const elsewhere = join(folder, 'elsewhere.json');
    writeFileSync(elsewhere, policySaying('Third.'));
    rmSync(file);
    symlinkSync(elsewhere, file);
    await first.says(`${file} is saved as version 3`);
    writeFileSync(elsewhere, policySaying('Fourth.'));
    await first.says(`${file} is saved as version 4`);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);

    const again = dev(args);
    await again.says('Gatehouse is running at');
    expect(again.said.text).toContain(`${file} is version 4, which is in force.`);
    expect((await signUp(port)).userMessage).toContain('Fourth.');
    const { stdout } = await start('policy', ['versions', '--url', `http://localhost:${port}`]).finished;
    expect(stdout.match(/^\d+ .*npm run dev$/gm)).toHaveLength(4);
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });

  it('blocks nobody without one', async () => {
    const project = mkdtempSync(join(folder, 'project-'));
    const port = await freePort();
    const without = dev(['--port', `${port}`], project);
    await without.says('Gatehouse is running at');
    expect(without.said.text).toContain(`A policy.json in ${project} decides from the next start.`);
    expect(await signUp(port)).toEqual({ version: '1.0.0', action: 'Continue' });
    without.child.kill('SIGTERM');
    expect(await without.ended).toBe(0);
  });

  it('does not start with one that may not be saved, and says what is wrong with it', async () => {
    const project = mkdtempSync(join(folder, 'project-'));
    writeFileSync(join(project, 'policy.json'), '{\n  "rules": [\n    { "id": "a" } ]\n}');
    const port = await freePort();
    const broken = dev(['--port', `${port}`], project);
    expect(await broken.ended).toBe(1);
    expect(broken.said.text).toContain('policy.json:3: rules[0].steps (rule a): Not a list of steps');
    expect(broken.said.text).toContain('npm run dev -- --policy none');
    expect(existsSync(join(project, '.gatehouse'))).toBe(false);

    const missing = dev(['--port', `${port}`, '--policy', 'none.json'], project);
    expect(await missing.ended).toBe(1);
    expect(missing.said.text).toContain('none.json could not be read: there is no such file');
  });
});
