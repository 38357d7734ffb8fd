/** A policy with two exchanges, and what a check of it says. */
import { checkPolicy } from '../../src/desk/policies/check.ts';

export type Members = Readonly<Record<string, unknown>>;
export const SIGN_UP = 'PostAttributeCollection';
export const TOKEN = 'PreTokenIssuance';

/** Two exchanges, each with inputs and outputs. */
const EXCHANGES: Readonly<Record<string, Members>> = {
  ValidateProfile: {
    kind: 'validation',
    inputs: { loyaltyId: ['loyaltyId', 'number'], count: { from: 'count', type: 'number' } },
    outputs: { promoCode: 'string', groups: { type: 'list', join: ',' }, 'error-codes': 'list', score: 'number' },
  },
  GetProfile: {
    kind: 'orchestration',
    inputs: { isMember: { from: 'isMember', type: 'boolean' }, count: 'count' },
    outputs: { promoCode: 'string', balance: 'string', member: 'boolean' },
  },
};
export const MESSAGES = { m: { en: 'No {supportCode}' } };

export const checkOf = (rules: readonly Members[], more: Members = {}) =>
  checkPolicy(
    JSON.parse(
      JSON.stringify({
        messages: MESSAGES,
        exchanges: EXCHANGES,
        rules: rules.map((rule, at) => ({ id: `rule-${at}`, ...rule })),
        ...more,
      }),
    ),
    '',
  );
/** Each problem as its path and message. */
export function problemsOf(rules: readonly Members[], more: Members = {}): string[] {
  const check = checkOf(rules, more);
  return check.ok ? [] : check.problems.map(({ path, message }) => `${path}: ${message}`);
}
export function warningsOf(rules: readonly Members[], more: Members = {}): string[] {
  const check = checkOf(rules, more);
  return check.ok
    ? check.policy.warnings.map(({ path, message }) => `${path}: ${message}`)
    : check.problems.map(({ path, message }) => `refused ${path}: ${message}`);
}
export const at = (...steps: string[]) => ({ steps });
