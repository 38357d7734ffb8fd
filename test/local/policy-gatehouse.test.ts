/** `npm run policy` with a running Gatehouse: push, pull, diff, versions, rollback and try, as people run them. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './command.ts';
import { ownGatehouse } from './gatehouse.ts';

const gatehouse = ownGatehouse({ POLICY: 'stored' });
const policy = (...args: string[]) => gatehouse.run('policy', ...args);

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));
const roles = { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } };

/** A file with a policy that nobody else has. */
function fileOf(document: object = {}): string {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(
    file,
    `${JSON.stringify({ description: crypto.randomUUID(), rules: [roles], ...document }, null, 2)}\n`,
  );
  return file;
}
const newFile = () => join(folder, `${crypto.randomUUID()}.json`);
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const numberIn = (text: string) => Number(/Saved as version (\d+)\./.exec(text)?.[1]);

async function pushed(file: string, ...args: string[]): Promise<number> {
  const { code, stdout, stderr } = await policy('push', file, '--yes', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return numberIn(stdout);
}

describe('before anything was saved', () => {
  it('there is nothing to pull, compare or go back to, and each says so', async () => {
    for (const args of [['pull'], ['diff', fileOf()], ['rollback', '1', '--yes']]) {
      const answer = await policy(...args);
      expect(answer.stderr).toMatch(/No policy was saved yet/);
      expect(answer.code).toBe(args[0] === 'diff' ? 2 : 1);
    }
    expect(await policy('versions')).toMatchObject({ code: 0, stdout: 'No policy was saved yet.\n' });
    const refused = await policy('push', fileOf(), '--yes', '--base', '3');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no policy is in force yet, not version 3'),
    });
  });

  it('a first push shows all of it and puts it in force', async () => {
    const file = fileOf({ lists: { vip: ['anna@example.com'] } });
    const { code, stdout } = await policy('push', file, '--yes', '--base', '0', '--note', 'first, & "best" ümlaut');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^list vip: \+1 -0, a new list$/m);
    expect(stdout).toMatch(/^rule roles: added$/m);
    expect(stdout).toMatch(/^Saved as version 1\. In force: /m);
    expect((await policy('versions')).stdout).toMatch(/^1 +\S+ +admin .*first, & "best" ümlaut$/m);
  });
});

describe('a push', () => {
  it('changes nothing before somebody said yes', async () => {
    const before = await pushed(fileOf());
    const asked = await policy('push', fileOf());
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
    expect(asked.stdout).toContain('description: changed');
    expect((await policy('pull')).stderr).toBe(`Version ${before}.\n`);
  });

  it('asks at a terminal, and is saved by yes alone: anything else, and the end of the input, is no', async () => {
    const answered = (answer: string) => gatehouse.start('policy', ['push', fileOf()], answer).finished;
    for (const yes of ['y\n', 'Y\n', 'yes\n', ' YES \n'])
      expect(await answered(yes)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Saved as version'),
        stderr: expect.stringMatching(/^Put this in force for everybody, .*\? \[y\/N\] $/),
      });
    const before = (await policy('pull')).stderr;
    for (const no of ['\n', 'n\n', 'yess\n', 'no\n', ''])
      expect(await answered(no)).toMatchObject({ code: 1, stdout: expect.stringMatching(/^Nothing was changed\.$/m) });
    expect((await policy('pull')).stderr).toBe(before);
  });

  it('of what is in force already saves nothing', async () => {
    const file = fileOf();
    const number = await pushed(file);
    const again = await policy('push', file);
    // A CI run that is started once more still names the version from before.
    expect((await policy('push', file, '--base', `${number - 1}`)).code).toBe(0);
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(`^Nothing to save: version ${number} says the same already\\. In force: everywhere within`),
      ),
    });
  });

  it('of what is in force brings back what somebody deleted in Workers KV', async () => {
    const file = fileOf();
    const number = await pushed(file);
    const kv = await gatehouse.kv();
    await kv.delete('policy:active');
    await kv.put(`policy:version:${number}`, 'by hand');
    expect((await policy('push', file)).code).toBe(0);
    expect(await kv.get('policy:active', 'json')).toMatchObject({ number });
    expect(await kv.get(`policy:version:${number}`, 'json')).toEqual(read(file));
  });

  it('refuses a policy with problems, each with its line, and asks no Gatehouse', async () => {
    const file = newFile();
    writeFileSync(
      file,
      '{\n  "rules": [\n    { "id": "a", "steps": ["PreTokenIssuance"],\n      "block": "nothing" }\n  ]\n}\n',
    );
    const { code, stdout, stderr } = await policy('push', file, '--yes');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`${file}:3: rules[0].steps (rule a): `);
    expect(stderr).toContain(`${file}:4: rules[0].block (rule a): There is no message called nothing.`);
    expect(stderr).toContain(`2 problems in ${file}.`);
    expect(gatehouse.requests).toEqual([]);
  });

  it('never overwrites what somebody saved meanwhile', async () => {
    const mine = await pushed(fileOf());
    const theirs = await pushed(fileOf());
    const stale = await policy('push', fileOf(), '--yes', '--base', `${mine}`);
    expect(stale).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`version ${theirs} is in force, not version ${mine}`),
    });

    // Somebody saves between what is shown here and the saving of it.
    let other: Promise<number> | undefined;
    gatehouse.letThrough(async ({ method }): Promise<'pass'> => {
      if (method !== 'PUT' || other !== undefined) return 'pass';
      other = pushed(fileOf());
      await other;
      return 'pass';
    });
    const late = await policy('push', fileOf(), '--yes');
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('Somebody saved another version') });
    expect((await policy('pull')).stderr).toBe(`Version ${await other}.\n`);
  });

  it('with a note that is too long says that it is the note', async () => {
    const { code, stderr } = await policy('push', fileOf(), '--yes', '--note', 'x'.repeat(501));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: '--note: longer than 500 characters. Nothing was changed.\n',
    });
  });

  it('takes what the Gatehouse warns of to standard error', async () => {
    const { code, stdout, stderr } = await policy('push', fileOf({ rules: [] }), '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('Saved as version');
    expect(stderr).toContain('No rule sets extension_Roles');
  });
});

