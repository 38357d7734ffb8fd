/** `npm run dev` as a new developer meets it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readOptions } from '../../src/local/dev/options.ts';
import { keepInForce, policyToBeginWith } from '../../src/local/dev/watch-policy.ts';
import { settingsOf } from '../../src/local/dev/worker.ts';
import { start } from '../support/command.ts';
import { devProcesses, freePort } from '../support/dev-process.ts';
import { startMigratedNeon } from '../support/migrated-neon.ts';

const run = devProcesses();
/** A folder of a developer: every path that is printed must work, also with a space. */
const project = mkdtempSync(join(tmpdir(), 'gatehouse dev-'));
const data = join(project, '.gatehouse');
const file = join(project, 'policy.json');
let port = 0;

beforeAll(async () => {
  mkdirSync(data);
  // Creating a Postgres takes seconds; neon-process.test.ts covers it.
  await (await startMigratedNeon({ dataDir: join(data, 'neon') })).close();
  port = await freePort();
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const shell = (command: string) => execFileSync('bash', ['-c', command], { encoding: 'utf8', cwd: project });

async function signUp(): Promise<{ action: string; userMessage: string }> {
  const response = await fetch(`http://localhost:${port}/connectors/user-flow`, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa('Test:Test')}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ step: 'PostFederationSignup' }),
  });
  return (await response.json()) as { action: string; userMessage: string };
}

const policySaying = (text: string) =>
  JSON.stringify(
    {
      messages: { closed: { en: `${text} {supportCode}` } },
      rules: [
        { id: 'closed', steps: ['PostFederationSignup'], when: 'true', block: 'closed' },
        { id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } },
      ],
      exchanges: { ValidateProfile: { kind: 'validation' } },
    },
    null,
    2,
  );

