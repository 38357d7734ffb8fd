/** What became of a person's last sign-in through a custom policy, in words that a support agent can read out. Pure. */
import { COMPLETION_MS, isStartCall, type SignInStatus } from '../aggregates/sign-ins.ts';
import type { AttemptRow } from './queries/columns.ts';
import { toSeconds } from './seconds.ts';

/** `to`: the application in words. `before`: how many other sign-ins just before were abandoned. */
export function signInSentence(call: AttemptRow, status: SignInStatus, to: string, before: number): string {
  const at = `at ${toSeconds(call.occurredAt)}`;
  if (!isStartCall(call)) return `${at} a sign-in to ${to} ${COMPLETED[status]}`;
  const began = `${at} a sign-in to ${to} began`;
  switch (status) {
    case 'completed':
      return `${began} and was completed`;
    case 'pending': {
      const over = toSeconds(new Date(call.occurredAt.getTime() + COMPLETION_MS));
      return `${began}. The person may still be on the page: read this again after ${over}`;
    }
    case 'without-correlation-id':
      return `${began}. Whether it was finished is unknown, since the custom policy sends no correlation id`;
    default: {
      const others = before === 0 ? '' : `, like ${before === 1 ? 'the one' : `the ${before}`} before it`;
      return `${began} and was not finished within ten minutes${others}: a wrong password, or the page was closed. ${MEANING}`;
    }
  }
}

const MEANING =
  'Gatehouse refused nothing, so neither roles nor rules are the cause: ask the person to try again, or to reset the password';

const COMPLETED: Readonly<Record<SignInStatus, string>> = {
  completed: 'was completed',
  late: `was completed, more than ten minutes after it began`,
  'without-start': 'was completed without a page: a single sign-on, or a refresh',
  'without-correlation-id': 'was completed',
  abandoned: 'was completed',
  pending: 'was completed',
};
