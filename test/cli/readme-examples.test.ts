/**
 * The documents: their examples are answered as they say, their links lead somewhere, and the scripts that they name
 * exist.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkText } from '../../src/desk/policies/check.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { summaryQuestion } from '../../src/desk/reports/questions.ts';
import { summaryRange } from '../../src/desk/reports/range.ts';
import { heldBy, tryCall } from '../../src/gate/trial.ts';
import { builtIn, type Policy } from '../../src/policy/policy.ts';
import { run } from '../support/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };
const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
/** What `npm run dev` stores about the person of the examples. */
const JANE = { roles: ['editor'], applications: { [CLIENT_ID]: { roles: ['approver'] } } };

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const documents = globSync(['*.md', '{drizzle,src,test}/**/*.md'], { cwd: ROOT });

/** The content of a file that a document has its reader write: `cat > NAME <<'EOF'`. */
const fileIn = (document: string, name: string) =>
  read(document).split(`cat > ${name} <<'EOF'\n`)[1]?.split('\nEOF\n')[0] ?? `${document} writes no ${name}`;

/** Each curl call of a document with the reply below it. A support code is written `…`. */
const callsIn = (document: string) =>
  [...read(document).matchAll(/ -d '(\{.*?\})'\n```\n```json\n(\{.*?\})\n```/gs)].map(([, body = '', reply = '']) => ({
    body: JSON.parse(body) as Record<string, unknown>,
    reply: JSON.parse(reply.replaceAll('…', 'ABCDE-12345')) as { readonly action: string },
  }));

async function policyIn(document: string): Promise<Policy> {
  const checked = checkText(fileIn(document, 'policy.json'), NAMES.rolesClaim);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return compilePolicy(checked.policy, 1, NAMES);
}

async function repliesOf(policy: Policy, calls: ReturnType<typeof callsIn>, record: object = JANE) {
  const tries = calls.map(({ body }) =>
    tryCall({
      body,
      urlStep: undefined,
      policy,
      entitlements: (event) => heldBy(event, record),
      now: Date.now(),
      supportCode: async () => 'ABCDE-12345',
    }),
  );
  return (await Promise.all(tries)).map(({ reply }) => reply.body);
}

describe('a policy that a document shows', () => {
  it.each(['README.md', 'src/policy/README.md'])('can be saved without a warning: %s', (document) => {
    const checked = checkText(fileIn(document, 'policy.json'), NAMES.rolesClaim);
    expect(checked).toMatchObject({ ok: true, policy: { warnings: [] } });
  });
});

describe('a call that a document shows', () => {
  it('gets the reply that the front page shows: the first by the built-in policy, the second by the policy of the page', async () => {
    const [first, second, ...more] = callsIn('README.md');
    if (first === undefined || second === undefined) throw new Error('The front page shows fewer than two calls.');
    expect(more).toEqual([]);
    expect(await repliesOf(builtIn(NAMES.rolesClaim), [first])).toEqual([first.reply]);
    expect(await repliesOf(await policyIn('README.md'), [second])).toEqual([second.reply]);
    expect(second.reply.action).toBe('ValidationError');
  });

  it('gets the reply that the document of the gate shows for each step of a sign-up', async () => {
    const calls = callsIn('src/gate/README.md');
    expect(calls.map(({ body }) => body.step)).toEqual(['PostFederationSignup', 'PostAttributeCollection']);
    expect(await repliesOf(builtIn(NAMES.rolesClaim), calls)).toEqual(calls.map(({ reply }) => reply));
  });

  it('gets the reply that the page to a role in a token shows, by the role that the page gives', async () => {
    const [call, ...more] = callsIn('src/gate/user-flow/README.md');
    const [, key, role = ''] =
      /roles -- set (oid:\S+) --roles (\S+)$/m.exec(read('src/gate/user-flow/README.md')) ?? [];
    expect([key, more]).toEqual([`oid:${call?.body.objectId}`, []]);
    expect(await repliesOf(builtIn(NAMES.rolesClaim), call ? [call] : [], { roles: [role] })).toEqual([call?.reply]);
  });

  it('gets the reply that the document of the policy shows, by the policy of the same page', async () => {
    const calls = callsIn('src/policy/README.md');
    expect(calls.map(({ reply }) => reply.action)).toEqual(['Continue', 'ValidationError']);
    expect(await repliesOf(await policyIn('src/policy/README.md'), calls)).toEqual(calls.map(({ reply }) => reply));
  });
});

describe('a command on files that the document of the policy shows', () => {
  const OF_EXCHANGES = ['exchanges.json', 'profile.json', 'record.json'];
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'));
  beforeAll(() => {
    for (const name of ['policy.json', 'policy.test.json', 'call.json', ...OF_EXCHANGES])
      writeFileSync(join(folder, name), fileIn('src/policy/README.md', name));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('passes the cases that the page shows', async () => {
    const { code, stdout } = await run('policy', ['test', join(folder, 'policy.test.json')]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('1 case: 1 ok, 0 failed.') });
  });

  it('tries the exchange that the page shows, with a policy that can be saved without a warning', async () => {
    const [policy = '', call = '', record = ''] = OF_EXCHANGES.map((name) => join(folder, name));
    const named = ['--step', 'GetProfile', '--entitlements', record, '--var', 'ROLES_CLAIM='];
    const { code, stdout } = await run('policy', ['try', call, '--policy', policy, ...named]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\{"balance":"760\.50"\}\n/) });
    expect(read('src/policy/README.md')).toContain('The reply is `{"balance":"760.50"}`.');
    const check = await run('policy', ['check', policy, '--var', 'ROLES_CLAIM=']);
    expect({ code: check.code, stderr: check.stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('tries the call that the page shows', async () => {
    const files = [join(folder, 'call.json'), '--policy', join(folder, 'policy.json')];
    const { code, stdout } = await run('policy', ['try', ...files]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('extension_PromoCode') });
  });
});

describe('a summary that a document shows', () => {
  const asked = documents.flatMap((document) =>
    [...read(document).matchAll(/http:\/\/localhost:8787(\/reports\/summary\?[^'\s]+)/g)].map(([, path = '']) => path),
  );

  it('is shown with parts on request', () => expect(asked.join()).toContain('include='));

  it.each(asked)('can be asked: %s', async (path) => {
    const { searchParams } = new URL(path, 'http://localhost:8787');
    const read = await summaryQuestion.safeParseAsync(Object.fromEntries(searchParams));
    expect(read.error?.issues).toBeUndefined();
    expect(read.data && summaryRange(read.data, Date.now())).toBeTypeOf('object');
  });
});

describe('a document', () => {
  const FENCED = /^```.*?^```$/gms;
  const INLINE_CODE = /`[^`\n]*`/g;

  /** By GitHub's rules: lower case, punctuation removed, a hyphen for each space. */
  const anchorsIn = (document: string) =>
    [
      ...read(document)
        .replace(FENCED, '')
        .matchAll(/^#+ (.*)$/gm),
    ].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );

  const linksIn = (document: string) =>
    [
      ...read(document)
        .replace(FENCED, '')
        .replace(INLINE_CODE, 'code')
        .matchAll(/\]\(([^)]+)\)/g),
    ]
      .map(([, target = '']) => target)
      .filter((target) => !target.startsWith('https://'));

  const isBroken = (document: string, link: string): boolean => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? document : relative(ROOT, join(ROOT, dirname(document), path));
    if (statSync(join(ROOT, target), { throwIfNoEntry: false }) === undefined) return true;
    return anchor !== undefined && !anchorsIn(target).includes(anchor);
  };

  it.each(documents)('has no relative link to a file or heading that does not exist: %s', (document) => {
    expect(linksIn(document).filter((link) => isBroken(document, link))).toEqual([]);
  });

  it.each(documents)('names no script of npm that package.json does not have: %s', (document) => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...read(document).matchAll(/npm run ([a-z][\w:-]*)/g)].map(([, script = '']) => script);
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  it('other than the front page is linked from a document', () => {
    const linked = documents.flatMap((document) =>
      linksIn(document).map((link) => relative(ROOT, join(ROOT, dirname(document), link.split('#')[0] ?? ''))),
    );
    const isLinked = (document: string) => linked.includes(document) || linked.includes(dirname(document));
    expect(documents.length).toBeGreaterThan(10);
    expect(documents.filter((document) => document !== 'README.md' && !isLinked(document))).toEqual([]);
  });
});

describe('a citation of the wire contract', () => {
  const sources = globSync('{src,test}/**/*.ts', { cwd: ROOT }).map(read);
  const contract = read('src/gate/CONTRACT.md');
  const cited = (pattern: RegExp) =>
    sources.flatMap((source) => [...source.matchAll(pattern)].map(([, number = '']) => number));

  it('names a section that the contract has', () => {
    const sections = new Set([...contract.matchAll(/^#+ (\d+\.\d+) /gm)].map(([, number]) => number));
    const numbers = cited(/contract (\d+\.\d+)/gi);
    expect(numbers.length).toBeGreaterThan(10);
    expect(numbers.filter((number) => !sections.has(number))).toEqual([]);
  });

  it('names an entry of the checklist that the contract has', () => {
    const checklist = contract.slice(contract.indexOf('\n## 9. '));
    const entries = new Set([...checklist.matchAll(/^(\d+)\. /gm)].map(([, number]) => number));
    expect([...entries]).toEqual(Array.from({ length: entries.size }, (_, at) => String(at + 1)));
    const numbers = cited(/contract line (\d+)/gi);
    expect(numbers.length).toBeGreaterThan(3);
    expect(numbers.filter((number) => !entries.has(number))).toEqual([]);
  });
});
