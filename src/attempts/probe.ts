/**
 * A probe is a call of `npm run connect -- check`. It is answered like every call, and recorded apart from the
 * attempts, so that no count, list or person contains it.
 */
import { guidOf } from '../sign-in/normal-form.ts';
import type { Attempt, Probe } from './attempt.ts';

/** Its value is the id of the check, a UUID. The header of a caller with a wrong credential does not count. */
export const PROBE_HEADER = 'X-Gatehouse-Probe';

/** The check that a request belongs to; undefined for every other request. */
export function probedBy(request: Pick<Request, 'headers'>): string | undefined {
  const value = request.headers.get(PROBE_HEADER);
  return value === null ? undefined : guidOf(value);
}

/** What is recorded of a probe: how it was decided and answered, and nothing of the person in its body. */
export function probeOf(attempt: Attempt, run: string): Probe {
  const { v, id, channel, step, outcome, reason, reply, status, rule, policyVersion, clientId } = attempt;
  const { durationMs, degraded, caller, callerKind } = attempt;
  const decided = { channel, step, outcome, reason, reply, status, rule, policyVersion, clientId };
  return { kind: 'probe', v, id, run, ...decided, durationMs, degraded, caller, callerKind };
}
