/** Entries of lists, and literals, that can never equal what a rule compares them with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy, compileText } from '../../../src/desk/policies/check.ts';
import { refusing, triesOf } from '../../support/try-policy.ts';

const policyOf = (when: string, entries: readonly string[]) => ({ lists: { x: entries }, rules: [refusing(when)] });
const problemsOf = (when: string, entries: readonly string[]) => {
  const check = checkPolicy(policyOf(when, entries), '');
  return check.ok ? [] : check.problems.map(({ path, message }) => `${path}: ${message}`);
};
const warningsOf = (when: string, entries: readonly string[]) => {
  const check = checkPolicy(policyOf(when, entries), '');
  return check.ok ? check.policy.warnings.map(({ path, message }) => `${path}: ${message}`) : undefined;
};

const DOMAIN = 'has(claims.email) && domain(claims.email) in lists.x';
const DOMAIN_IN = 'has(claims.email) && domainIn(claims.email, lists.x)';
const EMAIL = 'has(claims.email) && normalizeEmail(claims.email) in lists.x';
const CODE = 'has(claims.city) && normalizeCode(claims.city) in lists.x';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/).filter((text) => text[3] !== '-');
const domain = fc.tuple(label, fc.constantFrom('com', 'example', 'co.uk')).map((parts) => parts.join('.'));
const pad = fc.constantFrom('', ' ', '\t', '\u00a0', '  ');
/** Ways in which people write a domain that a list of domains must not contain. */
const disguisedDomain = (name: string) =>
  fc
    .tuple(
      pad,
      fc.constantFrom('', '@', '*.', '*@', '.', 'https://', 'http://', 'mailto:jane@', 'jane@'),
      fc.mixedCase(fc.constant(name)),
      fc.constantFrom('', '.', '/', '/path?q=1', ':443'),
      pad,
    )
    .map((parts) => parts.join(''))
    .filter((text) => text !== name);

