/** `npm run roles` against the built Worker. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { placesOf } from '../../src/entitlements/record-keys.ts';
import { SAMPLE_EMAIL_KEY } from '../../src/platform/config.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { done, npmRun, refused, run } from '../support/command.ts';
import { ownGatehouse } from '../support/gatehouse.ts';

const gatehouse = ownGatehouse();
const roles = (...args: string[]) => gatehouse.run('roles', ...args);
const newKey = () => `oid:${crypto.randomUUID()}`;

const recordOf = async (key: string) => {
  const kv = await gatehouse.kv();
  for (const place of await placesOf([SAMPLE_EMAIL_KEY], key)) {
    const text = await kv.get(place);
    if (text !== null) return JSON.parse(text);
  }
  return undefined;
};
const store = async (key: string, held: object) =>
  (await gatehouse.kv()).put(
    `person:${key}`,
    JSON.stringify({
      v: 1,
      roles: [],
      groups: [],
      attributes: {},
      applications: {},
      updatedAt: '2026-11-01T12:00:00.000Z',
      updatedBy: 'other-admin',
      ...held,
    }),
  );

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-roles-'));
function fileOf(...lines: string[]): string {
  const file = join(folder, `${crypto.randomUUID()}.csv`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
const writes = () => gatehouse.requests.filter(({ method }) => method === 'PUT');

describe('npm run roles', () => {
  it('set keeps the type of an attribute, and refuses a text where a record has a number or true or false', async () => {
    const key = newKey();
    await store(key, { attributes: { points: 12, vip: true, code: '007' } });
    const set = (...typed: string[]) => roles('set', key, ...typed.flatMap((one) => ['--attribute', one]));
    expect(await set('points=13.5', 'vip=false', 'code=008', 'new=1')).toMatchObject({ code: 0 });
    const attributes = { points: 13.5, vip: false, code: '008', new: '1' };
    expect((await recordOf(key)).attributes).toEqual(attributes);
    for (const [typed, fault] of [
      ['points=many', /attribute points: .*not a number/],
      ['points=9007199254740993', /more digits than a number holds/],
      ['vip=yes', /attribute vip: .*true or false/],
    ] as const)
      expect(await set(typed)).toMatchObject({ code: 2, stderr: expect.stringMatching(fault) });
    expect((await recordOf(key)).attributes).toEqual(attributes);
    await set('points=', 'vip=');
    expect((await recordOf(key)).attributes).toEqual({ code: '008', new: '1' });
  });

  it('creates, shows, lists, changes and removes the record of a person', async () => {
    const key = newKey();
    const attributes = ['--attribute', 'loyaltyId=12=34', '--attribute', 'x=1'];
    const made = await roles('set', key.toUpperCase(), '--roles', 'editor,reader', ...attributes);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/Saved\. In force: everywhere within about a minute/);

    await roles('set', key, '--client-id', 'Shop', '--roles', 'approver');
    await roles('set', key, '--groups', 'sales', '--attribute', 'x=');
    expect(await recordOf(key)).toMatchObject({
      roles: ['editor', 'reader'],
      groups: ['sales'],
      attributes: { loyaltyId: '12=34' },
      applications: { shop: { roles: ['approver'] } },
      updatedBy: 'admin',
    });
    expect((await recordOf(key)).attributes).not.toHaveProperty('x');

    const shown = await roles('get', key);
    expect(shown.code).toBe(0);
    for (const part of [key, 'editor, reader', 'sales', 'loyaltyId', '12=34', 'shop', 'approver', 'by admin']) {
      expect(shown.stdout).toContain(part);
    }
    const listed = (await roles('list')).stdout.split('\n');
    expect(listed[0]).toMatch(/^KEY +ROLES +GROUPS +IN APPLICATIONS +CHANGED +BY$/);
    expect(listed.find((line) => line.startsWith(key))).toMatch(/editor, reader +sales +shop: approver/);

    expect((await roles('set', key, '--groups', 'sales')).stdout).toContain('Nothing changed');
    await roles('set', key, '--client-id', 'SHOP', '--roles', '');
    await roles('set', key, '--roles', '');
    expect(await recordOf(key)).toMatchObject({ roles: [], groups: ['sales'], applications: {} });

    expect(await roles('remove', key)).toMatchObject(done(`Removed ${key}`));
    expect(await recordOf(key)).toBeUndefined();
    for (const command of ['get', 'remove']) {
      expect(await roles(command, key)).toMatchObject(refused(1, 'no record'));
    }
  });

  it('never sends an e-mail address in a URL, and warns when a record is never used', async () => {
    const key = `email:${crypto.randomUUID()}@example.com`;
    const set = await roles('set', key, '--roles', 'editor');
    expect(set).toMatchObject({ code: 0, stderr: expect.stringContaining('EMAIL_TRUSTED_ISSUERS') });
    await roles('get', key);
    await roles('import', fileOf('key,roles', `${key},reader`));
    await roles('list');
    await roles('export');
    expect((await roles('remove', key)).code).toBe(0);
    expect(gatehouse.requests.length).toBeGreaterThan(7);
    for (const { url } of gatehouse.requests) expect(url).not.toMatch(/@|%40|example/i);
  });

  it('names a record that cannot be parsed, never overwrites it, and exits with 1', async () => {
    const key = newKey();
    await (await gatehouse.kv()).put(`person:${key}`, 'by hand');
    expect(await roles('list')).toMatchObject(refused(1, key));
    const got = await roles('get', key);
    expect(got.code).toBe(1);
    for (const part of [key, 'by hand', 'not a valid record', `npm run roles -- remove ${key}`]) {
      expect(got.stderr).toContain(part);
    }
    expect((await roles('set', key, '--roles', 'editor')).code).toBe(1);
    expect(await (await gatehouse.kv()).get(`person:${key}`)).toBe('by hand');
    expect((await roles('remove', key)).code).toBe(0);
  });
});

describe('npm run roles -- set', () => {
  it('refuses a role or group name with spaces, shows both ways to write it, and sends nothing', async () => {
    for (const option of ['--roles', '--groups']) {
      const refusal = await roles('set', newKey(), option, 'editor,Global Administrator');
      expect(refusal).toMatchObject(refused(2, '"Global Administrator" contains spaces'));
      expect(refusal.stderr).toContain('Global-Administrator');
      expect(refusal.stderr).toContain('"Global, Administrator"');
    }
    expect(gatehouse.requests).toEqual([]);
  });
});

describe('npm run roles -- import', () => {
  it('merges all lines of a person into one record and keeps the names that are not in the file', async () => {
    const [known, unknown] = [newKey(), newKey()];
    await store(known, {
      roles: ['old'],
      groups: ['kept'],
      attributes: { loyaltyId: '1234' },
      applications: { wiki: { roles: ['author'] }, shop: { roles: ['buyer'], groups: ['vip'] } },
    });
    const file = fileOf(
      'key,roles,clientId',
      `${known},new;newer,`,
      `${unknown},"editor, reader",`,
      '',
      `${known.toUpperCase()},approver,SHOP`,
      `${unknown},approver,shop`,
    );
    expect(await roles('import', file)).toMatchObject(
      done('2 people in lines 2-3, 5-6: 2 created or changed, 0 unchanged.'),
    );
    expect(writes()).toHaveLength(2);
    expect(await recordOf(known)).toMatchObject({
      roles: ['new', 'newer'],
      groups: ['kept'],
      attributes: { loyaltyId: '1234' },
      applications: { wiki: { roles: ['author'] }, shop: { roles: ['approver'], groups: ['vip'] } },
    });
    expect(await recordOf(unknown)).toMatchObject({
      roles: ['editor', 'reader'],
      applications: { shop: { roles: ['approver'] } },
    });
  });

  it('loads attributes in bulk, and keeps the roles and the attributes that have no column', async () => {
    const [known, unknown] = [newKey(), `email:${crypto.randomUUID()}@example.com`];
    await store(known, { roles: ['editor'], attributes: { loyaltyNumber: '0', kept: true, gone: 1 } });
    const file = fileOf(
      'key,text:loyaltyNumber,text:promotionCode,text:balance,number:gone',
      `${known},0045,"SPRING, ""24""",760.50,`,
      `${unknown},0046,,,`,
    );
    expect(await roles('import', file)).toMatchObject({ code: 0 });
    const attributes = { loyaltyNumber: '0045', promotionCode: 'SPRING, "24"', balance: '760.50', kept: true };
    const after = await recordOf(known);
    expect(after).toMatchObject({ roles: ['editor'] });
    expect(after.attributes).toEqual(attributes);
    expect((await recordOf(unknown)).attributes).toEqual({ loyaltyNumber: '0046' });
  });

  it('changes nothing and logs nothing when it is repeated', async () => {
    const keys = [newKey(), newKey(), newKey()];
    const file = fileOf('key,roles,groups,clientId', ...keys.flatMap((key) => [`${key},a;b,g,`, `${key},c,,shop`]));
    await roles('import', file);
    const before = await Promise.all(keys.map(recordOf));
    expect((await roles('import', file)).stdout).toContain('0 created or changed, 3 unchanged');
    expect(await Promise.all(keys.map(recordOf))).toEqual(before);
    const logged = () =>
      gatehouse.database.rows<{ subject: string }>(sql`select subject from changes where subject in ${keys}`);
    await vi.waitUntil(async () => (await logged()).length >= keys.length, { timeout: 20_000, interval: 100 });
    expect((await logged()).map(({ subject }) => subject).sort()).toEqual([...keys].sort());
  });

  it('lists every error of the file with its line and writes nothing', async () => {
    const key = newKey();
    const file = fileOf(
      'key,roles,groups,clientId',
      `${key},editor,,`,
      'anna@example.com,editor,,',
      `${newKey()},two_words!;ok,-x,`,
      `${key},editor`,
      `${key.toUpperCase()},reader,,`,
      `idp:google.com:1:2,editor,,`,
    );
    const { code, stdout, stderr } = await roles('import', file);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^line 3: "anna@example\.com" is not a person key: write oid:/),
      expect.stringMatching(/^line 4: "two_words!" is not a role or group name/),
      expect.stringMatching(/^line 4: "-x" is not a role or group name/),
      'line 5: has 2 cells where the first line has 4',
      'line 6: same person and application as line 2. Merge the two lines',
      expect.stringMatching(/^line 7: "idp:google\.com:1:2" is not a person key/),
      'Nothing was written. Correct the file and run the command again.',
    ]);
    expect(gatehouse.requests).toEqual([]);
  });

  it('checks the merged records before the first write', async () => {
    const [fine, full] = [newKey(), newKey()];
    const sixty = (prefix: string) => Array.from({ length: 60 }, (_, index) => `${prefix}${index}`.padEnd(20, 'x'));
    await store(full, { roles: sixty('r') });
    const file = fileOf('key,roles,clientId', `${fine},a,`, `${full},${sixty('s').join(';')},shop`);
    expect(await roles('import', file)).toMatchObject(
      refused(1, /^line 3: the roles make a claim longer than 2000 characters/),
    );
    expect(writes()).toEqual([]);
  });

  it('reads the CSV of a spreadsheet: semicolons, a byte order mark, empty lines at the end', async () => {
    const key = newKey();
    const file = join(folder, 'spreadsheet.csv');
    writeFileSync(file, `\ufeffkey;roles;groups;clientId\r\n${key};editor, reader;;\r\n;;;\r\n\r\n`);
    expect(await roles('import', file)).toMatchObject({ code: 0, stderr: '' });
    expect(await recordOf(key)).toMatchObject({ roles: ['editor', 'reader'] });
    writeFileSync(file, Buffer.from([0x6b, 0xe4]));
    expect(await roles('import', file)).toMatchObject(refused(2, 'not UTF-8'));
  });

  it('retries a write after a 503', async () => {
    const key = newKey();
    gatehouse.letThrough(({ method }) => (method === 'PUT' && writes().length === 0 ? 'refuse' : 'pass'));
    expect((await roles('import', fileOf('key,roles', `${key},a`))).code).toBe(0);
    expect(writes()).toHaveLength(2);
    expect(await recordOf(key)).toMatchObject({ roles: ['a'] });
  });
});

describe('an interrupted import', () => {
  const people = () => Array.from({ length: 40 }, newKey);
  const linesIn = (text = '') =>
    text.split(', ').flatMap((range) => {
      const [from = 0, to = from] = range.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });

  it.each([
    ['the network', 1, 'did not answer'],
    ['Ctrl-C', 130, 'Interrupted.'],
  ])('prints after %s which lines are done, and completes the rest when it is repeated', async (by, exitCode, what) => {
    const keys = people();
    const file = fileOf('key,roles', ...keys.map((key) => `${key},editor`));
    const running = gatehouse.start('roles', ['import', file]);
    gatehouse.letThrough(() => {
      if (writes().length < 15) return 'pass';
      if (by === 'the network') return 'hang up';
      running.interrupt();
      return 'pass';
    });
    const { code, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: exitCode, stderr: expect.stringContaining(what) });
    const [, done, left] = /Done: lines? ([\d, -]+)\. Not done, or unknown: lines? ([\d, -]+)\./.exec(stderr) ?? [];
    expect([...linesIn(done), ...linesIn(left)].sort((a, b) => a - b)).toEqual(keys.map((_, index) => index + 2));
    for (const line of linesIn(done)) expect(await recordOf(keys[line - 2] ?? '')).toMatchObject({ roles: ['editor'] });
    expect(stderr).toContain('Run the same command again');

    gatehouse.letThrough(() => 'pass');
    expect((await roles('import', file)).stdout).toContain('40 people in lines 2-41');
    for (const key of keys) expect(await recordOf(key)).toMatchObject({ roles: ['editor'] });
  });

  it('has written nothing when it is interrupted during the check', async () => {
    const file = fileOf('key,roles', ...people().map((key) => `${key},a`));
    const running = gatehouse.start('roles', ['import', file]);
    gatehouse.letThrough(() => {
      running.interrupt();
      return 'pass';
    });
    expect(await running.finished).toMatchObject(refused(130, 'nothing was written'));
    expect(writes()).toEqual([]);
  });
});

describe('npm run roles -- export', () => {
  it('writes a file whose import changes nothing in the same store and restores names and attributes in another', async () => {
    const [first, second] = [newKey(), newKey()];
    const attributes = { points: 1, balance: '760.50', 'a;b': '=1+1', vip: false };
    await store(first, {
      roles: ['editor', 'reader'],
      attributes,
      applications: { shop: { roles: ['x'], groups: [] }, none: { roles: [] } },
    });
    await store(second, { groups: ['g'] });
    const file = join(folder, 'export.csv');
    expect(await roles('export', '--file', file)).toMatchObject({ code: 0, stderr: '' });
    const [header = '', ...all] = readFileSync(file, 'utf8').trim().split('\n');
    expect(header.startsWith('key,roles,groups,clientId,')).toBe(true);
    for (const column of ['number:points', 'text:balance', 'text:a;b', 'boolean:vip'])
      expect(header.split(',')).toContain(column);
    const ours = all.filter((line) => line.startsWith(first) || line.startsWith(second));
    expect(ours).toHaveLength(3);
    expect((await roles('export')).stdout).toBe(readFileSync(file, 'utf8'));

    const mine = fileOf(header, ...ours);
    expect((await roles('import', mine)).stdout).toContain('0 created or changed, 2 unchanged');
    await roles('remove', first);
    expect((await roles('import', mine)).stdout).toContain('1 created or changed, 1 unchanged');
    const restored = await recordOf(first);
    expect(restored).toMatchObject({ roles: ['editor', 'reader'], applications: { shop: { roles: ['x'] } } });
    expect(restored.attributes).toEqual(attributes);
  });
});

describe('npm run roles -- erase', () => {
  it('shows what would be erased and asks, then erases everything and prints the proof', async () => {
    const objectId = crypto.randomUUID();
    const key = `oid:${objectId}`;
    const email = `${objectId}@example.com`;
    await keepAttempts(gatehouse.database.db(), [anAttempt({ objectId, email, emailKey: `email:${email}` })]);
    await store(key, { roles: ['editor'] });
    const shown = [/keys +oid:.*email:/, /attempts +1 \(/, /records of roles +1/, /accounts +1/];

    const declined = await gatehouse.start('roles', ['erase', key.toUpperCase()], 'no\n').finished;
    expect(declined).toMatchObject({ code: 1, stdout: expect.stringContaining('Nothing was erased.') });
    for (const line of shown) expect(declined.stdout).toMatch(line);
    expect(await roles('erase', key)).toMatchObject(refused(2, 'There is no terminal to ask at. Add --yes.'));
    expect(await recordOf(key)).toMatchObject({ roles: ['editor'] });

    const erased = await roles('erase', key, '--yes');
    expect(erased).toMatchObject(
      done(/erased +everything until .*attempts blinded +1 .*records removed +1.*REMAINS.*Neon/s),
    );
    expect(await recordOf(key)).toBeUndefined();
    const named = sql`select from attempts where oid_key <> '' or email <> ''`;
    expect(await gatehouse.database.rows(named)).toEqual([]);
    expect(await roles('erase', 'anna', '--yes')).toMatchObject(refused(1, 'not a person key'));
  });
});

describe('npm run roles and dead-letters', () => {
  it('name the secret that has the credential when the password is wrong', async () => {
    const { code, stderr } = await run('roles', ['list', '--url', gatehouse.url()], { GATEHOUSE_ADMIN: 'admin:wrong' });
    expect([code, stderr]).toEqual([1, expect.stringContaining('ADMIN_BASIC')]);
    expect(stderr).not.toContain('wrong');
  });

  it('say so when the URL is not a Gatehouse', async () => {
    gatehouse.letThrough(() => 'be another');
    const { code, stderr } = await roles('list');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Status 403.*Is --url the address of a Gatehouse/)]);
  });

  it.each([['roles', /^KEY +ROLES/]])('work from any folder: npm run %s', async (script, printed) => {
    await store(newKey(), {});
    const { code, stdout, stderr } = await npmRun(script, 'list', '--url', gatehouse.url());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(printed);
  });
});
