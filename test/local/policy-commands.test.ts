/** `npm run policy` on files alone: check, test, try and functions. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npmRun, run } from './command.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'test/fixtures/policy');
const POLICY = join(EXAMPLE, 'policy.json');
const CASES = join(EXAMPLE, 'policy.test.json');
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-policy-'));

const policy = (...args: string[]) => run('policy', args);
const example = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** A file of its own, with what is JSON written as people write it. */
function fileOf(content: unknown, name = `${crypto.randomUUID()}.json`): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content, null, 2),
  );
  return file;
}
const linesOf = (text: string) => text.trimEnd().split('\n');

/** The policy of a tenant with one rule, and a file of cases beside it. */
function policyWith(cases: object[], document: object = {}): { cases: string; policy: string } {
  const name = crypto.randomUUID();
  const rules = [{ id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } }];
  return {
    policy: fileOf({ rules, ...document }, `${name}.json`),
    cases: fileOf({ cases }, `${name}.test.json`),
  };
}

describe('the example', () => {
  it('has no problem and no warning', async () => {
    const { code, stdout, stderr } = await policy('check', POLICY);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/policy\.json may be saved: \d+ rules, 6 lists, \d+ messages\.\n$/);
  });

  it('does what its cases say, and no rule of it goes untried', async () => {
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

  it('fails a case for each rule that is taken out of it', async () => {
    const whole = example(POLICY);
    for (const { id } of whole.rules) {
      const rules = whole.rules.filter((rule: { id: string }) => rule.id !== id);
      const { code } = await policy('test', CASES, '--policy', fileOf({ ...whole, rules }));
      expect([id, code]).toEqual([id, 1]);
    }
  });

  it('is checked by npm run policy from any folder', async () => {
    expect(await npmRun('policy', 'check', 'test/fixtures/policy/policy.json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('may be saved'),
      stderr: '',
    });
  });
});

describe('npm run policy -- check', () => {
  it('names every problem with rule, path and line', async () => {
    const file = fileOf(
      [
        '{',
        '  "lists": { "a": ["x"] },',
        '  "messages": {',
        '    "blocked.domain": { "de": "Nein" }',
        '  },',
        '  "rules": [',
        '    {',
        '      "id": "first", "steps": ["PreTokenIssuance"],',
        '      "when": "claims.email in lists.b",',
        '      "block": "no.such"',
        '    },',
        '    { "id": "first", "steps": ["PostFederationSignup"],',
        '      "invalid": true }',
        '  ]',
        '}',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await policy('check', file);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const found = linesOf(stderr).map((line) =>
      /:(\d+): (?:(\S+) )?(?:\(rule (\S+)\): )?/.exec(line.replace(file, ''))?.slice(1, 4),
    );
    expect(found).toEqual(
      expect.arrayContaining([
        ['4', 'messages.blocked.domain:', undefined],
        ['8', 'rules[0].steps', 'first'],
        ['9', 'rules[0].when', 'first'],
        ['10', 'rules[0].block', 'first'],
        ['12', 'rules[1].id', 'first'],
        ['12', 'rules[1].steps', 'first'],
      ]),
    );
    expect(linesOf(stderr).at(-1)).toMatch(/^\d+ problems in /);
    const lines = found.flatMap((one) => (one === undefined ? [] : [Number(one[0])]));
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  it('refuses what JSON.parse would swallow or choke on, and says where', async () => {
    for (const [text, line, what] of [
      ['{\n  "rules": [],\n}', 3, 'Not JSON'],
      ['{\n  // mine\n  "rules": [] }', 2, 'Not JSON'],
      [
        '{\n  "rules": [],\n  "lists": {},\n  "rules": [] }',
        4,
        '"rules" stands more than once in this object (lines 2 and 4)',
      ],
      ['{ "lists": {\n  "__proto__": [] }, "rules": [] }', 1, '__proto__'],
      ['[]', 1, 'a policy has the members'],
      ['', 1, 'Not JSON'],
      ['{ "rules": [],\n  "rule": [] }', 1, 'Unknown: rule.'],
    ] as const) {
      const file = fileOf(text);
      const { code, stderr } = await policy('check', file);
      expect(code).toBe(1);
      expect(stderr).toContain(`${file}:${line}: `);
      expect(stderr).toContain(what);
    }
  });

  it('takes UTF-8 alone, with or without a mark, and says so of anything else', async () => {
    const text = JSON.stringify({ rules: [], messages: { m: { en: 'ü {supportCode}' } } });
    expect((await policy('check', fileOf(`\ufeff${text}`))).code).toBe(0);
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const { code, stderr } = await policy('check', fileOf(Buffer.from(text, encoding)));
      expect([code, encoding === 'latin1' ? stderr : 'not UTF-8']).toEqual([
        expect.any(Number),
        expect.stringContaining('not UTF-8'),
      ]);
      expect(code).not.toBe(0);
    }
    expect(await policy('check', join(folder, 'none.json'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no such file'),
    });
    expect(await policy('check', folder)).toMatchObject({ code: 2, stderr: expect.stringContaining('it is a folder') });
  });

  it('refuses 9 MB with both limits, and counts what would be sent instead of the spaces', async () => {
    const list = (entries: number, chars: number) =>
      Array.from({ length: entries }, (_, index) => `${index}`.padEnd(chars, 'x'));
    const lists = { a: list(90_000, 50), b: list(90_000, 50) };
    const { code, stderr } = await policy('check', fileOf({ lists, rules: [] }));
    expect(code).toBe(1);
    expect(stderr).toMatch(/9\.\d MB.*8 MB.*25 MiB/);
    const spaced = JSON.stringify({ lists: { a: list(80_000, 40), b: list(80_000, 40) }, rules: [] }, null, 10);
    expect(Buffer.byteLength(spaced)).toBeGreaterThan(8_000_000);
    expect((await policy('check', fileOf(spaced))).code).toBe(0);
  });

  it('lists warnings apart, and does not fail for them', async () => {
    const { code, stdout, stderr } = await policy('check', fileOf({ rules: [], messages: { m: { en: 'No code' } } }));
    expect(code).toBe(0);
    expect(stdout).toContain('may be saved');
    expect(stderr).toMatch(/messages\.m: Without \{supportCode\} in en/);
    expect(stderr).toMatch(/No rule sets extension_Roles/);
    expect(stderr).toMatch(/\d warnings: allowed, and probably not meant\./);
    const other = await policy('check', fileOf({ rules: [] }), '--var', 'ROLES_CLAIM=extension_Rights');
    expect(other.stderr).toContain('No rule sets extension_Rights');
    expect((await policy('check', fileOf({ rules: [] }), '--var', 'ROLES_CLAIM=')).stderr).toBe('');
  });
});

describe('npm run policy -- test', () => {
  const call = { step: 'PreTokenIssuance', client_id: 'shop' };
  const reply = { version: '1.0.0', action: 'Continue', extension_Roles: '' };

  it('shows of a failed case what was expected, what came, and what each rule did, with the line of the case', async () => {
    const files = policyWith([
      { name: 'right', call, reply },
      { name: 'wrong', call, entitlements: { roles: ['editor'] }, reply: { ...reply, status: 400 } },
    ]);
    const { code, stdout, stderr } = await policy('test', files.cases);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const text = readFileSync(files.cases, 'utf8').split('\n');
    const line = text.findIndex((one) => one.includes('"wrong"'));
    expect(linesOf(stdout)).toEqual([
      'ok    right',
      `FAIL  wrong (${files.cases}:${line})`,
      '      extension_Roles',
      '        expected ""',
      '        received "editor"',
      '      status',
      '        expected 400',
      '        received nothing',
      '',
      '      RULE   APPLIED  CONDITION  EFFECT',
      '      roles  yes      -          extension_Roles = "editor"',
      '',
      '',
      '2 cases: 1 ok, 1 failed.',
    ]);
  });

  it('holds a case to the rule that it names, to the HTTP status, and to the code in the message', async () => {
    const block = { id: 'nobody', steps: ['PostAttributeCollection'], when: 'true', invalid: 'no' };
    const document = { messages: { no: { en: 'No: {supportCode}' } }, rules: [block] };
    const refused = { step: 'PostAttributeCollection' };
    const body = { version: '1.0.0', status: 400, action: 'ValidationError', userMessage: 'No: {supportCode}' };
    const files = policyWith(
      [
        { name: 'holds', call: refused, reply: body, rule: 'nobody' },
        { name: 'another rule', call: refused, reply: body, rule: 'somebody' },
        { name: 'no rule', call: { step: 'PreTokenIssuance' }, reply, rule: 'nobody' },
        { name: 'another code', call: refused, reply: { ...body, userMessage: 'No: 00000-00000' } },
        { name: 'another action', call: refused, reply: { ...body, action: 'ShowBlockPage' } },
      ],
      document,
    );
    const { code, stdout } = await policy('test', files.cases);
    expect(code).toBe(1);
    expect(stdout.match(/^(?:ok|FAIL) .*$/gm)?.map((line) => line.slice(0, 4))).toEqual([
      'ok  ',
      'FAIL',
      'FAIL',
      'FAIL',
      'FAIL',
    ]);
    expect(stdout).toContain('rule that decides\n        expected "somebody"\n        received "nobody"');
    expect(stdout).toContain('rule that decides\n        expected "nobody"\n        received ""');
    expect(stdout).toContain('HTTP status\n        expected 200\n        received 400');
  });

  it('names the rules that no case tried', async () => {
    const idle = { id: 'idle', steps: ['PreTokenIssuance'], when: 'false', set: { extension_X: "'1'" } };
    const files = policyWith(
      [{ name: 'a', call, reply: { version: '1.0.0', action: 'Continue', extension_Roles: '' } }],
      { rules: [idle] },
    );
    const { code, stdout } = await policy('test', files.cases);
    expect(code).toBe(0);
    expect(stdout).toContain('Rules that applied in no case: idle.');
  });

  it('finds the cases beside a policy, and the policy beside the cases', async () => {
    const files = policyWith([{ name: 'a', call, reply }]);
    expect((await policy('test', '--policy', files.policy)).code).toBe(0);
    expect((await policy('test', files.cases)).code).toBe(0);
    const elsewhere = fileOf({ cases: [{ name: 'a', call, reply }] });
    expect((await policy('test', elsewhere, '--policy', files.policy)).code).toBe(0);
    expect(await policy('test', elsewhere)).toMatchObject({ code: 2, stderr: expect.stringContaining('--policy') });
    expect(await policy('test', files.policy)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`npm run policy -- test --policy ${files.policy}`),
    });
    expect(await policy('test', '--policy', elsewhere)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Unknown: cases'),
    });
  });

  it('without any says where they go and what they look like', async () => {
    const lone = fileOf({ rules: [] }, `${crypto.randomUUID()}.json`);
    const { code, stdout, stderr } = await policy('test', '--policy', lone);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`into ${lone.replace(/\.json$/, '.test.json')}`);
    expect(stderr).toContain('npm run policy -- schema --cases');
  });

  it('refuses a file that tests nothing, or not what it says', async () => {
    const one = { name: 'a', call, reply };
    for (const [cases, line, what] of [
      [{ cases: [] }, 2, 'cases: No case'],
      [{ cases: [one, one] }, 16, 'cases[1].name: There are two cases called "a"'],
      [{ cases: [{ ...one, repyl: {} }] }, 3, 'cases[0]: Unknown: repyl. The members of a case are name, step, call'],
      [
        { cases: [{ ...one, entitlements: { roles: ['two words'] } }] },
        16,
        'cases[0].entitlements.roles[0]: Not a role or group',
      ],
      [{ cases: [{ ...one, now: 'noon' }] }, 14, 'cases[0].now: Not a time'],
      ['{ "cases": [{ "name": "a",\n "call": {}, "reply": {}, "call": {} }] }', 2, '"call" stands more than once'],
      ['{ "cases": [\n', 2, 'Not JSON'],
    ] as const) {
      const file = fileOf(cases);
      const { code, stderr } = await policy('test', file, '--policy', POLICY);
      expect(code).toBe(1);
      expect(stderr).toContain(`${file}:${line}: ${what}`);
    }
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

  it('prints the reply as Microsoft would get it, then each rule of the step with its condition and what it set', async () => {
    const { code, stdout, stderr } = await policy('try', call, '--policy', POLICY);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, ...rest] = stdout.split('\n');
    expect(first).toBe(
      `{"version":"1.0.0","action":"Continue","displayName":"Jane O'Neil","extension_newsletter":false}`,
    );
    expect(rest.join('\n')).toMatch(/^status +200$/m);
    expect(rest.join('\n')).toMatch(/^note +as if absent.*country$/m);
    const table = stdout.slice(stdout.indexOf('RULE ')).trimEnd().split('\n');
    const rules = example(POLICY).rules.filter(({ steps }: { steps: string[] }) =>
      steps.includes('PostAttributeCollection'),
    );
    expect(table.slice(1).map((row) => row.split(' ')[0])).toEqual(rules.map(({ id }: { id: string }) => id));
    expect(stdout).toMatch(/^tidy-display-name +yes +true +displayName = "Jane O'Neil"$/m);
    expect(stdout).toMatch(/^tidy-surname +no +false +-$/m);
    expect(stdout).toMatch(/^old-enough +no +failed: .+$/m);
  });

  it('shows the rule that ended it, those that were not reached, and a code that nobody has', async () => {
    const refused = fileOf({ step: 'PostFederationSignup', client_id: 'elsewhere' });
    const foreign = await policy('try', refused, '--policy', POLICY);
    expect(foreign.stdout).toMatch(/^support code +TEST0-C0DE0 \(made up\)$/m);
    expect(foreign.stdout).toMatch(/^prefill-name +not reached +- +-$/m);
    const throwaway = fileOf({ step: 'PostAttributeCollection', client_id: CLIENT_ID, email: 'jane@mailinator.com' });
    const { stdout } = await policy('try', throwaway, '--policy', POLICY);
    expect(stdout).toMatch(/^throwaway-address +yes +true +turns away$/m);
    expect(stdout).toMatch(/^club-members-only +not reached +- +-$/m);
  });

  it('takes step, time, entitlements and settings', async () => {
    const person = fileOf({ roles: ['editor'], applications: { shop: { roles: ['owner'] } } });
    const token = fileOf({ client_id: 'shop', objectId: crypto.randomUUID() });
    const rules = [
      {
        id: 'a',
        steps: ['PreTokenIssuance'],
        set: { extension_Rights: "person.roles.join(' ')", extension_Year: 'string(request.time.getFullYear())' },
      },
    ];
    const { stdout } = await policy(
      ...['try', token, '--policy', fileOf({ rules }), '--entitlements', person, '--step', 'pretokenissuance'],
      ...[
        '--at',
        '2031-05-06T07:08:09Z',
        '--var',
        'EXTENSIONS_APP_ID=25883231668a43a780b25685c3f874bc',
        '--var',
        'ROLES_CLAIM=extension_Rights',
      ],
    );
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toEqual({
      version: '1.0.0',
      action: 'Continue',
      extension_25883231668a43a780b25685c3f874bc_Rights: 'editor owner',
      extension_25883231668a43a780b25685c3f874bc_Year: '2031',
    });
  });

  it('prints nothing of a call that moves the cursor or colours the terminal', async () => {
    const step = 'PostAttributeCollection';
    const file = fileOf({ step, client_id: CLIENT_ID, displayName: '\u009b31mRED\u001b[2J\u0007', 'a\u009bb': [] });
    const { stdout } = await policy('try', file, '--policy', POLICY);
    expect(stdout).toContain('31mRED');
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(JSON.parse(stdout.split('\n')[0] ?? '').displayName).toContain('\u009b');
  });

  it('says that no rule was looked at when nobody named a step', async () => {
    const { stdout } = await policy('try', fileOf({}), '--policy', POLICY);
    expect(stdout).toContain('neither the body nor the step beside it');
    expect(stdout).toContain('No rule is for this step.');
  });
});

describe('functions', () => {
  it('are printed with what they promise and their examples', async () => {
    const { code, stdout } = await policy('functions');
    expect(code).toBe(0);
    expect(stdout).toContain('titleCase("JANE O\'NEIL")  is "Jane O\'Neil"');
    expect(stdout).toContain("int('')  fails");
  });
});

describe('npm run policy -- schema', () => {
  it('says which folder there is not', async () => {
    const out = join(folder, 'nowhere', 'schema.json');
    expect(await policy('schema', '--out', out)).toEqual({
      code: 1,
      stdout: '',
      stderr: `${out} could not be written: there is no such folder.\n`,
    });
  });
});
