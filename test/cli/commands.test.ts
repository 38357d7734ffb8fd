/** What all commands share: usage errors, help, the connection to a Gatehouse, and Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { start } from '../support/command.ts';

const POLICY = join(import.meta.dirname, '../fixtures/policy/policy.json');

describe('a command with wrong usage', () => {
  it.each([
    ['rolse', [], /^"rolse" is not a command\. The commands are roles, policy, .*\(Did you mean roles\?\)/],
    ['roles', [], /^A command is missing\. The commands are get, set, .* import\.\nTry: npm run roles -- --help$/m],
    ['roles', ['grant', 'oid:1'], /^"grant" is not a command\. The commands are get, set/],
    ['roles', ['lits'], /Did you mean list\?/],
    ['roles', ['get'], /^get needs the argument key\.\nTry: npm run roles -- get --help$/m],
    ['roles', ['get', 'anna'], /^"anna" is not a person key.*email:<address>/],
    ['roles', ['list', 'oid:1'], /^list takes no further argument: "oid:1"/],
    ['roles', ['get', 'oid:1', '--roles', 'a'], /^get does not take --roles/],
    ['roles', ['--url', 'http://localhost', 'list'], /^--url comes too early: options go after the command/],
    ['roles', ['set', 'oid:1'], /^Nothing to set/],
    ['roles', ['set', 'oid:1', '--attribute', 'x'], /must be name=value/],
    ['roles', ['set', 'oid:1', '--roles'], /'--roles <names>' argument missing/],
    ['roles', ['list', '--ulr', 'x'], /^list does not take --ulr\. \(Did you mean --url\?\)/],
    [
      'roles',
      ['import', 'nowhere.csv'],
      new RegExp(`^nowhere.csv .* there is no such file in ${process.cwd()}\\.$`, 'm'),
    ],
    ['dead-letters', [], /^A command is missing\. The commands are list, show, replay, remove/],
    ['dead-letters', ['burn'], /^"burn" is not a command/],
    ['dead-letters', ['show'], /^show needs the argument ID/],
    ['dead-letters', ['remove', 'a', 'b'], /^remove takes no further argument: "b"/],
    ['dead-letters', ['replay', 'a'], /^replay takes no further argument: "a"/],
    ['dead-letters', ['list', '--kind', 'outage'], /^list does not take --kind/],
    [
      'policy',
      [],
      /^A command is missing\. The commands are check, test, schema, functions, push, list, pull, diff, versions, rollback, try/,
    ],
    ['policy', ['chekc'], /Did you mean check\?/],
    ['policy', ['try'], /^try needs the argument file/],
    ['policy', ['rollback'], /^rollback needs the argument number/],
    ['policy', ['rollback', 'last'], /not a version number/],
    ['policy', ['pull', '--version', '0'], /not a version number/],
    ['policy', ['push', POLICY, '--base', 'x'], /not a version number/],
    ['policy', ['check', POLICY, 'more'], /^check takes no further argument: "more"/],
    ['policy', ['check', POLICY, '--yes'], /^check does not take --yes/],
    ['policy', ['schema', '--url', 'http://localhost'], /^schema does not take --url/],
    ['policy', ['check', POLICY, '--vra', 'x'], /^check does not take --vra\. \(Did you mean --var\?\)/],
    ['policy', ['check', POLICY, '--var', 'POLICY=stored'], /ROLES_CLAIM or EXTENSIONS_APP_ID/],
    ['policy', ['check', POLICY, '--var', 'ROLES_CLAIM=a b'], /^ROLES_CLAIM .* Or override it/m],
    ['policy', ['check', 'nowhere.json'], /^nowhere.json could not be read: there is no such file in /],
    ['roles', ['list', '--url', 'ftp://anna:p@ss/w@rd@host'], /^(?!.*(?:anna|p@ss|w@rd))/s],
    ['policy', ['try', POLICY, '--policy', POLICY, '--step', 'x'], /not a step: PostFederationSignup/],
    ['policy', ['try', POLICY, '--policy', POLICY, '--at', 'noon'], /not a time\. Write/],
    ['policy', ['try', POLICY, '--policy', POLICY, '--url', 'http://localhost'], /Add --remote/],
    ['connect', ['custom-policy', '--pack', 'x'], /^custom-policy does not take --pack/],
    ['migrate', ['--database', 'x'], /^migrate does not take --database\.\nTry: npm run migrate -- --help/],
    ['migrate', ['postgres://a:secret@host/d'], /^migrate takes no further argument: "postgres:\/\/…@host\/d"/],
    ['migrate', ['--database-url', 'http://x/y'], /not of the form postgres:\/\//],
    ['sums', [], /^A command is missing\. The commands are rebuild/],
    ['sums', ['destroy'], /^"destroy" is not a command/],
    ['sums', ['rebuild', '--force'], /^rebuild does not take --force/],
    ['sums', ['rebuild', '--database-url', 'mysql://a:secret@b/c'], /not of the form postgres:\/\//],
    ['test:postgres', [], /^test:postgres needs the argument url/],
    ['test:postgres', ['mysql://a:secret@b/c'], /not the URL of a Postgres server/],
    [
      'test:postgres',
      ['postgres://a/b', '--seconds', '1'],
      /'--seconds <N>' argument '1' is invalid\. It must be a whole number from 2 to 3600/,
    ],
    [
      'test:postgres',
      ['postgres://a/b', '--rows', '1'],
      /'--rows <N>' argument '1' is invalid\. It must be a whole number from 100000 to/,
    ],
  ])(
    '%s %j prints what is wrong and what to do, without a password, sends no request, and exits with 2',
    async (command, args, message) => {
      const requests: unknown[] = [];
      const fetch = async (...request: unknown[]) => Promise.reject(requests.push(request));
      const { code, stdout, stderr } = await start(command, args, { fetch }).finished;
      expect({ code, stdout, requests }).toEqual({ code: 2, stdout: '', requests: [] });
      expect(stderr).toMatch(message);
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
    [
      'connect',
      ['custom-policy'],
      ['--base', '--tenant', '--auth', 'bearer', '--refresh', '--force', 'SocialAccounts'],
    ],
    ['sums', ['rebuild'], ['--database-url', 'DATABASE_URL', 'Safe at any time']],
    ['migrate', [], ['--database-url', 'DATABASE_URL', 'Exit code 0']],
    ['deploy', [], ['wrangler', 'desk first']],
    ['test:postgres', [], ['--seconds', '--rows', 'Postgres (15 or newer)']],
  ])('%s %j shows the usage line and every option', async (command, args, words) => {
    for (const help of ['--help', '-h']) {
      const { code, stdout, stderr } = await start(command, [...args, help]).finished;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const text = stdout.replaceAll(/\s+/g, ' ');
      expect(text).toContain(['Usage: npm run', command, '--', ...args].join(' '));
      for (const word of words) expect(text.toLowerCase()).toContain(word.toLowerCase());
    }
  });

  it('without a command lists every command that package.json starts', async () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const started = Object.entries(scripts).filter(([, line]) => line.includes('cli/main.ts'));
    expect(started.map(([name, line]) => line.endsWith(` src/cli/main.ts ${name}`))).not.toContain(false);
    const { code, stdout } = await start('--help', []).finished;
    expect(code).toBe(0);
    expect([...stdout.matchAll(/^ {2}([a-z][\w:-]+) /gm)].map(([, name]) => name).toSorted()).toEqual(
      started.map(([name]) => name).toSorted(),
    );
  });
});

describe('a command refuses', () => {
  it.each([
    [
      'a URL that is not local without a credential',
      'https://gatehouse.example',
      undefined,
      2,
      /GATEHOUSE_ADMIN to user:password/,
    ],
    ['a credential without a colon', 'https://gatehouse.example', 'x', 2, /no user:password in it/],
    ['to send a password in clear text', 'http://gatehouse.example', 'a:b', 2, /https:\/\//],
    ['a password in the URL', 'http://a:b@localhost:1', undefined, 2, /Leave user and password out/],
    ['a URL with a path', 'http://localhost:1/admin', undefined, 2, /Give the address alone: http:\/\/localhost:1$/m],
    ['a value that is not a URL', 'localhost:8787', undefined, 2, /is not an address/],
    [
      'a URL where no Gatehouse answers, with advice',
      'http://127.0.0.1:2',
      undefined,
      1,
      /did not answer \(ECONNREFUSED\).*npm run dev/,
    ],
  ])('%s', async (_, url, GATEHOUSE_ADMIN, exitCode, message) => {
    const { code, stdout, stderr } = await start('roles', ['list', '--url', url], { env: { GATEHOUSE_ADMIN } })
      .finished;
    expect({ code, stdout, stderr }).toEqual({ code: exitCode, stdout: '', stderr: expect.stringMatching(message) });
  });
});

describe('the process of a command', () => {
  it('is notified of the first Ctrl-C, so it can shut down, and is killed by the second', async () => {
    const program = `
      const { processIo } = await import(${JSON.stringify(new URL('../../src/cli/io.ts', import.meta.url).href)});
      processIo.onInterrupt(() => console.log('interrupted'));
      setInterval(() => undefined, 1_000);
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    const nextOutput = async () => String((await once(child.stdout, 'data'))[0]).trim();
    expect(await nextOutput()).toBe('ready');
    child.kill('SIGINT');
    expect(await nextOutput()).toBe('interrupted');
    const closed = once(child, 'close');
    child.kill('SIGINT');
    expect(await closed).toEqual([null, 'SIGINT']);
  });
});