describe('a pull', () => {
  it('gives back what was pushed, and pushes again as no change', async () => {
    const file = fileOf({ messages: { blocked: { en: 'Ümlaut {supportCode}' } } });
    const number = await pushed(file);
    const { code, stdout, stderr } = await policy('pull');
    expect({ code, stderr }).toEqual({ code: 0, stderr: `Version ${number}.\n` });
    expect(stdout).toBe(readFileSync(file, 'utf8'));

    const copy = newFile();
    expect(await policy('pull', copy)).toMatchObject({ code: 0, stdout: `Version ${number} written to ${copy}.\n` });
    expect(readFileSync(copy, 'utf8')).toBe(stdout);
    expect((await policy('push', copy)).stdout).toContain('Nothing to save');
    expect((await policy('diff', copy)).code).toBe(0);
  });

  it('overwrites no file that says something else, unless told to', async () => {
    const [first, second] = [fileOf(), fileOf()];
    const number = await pushed(first);
    const written = readFileSync(second, 'utf8');
    const refused = await policy('pull', second);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
    expect(readFileSync(second, 'utf8')).toBe(written);
    expect(await policy('pull', first)).toMatchObject({
      code: 0,
      stdout: `${first} says the same as version ${number} already.\n`,
    });
    expect((await policy('pull', second, '--force')).code).toBe(0);
    expect(read(second)).toEqual(read(first));
  });

  it('takes an earlier version, and says which there are none of', async () => {
    const [first, second] = [fileOf(), fileOf()];
    const number = await pushed(first);
    await pushed(second);
    expect(JSON.parse((await policy('pull', '--version', `${number}`)).stdout)).toEqual(read(first));
    expect(await policy('pull', '--version', '999999')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/version/i),
    });
  });
});

describe('a difference', () => {
  it('is told by exit codes as diff(1) has them', async () => {
    const file = fileOf();
    const number = await pushed(file);
    expect(await policy('diff', file)).toMatchObject({
      code: 0,
      stdout: `No difference: ${file} says the same as version ${number}.\n`,
    });
    const edited = fileOf({ description: read(file).description, rules: [roles, { ...roles, id: 'more' }] });
    const { code, stdout } = await policy('diff', edited);
    expect(code).toBe(1);
    expect(stdout).toContain(`- version ${number}\n+ ${edited}\n\nrule more: added\n`);
    expect((await policy('diff', join(folder, 'nothing.json'))).code).toBe(2);
    expect((await policy('diff', file, '--version', '999999')).code).toBe(2);
  });
});