describe('an entry of a list that is compared with domain()', () => {
  it('is accepted in the form that domain() returns, and then matches', async () => {
    await fc.assert(
      fc.asyncProperty(domain, async (name) => {
        for (const when of [DOMAIN, DOMAIN_IN]) {
          const tried = await triesOf(policyOf(when, [name]));
          expect((await tried({ email: `jane@${name}` })).reply.status).toBe(400);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('is refused in every other form, with the spelling that matches', () => {
    fc.assert(
      fc.property(
        domain.chain((name) => fc.tuple(fc.constant(name), disguisedDomain(name))),
        fc.constantFrom(DOMAIN, DOMAIN_IN),
        ([name, entry], when) => {
          expect(problemsOf(when, ['a.example', entry])).toEqual([
            expect.stringMatching(/^lists\.x\[1\]: .* can never equal /s),
          ]);
          expect(problemsOf(when, ['a.example', entry])[0]).toContain(`Write ${name}`);
        },
      ),
    );
  });

  it.each([
    ['letters beyond ASCII', 'b\u00fccher.example', 'xn--bcher-kva.example'],
    ['full-width letters', '\uff4dail.example', 'mail.example'],
    ['an invisible character', 'mail\u200binator.com', 'mailinator.com'],
    ['an ideographic full stop', 'mailinator\u3002com', 'mailinator.com'],
  ])('is refused with %s, with the spelling that matches', (_, entry, right) => {
    expect(problemsOf(DOMAIN, [entry])[0]).toContain(`Write ${right}`);
  });

  it('is refused when no domain can be read from it', () => {
    for (const entry of ['not a domain', '*', '@', 'a,b.example', 'a..b', 'x'.repeat(300)])
      expect(problemsOf(DOMAIN, [entry])).toEqual([expect.stringContaining('Write a domain such as example.com')]);
    for (const entry of ['', 'localhost', '[192.0.2.1]', 'xn--bcher-kva.example', 'my_host.example'])
      expect(problemsOf(DOMAIN, [entry])).toEqual([]);
  });

  it('names domainIn() when the entry has a wildcard', () => {
    expect(problemsOf(DOMAIN, ['*.33mail.com'])[0]).toContain('domainIn(');
  });
});

describe('an entry of a list that is compared with normalizeEmail() or normalizeCode()', () => {
  it('is accepted exactly in the form that the function returns', () => {
    const local = fc.stringMatching(/^[A-Za-z0-9+.]{1,8}$/);
    fc.assert(
      fc.property(pad, local, fc.mixedCase(domain), pad, (before, name, at, after) => {
        const entry = `${before}${name}@${at}${after}`;
        const right = `${name}@${at}`.toLowerCase();
        const problems = problemsOf(EMAIL, [entry]);
        if (entry === right) expect(problems).toEqual([]);
        else expect(problems[0]).toContain(`Write ${right}`);
      }),
    );
    for (const [entry, right] of [
      ['SPRING-7Q4K', 'SPRING7Q4K'],
      ['spring7q4k', 'SPRING7Q4K'],
      [' SPRING7Q4K', 'SPRING7Q4K'],
    ] as const)
      expect(problemsOf(CODE, [entry])[0]).toContain(`Write ${right}`);
    expect(problemsOf(CODE, ['SPRING7Q4K'])).toEqual([]);
  });

  it('is refused when it is no e-mail address', () => {
    for (const entry of [
      'jane@x.example.',
      'jane@x..example',
      'example.com',
      '@example.com',
      '*@example.com',
      'jane@',
      'mailto:jane@x.example',
      'jane@x y',
    ])
      expect(problemsOf(EMAIL, [entry])).toHaveLength(1);
    expect(problemsOf(EMAIL, ['mailto:jane@x.example'])[0]).toContain('Write jane@x.example');
    expect(problemsOf(EMAIL, ['Jane <jane@x.example>'])[0]).toContain('Write jane@x.example');
  });
});

describe('an entry that can never match', () => {
  it('is refused after any conversion of letter case or spaces, and for the client id', () => {
    expect(problemsOf('has(claims.city) && claims.city.lowerAscii() in lists.x', ['Rome'])[0]).toContain('Write rome');
    expect(problemsOf('has(claims.city) && claims.city.trim().upperAscii() in lists.x', [' ROME'])[0]).toContain(
      'Write ROME',
    );
    expect(problemsOf('request.clientId in lists.x', ['C0FFEE00-0000-4000-8000-000000000001'])[0]).toContain(
      'Write c0ffee00-',
    );
    expect(problemsOf('request.clientId in lists.x', ['c0ffee00-0000-4000-8000-000000000001'])).toEqual([]);
  });

  it('is refused when it names no step and no channel', () => {
    const member = (source: string) => problemsOf(`has(claims.city) && ${source}`, [])[0] ?? '';
    expect(member("request.step == 'preTokenIssuance'")).toContain('Write PreTokenIssuance');
    expect(member("request.step in ['PostAttributeCollection', 'signUp']")).toContain('Write PostFederationSignup, ');
    expect(member("request.channel == 'userflow'")).toContain('Write user-flow');
    expect(member("request.step != 'PreTokenIssuance'")).toBe('');
  });

  it('is refused when it is no role, or no name that the policy gives to an application', () => {
    const named = { applications: { 'c0ffee00-0000-4000-8000-000000000001': 'Shop' } };
    const messageFor = (when: string) => {
      const check = checkPolicy({ ...named, lists: { x: ['Read Only'] }, rules: [refusing(when)] }, '');
      return check.ok ? '' : check.problems.map(({ message }) => message).join();
    };
    for (const when of [
      "'Read Only' in person.roles",
      "!('Read Only' in person.groups)",
      "person.roles.exists(r, r == 'Read Only')",
      'person.roles.exists(r, r in lists.x)',
      "person.roles.exists(r, r in ['editor', 'Read Only'])",
    ])
      expect([when, messageFor(when)]).toEqual([when, expect.stringContaining('Write Read-Only')]);
    expect(messageFor("'Read-Only' in person.roles")).toBe('');
    expect(messageFor("request.application == 'shop'")).toContain('Write Shop');
    expect(messageFor("request.application in ['Shop', 'Sohp']")).toContain('Write Shop');
    expect(messageFor("request.application == 'Shop' || request.application == ''")).toBe('');
  });

  it('is refused as the beginning, the end or another part of a text too', () => {
    const partOf = fc.constantFrom(
      ['domain(claims.email)', '.Example.com', '.example.com'],
      ['domain(claims.email)', '@example.com', 'example.com'],
      ['domain(claims.email)', 'b\u00fccher', 'a part of a domain'],
      ['normalizeEmail(claims.email)', '@Example.com', '@example.com'],
      ['claims.email.lowerAscii()', 'Admin', 'admin'],
      ['claims.email.trim().upperAscii()', 'admin ', 'ADMIN '],
      ['normalizeCode(claims.email)', 'SPRING-', 'SPRING'],
      ['request.clientId', 'C0FFEE', 'c0ffee'],
      ['request.step', 'Collections', 'a part of PostFederationSignup'],
      ['request.channel', 'custom_policy', 'a part of user-flow'],
    );
    const method = fc.constantFrom('startsWith', 'endsWith', 'contains');
    fc.assert(
      fc.property(partOf, method, ([text = '', part = '', right = ''], name) => {
        const [problem = ''] = problemsOf(`has(claims.email) && ${text}.${name}('${part}')`, []);
        expect(problem).toMatch(/ can never contain /);
        expect(problem).toContain(`Write ${right}`);
        if (!right.startsWith('a part'))
          expect(problemsOf(`has(claims.email) && ${text}.${name}('${right}')`, [])).toEqual([]);
      }),
    );
    expect(problemsOf("has(claims.email) && claims.email.endsWith('@Example.com')", [])).toEqual([]);
  });

  it('is refused as a literal too', () => {
    for (const when of [
      "has(claims.email) && domain(claims.email) == 'Example.com'",
      "has(claims.email) && domain(claims.email) != 'Example.com'",
      "has(claims.email) && 'Example.com' == domain(claims.email)",
      "has(claims.email) && domain(claims.email) in ['a.example', 'Example.com']",
    ])
      expect(problemsOf(when, [])).toEqual([expect.stringMatching(/^rules\[0\]\.when: .*Write example\.com/)]);
  });

  it('gets a warning, not a refusal, when another rule compares the list with another form', () => {
    const document = {
      lists: { x: ['Example.com'] },
      rules: [refusing(DOMAIN), refusing('has(claims.city) && claims.city in lists.x', { id: 'raw' })],
    };
    const check = checkPolicy(document, '');
    expect(check.ok && check.policy.warnings).toEqual([expect.objectContaining({ path: 'lists.x[0]' })]);
  });

  it('never makes a saved version unreadable: the check is for saving only', () => {
    expect(compileText(JSON.stringify(policyOf(DOMAIN, ['Example.com']))).ok).toBe(true);
  });

  it('names at most 20 entries of a list, and the number of the others', () => {
    const problems = problemsOf(
      DOMAIN,
      Array.from({ length: 1_000 }, (_, at) => `Example${at}.com`),
    );
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toMatch(/^lists\.x: .*980 more/);
  });
});

describe('an entry of a list that is compared with a claim as it arrives', () => {
  it('gets a warning when it has spaces at the ends or invisible characters, with the right spelling', () => {
    const raw = 'has(claims.city) && claims.city in lists.x';
    expect(warningsOf(raw, ['Rome', 'New York'])).toEqual([]);
    for (const entry of [' Rome', 'Rome ', 'Rome\u00a0', 'Ro\u200bme', '\tRome'])
      expect(warningsOf(raw, [entry])).toEqual([expect.stringMatching(/^lists\.x\[0\]: .*Rome/)]);
  });
});

describe('domainIn', () => {
  it('matches the listed domain and every domain under it, and no other', async () => {
    const tried = await triesOf(policyOf(DOMAIN_IN, ['33mail.com', 'example.co.uk']));
    const refused = async (email: string) => (await tried({ email })).reply.status === 400;
    for (const host of [
      '33mail.com',
      'a.33mail.com',
      'A.B.33Mail.Com.',
      'x.example.co.uk',
      '\uff4d.33mail.com',
      '.33mail.com',
      'a..33mail.com',
      '..33mail.com',
    ])
      expect([host, await refused(`jane@${host}`)]).toEqual([host, true]);
    for (const host of ['com', 'x33mail.com', '33mail.com.example', 'co.uk', 'mail.com', ''])
      expect([host, await refused(`jane@${host}`)]).toEqual([host, false]);
  });

  it('equals a search for each parent domain', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(label, { minLength: 1, maxLength: 6 }), fc.array(domain), async (labels, listed) => {
        const host = [...labels, 'example'].join('.');
        const entries = [...listed, 'b.example'];
        const parents = labels.map((_, at) => [...labels.slice(at), 'example'].join('.'));
        const tried = await triesOf(policyOf(DOMAIN_IN, entries));
        const isIn = [...parents, 'example'].some((parent) => entries.includes(parent));
        expect((await tried({ email: `x@${host}` })).reply.status).toBe(isIn ? 400 : 200);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    'domainIn(claims.email)',
    "domainIn(claims.email, ['a.example'])",
    'domainIn(claims.email, lists.other)',
    'domainIn(claims.email, claims.city)',
    'domainIn(lists.x, lists.x)',
    'claims.email.domainIn(lists.x)',
    'domainIn(1, lists.x)',
  ])('is refused without a text and a list of the policy: %s', (source) => {
    expect(problemsOf(`has(claims.email) && ${source}`, ['a.example']).length).toBeGreaterThan(0);
  });
});
