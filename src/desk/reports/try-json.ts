/** Tries as JSON: how each ended, in codes and in a sentence, and what to tell the person. Pure. */
import type { SignInStatus } from '../aggregates/sign-ins.ts';
import { type Advice, adviceOn, type RuleAdvice } from './advice.ts';
import { isToken, type WhoseFault } from './attempt-verdict.ts';
import { application, callInWords } from './call-in-words.ts';
import type { AttemptRow } from './queries/columns.ts';
import { type Repeat, repeatsOf } from './repeated-calls.ts';
import { toSeconds } from './seconds.ts';
import { foldTries, lastOf, type Try } from './tries.ts';
import { type TryOutcome, type TryStep, type TryVerdict, tryVerdict } from './try-verdict.ts';

export interface TryJson {
  /** Of the first and the last attempt. */
  readonly from: string;
  readonly to: string;
  readonly clientId: string;
  /** The name that the policy gives it; absent without one. */
  readonly application?: string;
  readonly outcome: TryOutcome;
  readonly fault: WhoseFault;
  readonly steps: readonly TryStep[];
  /** Ids, newest first. */
  readonly attempts: readonly string[];
  /** Calls that B2C made twice are one. */
  readonly calls: number;
  /** True when it may have further attempts on another page. */
  readonly isCut?: true;
  readonly sentence: string;
  readonly advice: Advice;
}

export interface TryWords {
  /** In milliseconds since 1970. */
  readonly now: number;
  readonly signIns: ReadonlyMap<string, SignInStatus>;
  readonly ruleAdvice: RuleAdvice;
  /** Names of applications by client id. */
  readonly names: ReadonlyMap<string, string>;
  /** Client ids whose token step called Gatehouse lately, for anyone. */
  readonly tokenClients: ReadonlySet<string>;
  /** BCP 47 tags in order of preference. */
  readonly languages: readonly string[];
}

/** What a try adds to the status: its sentences after what happened last. */
export interface DescribedTry {
  readonly json: TryJson;
  readonly details: readonly string[];
}

export interface DescribedTries {
  /** Newest first. */
  readonly tries: readonly DescribedTry[];
  /** By id of each attempt that is a call made again. */
  readonly repeats: ReadonlyMap<string, Repeat>;
}

/** `rows` are newest first. `cut`: which ends of them may have further attempts. */
export function describeTries(
  rows: readonly AttemptRow[],
  cut: { readonly newer: boolean; readonly older: boolean },
  words: TryWords,
): DescribedTries {
  const tokenClients = new Set([...words.tokenClients, ...rows.filter(isToken).map(({ clientId }) => clientId)]);
  const tries = foldTries(rows);
  const [newest, oldest] = [rows[0], rows.at(-1)];
  const described = tries.map((one) => {
    const ids = new Set(one.rows.map(({ id }) => id));
    const isCut = (cut.older && ids.has(oldest?.id ?? '')) || (cut.newer && ids.has(newest?.id ?? ''));
    return describeTry(one, tryVerdict(one, { ...words, tokenClients }), isCut, words);
  });
  return { tries: described, repeats: repeatsOf(tries.flatMap(({ calls }) => calls)) };
}

function describeTry(one: Try<AttemptRow>, verdict: TryVerdict, isCut: boolean, words: TryWords): DescribedTry {
  const { outcome, fault, steps } = verdict;
  const last = lastOf(one);
  const details = detailsOf(one, verdict);
  const name = words.names.get(one.clientId);
  const happened = `${toSeconds(last.occurredAt)} in ${application(one, words.names)}: ${callInWords(last)}.`;
  const json: TryJson = {
    from: one.rows[0].occurredAt.toISOString(),
    to: last.occurredAt.toISOString(),
    clientId: one.clientId,
    ...(name !== undefined && { application: name }),
    outcome,
    fault,
    steps,
    attempts: one.rows.map(({ id }) => id).toReversed(),
    calls: one.calls.length,
    ...(isCut && { isCut }),
    sentence: [happened, ...beforeThat(one), ...details].join(' '),
    advice: adviceOn(last, verdict.advice, words.ruleAdvice, words.languages),
  };
  return { json, details };
}

/** The latest calls before the last one that a sentence names, where equal ones that follow one another are one. */
const MAX_NAMED = 5;

/** The calls before the last one, in their order. */
function beforeThat(one: Try<AttemptRow>): string[] {
  const last = lastOf(one);
  const runs: { words: string; result: string; calls: number }[] = [];
  for (const call of one.calls) {
    const row = call.at(-1) ?? call[0];
    if (call.includes(last)) continue;
    const [words, result] = [row.step === '' ? 'an unknown step' : row.step, RESULTS[row.outcome] ?? ''];
    const run = runs.at(-1);
    if (run?.words === words && run.result === result) run.calls += 1;
    else runs.push({ words, result, calls: 1 });
  }
  if (runs.length === 0) return [];
  const unnamed = runs.slice(0, -MAX_NAMED).reduce((sum, { calls }) => sum + calls, 0);
  const named = runs.slice(-MAX_NAMED).map(({ words, result, calls }) => {
    const more = [calls === 1 ? '' : `${calls} calls`, result].filter((part) => part !== '').join(', ');
    return more === '' ? words : `${words} (${more})`;
  });
  const earlier = unnamed === 0 ? [] : [`${unnamed} earlier ${unnamed === 1 ? 'call' : 'calls'}`];
  return [`Before that, since ${toSeconds(one.rows[0].occurredAt)}: ${[...earlier, ...named].join(', ')}.`];
}

const RESULTS: Readonly<Record<string, string>> = { block: 'blocked', invalid: 'asked to correct', error: 'failed' };

function detailsOf({ calls, rows }: Try<AttemptRow>, { outcome, fault, steps }: TryVerdict): string[] {
  const repeat = repeatsOf(calls).get(lastOf({ rows }).id);
  const missed = steps.filter(({ status }) => status === 'not-reached').map(({ step }) => step);
  // What follows an unknown outcome may not call Gatehouse.
  const isOver = outcome !== 'let-in' && outcome !== 'running' && outcome !== 'unknown';
  return [
    ...(repeat === undefined ? [] : [repeat.sentence]),
    ...(isOver && missed.length > 0 ? [`Not reached: ${missed.join(', ')}.`] : []),
    ...(FAULT_WORDS[fault] === '' ? [] : [FAULT_WORDS[fault]]),
  ];
}

const FAULT_WORDS: Readonly<Record<WhoseFault, string>> = {
  none: '',
  us: 'The cause is on our side: Gatehouse, its policy or its settings.',
  microsoft: 'Gatehouse allowed the call, and Microsoft did not go on: as far as the calls tell, the cause is there.',
  provider: 'The identity provider did not send what a rule needs.',
  application: 'The cause is the application: the policy does not list it.',
  rule: 'This is the decision of a rule, and no fault.',
  person: 'The person can put it right.',
  unknown: 'Whose fault it was is unknown: Gatehouse sees only the calls that reach it.',
};

/** Adds `calledAgain` to calls that were made again. */
export const withRepeats = <Shown extends { readonly id: string }>(
  attempts: readonly Shown[],
  repeats: ReadonlyMap<string, Repeat>,
): (Shown & { calledAgain?: Repeat })[] =>
  attempts.map((attempt) => {
    const calledAgain = repeats.get(attempt.id);
    return calledAgain === undefined ? attempt : { ...attempt, calledAgain };
  });
