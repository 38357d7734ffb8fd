/** The commands of `npm run policy` that need only files: check, test, try, functions and schema. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { done, npmRun, refused, run } from '../support/command.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'test/fixtures/policy');
const POLICY = join(EXAMPLE, 'policy.json');
const CASES = join(EXAMPLE, 'policy.test.json');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));

const policy = (...args: string[]) => run('policy', args);
const example = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** Writes a file. Values are written as indented JSON. */
function fileOf(content: unknown, name = `${crypto.randomUUID()}.json`): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content, null, 2),
  );
  return file;
}

/** A policy with one rule, and its test cases beside it. */
function policyWith(cases: object[], document: object = {}): { cases: string; policy: string } {
  const name = crypto.randomUUID();
  const rules = [{ id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } }];
  return {
    policy: fileOf({ rules, ...document }, `${name}.json`),
    cases: fileOf({ cases }, `${name}.test.json`),
  };
}

describe('the example policy', () => {
  it('has no problem and no warning', async () => {
    const { code, stdout, stderr } = await policy('check', POLICY);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/policy\.json is valid: \d+ rules, 6 lists, \d+ messages\.\n$/);
  });

  it('passes its test cases, and each rule applies in at least one', async () => {
    const { cases } = example(CASES);
    expect(await policy('test', CASES)).toEqual({
      code: 0,
      stdout: [
        ...cases.map(({ name }: { name: string }) => `ok    ${name}`),
        '',
        `${cases.length} cases: ${cases.length} ok, 0 failed.\n`,
      ].join('\n'),
      stderr: '',
    });
  });

  it('fails a test case whenever a rule is removed', async () => {
    const whole = example(POLICY);
    for (const { id } of whole.rules) {
      const rules = whole.rules.filter((rule: { id: string }) => rule.id !== id);
      const { code } = await policy('test', CASES, '--policy', fileOf({ ...whole, rules }));
      expect([id, code]).toEqual([id, 1]);
    }
  });

  it('can be checked with npm run policy from any folder', async () => {
    expect(await npmRun('policy', 'check', 'test/fixtures/policy/policy.json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is valid'),
      stderr: '',
    });
  });
});

