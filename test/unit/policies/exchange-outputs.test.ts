/** What a rule sets at exchanges: the names of outputs, and the types of their values. */
import { describe, expect, it } from 'vitest';
import { at, type Members, problemsOf, SIGN_UP, TOKEN } from '../../support/exchange-policy.ts';

describe('the claims that a rule sets at exchanges', () => {
  const setting = (steps: string[], claims: Members) => problemsOf([{ steps, set: claims }]);

  it('are outputs of every exchange in its steps, in their exact letters', () => {
    expect(setting(['ValidateProfile', 'GetProfile'], { promoCode: "'x'" })).toEqual([]);
    expect(setting(['ValidateProfile'], { 'error-codes': 'person.roles' })).toEqual([]);
    expect(setting(['ValidateProfile'], { promocode: "'x'" })).toEqual([
      'rules[0].set.promocode: ValidateProfile has no output promocode. Did you mean promoCode? ' +
        'Its outputs are promoCode, groups, error-codes, score.',
    ]);
    expect(setting(['ValidateProfile', 'GetProfile'], { balance: "'1'" })).toEqual([
      'rules[0].set.balance: ValidateProfile has no output balance. Its outputs are promoCode, groups, error-codes, score.',
    ]);
    expect(setting(['SignInCompleted'], { a: "'1'" })).toEqual([
      'rules[0].set.a: SignInCompleted has no outputs. Declare a in its outputs, or set it at another step.',
    ]);
  });

  it('may have the names of protocol members at an exchange, and not in a user flow', () => {
    const outputs = { status: 'string', message: 'string', code: 'string', version: 'string', objectId: 'string' };
    const exchanges = { Ask: { kind: 'validation', outputs: { ...outputs, 'a.b': 'string' } } };
    const claims = Object.fromEntries([...Object.keys(outputs), 'a.b'].map((name) => [name, "'x'"]));
    expect(problemsOf([{ ...at('Ask'), set: claims }], { exchanges })).toEqual([]);
    const found = problemsOf([{ ...at('Ask', SIGN_UP), set: claims }], { exchanges });
    expect(found.map((problem) => problem.split(':')[0])).toEqual(
      ['status', 'code', 'version', 'objectId', 'a.b'].map((name) => `rules[0].set.${name}`),
    );
  });

  it('have hyphens and dots at exchanges only', () => {
    for (const claim of ['error-codes', 'a.b'])
      expect(setting([SIGN_UP], { [claim]: "'x'" })).toEqual([
        `rules[0].set.${claim}: Not the name of a claim. Write letters, digits and underscores.`,
      ]);
  });

  it('obey the checks of user flows too when a rule has both kinds of steps', () => {
    const exchanges = { Ask: { kind: 'validation', outputs: { email: 'string', lastName: 'string' } } };
    expect(problemsOf([{ ...at('Ask', SIGN_UP), set: { email: "'x'" } }], { exchanges })).toEqual([]);
    expect(problemsOf([{ ...at('Ask', TOKEN), set: { email: "'x'" } }], { exchanges }).join()).toContain(
      'B2C does not accept email at PreTokenIssuance',
    );
    expect(problemsOf([{ ...at('Ask', SIGN_UP), set: { lastName: "'x'" } }], { exchanges }).join()).toContain(
      'surname',
    );
    expect(problemsOf([{ ...at('Ask'), set: { lastName: "'x'" } }], { exchanges })).toEqual([]);
  });
});

describe('the value of an output', () => {
  const exchanges = {
    Ask: {
      kind: 'validation',
      inputs: { word: 'word', count: { from: 'count', type: 'number' }, flag: { from: 'flag', type: 'boolean' } },
      outputs: { s: 'string', n: 'number', b: 'boolean', l: 'list', j: { type: 'list', join: ';' } },
    },
  };
  const problems = (output: string, value: string) =>
    problemsOf([{ ...at('Ask'), set: { [output]: value } }], { exchanges });

  it.each([
    ['s', "'x'"],
    ['s', '7'],
    ['s', 'true'],
    ['s', 'claims.count'],
    ['s', 'person.attributes.balance'],
    ['n', '7'],
    ['n', '7.5'],
    ['n', "'7.5'"],
    ['n', 'claims.count'],
    ['n', 'claims.word'],
    ['n', 'person.attributes.balance'],
    ['b', 'true'],
    ['b', "'False'"],
    ['b', 'claims.flag'],
    ['b', 'claims.count > 3.0'],
    ['b', 'claims.word'],
    ['l', 'person.roles'],
    ['l', "['a', claims.word]"],
    ['l', '[]'],
    ['l', "claims.word.split(',')"],
    ['j', 'person.groups'],
  ])('of type %s is accepted: %s', (output, value) => {
    expect(problems(output, value)).toEqual([]);
  });

  it.each([
    ['s', 'person.roles', 'The output s is one value'],
    ['s', "['a']", 'The output s is one value'],
    ['n', 'person.roles', 'The output n is one value'],
    ['n', 'true', 'The output n is a number'],
    ['n', 'claims.flag', 'The output n is a number'],
    ['n', "'abc'", 'not a number'],
    ['n', "'007'", 'not a number'],
    ['n', "'x' + claims.word", 'not a number'],
    ['b', '1', 'The output b is true or false'],
    ['b', 'claims.count', 'The output b is true or false'],
    ['b', "'yes'", 'neither true nor false'],
    ['l', "'a'", 'The output l is a list'],
    ['l', 'claims.word', 'The output l is a list'],
    ['l', '[1, 2]', 'The output l is a list'],
    ['j', "person.roles.join(' ')", 'The output j is a list'],
    ['j', "['a;b']", 'contains the separator'],
    ['l', 'person.attributes.x', 'not a list'],
    ['s', 'request.time', 'A claim is text'],
  ])('of type %s is refused: %s', (output, value, message) => {
    expect(problems(output, value)).toEqual([expect.stringContaining(message)]);
  });

  it('must fit the outputs of every exchange in the steps, and a user flow still joins lists', () => {
    const two = {
      Ask: { kind: 'validation', outputs: { roles: 'list' } },
      Other: { kind: 'validation', outputs: { roles: 'string' } },
    };
    const rule = (...steps: string[]) =>
      problemsOf([{ steps, set: { roles: 'person.roles' } }], { exchanges: two }).length;
    expect([rule('Ask'), rule('Other'), rule('Ask', 'Other')]).toEqual([0, 1, 1]);
    const extension = { Ask: { kind: 'validation', outputs: { extension_Roles: 'list' } } };
    const both = { ...at('Ask', TOKEN), set: { extension_Roles: 'person.roles' } };
    expect(problemsOf([both], { exchanges: extension })).toEqual([]);
  });
});
