/** The report of a replay, for people and programs: counts and a few examples, without values of claims. */

import type { StoredClaims } from '../../../attempts/redaction.ts';
import { pairs, table } from '../../table.ts';
import type { ReplayQuestion, StoredAttempt } from './replay-attempts.ts';
import { isSameTurn, type ReplayDecision, type Replayed, type Turn } from './replay-judge.ts';
import { isKeepable, type KnownInput } from './replay-known.ts';

const MAX_EXAMPLES = 3;

interface Difference {
  readonly recorded: Turn;
  /** Role names are values of a claim, so the report shows only that they differ. */
  readonly draft: Turn & { readonly roles?: 'changed' };
  attempts: number;
  /** The newest; `/reports/attempts/{id}` shows all of one. */
  readonly examples: Pick<StoredAttempt, 'id' | 'occurredAt' | 'step' | 'clientId' | 'supportCode'>[];
}

/** An input that was not stored and would have decided rules. */
export interface Want {
  readonly what: KnownInput;
  readonly attempts: number;
  readonly rules: readonly string[];
}

export type ReplayTally = ReturnType<ReturnType<typeof newReplayTally>['result']>;

/** Its size depends on the draft and the number of distinct differences, not on the number of attempts. */
export function newReplayTally(ruleIds: readonly string[]) {
  const counts = { read: 0, same: 0, different: 0, notJudged: 0 };
  const skipped = new Map<string, number>();
  const differences = new Map<string, Difference>();
  const rules = ruleIds.map((rule) => ({ rule, applied: 0, didNotApply: 0, notReached: 0, notJudged: 0 }));
  const ruleById = new Map(rules.map((rule) => [rule.rule, rule]));
  const wants = new Map<KnownInput, Want>();

  function compare(attempt: StoredAttempt, recorded: ReplayDecision, draft: ReplayDecision): void {
    const difference = differenceOf(recorded, draft);
    counts[difference === undefined ? 'same' : 'different'] += 1;
    if (difference === undefined) return;
    const { id, occurredAt, step, clientId, supportCode } = attempt;
    const key = JSON.stringify(difference);
    const known = differences.get(key) ?? { ...difference, attempts: 0, examples: [] };
    known.attempts += 1;
    if (known.attempts <= MAX_EXAMPLES) known.examples.push({ id, occurredAt, step, clientId, supportCode });
    differences.set(key, known);
  }

  return {
    add(attempt: StoredAttempt, replay: Replayed): void {
      counts.read += 1;
      if (replay.kind === 'skipped') {
        skipped.set(replay.why, (skipped.get(replay.why) ?? 0) + 1);
        return;
      }
      const lackedBy = new Map<KnownInput, string[]>();
      for (const { id, became, lacks } of replay.rules) {
        const rule = ruleById.get(id);
        if (rule !== undefined) rule[became] += 1;
        for (const what of lacks) lackedBy.set(what, [...(lackedBy.get(what) ?? []), id]);
      }
      for (const [what, ids] of lackedBy) {
        const { attempts = 0, rules = [] } = wants.get(what) ?? {};
        wants.set(what, { what, attempts: attempts + 1, rules: [...new Set([...rules, ...ids])] });
      }
      if (replay.draft === undefined) counts.notJudged += 1;
      else compare(attempt, replay.recorded, replay.draft);
    },
    /** Differences and wants are sorted by frequency, rules by their order in the policy. */
    result: () => ({
      ...counts,
      skipped: Object.fromEntries(skipped),
      differences: mostFirst(differences),
      rules,
      wants: mostFirst(wants),
    }),
  };
}

const mostFirst = <T extends { readonly attempts: number }>(all: ReadonlyMap<string, T>): readonly T[] =>
  [...all.values()].sort((a, b) => b.attempts - a.attempts);

function differenceOf(
  recorded: ReplayDecision,
  draft: ReplayDecision,
): Pick<Difference, 'recorded' | 'draft'> | undefined {
  const turn = ({ outcome, rule, messageKey }: ReplayDecision): Turn => ({ outcome, rule, messageKey });
  // The order of roles does not matter.
  const roles = ({ roles = [] }: ReplayDecision) => [...new Set(roles)].sort().join(' ');
  const areRolesSame = roles(recorded) === roles(draft);
  if (areRolesSame && isSameTurn(recorded, draft)) return undefined;
  return { recorded: turn(recorded), draft: { ...turn(draft), ...(!areRolesSame && { roles: 'changed' }) } };
}

/** The claims to store so that more rules can be decided, beside those that are stored now. */
export function keepingFor(wants: readonly Want[], stored: StoredClaims) {
  const configured = stored.KEEP_CLAIMS;
  const wanted = wants.flatMap(({ what }) => claimIn(what) ?? []).filter((claim) => isKeepable(stored, claim));
  wanted.sort();
  const added = wanted.filter((claim) => !configured.includes(claim));
  return {
    /** The complete new setting; undefined if no claim is added. */
    line: added.length === 0 ? undefined : `KEEP_CLAIMS=${JSON.stringify([...configured, ...added].join(','))}`,
    added,
    already: wanted.filter((claim) => configured.includes(claim)),
  };
}

