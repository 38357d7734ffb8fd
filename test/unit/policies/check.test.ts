/** The check of a document: positions of problems, conditions that can fail, and the work limit of a step. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkPolicy, checkText } from '../../../src/desk/policies/check.ts';
import { checkRunning } from '../../../src/desk/policies/check-running.ts';

const [SIGN_UP, TOKEN] = ['PostAttributeCollection', 'PreTokenIssuance'];

type Rule = Readonly<Record<string, unknown>>;
const documentOf = (...rules: readonly Rule[]) => ({
  lists: { d: ['mailinator.com'] },
  messages: { m: { en: 'No {supportCode}' } },
  rules: rules.map((rule, at) => ({ id: `rule-${at}`, steps: [SIGN_UP], ...rule })),
});
function problemsOf(...rules: readonly Rule[]) {
  const check = checkPolicy(documentOf(...rules), '');
  return check.ok ? [] : check.problems;
}
const read = (file: string) => readFileSync(join(import.meta.dirname, '../../..', file), 'utf8');

describe('check: policies from earlier releases', () => {
  it('the example policy of the fixtures is accepted', () => {
    const check = checkText(read('test/fixtures/policy/policy.json'), 'extension_Roles');
    expect(check).toMatchObject({ ok: true, policy: { warnings: [] } });
  });

  it('the policy of src/policy/README.md is accepted', () => {
    const [document = ''] = /\{\n[^`]*"blockedDomains"[^`]*\n\}/.exec(read('src/policy/README.md')) ?? [];
    expect(checkText(document, 'extension_Roles')).toMatchObject({ ok: true, policy: { warnings: [] } });
  });
});

describe('check: problems of expressions', () => {
  it('each problem has its range in the text of its member, and all problems come at once', () => {
    const found = problemsOf(
      { when: "claims.email = 'x'", block: 'm' },
      { set: { city: 'claims.lastName + domian(1)', state: "'é💥' + 5" } },
    );
    expect(found.map(({ rule, path, at }) => ({ rule, path, at }))).toEqual([
      { rule: 'rule-0', path: 'rules[0].when', at: { from: 13, to: 14 } },
      { rule: 'rule-1', path: 'rules[1].set.city', at: { from: 0, to: 15 } },
      { rule: 'rule-1', path: 'rules[1].set.city', at: { from: 18, to: 27 } },
      { rule: 'rule-1', path: 'rules[1].set.state', at: { from: 0, to: 9 } },
    ]);
  });

  it('a problem with a list names the lists of the same document', () => {
    expect(problemsOf({ when: "'x' in lists.e", block: 'm' })[0]?.message).toBe(
      'There is no list e. The policy has d.',
    );
  });
});

it('check: a list entry with a line break is refused', () => {
  const check = checkPolicy({ lists: { d: ['a', 'b\nc'] }, rules: [] }, '');
  expect(check).toMatchObject({ ok: false, problems: [{ path: 'lists.d[1]' }] });
});

describe('check: conditions that can fail', () => {
  const when = 'domain(claims.email) in lists.d';

  it('a condition that can fail is refused with a failing call, in a block or invalid rule without onError', () => {
    const message =
      'This condition fails when claims.email is absent. Guard it with has(claims.email), or say what happens then: ' +
      '"onError": "apply" turns the person away, "onError": "skip" lets the person through.';
    const invalid = { when: 'has(claims.extension_X) && claims.extension_X > 18', invalid: 'm' };
    expect(problemsOf({ when, block: 'm' }, invalid)).toEqual([
      { rule: 'rule-0', path: 'rules[0].when', message },
      {
        rule: 'rule-1',
        path: 'rules[1].when',
        message: expect.stringContaining(
          "when claims.extension_X is 'a': > does not accept operands of these types. Guard it, or say",
        ),
      },
    ]);
  });

  it('a condition that can fail is accepted with onError, with a guard, or in a rule that sets claims', () => {
    expect(
      problemsOf(
        { when, block: 'm', onError: 'skip' },
        { when, block: 'm', onError: 'apply' },
        { when: `has(claims.email) && ${when}`, block: 'm' },
        { when: 'claims.city == claims.state', set: { city: 'claims.state' } },
      ),
    ).toEqual([]);
  });

  it('an expression that fails in every sample is refused in every rule', () => {
    const always = 'claims.extension_N + 1 > 18.0';
    const found = problemsOf({ when: always, block: 'm', onError: 'skip' }, { set: { city: 'person.roles[0][0]' } });
    expect(found.map(({ path }) => path)).toContain('rules[0].when');
    expect(found.map(({ message }) => message)).toContain(
      'It fails in every sample of a call: + does not accept operands of these types. Correct it, or guard it, as with has(claims.email).',
    );
  });

  it('the verdict is the same every time', () => {
    const rules = Array.from({ length: 20 }, (_, at) => ({ when: `claims.extension_X${at} > ${at}.0`, block: 'm' }));
    expect(problemsOf(...rules)).toEqual(problemsOf(...rules));
    expect(problemsOf(...rules)).toHaveLength(20);
  });

  it('an absent claim is found as the cause even with the share of work of one in 500 rules', () => {
    const pattern = '^[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,20}[.][a-z]{2,10}$';
    const rules = Array.from({ length: 500 }, (_, at) => ({
      when: `claims.email.matches('${pattern}') && claims.extension_X${at} != 'x'`,
      block: 'm',
      steps: [at < 250 ? 'PostFederationSignup' : SIGN_UP],
    }));
    const check = checkPolicy(documentOf(...rules), '');
    expect(check.ok).toBe(false);
    if (!check.ok) for (const { message } of check.problems) expect(message).toContain('claims.email is absent');
  });

  it('a condition that can fail is found with the default work, and not without work', () => {
    const check = checkPolicy(documentOf({ when, block: 'm', onError: 'skip' }), '');
    if (!check.ok) throw new Error('The document is refused.');
    const rules = check.policy.rules.map((rule) => ({
      ...rule,
      document: { id: 'a', steps: [SIGN_UP], when, block: 'm' },
    }));
    expect(checkRunning(rules as typeof check.policy.rules, 0)).toEqual([]);
    expect(checkRunning(rules as typeof check.policy.rules)).toHaveLength(1);
  });
});

describe('check: the work limit of a step', () => {
  const pattern = (at: number) =>
    `has(claims.email) && claims.email.matches('^[a-z${at}._%+-]{1,64}@[a-z.-]{1,60}[.][a-z]{2,10}$')`;
  const rules = (count: number, step = SIGN_UP) =>
    Array.from({ length: count }, (_, at) => ({ id: `${step}-${at}`, steps: [step], when: pattern(at), block: 'm' }));

  it('20 rules with patterns for e-mail addresses are accepted', () => {
    expect(problemsOf(...rules(20))).toEqual([]);
  });

  it('a policy is refused when a real call could reach the limit, and the problem names the most expensive rules', () => {
    const dear = { id: 'dear', when: `${pattern(7_000)} || ${pattern(8_000)}`, block: 'm' };
    const found = problemsOf(...rules(200), dear).filter(({ path }) => path === 'rules');
    expect(found).toEqual([
      {
        rule: '',
        path: 'rules',
        message: expect.stringMatching(
          /^A call at PostAttributeCollection could take too long\. .* most work is in dear, /,
        ),
      },
    ]);
  });

  it('a part that several rules share counts once', () => {
    const alike = Array.from({ length: 200 }, (_, at) => ({
      id: `alike-${at}`,
      when: `${pattern(1)} && claims.email != '${at}'`,
      block: 'm',
    }));
    expect(problemsOf(...alike)).toEqual([]);
  });

  it('each step has its own limit', () => {
    const each = [...rules(20), ...rules(20, 'PostFederationSignup'), { steps: [TOKEN], set: { city: "'x'" } }];
    expect(problemsOf(...each)).toEqual([]);
  });
});

it('check: a message that shows a claim whose name marks a secret gets a warning that names it', () => {
  const warningsOf = (en: string) => {
    const check = checkPolicy(
      {
        messages: { m: { en } },
        rules: [{ id: 'r', steps: [SIGN_UP], when: "'a' == claims.city", onError: 'skip', block: 'm' }],
      },
      '',
    );
    return check.ok ? check.policy.warnings.map(({ path, message }) => `${path} ${message}`) : [];
  };
  expect(warningsOf('{extension_Pin} of {givenName}. {supportCode}')).toEqual([
    expect.stringMatching(/^messages\.m It shows \{extension_Pin\}: /),
  ]);
  expect(warningsOf('{extension_LoyaltyId} of {postalCode}. {supportCode}')).toEqual([]);
});
