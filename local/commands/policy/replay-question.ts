/** Which attempts a replay reads, as somebody typed it. */
import { stepNamed } from '../../../src/gate/user-flow/request.ts';
import { attemptsQuestion } from '../../../src/reports/questions.ts';
import { listFrom } from '../../../src/reports/range.ts';
import { calledWrongly } from '../ending.ts';
import type { Question } from './replay-attempts.ts';

export interface Typed {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly step?: string | undefined;
  readonly 'client-id'?: string | undefined;
  readonly limit?: string | undefined;
}

const OPTIONS: { readonly [member: string]: string } = { from: '--from', to: '--to', clientId: '--client-id' };

/** Times are read as reports read them: the last seven days, when nobody says otherwise. `now` is in milliseconds since 1970. */
export async function readQuestion(typed: Typed, now: number): Promise<Question> {
  const { from, to, step, 'client-id': clientId, limit } = typed;
  const asked = Object.fromEntries(Object.entries({ from, to, clientId }).filter(([, value]) => value !== undefined));
  const read = await attemptsQuestion.safeParseAsync(asked);
  if (!read.success) {
    const faults = read.error.issues.map(({ path, message }) => `${OPTIONS[String(path[0])] ?? ''}: ${message}.`);
    throw calledWrongly(faults.join('\n'), 'policy');
  }
  const { narrowed } = read.data;
  const range = { from: listFrom(narrowed, undefined, now) ?? new Date(0), to: narrowed.to ?? new Date(now) };
  if (range.from >= range.to) throw calledWrongly('--from is yet to come: give an earlier one.', 'policy');
  return { ...range, step: stepIn(step), clientId: narrowed.clientId, limit: limitIn(limit) };
}

function stepIn(typed: string | undefined): string | undefined {
  const step = typed === undefined ? undefined : stepNamed(typed);
  if (step !== undefined || typed === undefined) return step;
  throw calledWrongly(
    `--step ${typed} is not a step: PostFederationSignup, PostAttributeCollection or PreTokenIssuance.`,
    'policy',
  );
}

function limitIn(typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(typed)) return Number(typed);
  throw calledWrongly(`--limit ${typed} is not a number of attempts: give a whole number from 1.`, 'policy');
}
