/** The commands of `npm run policy` that call a Gatehouse: push, list, pull, diff, versions, rollback and try. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { done, refused, run } from '../support/command.ts';
import { ownGatehouse } from '../support/gatehouse.ts';

const gatehouse = ownGatehouse({ POLICY: 'stored' });
const policy = (...args: string[]) => gatehouse.run('policy', ...args);

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));
const newFile = () => join(folder, `${crypto.randomUUID()}.json`);
const roles = { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } };

/** A file with a unique policy. */
function fileOf(document: object = {}): string {
  const file = newFile();
  const whole = { description: crypto.randomUUID(), rules: [roles], ...document };
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`);
  return file;
}
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const numberIn = (text: string) => Number(/Saved as version (\d+)\./.exec(text)?.[1]);

async function pushed(file: string): Promise<number> {
  const { code, stdout, stderr } = await policy('push', file, '--yes');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return numberIn(stdout);
}
const inForce = async () => (await policy('pull')).stderr;

describe('npm run policy before the first save', () => {
  it('refuses to pull, diff and roll back, and lists no versions', async () => {
    expect(await policy('pull')).toMatchObject(refused(1, 'No policy was saved yet'));
    expect(await policy('diff', fileOf())).toMatchObject(refused(2, 'No policy was saved yet'));
    expect(await policy('rollback', '1', '--yes')).toMatchObject(refused(1, 'No policy was saved yet'));
    expect(await policy('versions')).toMatchObject(done(/^No policy was saved yet\.\n$/));
    const early = await policy('push', fileOf(), '--yes', '--base', '3');
    expect(early).toMatchObject(refused(1, 'no policy is in force yet, not version 3.'));
  });

  it('shows the whole policy at the first push and puts it in force', async () => {
    const file = fileOf({ lists: { vip: ['anna@example.com'] } });
    const first = await policy('push', file, '--yes', '--base', '0', '--note', 'first, & "best" ümlaut');
    expect(first).toMatchObject(done(/^list vip: \+1 -0, new list$/m));
    expect(first.stdout).toMatch(/^rule roles: added$/m);
    expect(first.stdout).toMatch(/^Saved as version 1\. In force: /m);
    expect(await policy('versions')).toMatchObject(done(/^1 +\S+ +admin .*first, & "best" ümlaut$/m));
  });
});

describe('npm run policy -- push', () => {
  it('changes nothing without confirmation', async () => {
    const before = await pushed(fileOf());
    const unconfirmed = await policy('push', fileOf());
    expect(unconfirmed).toMatchObject(refused(2, 'Add --yes'));
    expect(unconfirmed.stdout).toContain('description: changed');
    expect(await inForce()).toBe(`Version ${before}.\n`);
  });

  it('asks at a terminal and saves only after yes; any other answer and the end of the input mean no', async () => {
    const pushAnswering = (answer: string) => gatehouse.start('policy', ['push', fileOf()], answer).finished;
    for (const yes of ['y\n', 'Y\n', 'yes\n', ' YES \n']) {
      const confirmed = await pushAnswering(yes);
      expect(confirmed).toMatchObject(done('Saved as version'));
      expect(confirmed.stderr).toMatch(/^Put this in force for everybody, .*\? \[y\/N\] $/);
    }
    const before = await inForce();
    for (const no of ['\n', 'n\n', 'yess\n', 'no\n', ''])
      expect(await pushAnswering(no)).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^Nothing was changed\.$/m),
      });
    expect(await inForce()).toBe(before);
  });

  it('saves nothing when the file equals the version in force', async () => {
    const file = fileOf();
    const number = await pushed(file);
    const same = new RegExp(`^Nothing to save: version ${number} is the same\\. In force: everywhere within`);
    expect(await policy('push', file)).toMatchObject(done(same));
    // A CI run that is repeated still names the earlier version.
    expect(await policy('push', file, '--base', `${number - 1}`)).toMatchObject(done(same));
  });

  it('publishes the version in force again when its keys in Workers KV were deleted', async () => {
    const file = fileOf();
    const number = await pushed(file);
    const kv = await gatehouse.kv();
    await kv.delete('policy:active');
    await kv.put(`policy:version:${number}`, 'by hand');
    expect((await policy('push', file)).code).toBe(0);
    expect(await kv.get('policy:active', 'json')).toMatchObject({ number });
    expect(await kv.get(`policy:version:${number}`, 'json')).toEqual(read(file));
  });

  it('refuses an invalid policy with the line of each problem, and sends no request', async () => {
    const file = newFile();
    writeFileSync(file, '{ "rules": [\n { "id": "a", "steps": ["PreTokenIssuance"],\n "block": "nothing" } ] }');
    const { code, stdout, stderr } = await policy('push', file, '--yes');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`${file}:2: rules[0].steps (rule a): `);
    expect(stderr).toContain(`${file}:3: rules[0].block (rule a): There is no message called nothing.`);
    expect(stderr).toContain(`2 problems in ${file}.`);
    expect(gatehouse.requests).toEqual([]);
  });

  it('never overwrites a version that was saved in the meantime', async () => {
    const mine = await pushed(fileOf());
    const theirs = await pushed(fileOf());
    const stale = await policy('push', fileOf(), '--yes', '--base', `${mine}`);
    expect(stale).toMatchObject(refused(1, `version ${theirs} is in force, not version ${mine}`));

    // Another push saves between the display of the changes and the save.
    let other: Promise<number> | undefined;
    gatehouse.letThrough(async ({ method }): Promise<'pass'> => {
      if (method !== 'PUT' || other !== undefined) return 'pass';
      other = pushed(fileOf());
      await other;
      return 'pass';
    });
    const late = await policy('push', fileOf(), '--yes');
    expect(late).toMatchObject(refused(1, 'Another version was saved in the meantime'));
    expect(await inForce()).toBe(`Version ${await other}.\n`);
  });

  it('names --note when the note is too long', async () => {
    const long = await policy('push', fileOf(), '--yes', '--note', 'x'.repeat(501));
    expect(long).toMatchObject(refused(1, /^--note: longer than 500 characters\. Nothing was changed\.\n$/));
  });

  it('prints the warnings of the Gatehouse to standard error', async () => {
    const warned = await policy('push', fileOf({ rules: [] }), '--yes');
    expect(warned).toMatchObject(done('Saved as version'));
    expect(warned.stderr).toContain('No rule sets extension_Roles');
  });
});

describe('npm run policy -- pull', () => {
  it('returns the pushed policy, and pushing it again changes nothing', async () => {
    const file = fileOf({ messages: { blocked: { en: 'Ümlaut {supportCode}' } } });
    const number = await pushed(file);
    const text = readFileSync(file, 'utf8');
    expect(await policy('pull')).toEqual({ code: 0, stdout: text, stderr: `Version ${number}.\n` });

    const copy = newFile();
    expect(await policy('pull', copy)).toMatchObject(done(`Version ${number} written to ${copy}.\n`));
    expect(readFileSync(copy, 'utf8')).toBe(text);
    expect(await policy('push', copy)).toMatchObject(done('Nothing to save'));
    expect((await policy('diff', copy)).code).toBe(0);
  });

  it('overwrites a file that differs only with --force', async () => {
    const [first, second] = [fileOf(), fileOf()];
    const number = await pushed(first);
    const written = readFileSync(second, 'utf8');
    expect(await policy('pull', second)).toMatchObject(refused(1, '--force'));
    expect(readFileSync(second, 'utf8')).toBe(written);
    expect(await policy('pull', first)).toMatchObject(done(`already equals version ${number}.`));
    expect((await policy('pull', second, '--force')).code).toBe(0);
    expect(read(second)).toEqual(read(first));
  });

  it('returns an earlier version with --version, and refuses an unknown one', async () => {
    const [first, second] = [fileOf(), fileOf()];
    const number = await pushed(first);
    await pushed(second);
    expect(JSON.parse((await policy('pull', '--version', `${number}`)).stdout)).toEqual(read(first));
    expect(await policy('pull', '--version', '999999')).toMatchObject(refused(1, /version/i));
  });
});

describe('npm run policy -- diff', () => {
  it('exits with 0, 1 or 2 as diff(1) does', async () => {
    const file = fileOf();
    const number = await pushed(file);
    expect(await policy('diff', file)).toMatchObject(done(`No difference: ${file} equals version ${number}.`));
    const edited = fileOf({ description: read(file).description, rules: [roles, { ...roles, id: 'more' }] });
    const { code, stdout } = await policy('diff', edited);
    expect(code).toBe(1);
    expect(stdout).toContain(`- version ${number}\n+ ${edited}\n\nrule more: added\n`);
    expect((await policy('diff', join(folder, 'nothing.json'))).code).toBe(2);
    expect((await policy('diff', file, '--version', '999999')).code).toBe(2);
  });
});

describe('npm run policy -- versions', () => {
  it('distinguishes the current shadow from earlier ones', async () => {
    await pushed(fileOf());
    const shadow = async (condition: Record<string, string>, sample?: string) => {
      const answer = await fetch(`${gatehouse.url()}/admin/policy/shadow${sample ? `?sample=${sample}` : ''}`, {
        method: sample ? 'PUT' : 'DELETE',
        headers: { Authorization: `Basic ${btoa('admin:admin')}`, 'Content-Type': 'application/json', ...condition },
        ...(sample ? { body: readFileSync(fileOf()) } : {}),
      });
      return (await answer.json()) as { number: number };
    };
    const first = await shadow({ 'If-None-Match': '*' }, '0.5');
    const second = await shadow({ 'If-Match': `"${first.number}"` }, '0.07');
    const running = await policy('versions');
    expect(running).toMatchObject(done(new RegExp(`^${second.number} .* shadow, for 7 % of the calls$`, 'm')));
    expect(running).toMatchObject(done(new RegExp(`^${first.number} .* was a shadow$`, 'm')));
    const gone = await shadow({ 'If-Match': `"${second.number}"` });
    const after = await policy('versions');
    expect(after).toMatchObject(done(new RegExp(`^${gone.number} .* shadow removed$`, 'm')));
    expect(after).toMatchObject(done(new RegExp(`^${second.number} .* was a shadow$`, 'm')));
  });
});

describe('npm run policy -- rollback', () => {
  it('shows what changes and puts an earlier version in force again as a new version', async () => {
    const [first, second] = [fileOf(), fileOf()];
    const [old, bad] = [await pushed(first), await pushed(second)];
    expect(await policy('rollback', `${old}`)).toMatchObject(refused(2, 'Add --yes'));
    const back = await policy('rollback', `${old}`, '--yes', '--note', 'that was wrong');
    expect(back).toMatchObject(done(`- "${read(second).description}"`));
    expect(numberIn(back.stdout)).toBe(bad + 1);
    expect(JSON.parse((await policy('pull')).stdout)).toEqual(read(first));
    expect((await policy('versions')).stdout.split('\n')[1]).toMatch(new RegExp(`^${bad + 1} .*that was wrong$`));
    expect(await policy('rollback', `${old}`, '--yes')).toMatchObject(done('Nothing to do'));
    expect((await policy('rollback', '999999', '--yes')).code).toBe(1);
  });
});

describe('npm run policy -- try', () => {
  const call = { step: 'PreTokenIssuance', client_id: 'shop', objectId: crypto.randomUUID() };
  const callFile = newFile();
  writeFileSync(callFile, JSON.stringify(call));
  const replyWith = (role: string) => ({ version: '1.0.0', action: 'Continue', extension_Roles: role });

  it('evaluates a draft with the settings and entitlements of the Gatehouse when --remote is given, and saves nothing', async () => {
    await gatehouse.run('roles', 'set', `oid:${call.objectId}`, '--roles', 'editor');
    const before = (await policy('versions')).stdout;
    const { code, stdout } = await policy('try', callFile, '--remote', '--policy', fileOf());
    expect(code).toBe(0);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toEqual(replyWith('editor'));
    expect(stdout).toMatch(/^RULE +APPLIED +CONDITION +EFFECT$/m);
    expect(stdout).toMatch(/^roles +yes +- +extension_Roles = "editor"$/m);
    expect((await policy('versions')).stdout).toBe(before);
  });

  it('evaluates the policy in force with the entitlements that are given', async () => {
    const held = newFile();
    writeFileSync(held, JSON.stringify({ roles: ['reader'] }));
    await pushed(fileOf());
    const tried = await policy('try', callFile, '--entitlements', held);
    expect(tried).toMatchObject(done(/^policy +version \d+$/m));
    expect(JSON.parse(tried.stdout.split('\n')[0] ?? '')).toEqual(replyWith('reader'));
  });
});

describe('npm run policy', () => {
  it('says what to do when the URL is not a Gatehouse, an older one, or refuses the credential', async () => {
    const isThis = 'Is --url the address of a Gatehouse';
    gatehouse.letThrough(() => 'be another');
    expect(await policy('pull')).toMatchObject(refused(1, isThis));
    for (const [code, ...args] of [
      [1, 'pull'],
      [2, 'diff', fileOf()],
      [1, 'rollback', '1', '--yes'],
      [1, 'push', fileOf(), '--yes'],
    ] as const) {
      gatehouse.letThrough(() => 'be older');
      expect(await policy(...args)).toMatchObject({
        stdout: '',
        ...refused(code, 'an older version without policies'),
      });
      gatehouse.letThrough(() => 'be a page');
      expect(await policy(...args)).toMatchObject({ stdout: '', ...refused(code, isThis) });
    }
    const wrong = await run('policy', ['pull', '--url', gatehouse.url()], { GATEHOUSE_ADMIN: 'admin:wrong' });
    expect(wrong).toMatchObject(refused(1, 'does not accept this credential'));
  });
});

describe('npm run policy -- list', () => {
  const listed = (entries: string[]) =>
    fileOf({
      lists: { blockedDomains: entries },
      rules: [
        roles,
        {
          id: 'no-throwaway-mail',
          steps: ['PostFederationSignup'],
          when: 'has(claims.email) && domain(claims.email) in lists.blockedDomains',
          block: true,
        },
      ],
    });
  const entriesInForce = async () => JSON.parse((await policy('pull')).stdout).lists.blockedDomains;

  it('adds and removes entries as new versions with a note, and shows what changes', async () => {
    const number = await pushed(listed(['a.example']));
    const add = ['list', 'add', 'blockedDomains', 'b.example', 'a.example', '--yes', '--note', 'ticket 12'];
    const added = await policy(...add);
    expect(added).toMatchObject(done(/^list blockedDomains: \+1 -0$/m));
    expect(added.stdout).toContain('"a.example" is on blockedDomains already.');
    expect(added.stdout).toMatch(new RegExp(`^Saved as version ${number + 1}\\. In force: `, 'm'));
    expect(await policy('versions')).toMatchObject(done(new RegExp(`^${number + 1} .*ticket 12$`, 'm')));
    expect(await entriesInForce()).toEqual(['a.example', 'b.example']);
    await policy('list', 'remove', 'blockedDomains', 'a.example', '--yes');
    expect(await entriesInForce()).toEqual(['b.example']);
  });

  it('changes nothing without confirmation, and asks nothing when nothing changes', async () => {
    const number = await pushed(listed(['a.example']));
    expect(await policy('list', 'add', 'blockedDomains', 'b.example')).toMatchObject(refused(2, 'Add --yes'));
    expect(await policy('list', 'add', 'blockedDomains', 'a.example')).toMatchObject(
      done(new RegExp(`^"a\\.example" is on blockedDomains already\\.\nNothing to save: version ${number}\\.`)),
    );
    expect(await policy('list', 'remove', 'blockedDomains', 'A.example')).toMatchObject(
      done('"A.example" is not on blockedDomains. "a.example" is: write it so.'),
    );
    expect(await inForce()).toBe(`Version ${number}.\n`);
  });

  it('refuses an entry that can never match with the right spelling, and an unknown list with the near one', async () => {
    const number = await pushed(listed(['a.example']));
    expect(await policy('list', 'add', 'blockedDomains', '@Evil.example', '--yes')).toMatchObject(
      refused(1, 'Write evil.example.'),
    );
    expect(await policy('list', 'add', 'blockedDomain', 'b.example', '--yes')).toMatchObject(
      refused(1, 'Did you mean blockedDomains?'),
    );
    const note = 'x'.repeat(501);
    expect(await policy('list', 'add', 'blockedDomains', 'b.example', '--yes', '--note', note)).toMatchObject(
      refused(1, '--note: longer than 500 characters'),
    );
    expect(await inForce()).toBe(`Version ${number}.\n`);
  });

  it.each([
    [['list', 'replace', 'vip', 'x'], 'The commands are add, remove.'],
    [['list', 'add'], 'needs the argument'],
    [['list', 'add', 'vip'], 'needs the argument'],
  ])('explains the wrong command %j', async (args, sentence) => {
    expect(await policy(...args)).toMatchObject(refused(2, sentence));
  });
});