describe('npm run policy -- check', () => {
  it('lists every problem with rule, path and line, sorted by line', async () => {
    const file = fileOf(`{
      "lists": { "a": ["x"] },
      "messages": { "blocked.domain": { "de": "Nein" } },
      "rules": [
        { "id": "first", "steps": ["PreTokenIssuance"],
          "when": "claims.email in lists.b",
          "block": "no.such" },
        { "id": "first", "steps": ["PostFederationSignup"],
          "invalid": true }
      ]
    }`);
    const { code, stdout, stderr } = await policy('check', file);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const lines = stderr.replaceAll(`${file}:`, '').trim().split('\n');
    const places = lines.map((line) => /^\d+: (?:\S+:|\S+ \(rule \S+\):)?/.exec(line)?.[0]);
    expect(places).toEqual(
      expect.arrayContaining([
        '3: messages.blocked.domain:',
        '5: rules[0].steps (rule first):',
        '6: rules[0].when (rule first):',
        '7: rules[0].block (rule first):',
        '8: rules[1].id (rule first):',
        '8: rules[1].steps (rule first):',
      ]),
    );
    expect(lines.at(-1)).toMatch(/^\d+ problems in /);
    const numbers = places.slice(0, -1).map((place) => Number.parseInt(place ?? '', 10));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  it('check prints the first 20 problems, the number of the others, and how many there are in all', async () => {
    const rule = { steps: ['PostAttributeCollection'], when: 'nonsense()', block: true };
    const rules = Array.from({ length: 60 }, (_, index) => ({ id: `r${index}`, ...rule }));
    const twice = Array.from({ length: 60 }, (_, index) => `"l${index}":[],"l${index}":[]`).join(',');
    for (const text of [
      JSON.stringify({ rules }),
      JSON.stringify({ rules: Array(60).fill(1) }),
      `{"rules":[],"lists":{${twice}}}`,
    ]) {
      const file = fileOf(text);
      const { code, stderr } = await policy('check', file);
      const lines = stderr.trim().split('\n');
      expect([code, lines.length]).toEqual([1, 22]);
      expect(lines.slice(-2)).toEqual(['and 40 more. Correct these first.', `60 problems in ${file}.`]);
    }
  });

  it.each([
    ['{\n  "rules": [],\n}', 3, 'Not JSON'],
    ['{\n  // mine\n  "rules": [] }', 2, 'Not JSON'],
    ['{\n  "rules": [],\n  "lists": {},\n  "rules": [] }', 4, /"rules" .*twice/],
    ['{ "lists": {\n  "__proto__": [] }, "rules": [] }', 1, '__proto__'],
    ['[]', 1, /JSON object.*defaultLanguage/],
    ['', 1, 'Not JSON'],
    ['{ "rules": [],\n  "rule": [] }', 1, 'Unknown: rule.'],
  ])('refuses %j and prints the line', async (text, line, what) => {
    const file = fileOf(text);
    const { code, stderr } = await policy('check', file);
    expect({ code, stderr }).toEqual(refused(1, what));
    expect(stderr).toContain(`${file}:${line}: `);
  });

  it('reads UTF-8 with or without a byte order mark, and refuses other encodings', async () => {
    const text = JSON.stringify({ rules: [], description: 'Zürich' });
    expect((await policy('check', fileOf(`\ufeff${text}`))).code).toBe(0);
    for (const encoding of ['utf16le', 'latin1'] as const)
      expect(await policy('check', fileOf(Buffer.from(text, encoding)))).toMatchObject(refused(2, 'not UTF-8'));
    expect(await policy('check', folder)).toMatchObject(refused(2, 'it is a folder'));
  });

  it('refuses a policy of 9 MB and prints both limits; whitespace in the file does not count', async () => {
    const list = (entries: number, chars: number) =>
      Array.from({ length: entries }, (_, index) => `${index}`.padEnd(chars, 'x'));
    const twice = (one: string[]) => ({ lists: { a: one, b: one }, rules: [] });
    const { code, stderr } = await policy('check', fileOf(twice(list(90_000, 50))));
    expect({ code, stderr }).toEqual(refused(1, /9\.\d MB.*8 MB.*25 MiB/));
    const spaced = JSON.stringify(twice(list(80_000, 40)), null, 10);
    expect(Buffer.byteLength(spaced)).toBeGreaterThan(8_000_000);
    expect((await policy('check', fileOf(spaced))).code).toBe(0);
  });

  it('prints warnings to standard error and exits with 0', async () => {
    const { code, stdout, stderr } = await policy('check', fileOf({ rules: [], messages: { m: { en: 'No code' } } }));
    expect({ code, stdout }).toEqual(done('is valid'));
    expect(stderr).toMatch(/messages\.m: Without \{supportCode\} in en/);
    expect(stderr).toMatch(/No rule sets extension_Roles/);
    expect(stderr).toMatch(/\d warnings: allowed, but probably mistakes\./);
    const other = await policy('check', fileOf({ rules: [] }), '--var', 'ROLES_CLAIM=extension_Rights');
    expect(other.stderr).toContain('No rule sets extension_Rights');
    expect((await policy('check', fileOf({ rules: [] }), '--var', 'ROLES_CLAIM=')).stderr).toBe('');
  });
});

describe('npm run policy -- test', () => {
  const call = { step: 'PreTokenIssuance', client_id: 'shop' };
  const reply = { version: '1.0.0', action: 'Continue', extension_Roles: '' };
  const one = { name: 'a', call, reply };

  it('shows a failed case with its line, the expected and received values, and the result of each rule', async () => {
    const files = policyWith([
      { name: 'right', call, reply },
      { name: 'wrong', call, entitlements: { roles: ['editor'] }, reply: { ...reply, status: 400 } },
    ]);
    const line = readFileSync(files.cases, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('"wrong"'));
    expect(await policy('test', files.cases)).toEqual({
      code: 1,
      stdout: `ok    right
FAIL  wrong (${files.cases}:${line})
      extension_Roles
        expected ""
        received "editor"
      status
        expected 400
        received nothing

      RULE   APPLIED  CONDITION  EFFECT
      roles  yes      -          extension_Roles = "editor"


2 cases: 1 ok, 1 failed.
`,
      stderr: '',
    });
  });

  it('fails a case when the rule, the HTTP status or the support code in the message differs', async () => {
    const block = { id: 'everyone', steps: ['PostAttributeCollection'], when: 'true', invalid: 'no' };
    const document = { messages: { no: { en: 'No: {supportCode}' } }, rules: [block] };
    const refused = { step: 'PostAttributeCollection' };
    const body = { version: '1.0.0', status: 400, action: 'ValidationError', userMessage: 'No: {supportCode}' };
    const files = policyWith(
      [
        { name: 'same', call: refused, reply: body, rule: 'everyone' },
        { name: 'another rule', call: refused, reply: body, rule: 'other' },
        { name: 'no rule', call: { step: 'PreTokenIssuance' }, reply, rule: 'everyone' },
        { name: 'another code', call: refused, reply: { ...body, userMessage: 'No: 00000-00000' } },
        { name: 'another action', call: refused, reply: { ...body, action: 'ShowBlockPage' } },
      ],
      document,
    );
    const { code, stdout } = await policy('test', files.cases);
    expect(code).toBe(1);
    expect(stdout.match(/^(?:ok|FAIL)/gm)).toEqual(['ok', 'FAIL', 'FAIL', 'FAIL', 'FAIL']);
    expect(stdout).toContain('rule that decides\n        expected "other"\n        received "everyone"');
    expect(stdout).toContain('rule that decides\n        expected "everyone"\n        received ""');
    expect(stdout).toContain('HTTP status\n        expected 200\n        received 400');
  });

  it('names the rules that applied in no case', async () => {
    const idle = { id: 'idle', steps: ['PreTokenIssuance'], when: 'false', set: { extension_X: "'1'" } };
    const { code, stdout } = await policy('test', policyWith([one], { rules: [idle] }).cases);
    expect({ code, stdout }).toEqual(done('applied in no case: idle.'));
  });

  it('finds the cases beside a policy, and the policy beside the cases', async () => {
    const files = policyWith([one]);
    const elsewhere = fileOf({ cases: [one] });
    const lone = fileOf({ rules: [] });
    for (const [args, code, message] of [
      [['--policy', files.policy], 0, /^$/],
      [[files.cases], 0, /^$/],
      [[elsewhere, '--policy', files.policy], 0, /^$/],
      [[elsewhere], 2, /does not end with \.test\.json.*--policy/],
      [[files.policy], 2, new RegExp(`npm run policy -- test --policy ${files.policy}`)],
      [['--policy', elsewhere], 1, /Unknown: cases/],
      [['--policy', lone], 2, /into \S+\.test\.json\. npm run policy -- schema --cases/],
    ] as const)
      expect([args, await policy('test', ...args)]).toMatchObject([
        args,
        { code, stderr: expect.stringMatching(message) },
      ]);
  });

  it.each([
    [{ cases: [] }, 2, 'cases: No case'],
    [{ cases: [one, one] }, 16, 'cases[1].name: Two cases are called "a"'],
    [{ cases: [{ ...one, repyl: {} }] }, 3, 'cases[0]: Unknown: repyl. The members of a case are name, step, call'],
    [
      { cases: [{ ...one, entitlements: { roles: ['two words'] } }] },
      16,
      'cases[0].entitlements.roles[0]: Not a role or group',
    ],
    [{ cases: [{ ...one, now: 'noon' }] }, 14, 'cases[0].now: Not a time'],
    ['{ "cases": [{ "name": "a",\n "call": {}, "reply": {}, "call": {} }] }', 2, /"call" .*twice/],
    ['{ "cases": [\n', 2, 'Not JSON'],
  ])('refuses the invalid test cases %j and prints the line', async (cases, line, what) => {
    const file = fileOf(cases);
    const { code, stderr } = await policy('test', file, '--policy', POLICY);
    expect({ code, stderr }).toEqual(refused(1, what));
    expect(stderr).toContain(`${file}:${line}: `);
  });

  it('fails a case with invalid settings', async () => {
    const bad = policyWith([{ ...one, settings: { EXTENSIONS_APP_ID: 'x' } }]);
    expect((await policy('test', bad.cases)).stdout).toMatch(
      /^FAIL {2}a .*\n +settings: EXTENSIONS_APP_ID has a value that cannot be used/m,
    );
  });
});

describe('npm run policy -- try', () => {
  const CLIENT_ID = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
  const call = fileOf({
    step: 'PostAttributeCollection',
    client_id: CLIENT_ID,
    displayName: "JANE O'NEIL",
    country: 7,
  });

  it('prints the reply as Microsoft receives it, then each rule of the step with its condition and effect', async () => {
    const { code, stdout, stderr } = await policy('try', call, '--policy', POLICY);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, ...rest] = stdout.split('\n');
    expect(first).toBe(
      `{"version":"1.0.0","action":"Continue","displayName":"Jane O'Neil","extension_newsletter":false}`,
    );
    expect(rest.join('\n')).toMatch(/^status +200$/m);
    expect(rest.join('\n')).toMatch(/^note +ignored, unsupported type of value: country$/m);
    const table = stdout.slice(stdout.indexOf('RULE ')).trimEnd().split('\n');
    const rules = example(POLICY).rules.filter(({ steps }: { steps: string[] }) =>
      steps.includes('PostAttributeCollection'),
    );
    expect(table.slice(1).map((row) => row.split(' ')[0])).toEqual(rules.map(({ id }: { id: string }) => id));
    expect(stdout).toMatch(/^tidy-display-name +yes +true +displayName = "Jane O'Neil"$/m);
    expect(stdout).toMatch(/^tidy-surname +no +false +-$/m);
    expect(stdout).toMatch(/^old-enough +no +failed: .+$/m);
  });

  it('shows the rule that turned the person away, the rules not reached, and a made-up support code', async () => {
    const refused = fileOf({ step: 'PostFederationSignup', client_id: 'elsewhere' });
    const foreign = await policy('try', refused, '--policy', POLICY);
    expect(foreign.stdout).toMatch(/^support code +TEST0-C0DE0 \(made up\)$/m);
    expect(foreign.stdout).toMatch(/^prefill-name +not reached +- +-$/m);
    const throwaway = fileOf({ step: 'PostAttributeCollection', client_id: CLIENT_ID, email: 'jane@mailinator.com' });
    const { stdout } = await policy('try', throwaway, '--policy', POLICY);
    expect(stdout).toMatch(/^throwaway-address +yes +true +turns away$/m);
    expect(stdout).toMatch(/^club-members-only +not reached +- +-$/m);
  });

  it('accepts step, time, entitlements and settings as options', async () => {
    const person = fileOf({ roles: ['editor'], applications: { shop: { roles: ['owner'] } } });
    const token = fileOf({ client_id: 'shop', objectId: crypto.randomUUID() });
    const set = { extension_Rights: "person.roles.join(' ')", extension_Year: 'string(request.time.getFullYear())' };
    const rules = [{ id: 'a', steps: ['PreTokenIssuance'], set }];
    const { stdout } = await policy(
      ...['try', token, '--policy', fileOf({ rules }), '--entitlements', person, '--step', 'pretokenissuance'],
      ...['--at', '2031-05-06T07:08:09Z', '--var', 'ROLES_CLAIM=extension_Rights'],
      ...['--var', 'EXTENSIONS_APP_ID=25883231668a43a780b25685c3f874bc'],
    );
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_25883231668a43a780b25685c3f874bc_Rights: 'editor owner',
      extension_25883231668a43a780b25685c3f874bc_Year: '2031',
    });
  });

  it('escapes control characters of the call, which could move the cursor or colour the terminal', async () => {
    const step = 'PostAttributeCollection';
    const file = fileOf({ step, client_id: CLIENT_ID, displayName: '\u009b31mRED\u001b[2J\u0007', 'a\u009bb': [] });
    const { stdout } = await policy('try', file, '--policy', POLICY);
    expect(stdout).toContain('31mRED');
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(JSON.parse(stdout.split('\n')[0] ?? '').displayName).toContain('\u009b');
  });

  it('evaluates no rule when the step is missing, and says so', async () => {
    const { stdout } = await policy('try', fileOf({}), '--policy', POLICY);
    expect(stdout).toContain('neither the body nor the separate step');
    expect(stdout).toContain('No rule is for this step.');
  });
});

describe('npm run policy -- functions', () => {
  it('prints each function with a description and examples', async () => {
    const { code, stdout } = await policy('functions');
    expect(code).toBe(0);
    expect(stdout).toContain('titleCase("JANE O\'NEIL")  is "Jane O\'Neil"');
    expect(stdout).toContain("int('')  fails");
  });
});

describe('npm run policy -- schema', () => {
  it('names the file that it cannot write because the folder is missing', async () => {
    const out = join(folder, 'nowhere', 'schema.json');
    expect(await policy('schema', '--out', out)).toEqual({
      code: 1,
      stdout: '',
      stderr: `${out} could not be written: there is no such folder.\n`,
    });
  });
});