const claimIn = (what: KnownInput): string | undefined => /^claims\.(.*)$/s.exec(what)?.[1];

export interface ReplayReport {
  readonly file: string;
  readonly question: ReplayQuestion;
  readonly tally: ReplayTally;
  readonly keeping: ReturnType<typeof keepingFor>;
}

/** One JSON object. Times are ISO 8601 in UTC; options that were not given are missing. */
export const reportAsJson = ({ file, question, tally, keeping }: ReplayReport) => ({
  ...{ policy: file, asked: question, ...tally, keepClaims: keeping },
});

const COMPARED = `"Decided as before" means the same outcome, rule, message and roles in the token. Other claims of a reply and the texts of
messages are not stored, so they are not compared. Rules after an undecided rule are evaluated as if that rule did not
apply. A rule that sets claims applies if its condition is true; of its values, only the roles are compared.`;

export const reportInWords = (report: ReplayReport): string =>
  [countsIn(report), ...differencesIn(report.tally), ...rulesIn(report.tally), ...keepingIn(report), COMPARED].join(
    '\n\n',
  );

function countsIn({ file, question, tally }: ReplayReport): string {
  const { read, skipped, same, different, notJudged } = tally;
  const reasons = Object.entries(skipped).map(([why, attempts]) => `${why} ${attempts}`);
  const skips = Object.values(skipped).reduce((sum, attempts) => sum + attempts, 0);
  const counts = pairs([
    ['attempts read', read === question.limit ? `${read}, the newest: --limit excludes the others` : `${read}`],
    ['skipped', skips === 0 ? '0' : `${skips}, not decided by a policy: ${reasons.join(', ')}`],
    ['decided as before', `${same}`],
    ['decided differently', `${different}`],
    ['undecided', `${notJudged}`],
  ]);
  return `${file} on the calls from ${question.from.toISOString()} to ${question.to.toISOString()}\n\n${counts}`;
}

function differencesIn({ differences }: ReplayTally): string[] {
  if (differences.length === 0) return [];
  const rows = differences.map((difference, at) => [`${at + 1}`, ...wordsFor(difference), `${difference.attempts}`]);
  const examples = differences.flatMap(({ examples }, at) =>
    examples.map((one) => [`${at + 1}`, one.id, one.occurredAt, one.step, one.supportCode, one.clientId]),
  );
  return [
    table(['NO', 'RECORDED', 'DRAFT', 'ATTEMPTS'], rows),
    table(['NO', 'EXAMPLE', 'TIME', 'STEP', 'SUPPORT CODE', 'CLIENT ID'], examples),
  ];
}

function wordsFor({ recorded, draft }: Difference): [string, string] {
  const words = ({ outcome, rule }: Turn) => (rule === '' ? outcome : `${outcome} by ${rule}`);
  const [was, is] = [words(recorded), words(draft)];
  if (draft.roles !== undefined) return [was, `${is} with other roles`];
  return was === is ? [`${was}, message ${recorded.messageKey}`, `${is}, message ${draft.messageKey}`] : [was, is];
}

function rulesIn({ rules, wants }: ReplayTally): string[] {
  const ruleRows = rules.map(({ rule, ...counts }) => [rule, ...Object.values(counts).map(String)]);
  const wantRows = wants.map(({ what, attempts, rules }) => [what, `${attempts}`, rules.join(', ')]);
  return [
    ...(rules.length > 0 ? [table(['RULE', 'APPLIES', 'DOES NOT', 'NOT REACHED', 'UNDECIDED'], ruleRows)] : []),
    ...(wants.length > 0 ? [`Inputs that were not stored:\n${table(['INPUT', 'ATTEMPTS', 'RULES'], wantRows)}`] : []),
  ];
}

function keepingIn({ keeping: { line, added, already }, tally: { wants } }: ReplayReport): string[] {
  const isIn = (names: readonly string[], what: KnownInput) => names.includes(claimIn(what) ?? '');
  const rules = new Set(wants.flatMap(({ what, rules }) => (isIn(added, what) ? rules : [])));
  const others = wants.map(({ what }) => what).filter((what) => !isIn([...added, ...already], what));
  const sentences = [
    line !== undefined &&
      `To decide ${[...rules].join(', ')} on future attempts, add this to wrangler.toml and deploy. Every attempt then ` +
        `stores the values of ${added.join(', ')}: add only what you need.\n\n${line}`,
    already.length > 0 &&
      `KEEP_CLAIMS in wrangler.toml already names ${already.join(', ')}. The attempts are older, come from another Gatehouse, ` +
        'or the value was too long.',
    others.length > 0 &&
      `KEEP_CLAIMS cannot store ${others.join(', ')}: secrets, people’s records, and values too long for an attempt.`,
  ];
  return sentences.filter((sentence) => sentence !== false);
}
