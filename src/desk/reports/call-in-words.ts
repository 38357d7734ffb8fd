/** One call, in words that a support agent can read out. Pure. */
import { errorInWords } from '../../attempts/error-reasons.ts';
import { isToken } from './attempt-verdict.ts';
import type { AttemptRow } from './queries/columns.ts';

const CUSTOM_POLICY = 'custom-policy';

/** `names` are those of the policy, by client id. */
export function application({ clientId }: Pick<AttemptRow, 'clientId'>, names: ReadonlyMap<string, string>): string {
  const name = names.get(clientId);
  if (name !== undefined) return `application ${name} (${clientId})`;
  return clientId === '' ? 'an unknown application' : `application ${clientId}`;
}

export function callInWords(attempt: AttemptRow): string {
  const { step, outcome, reply, rule, messageKey, reason, failedRules } = attempt;
  const place = step === '' ? 'an unknown step' : step;
  const unread = failedRules.includes(rule) ? ', which could not evaluate the call (see its notes)' : '';
  const why = rule === '' ? messageKey && ` (${messageKey})` : ` by rule ${rule}${unread}`;
  if (outcome === 'continue') {
    if (attempt.channel === CUSTOM_POLICY) return `continued after the exchange ${place}${withFailures(attempt)}`;
    return isToken(attempt)
      ? `let in ${withRoles(attempt)}${withFailures(attempt)}`
      : `continued after ${place}${withFailures(attempt)}, and has not requested a token since`;
  }
  if (outcome === 'block') return `blocked at ${place}${why}${withCode(attempt)}`;
  if (outcome === 'invalid') return `asked at ${place} to correct the input${why}${withCode(attempt)}`;
  const error = errorInWords(reason);
  const failed = `the call at ${place} failed${error ? `: ${error.problem}` : ''} (${reason || 'error'})${withCode(attempt)}`;
  if (isToken(attempt)) return `let in ${withRoles(attempt)}, because ${failed}`;
  return `${reply === 'Continue' || reply === 'Claims' ? 'continued' : 'stopped'}, because ${failed}`;
}

export function withRoles({ roles, degraded }: AttemptRow): string {
  const roleList = roles.length === 0 ? 'without roles' : `with the roles ${roles.join(', ')}`;
  return degraded === '' ? roleList : `${roleList} (${degraded}: roles may be outdated or missing)`;
}

/** Rules that could not decide, so that they did not refuse or set anything. */
const withFailures = ({ failedRules }: AttemptRow) =>
  failedRules.length === 0 ? '' : ` (these rules failed, see its notes: ${failedRules.join(', ')})`;

const withCode = ({ supportCode }: AttemptRow) => (supportCode === '' ? '' : `, support code ${supportCode}`);