describe('the list of versions', () => {
  it('tells the shadow that runs from those that did', async () => {
    await pushed(fileOf());
    const asAdmin = { Authorization: `Basic ${btoa('admin:admin')}`, 'Content-Type': 'application/json' };
    const shadow = async (headers: Record<string, string>, sample?: string) => {
      const answer = await fetch(`${gatehouse.url()}/admin/policy/shadow${sample ? `?sample=${sample}` : ''}`, {
        method: sample ? 'PUT' : 'DELETE',
        headers: { ...asAdmin, ...headers },
        ...(sample ? { body: readFileSync(fileOf()) } : {}),
      });
      return (await answer.json()) as { number: number };
    };
    const first = await shadow({ 'If-None-Match': '*' }, '0.5');
    const second = await shadow({ 'If-Match': `"${first.number}"` }, '0.07');
    const running = (await policy('versions')).stdout;
    expect(running).toMatch(new RegExp(`^${second.number} .* shadow, for 7 % of the calls$`, 'm'));
    expect(running).toMatch(new RegExp(`^${first.number} .* was a shadow$`, 'm'));
    const gone = await shadow({ 'If-Match': `"${second.number}"` });
    const after = (await policy('versions')).stdout;
    expect(after).toMatch(new RegExp(`^${gone.number} .* shadow taken away$`, 'm'));
    expect(after).toMatch(new RegExp(`^${second.number} .* was a shadow$`, 'm'));
  });
});

describe('a rollback', () => {
  it('puts an earlier version in force again, as a new one, and shows what that changes', async () => {
    const [first, second] = [fileOf(), fileOf()];
    const [old, bad] = [await pushed(first), await pushed(second)];
    expect(await policy('rollback', `${old}`)).toMatchObject({ code: 2, stderr: expect.stringContaining('add --yes') });
    const { code, stdout } = await policy('rollback', `${old}`, '--yes', '--note', 'that was wrong');
    expect(code).toBe(0);
    expect(stdout).toContain(`-   "${read(second).description}"`.replace('-   ', '- '));
    expect(numberIn(stdout)).toBe(bad + 1);
    expect(JSON.parse((await policy('pull')).stdout)).toEqual(read(first));
    expect((await policy('versions')).stdout.split('\n')[1]).toMatch(new RegExp(`^${bad + 1} .*that was wrong$`));
    expect((await policy('rollback', `${old}`, '--yes')).stdout).toContain('Nothing to do');
    expect((await policy('rollback', '999999', '--yes')).code).toBe(1);
  });
});

describe('a call that is tried', () => {
  const call = { step: 'PreTokenIssuance', client_id: 'shop', objectId: crypto.randomUUID() };
  const callFile = newFile();
  writeFileSync(callFile, JSON.stringify(call));

  it('is answered by a draft with the settings and entitlements of that Gatehouse, and changes nothing', async () => {
    await gatehouse.run('roles', 'set', `oid:${call.objectId}`, '--roles', 'editor');
    const before = (await policy('versions')).stdout;
    const { code, stdout } = await policy('try', callFile, '--remote', '--policy', fileOf());
    expect(code).toBe(0);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_Roles: 'editor',
    });
    expect(stdout).toMatch(/^RULE +APPLIED +CONDITION +EFFECT$/m);
    expect(stdout).toMatch(/^roles +yes +- +extension_Roles = "editor"$/m);
    expect((await policy('versions')).stdout).toBe(before);
  });

  it('is answered by what is in force, with the entitlements that are given', async () => {
    const held = newFile();
    writeFileSync(held, JSON.stringify({ roles: ['reader'] }));
    await pushed(fileOf());
    const { code, stdout } = await policy('try', callFile, '--entitlements', held);
    expect(code).toBe(0);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_Roles: 'reader',
    });
    expect(stdout).toMatch(/^policy +version \d+$/m);
  });
});

describe('a Gatehouse that cannot be asked', () => {
  it('is told by what to do', async () => {
    gatehouse.letThrough(() => 'be another');
    expect((await policy('pull')).stderr).toContain('Is --url the address of a Gatehouse');
    for (const args of [['pull'], ['diff', fileOf()], ['rollback', '1', '--yes'], ['push', fileOf(), '--yes']]) {
      gatehouse.letThrough(() => 'be older');
      const older = await policy(...args);
      expect(older).toMatchObject({ stdout: '', stderr: expect.stringContaining('knows nothing of policies yet') });
      gatehouse.letThrough(() => 'be a page');
      const page = await policy(...args);
      expect(page).toMatchObject({
        stdout: '',
        stderr: expect.stringContaining('Is --url the address of a Gatehouse'),
      });
    }
    gatehouse.letThrough(() => 'pass');
    const wrong = await run('policy', ['pull', '--url', gatehouse.url()], { GATEHOUSE_ADMIN: 'admin:wrong' });
    expect(wrong.code).toBe(1);
    const away = await run('policy', ['pull', '--url', 'http://127.0.0.1:9']);
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('npm run dev') });
  });
});
