/** What a replay found, for people and for programs. No value of a claim, e-mail address or object id is in it. */
import { pairs, table } from '../table.ts';
import type { Question } from './replay-attempts.ts';
import type { Keeping } from './replay-keep.ts';
import type { Why } from './replay-known.ts';
import type { Difference, RolesChange, Tally } from './replay-tally.ts';

export interface Report {
  readonly file: string;
  readonly question: Question;
  readonly tally: Tally;
  readonly keeping: Keeping;
}

const WHY: { readonly [W in Why]: string } = {
  'not-kept': 'KEEP_CLAIMS did not name it',
  'never-kept': 'never kept, whatever KEEP_CLAIMS names',
  cut: 'longer than what is kept, or not to be stored as it was',
  'too-large': 'the call was too large to be kept whole',
  person: 'what is held about people is not kept with attempts',
};

const ROLES: { readonly [R in RolesChange]: string } = {
  more: ' with more roles',
  fewer: ' with fewer roles',
  none: ' without roles',
  others: ' with other roles',
};

const COMPARED = `As before means: the same outcome by the same rule with the same message, and the same roles in the token. What else a reply
carried is not kept, so that it cannot be compared, and neither are the texts of messages. A rule behind one that could not be
judged is judged as if that one did not apply; one that sets claims, by its condition alone, unless it sets roles.`;

export const reportInWords = (report: Report): string =>
  [
    countsOf(report),
    ...differencesIn(report.tally),
    ...rulesIn(report.tally),
    ...wantsIn(report.tally),
    ...keepingIn(report),
    COMPARED,
  ].join('\n\n');

function countsOf({ file, question, tally }: Report): string {
  const { read, skipped, same, different, notJudged } = tally;
  const reasons = Object.entries(skipped).map(([why, attempts]) => `${why} ${attempts}`);
  const skips = Object.values(skipped).reduce((sum, attempts) => sum + attempts, 0);
  const counts = pairs([
    ['attempts read', read === question.limit ? `${read}, the newest: --limit leaves out the others` : `${read}`],
    ['skipped', skips === 0 ? '0' : `${skips}, which no policy decided: ${reasons.join(', ')}`],
    ['decided as before', `${same}`],
    ['decided otherwise', `${different}`],
    ['could not be judged', `${notJudged}`],
  ]);
  return `${file} on the calls from ${question.from.toISOString()} to ${question.to.toISOString()}\n\n${counts}`;
}

function differencesIn({ differences }: Tally): string[] {
  if (differences.length === 0) return [];
  const numbered = differences.map((difference, index) => [String(index + 1), difference] as const);
  const rows = numbered.map(([no, difference]) => [no, ...wordsFor(difference), String(difference.attempts)]);
  const examples = numbered.flatMap(([no, { examples }]) =>
    examples.map(({ id, occurredAt, step, clientId, supportCode }) => [
      no,
      id,
      occurredAt,
      step,
      supportCode,
      clientId,
    ]),
  );
  return [
    table(['NO', 'RECORDED', 'DRAFT', 'ATTEMPTS'], rows),
    table(['NO', 'EXAMPLE', 'TIME', 'STEP', 'SUPPORT CODE', 'CLIENT ID'], examples),
  ];
}

function wordsFor({ recorded, draft }: Difference): [string, string] {
  const words = ({ outcome, rule }: Difference['recorded']) => (rule === '' ? outcome : `${outcome} by ${rule}`);
  const [was, is] = [words(recorded), words(draft)];
  if (draft.roles !== undefined) return [was, `${is}${ROLES[draft.roles]}`];
  return was === is ? [`${was}, message ${recorded.messageKey}`, `${is}, message ${draft.messageKey}`] : [was, is];
}

function rulesIn({ rules }: Tally): string[] {
  if (rules.length === 0) return [];
  const rows = rules.map(({ rule, applied, didNotApply, notReached, notJudged }) => [
    rule,
    ...[applied, didNotApply, notReached, notJudged].map(String),
  ]);
  return [table(['RULE', 'APPLIES', 'DOES NOT', 'NOT REACHED', 'NOT JUDGED'], rows)];
}

function wantsIn({ wants }: Tally): string[] {
  if (wants.length === 0) return [];
  const rows = wants.map(({ what, why, attempts, rules }) => [what, String(attempts), WHY[why], rules.join(', ')]);
  return [`What was not known:\n${table(['WHAT', 'ATTEMPTS', 'WHY', 'RULES'], rows)}`];
}

function keepingIn({ keeping: { line, added, already }, tally }: Report): string[] {
  const judging = (claims: readonly string[]) => {
    const rules = new Set(
      tally.wants.filter(({ what }) => claims.includes(what.replace('claims.', ''))).flatMap(({ rules }) => rules),
    );
    return [...rules].join(', ');
  };
  const values = added.length === 1 ? 'value' : 'values';
  return [
    ...(line === undefined
      ? []
      : [
          `To judge ${judging(added)} on attempts to come, put this into wrangler.toml and deploy. The ${values} of ${added.join(', ')} ` +
            `then stand in every attempt: name no more than you need.\n\n${line}`,
        ]),
    ...(already.length === 0
      ? []
      : [
          `${already.join(', ')}: KEEP_CLAIMS in wrangler.toml names ${already.length === 1 ? 'it' : 'them'} already. The attempts came before ` +
            'that, or from a Gatehouse that is set otherwise.',
        ]),
  ];
}

/** The same as one JSON object, with times in ISO 8601, UTC; what was not asked for is left out. */
export const reportAsJson = ({ file, question, tally, keeping }: Report) => ({
  policy: file,
  asked: question,
  ...tally,
  keepClaims: keeping,
});
