/** One attempt, or the attempts with one support code, with what to tell the person and who else it concerned. */
import { runQuery } from '../../../database/run-query.ts';
import type { Config } from '../../../platform/config.ts';
import { type Advice, adviceOn } from '../advice.ts';
import type { AttemptJson } from '../attempt-json.ts';
import { attemptVerdict, type WhoseFault } from '../attempt-verdict.ts';
import type { OnlyThisPerson } from '../only-this-person.ts';
import { type Repeat, repeatsOf } from '../repeated-calls.ts';
import { callsOf } from '../tries.ts';
import { withRepeats } from '../try-json.ts';
import { besideAttempts } from './beside-attempts.ts';

export interface AdvisedAttempt extends AttemptJson {
  readonly fault: WhoseFault;
  readonly advice: Advice;
  /** This call is one made again. */
  readonly calledAgain?: Repeat;
}

/** `attempts` are newest first. `languages` are BCP 47 tags, `now` is in milliseconds since 1970. */
export async function adviseAttempts(
  config: Config,
  attempts: readonly AttemptJson[],
  now: number,
  languages: readonly string[],
): Promise<{ attempts: AdvisedAttempt[]; onlyThisPerson: OnlyThisPerson | undefined }> {
  const { ruleAdvice, onlyThisPerson } = await runQuery(config, (db, run) => besideAttempts(db, run, attempts, now));
  const advised = attempts.map((attempt) => {
    const { fault, advice } = attemptVerdict(attempt);
    return { ...attempt, fault, advice: adviceOn(attempt, advice, ruleAdvice, languages) };
  });
  return { attempts: withRepeats(advised, repeatsOf(callsOf(attempts.toReversed()))), onlyThisPerson };
}
