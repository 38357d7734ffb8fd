/** What all commands have in common: how they are called wrongly, explain themselves, reach a Gatehouse and are cut off. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { start } from '../support/command.ts';

const POLICY = join(import.meta.dirname, '../fixtures/policy/policy.json');

describe('called wrongly', () => {
  it.each([
    ['rolse', [], /^"rolse" is not a command\. The commands are roles, policy, .*\(Did you mean roles\?\)/],
    ['roles', [], /^Say what to do: get, set, remove, list, export, import\.\nTry: npm run roles -- --help$/m],
    ['roles', ['grant', 'oid:1'], /^"grant" is not a command\. The commands are get, set/],
    ['roles', ['lits'], /Did you mean list\?/],
    ['roles', ['get'], /^get needs key after it\.\nTry: npm run roles -- get --help$/m],
    ['roles', ['get', 'anna'], /^"anna" is not a person key.*email:<address>/],
    ['roles', ['list', 'oid:1'], /^"oid:1" is too much after list/],
    ['roles', ['get', 'oid:1', '--roles', 'a'], /^get does not take --roles/],
    ['roles', ['--url', 'http://localhost', 'list'], /^--url comes too early: options go after the command/],
    ['roles', ['set', 'oid:1'], /^Say what to set/],
    ['roles', ['set', 'oid:1', '--attribute', 'x'], /must be name=value/],
    ['roles', ['set', 'oid:1', '--roles'], /'--roles <names>' argument missing/],
    ['roles', ['list', '--ulr', 'x'], /^list does not take --ulr\. \(Did you mean --url\?\)/],
    [
      'roles',
      ['import', 'nowhere.csv'],
      new RegExp(`^nowhere.csv .* there is no such file in ${process.cwd()}\\.$`, 'm'),
    ],
    ['dead-letters', [], /^Say what to do: list, show, replay, remove/],
    ['dead-letters', ['burn'], /^"burn" is not a command/],
    ['dead-letters', ['show'], /^show needs ID after it/],
    ['dead-letters', ['remove', 'a', 'b'], /^"b" is too much after remove/],
    ['dead-letters', ['replay', 'a'], /^"a" is too much after replay/],
    ['dead-letters', ['list', '--kind', 'outage'], /^list does not take --kind/],
    [
      'policy',
      [],
      /^Say what to do: check, test, schema, functions, push, pull, diff, versions, rollback, try, replay/,
    ],
    ['policy', ['chekc'], /Did you mean check\?/],
    ['policy', ['try'], /^try needs file after it/],
    ['policy', ['rollback'], /^rollback needs number after it/],
    ['policy', ['rollback', 'last'], /not the number of a version/],
    ['policy', ['pull', '--version', '0'], /not the number of a version/],
    ['policy', ['push', POLICY, '--base', 'x'], /not the number of a version/],
    ['policy', ['check', POLICY, 'more'], /^"more" is too much after check/],
    ['policy', ['check', POLICY, '--yes'], /^check does not take --yes/],
    ['policy', ['schema', '--url', 'http://localhost'], /^schema does not take --url/],
    ['policy', ['check', POLICY, '--vra', 'x'], /^check does not take --vra\. \(Did you mean --var\?\)/],
    ['policy', ['check', POLICY, '--var', 'POLICY=stored'], /ROLES_CLAIM or EXTENSIONS_APP_ID/],
    ['policy', ['check', POLICY, '--var', 'ROLES_CLAIM=a b'], /cannot be used/],
    ['policy', ['check', 'nowhere.json'], /^nowhere.json could not be read: there is no such file in /],
    ['roles', ['list', '--url', 'ftp://anna:p@ss/w@rd@host'], /^(?!.*(?:anna|p@ss|w@rd))/s],
    ['policy', ['try', POLICY, '--policy', POLICY, '--step', 'x'], /not a step: PostFederationSignup/],
    ['policy', ['try', POLICY, '--policy', POLICY, '--at', 'noon'], /not a time/],
    ['policy', ['try', POLICY, '--policy', POLICY, '--url', 'http://localhost'], /add --remote/],
    ['migrate', ['--database', 'x'], /^migrate does not take --database\.\nTry: npm run migrate -- --help/],
    ['migrate', ['postgres://a:secret@host/d'], /^"postgres:\/\/…@host\/d" is too much after migrate/],
    ['migrate', ['--database-url', 'http://x/y'], /not of the form postgres:\/\//],
    ['sums', [], /^Say what to do: rebuild/],
    ['sums', ['destroy'], /^"destroy" is not a command/],
    ['sums', ['rebuild', '--force'], /^rebuild does not take --force/],
    ['sums', ['rebuild', '--database-url', 'mysql://a:secret@b/c'], /not of the form postgres:\/\//],
    ['test:postgres', [], /^test:postgres needs url after it/],
    ['test:postgres', ['mysql://a:secret@b/c'], /Give the URL of a Postgres server/],
    [
      'test:postgres',
      ['postgres://a/b', '--seconds', '1'],
      /'--seconds <N>' argument '1' is invalid\. It takes a whole number from 2 to 3600/,
    ],
    [
      'test:postgres',
      ['postgres://a/b', '--rows', '1'],
      /'--rows <N>' argument '1' is invalid\. It takes a whole number from 100000 to/,
    ],
  ])(
    '%s %j says what is wrong and what to do, repeats no password, asks no Gatehouse, and ends with 2',
    async (command, args, said) => {
      const asked: unknown[] = [];
      const fetch = async (...given: unknown[]) => Promise.reject(asked.push(given));
      const { code, stdout, stderr } = await start(command, args, { fetch }).finished;
      expect({ code, stdout, asked }).toEqual({ code: 2, stdout: '', asked: [] });
      expect(stderr).toMatch(said);
      expect(stderr).not.toMatch(/secret|\n +at /);
    },
  );
});

describe('--help', () => {
  it.each([
    [
      'roles',
      [],
      ['get [options] <key>', 'set [options] <key>', 'import [options] <file>', 'GATEHOUSE_ADMIN', 'Exit code'],
    ],
    ['roles', ['import'], ['--url', 'An empty clientId', 'Ctrl-C', 'GATEHOUSE_ADMIN']],
    ['roles', ['set'], ['--roles <names>', '--groups', '--client-id', '--attribute <name=value>']],
    ['dead-letters', [], ['list', 'show [options] <ID>', 'replay', 'remove', 'GATEHOUSE_ADMIN']],
    ['policy', [], 'check test try schema functions push pull diff versions rollback replay'.split(' ')],
    ['policy', ['push'], ['--base', '--yes', '--note', '--var', '--url', 'GATEHOUSE_ADMIN']],
    ['policy', ['pull'], ['--version', '--force']],
    ['policy', ['try'], ['--remote', '--policy', '--entitlements', '--step', '--at']],
    ['policy', ['replay'], ['--from', '--to', '--client-id', '--limit', '--json', 'GATEHOUSE_REPORTS']],
    ['sums', ['rebuild'], ['--database-url', 'DATABASE_URL', 'Safe at any time']],
    ['migrate', [], ['--database-url', 'DATABASE_URL', 'Exit code 0']],
    ['deploy', [], ['wrangler', 'desk first']],
    ['test:postgres', [], ['--seconds', '--rows', 'Postgres (15 or newer)']],
  ])('of %s %j says how it is typed and what it takes', async (command, args, words) => {
    for (const help of ['--help', '-h']) {
      const { code, stdout, stderr } = await start(command, [...args, help]).finished;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const text = stdout.replaceAll(/\s+/g, ' ');
      expect(text).toContain(['Usage: npm run', command, '--', ...args].join(' '));
      for (const word of words) expect(text.toLowerCase()).toContain(word.toLowerCase());
    }
  });

  it('of everything names each program that package.json starts', async () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const started = Object.entries(scripts).filter(([, line]) => line.includes('cli/main.ts'));
    expect(started.map(([name, line]) => line === `node src/cli/main.ts ${name}`)).not.toContain(false);
    const { code, stdout } = await start('--help', []).finished;
    expect(code).toBe(0);
    expect([...stdout.matchAll(/^ {2}([a-z][\w:-]+) /gm)].map(([, name]) => name).toSorted()).toEqual(
      started.map(([name]) => name).toSorted(),
    );
  });
});

describe('the address and credential of a Gatehouse', () => {
  it.each([
    [
      'a URL that is not local needs a credential',
      'https://gatehouse.example',
      undefined,
      2,
      /GATEHOUSE_ADMIN to user:password/,
    ],
    ['a credential has a colon', 'https://gatehouse.example', 'x', 2, /no user:password in it/],
    ['a password never goes out in clear text', 'http://gatehouse.example', 'a:b', 2, /https:\/\//],
    ['a password does not stand in the URL', 'http://a:b@localhost:1', undefined, 2, /Leave user and password out/],
    [
      'an address has no path',
      'http://localhost:1/admin',
      undefined,
      2,
      /Give the address alone: http:\/\/localhost:1$/m,
    ],
    ['an address is one', 'localhost:8787', undefined, 2, /is not an address/],
    ['a Gatehouse must be there', 'http://127.0.0.1:2', undefined, 1, /did not answer \(ECONNREFUSED\).*npm run dev/],
  ])('%s', async (_, url, GATEHOUSE_ADMIN, exitCode, said) => {
    const { code, stdout, stderr } = await start('roles', ['list', '--url', url], { env: { GATEHOUSE_ADMIN } })
      .finished;
    expect({ code, stdout, stderr }).toEqual({ code: exitCode, stdout: '', stderr: expect.stringMatching(said) });
  });
});

describe('a process', () => {
  it('is told of the first Ctrl-C, so that it can end in good order, and is ended by the second', async () => {
    const program = `
      const { processIo } = await import(${JSON.stringify(new URL('../../src/cli/io.ts', import.meta.url).href)});
      processIo.onInterrupt(() => console.log('told'));
      setInterval(() => undefined, 1_000);
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const said = async () => String((await once(child.stdout, 'data'))[0]).trim();
    expect(await said()).toBe('ready');
    child.kill('SIGINT');
    expect(await said()).toBe('told');
    const closed = once(child, 'close');
    child.kill('SIGINT');
    expect(await closed).toEqual([null, 'SIGINT']);
  });
});
