/** The variables of expressions, and the results of evaluation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScopeInputs } from '../../../src/expressions/scope.ts';
import { compiled, evaluated, resultFor, run } from '../../support/compile-expression.ts';

const conditionFor = (source: string, changed: Partial<ScopeInputs> = {}) => run(compiled(source), changed);
const YES = { ok: true, value: true };

describe('evaluation: variables', () => {
  it('claims keep their JSON type', () => {
    const claims = { email: 'jane@example.com', extension_Age: 42, extension_Agreed: false, 'a b': 'x' };
    expect(evaluated('claims.email', { claims })).toBe('jane@example.com');
    expect(evaluated('claims.extension_Age', { claims })).toBe(42);
    expect(evaluated('claims.extension_Agreed', { claims })).toBe(false);
    expect(evaluated("claims['a b']", { claims })).toBe('x');
    expect(conditionFor('claims.extension_Age > 18 && claims.extension_Age == 42', { claims })).toEqual(YES);
    expect(resultFor('claims.country', { claims })).toEqual({ ok: false, why: 'country is absent' });
  });

  it('a claim can have any name', () => {
    const own: { [name: string]: string } = Object.create(null);
    const names = ['__proto__', 'constructor', 'claims', 'request', 'x.y', '', 'now', 'email.x'];
    for (const name of names) own[name] = `the claim ${name}`;
    for (const name of names) {
      expect(evaluated(`claims['${name}']`, { claims: own })).toBe(`the claim ${name}`);
      expect(conditionFor(`'${name}' in claims`, { claims: own })).toEqual(YES);
    }
    expect(evaluated('request.step', { claims: own })).toBe('PostAttributeCollection');
    // A member of a claim is not a claim with a dot in its name.
    expect(() => compiled("claims.x.y == 'e'")).toThrow('has no members');
  });

  it('the members of identity are texts, empty when the call has no identity', () => {
    const identity = { signInType: 'federated', issuer: 'google.com', issuerAssignedId: '108' };
    expect(evaluated('[identity.signInType, identity.issuer, identity.id]', { identity })).toBe(
      'federated google.com 108',
    );
    expect(conditionFor("identity.signInType + identity.issuer + identity['id'] == ''")).toEqual(YES);
    expect(conditionFor('has(identity.issuer) && has(request.time) && has(person.roles)')).toEqual(YES);
  });

  it('person has roles, groups and attributes', () => {
    const person = {
      roles: ['editor', 'reader'],
      groups: ['eu'],
      attributes: { tier: 'gold', points: 5, member: true },
    };
    expect(evaluated("person.roles.join(' ')", person)).toBe('editor reader');
    expect(evaluated('person.roles + person.groups', person)).toBe('editor reader eu');
    expect(evaluated('person.attributes.points', person)).toBe(5);
    expect(conditionFor("person['attributes']['member'] && 'editor' in person.roles", person)).toEqual(YES);
    expect(conditionFor('has(person.attributes.other)', person)).toEqual({ ok: true, value: false });
    expect(evaluated('person.roles')).toBe('');
  });

  it('request has the step, client id, application, locale, channel and time', () => {
    expect(evaluated('[request.step, request.clientId, request.application, request.locale, request.channel]')).toBe(
      'PostAttributeCollection c0ffee00-0000-4000-8000-000000000001 Shop de-AT user-flow',
    );
    expect(evaluated('string(request.time)')).toBe('2026-11-21T12:00:00Z');
    expect(evaluated('string(request.time)', { now: 1_700_000_000_123 })).toBe('2023-11-14T22:13:20.123Z');
  });

  it('a number is never in a list of the policy, unless string() converts it', () => {
    for (const value of ['5', 'SPRING'])
      expect(conditionFor('claims.extension_X in lists.codes', { claims: { extension_X: value } })).toEqual(YES);
    for (const value of [5, true, 'spring', '', 5.5]) {
      expect(conditionFor('claims.extension_X in lists.codes', { claims: { extension_X: value } })).toEqual({
        ok: true,
        value: false,
      });
    }
    expect(conditionFor('string(claims.extension_X) in lists.codes', { claims: { extension_X: 5 } })).toEqual(YES);
  });

  it('a variable is read only when the expression uses it', () => {
    const untouched = new Proxy([], { get: (_, name) => expect.unreachable(`roles.${String(name)}`) });
    const call = { roles: untouched, groups: untouched, attributes: untouched as never, step: 'x', now: Number.NaN };
    expect(conditionFor("request.step == 'x' && identity.issuer == ''", call)).toEqual(YES);
  });
});

describe('evaluation: long texts', () => {
  const city = `contoso.com@${'x'.repeat(20_000)}@contoso.com`;

  it('a long text is present and truncated, and the cut never lets endsWith, matches or domain succeed', () => {
    const claims = { city };
    expect(conditionFor('has(claims.city) && size(claims.city) > 10000', { claims })).toEqual(YES);
    for (const spoof of [10_000 - 'a@contoso.com'.length, 10_001 - 'a@contoso.com'.length]) {
      const email = `${'x'.repeat(spoof)}a@contoso.com.evil.example`;
      expect(evaluated('domain(claims.email)', { claims: { email } })).toBe('');
      expect(
        conditionFor("claims.email.endsWith('contoso.com') || claims.email.matches('contoso[.]com$')", {
          claims: { email },
        }),
      ).toEqual({ ok: true, value: false });
    }
    expect(conditionFor("claims.city.startsWith('contoso.com@')", { claims })).toEqual(YES);
  });

  it('a text of over 10,000 characters cannot become a claim', () => {
    const claims = { city, state: 'x'.repeat(10_000) };
    expect(resultFor('claims.city', { claims })).toEqual({ ok: false, why: 'more than 10,000 characters' });
    expect(resultFor('titleCase(claims.city)', { claims })).toMatchObject({ ok: false });
    expect(evaluated('claims.state', { claims })).toBe('x'.repeat(10_000));
    expect(resultFor("[claims.state, '']", { claims })).toMatchObject({ ok: false });
  });

  it('every variable is truncated', () => {
    const long = 'x'.repeat(20_000);
    const call = {
      identity: { issuer: long, issuerAssignedId: long, signInType: long },
      attributes: { a: long },
      roles: [long, 'editor'],
      step: long,
      clientId: long,
      application: long,
      locale: long,
      channel: long,
    };
    for (const path of [
      'identity.issuer',
      'identity.id',
      'identity.signInType',
      'person.attributes.a',
      'request.step',
      'request.clientId',
      'request.application',
      'request.locale',
      'request.channel',
    ]) {
      expect(evaluated(`size(${path})`, call)).toBe(10_001);
    }
    expect(evaluated('person.roles', call)).toBe('editor');
    expect(evaluated('size(person.groups)', { groups: Array.from({ length: 500 }, (_, index) => `g${index}`) })).toBe(
      100,
    );
  });
});

describe('evaluation: values', () => {
  it.each([
    ["'a'", 'a'],
    ['true', true],
    ['1 + 1', 2],
    ['0.5', 0.5],
    ['9007199254740991', 9_007_199_254_740_991],
    ['-9007199254740991', -9_007_199_254_740_991],
    ["['a', 'b', '']", 'a b '],
    ['[]', ''],
    ["{'DE': 'Germany'}[claims.country]", 'Germany'],
    ["claims.country == 'DE' ? 1 : 0", 1],
  ])('the value of %s is %j', (source, value) => {
    expect(evaluated(source, { claims: { country: 'DE' } })).toBe(value);
  });

  it.each([
    ['9007199254740992', 'too large for a JSON number'],
    ['1.0 / 0.0', 'not a finite number'],
    ['0.0 / 0.0', 'not a finite number'],
    ["[1, 'a']", 'the list contains other values than texts'],
    ["{'a': request.time, 'b': 1}['a']", 'not a text, number, true or false'],
    ['claims.city', 'city is absent'],
    ['int(claims.country)', 'not a whole number'],
    ['person.roles[0]', 'the position is out of range'],
    ['claims.extension_X.trim()', 'trim does not accept operands of these types'],
    ['claims.extension_X && true', 'an operand is neither true nor false'],
    ['timestamp(claims.country) < request.time', 'not a time such as 2026-01-31T00:00:00Z'],
    ['duration(claims.country) > duration("1h")', 'not a duration such as 24h'],
    ['bool(claims.country)', "neither 'true' nor 'false'"],
  ])('%s fails: %s', (source, why) => {
    expect(resultFor(source, { claims: { country: 'FR', extension_X: 5 } })).toEqual({ ok: false, why });
  });
});

describe('evaluation: conditions', () => {
  it('a condition that is neither true nor false fails', () => {
    const extension_X = (value: string | number | boolean) =>
      conditionFor('claims.extension_X', { claims: { extension_X: value } });
    expect(extension_X(true)).toEqual(YES);
    expect(extension_X(false)).toEqual({ ok: true, value: false });
    for (const value of ['true', 1, 0, ''])
      expect(extension_X(value)).toEqual({ ok: false, why: 'neither true nor false' });
  });

  it('|| and && ignore a failing operand when the other one decides, on either side', () => {
    expect(conditionFor("claims.city == 'a' || true")).toEqual(YES);
    expect(conditionFor("true || claims.city == 'a'")).toEqual(YES);
    expect(conditionFor("claims.city == 'a' && false")).toEqual({ ok: true, value: false });
    expect(conditionFor("claims.city == 'a' && true")).toEqual({ ok: false, why: 'city is absent' });
  });
});

describe('evaluation: patterns', () => {
  it('a pattern matches as JavaScript does, also after many long texts', () => {
    const expression = compiled("claims.city.matches('^(a|b)*a(a|b){9}$')");
    const asDefined = /^(a|b)*a(a|b){9}$/;
    const texts = fc
      .array(fc.constantFrom('a', 'b', 'é', '💥'), { size: '+2', maxLength: 3_000 })
      .map((units) => units.join(''));
    fc.assert(
      fc.property(fc.oneof(texts, fc.stringMatching(/^[ab]{5,40}$/)), (city) => {
        expect(run(expression, { claims: { city } })).toEqual({ ok: true, value: asDefined.test(city) });
      }),
      { numRuns: 300 },
    );
  });

  it('several patterns in one expression do not affect each other', () => {
    const both = "[claims.city.matches('^[a-z]+$'), claims.city.matches('^[0-9]+$'), claims.city.matches('^[a-z]+$')]";
    expect(conditionFor(`${both} == [false, true, false]`, { claims: { city: '123' } })).toEqual(YES);
  });
});