describe('npm run dev', () => {
  /** One start serves these tests: it takes most of their time. */
  let dev: ReturnType<typeof run>;
  beforeAll(async () => {
    writeFileSync(file, policySaying('First.'));
    dev = run(['--port', `${port}`], project);
    await dev.says('/reports/summary');
  });

  it('prints commands that work as printed and no notes of wrangler, and shows its page', async () => {
    const { text } = dev.said;
    // Wrangler's notes, and the requests that prepare a start.
    expect(text).not.toMatch(/wrangler:info|WARNING|\b404\b/);
    const [federation, collection, token, person = '', summary = ''] = text
      .split('\n')
      .filter((line) => line.startsWith('curl -s'));
    const replies = [federation, collection, token].map((command) => JSON.parse(shell(command ?? '')));
    expect(replies).toEqual([
      expect.objectContaining({ action: 'ShowBlockPage', userMessage: expect.stringContaining('First.') }),
      { version: '1.0.0', action: 'Continue' },
      { version: '1.0.0', action: 'Continue', extension_Roles: 'editor approver' },
    ]);
    const seen = await vi.waitUntil(
      () => {
        const { attempts } = JSON.parse(shell(person)) as { attempts: unknown[] };
        return attempts.length === 3 ? attempts : false;
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(seen).toMatchObject([
      { step: 'PreTokenIssuance' },
      { step: 'PostAttributeCollection' },
      { step: 'PostFederationSignup' },
    ]);
    expect(JSON.parse(shell(summary))).toMatchObject({ totals: { attempts: 3 } });
    const [, databaseUrl = ''] = /--database-url ("\$\(.*\)")/.exec(text) ?? [];
    expect(shell(`echo ${databaseUrl}`)).toMatch(/^postgres:\/\//);
    expect(await (await fetch(`http://localhost:${port}/`)).text()).toContain('State: <span class="ready">');
  });

  it('passes the check of the connection twice, and no check counts as a call', async () => {
    const check = () => start('connect', ['check', '--url', `http://localhost:${port}`]).finished;
    const first = await check();
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('All 6 calls passed.') });
    expect(first.stdout).toMatch(/ok +ValidateProfile +Claims +.* yes\n/);
    const silent = first.stdout.split('apart from probes:')[1];
    // The calls of the test before are as Microsoft makes them.
    expect(silent).not.toContain('PreTokenIssuance');
    expect(silent).toContain('ValidateProfile: does a technical profile');
    const { stdout } = await check();
    expect(stdout).toContain('ValidateProfile: does a technical profile');
    expect(stdout).not.toContain('refused');
  });

  it('has the policy in force from the first call, saves each valid edit and no other, and exits without a trace', async () => {
    expect(dev.said.text.indexOf('policy.json is saved as version 1')).toBeGreaterThan(0);
    writeFileSync(file, policySaying('First.').replace('"block"', '"blcok"'));
    await dev.says('policy.json:8: rules[0] (rule closed): Unknown: blcok.');
    await dev.says('The policy in force is unchanged.');
    // As editors do that write beside the file and replace it.
    writeFileSync(`${file}.new`, policySaying('Second.'));
    renameSync(`${file}.new`, file);
    await dev.says('policy.json is saved as version 2');
    // As developers do who keep a policy elsewhere.
    const elsewhere = join(project, 'elsewhere.json');
    writeFileSync(elsewhere, policySaying('Third.'));
    rmSync(file);
    symlinkSync(elsewhere, file);
    await dev.says('policy.json is saved as version 3');
    writeFileSync(elsewhere, policySaying('Fourth.'));
    await dev.says('policy.json is saved as version 4');
    expect((await signUp()).userMessage).toContain('Fourth.');

    const said = vi.spyOn(console, 'log').mockReturnValue();
    (await keepInForce(`http://localhost:${port}`, file))();
    const [again] = said.mock.calls.flat();
    said.mockRestore();
    expect(again, 'a restart saves nothing').toContain(`${file} is version 4, which is in force.`);
    const { stdout } = await start('policy', ['versions', '--url', `http://localhost:${port}`]).finished;
    expect(stdout.match(/^\d+ .*npm run dev$/gm)).toHaveLength(4);
    dev.child.kill('SIGTERM');
    expect(await dev.ended).toBe(0);
    await expect(fetch(`http://localhost:${port}/health`)).rejects.toThrow();
  });
});

describe('npm run dev: refusals', () => {
  it('does not start on a port that is taken', async () => {
    const other = createServer().listen(0, 'localhost');
    await once(other, 'listening');
    const { port: taken } = other.address() as AddressInfo;
    const refused = run(['--port', `${taken}`], project);
    expect(await refused.ended).toBe(1);
    expect(refused.said.text).toContain(`Port ${taken} is taken`);
    other.close();
  });

  it('does not start with a policy that cannot be saved, and creates nothing', async () => {
    const folder = mkdtempSync(join(project, 'invalid-'));
    writeFileSync(join(folder, 'policy.json'), '{\n  "rules": [\n    { "id": "a" } ]\n}');
    const dev = run(['--port', `${await freePort()}`], folder);
    expect(await dev.ended).toBe(1);
    expect(dev.said.text).toContain('policy.json:3: rules[0].steps (rule a): Not a list of steps');
    expect(dev.said.text).toContain('npm run dev -- --policy none');
    expect(existsSync(join(folder, '.gatehouse'))).toBe(false);
  });

  it('names a policy file that is missing', async () => {
    await expect(policyToBeginWith(join(project, 'none.json'))).rejects.toThrow('could not be read');
  });

  it('runs the built-in policy without a policy.json, and for --policy none', async () => {
    expect(await policyToBeginWith(undefined)).toBeUndefined();
    expect(await policyToBeginWith('none')).toBeUndefined();
    expect(settingsOf({ databaseUrl: 'postgres://', storedPolicy: false }).POLICY).toBe('built-in');
    expect(settingsOf({ databaseUrl: 'postgres://', storedPolicy: true }).POLICY).toBe('stored');
  });
});

describe('options of npm run dev', () => {
  it('--inspect and --port take a port, and every other option is refused with the usage', () => {
    expect(readOptions(['--inspect', '9229'])).toMatchObject({ port: 8787, inspectorPort: 9229 });
    for (const args of [['--port', 'x'], ['--port', '70000'], ['--inspect', '0'], ['extra'], ['--prot', '1']])
      expect(() => readOptions(args), args.join(' ')).toThrow('Usage: npm run dev');
  });
});

describe('an old Node', () => {
  it('is refused with one sentence that says which Node is needed and how to get it', () => {
    const script = join(import.meta.dirname, '../../src/cli/require-node.mjs');
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); await import(${JSON.stringify(script)});`;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', old], { stdio: 'pipe' })).toThrow(
      /Gatehouse needs Node 24\.2 or newer, and this is Node 20\.20\.2 .*Run npm ci .*nodejs\.org/,
    );
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const programs = Object.values(scripts).filter((line) => /\bnode .*\.ts\b/.test(line));
    expect(programs.length).toBeGreaterThan(8);
    for (const line of programs) expect(line).toContain('--import ./src/cli/require-node.mjs');
  });
});
