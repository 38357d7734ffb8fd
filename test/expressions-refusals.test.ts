/** What no expression may say, and what its author reads instead. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, MAX_SOURCE } from '../src/policy/expressions/limits.ts';
import { aScope, compiled, compiling, problemsOf } from './expressions.ts';

const LONG = '0123456789abcdef0123456789ABCDEF';

describe('a name that is none', () => {
  it.each([
    ["idenity.issuer == 'x'", 'There is no variable idenity. Did you mean identity?'],
    ["email == 'x'", 'There is no variable email: write claims.email.'],
    ["extension_X == 'x'", 'There is no variable extension_X: write claims.extension_X.'],
    [
      'request.step == PreTokenIssuance',
      "There is no variable PreTokenIssuance. The variables are claims, identity, person, request, lists. Texts stand in quotes: 'PreTokenIssuance'.",
    ],
    ['True', 'There is no variable True: write true or false in small letters.'],
    ['string == 5', 'string is a function: write string(text).'],
    ["identity.isuer == 'x'", 'identity has no isuer. Did you mean identity.issuer?'],
    ["request.xyz == 'x'", 'request has no xyz. It has step, clientId, application, locale, channel, time.'],
    ["person.name == 'x'", 'person has no name. It has roles, groups, attributes.'],
    ["'x' in lists.code", 'There is no list called code. Did you mean lists.codes?'],
    ["'x' in lists['blockeddomains']", 'There is no list called blockeddomains. Did you mean lists.blockedDomains?'],
    ["'x' in lists.people", 'There is no list called people. There are: codes, blockedDomains.'],
    ["claims.lastName == 'x'", 'claims.lastName is read as claims.surname: write that.'],
    ['has(claims.surName)', 'claims.surName is read as claims.surname: write that.'],
    ["claims['clientId'] == 'x'", 'claims.clientId is read as claims.client_id: write that.'],
    ["claims.signInNames.emailAddress == 'x'", 'claims.signInNames.emailAddress is read as claims.email: write that.'],
    [
      "claims['signInNames.emailAddress'] == 'x'",
      'claims.signInNames.emailAddress is read as claims.email: write that.',
    ],
    [
      `has(claims.extension_${LONG}_LoyaltyId)`,
      `claims.extension_${LONG}_LoyaltyId is read without the id of the extensions app: write claims.extension_LoyaltyId.`,
    ],
    [
      "'Extension_X' in claims",
      'claims.Extension_X begins with extension_ in small letters: write claims.extension_X.',
    ],
    ["claims.Email == 'x'", 'There is no claims.Email: write claims.email.'],
    ['has(claims.identities)', 'claims.identities is no claim: write identity.issuer and identity.id.'],
    [
      'claims.email.domain == "x"',
      'claims.email has no members: write claims.email alone instead of claims.email.domain.',
    ],
    [
      'person.roles.editor',
      "person.roles is a list: write person.roles[0], or '…' in person.roles, instead of person.roles.editor.",
    ],
    [
      "person.attributes.tier.x == 'y'",
      'person.attributes.tier has no members: write person.attributes.tier alone instead of person.attributes.tier.x.',
    ],
    ['lists.codes.SPRING', "Entries of a list are asked for with in: write 'SPRING' in lists.codes."],
    ["domian(request.step) == 'x'", 'There is no function domian: did you mean domain(text)?'],
    ["request.step.toLowerCase() == 'x'", 'There is no function toLowerCase: did you mean text.lowerAscii()?'],
    ['now() > request.time', 'There is no function now: did you mean request.time?'],
    ['frobnicate(1) == 1', 'There is no function frobnicate.'],
    ['__not_strictly_false__(true)', 'There is no function __not_strictly_false__.'],
  ])('%s', (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  });

  it('is found wherever it stands', () => {
    for (const within of [
      '[nobody] == []',
      "{'a': nobody} == 1",
      '(true ? nobody : true)',
      'person.roles.exists(x, x == nobody)',
      'nobody.all(x, true)',
      'has(nobody.x)',
      'nobody.x.y',
      "person.roles[nobody] == 'a'",
      '!nobody',
      'size(nobody) > 1',
      'string(nobody).matches("a")',
      '.nobody',
    ]) {
      expect(problemsOf(within)).toContainEqual(expect.stringContaining('There is no variable'));
    }
  });

  it('is no member of a prototype either', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(problemsOf(name)).not.toEqual([]);
      expect(problemsOf(`identity.${name} == 'x'`)).not.toEqual([]);
      expect(problemsOf(`'x' in lists.${name}`)).not.toEqual([]);
      expect(problemsOf(`request.step.${name}()`)).not.toEqual([]);
      expect(compiled(`has(claims.${name})`).run(aScope())).toEqual({ ok: true, value: false });
      expect(compiled(`has(person.attributes.${name})`).run(aScope())).toEqual({ ok: true, value: false });
    }
  });
});

describe('a call that cannot be meant', () => {
  it.each([
    [
      'size(request.step, 5) > 5',
      'size does not take 2 arguments, as in size(request.step, 5): write size(list), size(text), size(map), list.size(), text.size(), map.size().',
    ],
    ["matches(request.step, 'x')", "matches is written text.matches(text), not matches(request.step, 'x')."],
    ["request.step.domain() == 'x'", 'domain is written domain(text), not request.step.domain().'],
    [
      'request.step.matches()',
      'matches does not take 0 arguments, as in request.step.matches(): write text.matches(text).',
    ],
    [
      "age('2001-01-01', request.time) > 5",
      "age does not take 2 arguments, as in age('2001-01-01', request.time): write age(text).",
    ],
    [
      'size(5) > 1',
      'size(5) cannot be: 5 is a whole number. It is written size(list), size(text), size(map). string(…) makes a text of a number.',
    ],
    [
      'claims.postalCode > 5',
      'claims.postalCode > 5 cannot be: claims.postalCode is text and 5 is a whole number. Write string(…) around the number, or double(…) around the text.',
    ],
    [
      'claims.extension_N + 1 > 18.0',
      'claims.extension_N + 1 cannot be: claims.extension_N is text, a number or true/false and 1 is a whole number. Write string(…) around the number, or double(…) around the text.',
    ],
    [
      '1 + 1.5 > 2.0',
      '1 + 1.5 cannot be: 1 is a whole number and 1.5 is a number. Numbers among claims are no whole numbers to CEL: write 1.0 instead of 1, or double(…).',
    ],
    [
      "person.roles.contains('x')",
      "person.roles.contains('x') cannot be: person.roles is a list and 'x' is text. It is written text.contains(text). For lists write 'x' in person.roles, or person.roles.exists(x, …).",
    ],
    [
      "'x' in request.step",
      "'x' in request.step cannot be: 'x' is text and request.step is text. For texts write request.step.contains('x').",
    ],
    ['!request.step', '!request.step cannot be: request.step is text.'],
    [
      'claims.postalCode == 12345',
      "claims.postalCode is text and 12345 is a whole number: they are never equal. Write claims.postalCode == '12345'.",
    ],
    [
      'claims.postalCode != size(request.step)',
      'claims.postalCode is text and size(request.step) is a whole number: they are never equal. Write claims.postalCode != string(size(request.step)).',
    ],
    [
      "person.roles == 'editor'",
      "person.roles is a list and 'editor' is text: they are never equal. Write 'editor' in person.roles.",
    ],
    [
      'claims.postalCode in [12345, 54321]',
      'claims.postalCode is text and [12345, 54321] holds a whole number: it is never in there. Write all in one kind; texts stand in quotes.',
    ],
    [
      'size(request.step) in lists.codes',
      'lists.codes holds texts, and size(request.step) is a whole number: write string(size(request.step)) in lists.codes.',
    ],
    ['request.step && true', '&& takes true or false, and request.step is text: compare it with something.'],
    ['request.step ? true : false', '? takes true or false, and request.step is text: compare it with something.'],
    ['person.roles.exists(x, x)', 'exists() takes true or false, and x is text: compare it with something.'],
    ["person.roles[1.0] == 'x'", 'Entries of a list are counted by whole numbers from 0: write int(1.0).'],
    [
      "person.roles['0'] == 'x'",
      "person.roles is a list: write person.roles[0], or '…' in person.roles, instead of person.roles.0.",
    ],
    ["{'a': true}[1]", 'Keys are texts, and 1 is a whole number: write string(1).'],
    ["request.step[0] == 'x'", 'request.step is text and has no members: leave [0] out.'],
    [
      "timestamp('2026-13-01T00:00:00Z') < request.time",
      "timestamp('2026-13-01T00:00:00Z') always fails: that is no time as in 2026-01-31T00:00:00Z.",
    ],
    [
      "request.time < request.time + duration('1 day')",
      "duration('1 day') always fails: that is no duration as in 24h.",
    ],
    ["int('five') > 1", "int('five') always fails: that is no whole number."],
    [
      "request.time.getHours('Berlin') > 1",
      'There is no time zone Berlin: write a name as in Europe/Berlin, or an offset as in +02:00.',
    ],
    [
      'request.time.getHours(request.locale) > 1',
      "A time zone is written out, as in request.time.getHours('Europe/Berlin').",
    ],
  ])('%s', (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  });
});

describe('what has no use here', () => {
  it.each([
    [
      'google.protobuf.Timestamp{seconds: 5} < request.time',
      'google.protobuf.Timestamp{…} has no use here: write a text, a number, true or false.',
    ],
    [
      "bytes('a') == bytes('a')",
      'bytes() has no use here: compare with a value, or convert with string(), int(), double() or bool().',
    ],
    ["b'a' == b'a'", "Bytes have no use here: write a text without the b before its quotes, as in 'abc'."],
    [
      'dyn(request.step) == 5',
      'dyn() has no use here: compare with a value, or convert with string(), int(), double() or bool().',
    ],
    [
      'type(1) == type(2)',
      'type() has no use here: compare with a value, or convert with string(), int(), double() or bool().',
    ],
    [
      'claims.email == null',
      'There is no null here: a claim that was not sent is absent. Write !has(claims.x), or has(claims.x).',
    ],
    [
      'size(claims) > 5',
      "claims cannot be used as a whole: name what you mean by a name written out, as in claims.email, or 'email' in claims.",
    ],
    [
      "claims[request.step] == 'x'",
      "claims cannot be used as a whole: name what you mean by a name written out, as in claims.email, or 'email' in claims.",
    ],
    [
      'request.step in claims',
      "claims cannot be used as a whole: name what you mean by a name written out, as in claims.email, or 'email' in claims.",
    ],
    [
      "'x' in lists[request.step]",
      'lists cannot be used as a whole: name what you mean by a name written out, as in claims.country in lists.codes.',
    ],
    [
      'request.step in person.attributes',
      'person.attributes cannot be used as a whole: name one, as in person.attributes.loyaltyId.',
    ],
    [
      'person == person',
      'person cannot be used as a whole: name what you mean by a name written out, as in person.roles.',
    ],
    [
      'has(claims)',
      "claims cannot be used as a whole: name what you mean by a name written out, as in claims.email, or 'email' in claims.",
    ],
    ['has(claims.email, claims.city)', 'has() takes one member, as in has(claims.email).'],
    ['has(request.step.x)', 'request.step has no members: write request.step alone instead of request.step.x.'],
    ['lists.codes == lists.codes', "lists.codes can only be asked with in: write 'x' in lists.codes."],
    ['[lists.codes] == []', "lists.codes can only be asked with in: write 'x' in lists.codes."],
    ['{1: true}.x', "The keys of a map are texts written out, as in {'DE': 'Germany'}."],
    ["'a' in {request.step: true}", "The keys of a map are texts written out, as in {'DE': 'Germany'}."],
    ["'a' in {'a': true, 'a': false}", "The key 'a' stands twice in a map: leave one out."],
    ["'a' in {'a': {}}", "{…} can only be asked with in: write 'x' in {…}."],
    [
      '99999999999999999999 > 1',
      '99999999999999999999 is too large for a whole number, which goes to 9223372036854775807: write it with a point, as in 1e30, or as a text.',
    ],
    [
      '99999999999999999999u > 1',
      '99999999999999999999 is too large for a whole number, which goes to 18446744073709551615: write it with a point, as in 1e30, or as a text.',
    ],
    ['1e999 > 1.0', 'A number here is too large to be one: write it with fewer digits.'],
  ])('%s', (source, problem) => {
    expect(problemsOf(source)).toContain(problem);
  });
});

describe('macros', () => {
  it.each([
    [
      "lists.codes.exists(x, x == 'a')",
      'exists() goes through lists that are written out or come with the call: for lists.codes use in.',
    ],
    [
      "{'a': 1}.all(x, x == 'a')",
      'all() goes through lists that are written out or come with the call: for {…} use in.',
    ],
    ["request.step.map(x, x) == ['a']", 'map() goes through lists, and request.step is text.'],
    [
      "(has(claims.email) ? person.roles : 'x').exists(x, true)",
      "exists() goes through lists, and has(claims.email) ? person.roles : 'x' is text or a list.",
    ],
    [
      'claims.exists(x, true)',
      "claims cannot be used as a whole: name what you mean by a name written out, as in claims.email, or 'email' in claims.",
    ],
    [
      'person.attributes.exists(x, true)',
      'person.attributes cannot be used as a whole: name one, as in person.attributes.loyaltyId.',
    ],
    [
      'person.roles.exists(r, person.groups.exists(g, g == r))',
      'A macro within a macro (exists) takes too long: use in, as in x in person.groups.',
    ],
    [
      'person.roles.map(r, person.groups.filter(g, g == r)) == []',
      'A macro within a macro (filter) takes too long: use in, as in x in person.groups.',
    ],
    ['person.roles.exists(claims, true)', 'claims is a variable already: write another name in exists, as x.'],
    ['person.roles.exists(x.y, true)', 'exists is written list.exists(x, condition), where x is a name of your own.'],
    ['person.roles.filter(x)', 'filter is written list.filter(x, condition), where x is a name of your own.'],
  ])('%s', (source, problem) => {
    expect(problemsOf(source)).toContain(problem);
  });

  it('may follow each other', () => {
    expect(problemsOf("person.roles.filter(x, x != 'a').map(x, x + '!').exists(x, x == 'b!')")).toEqual([]);
  });
});

describe('patterns', () => {
  it.each([
    [
      'claims.email.matches(request.step)',
      "The pattern of matches is written out, as in claims.postalCode.matches('^[0-9]{5}$').",
    ],
    [
      "claims.email.matches('a' + 'b')",
      "The pattern of matches is written out, as in claims.postalCode.matches('^[0-9]{5}$').",
    ],
    [
      "claims.email.matches('(?=a)')",
      "RE2 does not take the pattern '(?=a)': invalid or unsupported Perl syntax: `(?=`. It has no lookahead or lookbehind: write a second condition with && instead.",
    ],
    ["claims.email.matches('[z-a]')", "RE2 does not take the pattern '[z-a]': invalid character class range: `z-a`."],
    [
      String.raw`claims.email.matches('(a)\\1')`,
      String.raw`RE2 does not take the pattern '(a)\1': invalid escape sequence: ${'`'}\1${'`'}. It has no references back to a group.`,
    ],
    [
      String.raw`claims.email.matches('\b[a-z]')`,
      `The pattern '\uFFFD[a-z]' holds a control character, which ${String.raw`\b`} in a text is: for the edge of a word write ${String.raw`\\b`}.`,
    ],
    ["claims.email.matches('a**')", "RE2 does not take the pattern 'a**': invalid nested repetition operator: `**`."],
    [
      "claims.email.matches('^.{1,1000}$')",
      "The pattern '^.{1,1000}$' is too large: RE2 makes 2003 steps of it, at most 700 are allowed. Write * or + instead of large counts, and size() to limit the length.",
    ],
  ])('%s', (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  });

  it('as people write them for addresses and codes are taken', () => {
    for (const pattern of [
      '^[a-z0-9._%+-]{1,64}@[a-z0-9.-]{1,255}[.][a-z]{2,10}$',
      '^(?i)[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$',
      String.raw`^\\+?[0-9 ()/-]{5,20}$`,
      String.raw`^[\\p{L}\\p{M} .’-]+$`,
      '^.{1,256}$',
    ]) {
      expect(problemsOf(`request.step.matches('${pattern}')`)).toEqual([]);
    }
  });

  it('nested without end are refused, not thrown', () => {
    expect(problemsOf(`request.step.matches('${'('.repeat(1_900)}${')'.repeat(1_900)}')`)).toHaveLength(1);
  });
});

describe('text that is no expression', () => {
  it.each([
    ['', 'It is empty: write a condition, as in has(claims.email).'],
    [' \n ', 'It is empty: write a condition, as in has(claims.email).'],
    ["claims.email = 'x'", "It cannot be read from character 14 on (= 'x'). To compare, write ==."],
    ["claims.email === 'x'", "It cannot be read from character 16 on (= 'x'). To compare, write ==."],
    ["request.step == 'x' and true", 'It cannot be read from character 21 on (and true). For "and" write &&.'],
    ['true OR false', 'It cannot be read from character 6 on (OR false). For "or" write ||.'],
    ['true & false', 'It cannot be read from character 6 on (& false). For "and" write &&.'],
    ['true | false', 'It cannot be read from character 6 on (| false). For "or" write ||.'],
    ['not true', 'It cannot be read from character 1 on (not true). For "not" write !(…).'],
    [
      'request.step == ',
      'It cannot be read from character 14 on (== ). What stands beside it is missing, or cannot be read.',
    ],
    [
      "request.step == 'x",
      "It cannot be read from character 17 on ('x). The text that begins there has no closing quote on its line.",
    ],
    [
      'request.step == “x”',
      "It cannot be read from character 17 on (“x”). Texts stand in straight quotes, as in 'abc'.",
    ],
    ['true && (size([1) > 0', 'It cannot be read from character 17 on () > 0). There is no ( that it closes.'],
    [
      "has(claims.email) && domain(claims.email == 'x'",
      "It cannot be read from character 28 on ((claims.email == 'x'). The ( is never closed.",
    ],
    ['true)', 'It cannot be read from character 5 on ()). There is no ( that it closes.'],
    [
      'claims.?email',
      'It cannot be read from character 7 on (.?email). Optional members have no use here: ask with has(…) first.',
    ],
    [
      "claims[?'email']",
      "It cannot be read from character 7 on ([?'email']). Optional members have no use here: ask with has(…) first.",
    ],
    ['true ? false', 'It cannot be read from character 6 on (? false). A choice is written condition ? a : b.'],
    [
      'claims.a-b.c.',
      "It cannot be read from character 13 on (.). A name follows a dot; any other name stands in brackets and quotes, as in claims['a b'].",
    ],
    [
      '1 2',
      'It cannot be read from character 3 on (2). An operator, a comma or a dot is missing before it. Texts stand in quotes.',
    ],
    [
      'if == 5',
      "if (character 1) is a word that CEL keeps for itself: write it in brackets and quotes, as in claims['if'].",
    ],
    ["'\\ud800' == ''", 'It cannot be read: surrogate code points are not allowed.'],
  ])('%j', (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  });

  it('is refused whatever it is, in whole sentences, and nothing is thrown', () => {
    const tokens = fc.constantFrom(
      'claims',
      '.',
      'email',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      "'a'",
      '"',
      "'",
      '&&',
      '||',
      '!',
      '?',
      ':',
      '==',
      '=',
      ' ',
      '5',
      '1.5',
      'has',
      'in',
      'exists',
      'x',
      ',',
      '-',
      '+',
      '//',
      '\\',
      '\n',
      'b',
      'r',
      '`',
      'null',
      'é',
      '💥',
      '\0',
    );
    const sources = fc.oneof(
      fc.array(tokens, { maxLength: 20 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(sources, fc.constantFrom('condition' as const, 'value' as const), (source, expects) => {
        const outcome = compiling(source, expects);
        if (outcome.ok) return;
        expect(outcome.problems.length).toBeGreaterThan(0);
        for (const problem of outcome.problems) expect(problem).toMatch(/^.+[.…?]$/s);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('bounds', () => {
  it(`more than ${MAX_SOURCE} characters are refused`, () => {
    const source = (length: number) => `true${' '.repeat(length - 4)}`;
    expect(problemsOf(source(MAX_SOURCE))).toEqual([]);
    expect(problemsOf(source(MAX_SOURCE + 1))).toEqual([
      'It has 4001 characters, at most 4000 are allowed: write several rules, or a list.',
    ]);
  });

  it('nesting too deep is refused, however it is nested, and nothing is thrown', () => {
    const deep = [
      (levels: number) => `${'('.repeat(levels)}true${')'.repeat(levels)}`,
      (levels: number) => `${'!(true && '.repeat(levels)}true${')'.repeat(levels)}`,
      (levels: number) => `${'size(['.repeat(levels)}1${']) == 1'.repeat(levels)}`,
      (levels: number) => `${"{'a':".repeat(levels)}1${'}'.repeat(levels)}`,
      (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)} == []`,
      (levels: number) => `${'true?'.repeat(levels)}true${':true'.repeat(levels)}`,
      (levels: number) => `${'true?true:'.repeat(levels)}true`,
      (levels: number) => `1${'+1'.repeat(levels)} == 1`,
      (levels: number) => `claims${'.a'.repeat(levels)} == 1`,
      (levels: number) => `person.roles${'.filter(x,true)'.repeat(levels)} == []`,
      (levels: number) => `${'-'.repeat(levels)}1 == 1`,
      (levels: number) => `${'('.repeat(levels)}true`,
    ];
    for (const nested of deep) {
      for (const levels of [1, 20, 99, 101, 150, 300, 390, 800, 1_900]) {
        const source = nested(levels);
        if (source.length > MAX_SOURCE) continue;
        const outcome = compiling(source);
        if (outcome.ok) outcome.expression.run(aScope());
        else expect(outcome.problems.length).toBeGreaterThan(0);
      }
    }
    expect(problemsOf(`1${'+1'.repeat(MAX_DEPTH + 50)} == 1`)).toEqual([
      'It is nested too deeply: write several rules, or use && and || instead of ? and brackets.',
    ]);
    // && and || may be as many as there is room for.
    expect(problemsOf(`true${' && true'.repeat(400)}`)).toEqual([]);
  });

  it('what could take long is refused', () => {
    const heavy = "claims.city.matches('[a-z]{1,300}$')";
    expect(problemsOf(heavy)).toEqual([]);
    const tooLong = [
      'This could take too long: write a smaller pattern or fewer calls, above all within exists, all, map or filter.',
    ];
    expect(problemsOf(`person.roles.exists(role, ${heavy})`)).toEqual(tooLong);
    expect(problemsOf(Array.from({ length: 40 }, () => heavy).join(' || '))).toEqual(tooLong);
    const titles = Array.from({ length: 80 }, () => 'titleCase(claims.city) == role').join('||');
    expect(problemsOf(`(person.roles + person.groups).exists(role, ${titles})`)).toEqual(tooLong);
    expect(problemsOf(`person.roles.exists(role, ${"'%f'.format([1.5]) == 'x'||".repeat(20)}true)`)).toEqual(tooLong);
    expect(problemsOf("claims.city.split(',').exists(part, part.matches('^[a-z]{2,3}$'))")).toEqual([]);
  });
});

describe('a condition', () => {
  it.each([
    ['claims.email', 'A condition is true or false, and claims.email is text: compare it with something.'],
    ['1 + 1', 'A condition is true or false, and 1 + 1 is a whole number: compare it with something.'],
    ['person.roles', 'A condition is true or false, and person.roles is a list: compare it with something.'],
  ])('%s', (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  });
});

describe('a value', () => {
  it.each([
    ['', "It is empty: write a value, as in claims.displayName, or '' for an empty one."],
    [
      'request.time',
      'A claim is text, a number, true or false, or a list of texts, and request.time is a time: write string(…), or texts in quotes.',
    ],
    [
      "{'a': 'b'}",
      'A claim is text, a number, true or false, or a list of texts, and {…} is a map: write string(…), or texts in quotes.',
    ],
    [
      'lists.codes',
      'A claim is text, a number, true or false, or a list of texts, and lists.codes is a map: write string(…), or texts in quotes.',
    ],
    [
      '[1, 2]',
      'A claim is text, a number, true or false, or a list of texts, and [1, 2] is a list of a whole number: write string(…), or texts in quotes.',
    ],
  ])('%s', (source, problem) => {
    expect(problemsOf(source, 'value')).toEqual([problem]);
  });
});

it('all problems of an expression are said at once, each once', () => {
  expect(
    problemsOf(
      "claims.lastName == 'x' || domian(emal) == 'x' || claims.lastName.matches('[a') || 'x' in lists.nothing",
    ),
  ).toEqual([
    'claims.lastName is read as claims.surname: write that.',
    expect.stringContaining('There is no variable emal'),
    'There is no function domian: did you mean domain(text)?',
    "RE2 does not take the pattern '[a': missing closing ]: `[a`.",
    expect.stringContaining('There is no list called nothing.'),
  ]);
});
