/** What a rule reads, compares and shows at exchanges. */
import { describe, expect, it } from 'vitest';
import { at, checkOf, MESSAGES, problemsOf, SIGN_UP, warningsOf } from '../../support/exchange-policy.ts';

describe('the claims that a rule reads at exchanges', () => {
  const reading = (when: string, ...steps: string[]) => problemsOf([{ steps, when, onError: 'skip', block: 'm' }]);

  it('are the inputs of the exchanges in its steps, and the built-in ones', () => {
    const when = "claims.loyaltyId == 'x' && claims.email == 'y' && has(claims.ipAddress) && 'policyId' in claims";
    expect(reading(when, 'ValidateProfile')).toEqual([]);
    expect(reading("claims.loyaltyid == 'x'", 'ValidateProfile')).toEqual([]);
    expect(reading("claims.loyaltyId == 'x' || claims.isMember", 'ValidateProfile', 'GetProfile')).toEqual([]);
  });

  it('are refused when no exchange of the steps has them', () => {
    const message = (name: string, advice: string) => [
      `rules[0].when: No exchange of the rule has the input ${name}. ${advice}`,
    ];
    expect(reading("claims.loyaltyID2 == 'x'", 'ValidateProfile')).toEqual(
      message('loyaltyID2', 'Did you mean claims.loyaltyId?'),
    );
    expect(reading('has(claims.isMember)', 'ValidateProfile')).toEqual(
      message('isMember', 'Add it to the inputs of ValidateProfile.'),
    );
    expect(reading("'isMember' in claims", 'ValidateProfile')).toHaveLength(1);
    expect(reading("claims['isMember'] == true", 'ValidateProfile')).toHaveLength(1);
    expect(reading('has(claims.loyaltyId.x)', 'ValidateProfile')).toHaveLength(1);
    expect(reading('has(claims.isMember)', 'SignInStarted')).toHaveLength(1);
    expect(reading('has(claims.city)', 'ValidateProfile')).toHaveLength(1);
  });

  it('have any name when a step of a user flow is among the steps', () => {
    expect(reading("claims.extension_X == 'x'", SIGN_UP)).toEqual([]);
    expect(reading("claims.extension_X == 'x'", SIGN_UP, 'ValidateProfile')).toEqual([]);
  });

  it('have the type of their input', () => {
    expect(reading("claims.count == 'x'", 'ValidateProfile').join()).toContain('they are never equal');
    expect(reading('claims.count == 3', 'ValidateProfile')).toEqual([]);
    expect(reading('3 < claims.count', 'ValidateProfile')).toEqual([]);
    expect(reading('claims.count in [1, 2]', 'ValidateProfile')).toEqual([]);
    expect(reading('claims.loyaltyId == 7', 'ValidateProfile').join()).toContain('they are never equal');
    expect(reading('claims.isMember', 'GetProfile')).toEqual([]);
    expect(reading("claims.isMember == 'true'", 'GetProfile').join()).toContain('they are never equal');
    // A number at one step and a text at the other; a number at one and anything in a user flow.
    expect(reading("claims.count == 'x' || claims.count == 3", 'ValidateProfile', 'GetProfile')).toEqual([]);
    expect(reading("claims.count == 'x' || claims.count == 3", 'ValidateProfile', SIGN_UP)).toEqual([]);
  });

  it('run with samples of their type, so that a guard suffices', () => {
    const guarded = (when: string, ...steps: string[]) => problemsOf([{ steps, when, block: 'm' }]);
    expect(guarded('has(claims.count) && claims.count > 3.0', 'ValidateProfile')).toEqual([]);
    expect(guarded('has(claims.isMember) && claims.isMember', 'GetProfile')).toEqual([]);
    expect(guarded("has(claims.loyaltyId) && claims.loyaltyId.startsWith('x')", 'ValidateProfile')).toEqual([]);
    expect(guarded('has(claims.count) && claims.count > 3.0', 'ValidateProfile', SIGN_UP)).toHaveLength(1);
    expect(guarded('claims.count > 3.0', 'ValidateProfile').join()).toContain('when claims.count is absent');
    const postal = { Ask: { kind: 'validation', inputs: { postalCode: { from: 'zip', type: 'number' } } } };
    const rule = { ...at('Ask'), when: 'has(claims.postalCode) && claims.postalCode > 3.0', block: 'm' };
    expect(problemsOf([rule], { exchanges: postal })).toEqual([]);
  });

  it('are read under every name that the document may give them', () => {
    const exchanges = { Ask: { kind: 'validation', inputs: { locale: 'lang', lastName: 'ln', clientId: 'app' } } };
    const when = "claims.locale == 'de' || claims.ui_locales == 'de' || claims.lastName == claims.surname";
    expect(problemsOf([{ ...at('Ask'), when, onError: 'skip', block: 'm' }], { exchanges })).toEqual([]);
    const check = checkOf([{ ...at('Ask'), when: 'has(claims.locale)', block: 'm' }], { exchanges });
    expect(check.ok && check.policy.rules[0]?.when?.tree).toEqual(['has', 'claims', 'ui_locales']);
  });
});

describe('texts that rules compare', () => {
  const comparing = (when: string) => problemsOf([{ ...at('ValidateProfile'), when, block: 'm' }]);

  it('with request.step name a step or an exchange, and with request.channel a channel', () => {
    expect(comparing("request.step == 'ValidateProfile' || request.step == 'PreTokenIssuance'")).toEqual([]);
    expect(comparing("request.step == 'validateprofile'").join()).toContain('Write ValidateProfile');
    expect(comparing("request.step in ['Nonsense']").join()).toContain('can never equal request.step');
    expect(comparing("request.channel == 'custom-policy' || request.channel == 'user-flow'")).toEqual([]);
    expect(comparing("request.channel == 'Custom-Policy'").join()).toContain('Write custom-policy');
    expect(comparing("request.channel == 'b2c'").join()).toContain('Write user-flow or custom-policy');
  });
});

describe('messages of exchanges', () => {
  const saying = (text: string, ...steps: string[]) =>
    problemsOf([{ steps, when: 'true', block: 'm' }], { messages: { m: { en: text } } });

  it('may show inputs of an exchange whose rules use them, and no claim that is always empty', () => {
    expect(saying('{loyaltyId} {email} {supportCode} {ui_locales}', 'ValidateProfile')).toEqual([]);
    expect(saying('{loyaltiId} {supportCode}', 'ValidateProfile')).toEqual([
      'messages.m.en: {loyaltiId} is always empty. No exchange of the rule has the input loyaltiId. Did you mean claims.loyaltyId?',
    ]);
    expect(saying('{isMember} {supportCode}', 'ValidateProfile')).toHaveLength(1);
    expect(saying('{isMember} {supportCode}', 'ValidateProfile', 'GetProfile')).toEqual([]);
    expect(saying('{extension_X} {supportCode}', 'ValidateProfile', SIGN_UP)).toEqual([]);
    expect(saying('{locale} {supportCode}', 'ValidateProfile')[0]).toContain('Write {ui_locales}');
  });

  it('that replace a built-in text may show every claim', () => {
    const messages = { m: MESSAGES.m, 'exchange-unavailable': { en: '{extension_X} {supportCode}' } };
    expect(warningsOf([], { messages, exchanges: {} })).toEqual([
      expect.stringContaining('messages.m: No rule uses it'),
    ]);
  });
});
