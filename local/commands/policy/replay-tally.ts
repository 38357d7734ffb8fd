/** What many replayed attempts come to: counts and a few examples, however many they are. Nothing of it is about a person. */
import type { KeptAttempt } from './replay-attempts.ts';
import type { Decided, Replayed } from './replay-judge.ts';
import type { Gap, Why } from './replay-known.ts';

const MAX_EXAMPLES = 3;

/** By what an attempt is found again: its id or its support code stands in `/reports/attempts/{id or support code}`. */
export type Example = Pick<KeptAttempt, 'id' | 'occurredAt' | 'step' | 'clientId' | 'supportCode'>;

/** How the roles of a token would differ. Their names are values of a claim, and told to nobody. */
export type RolesChange = 'more' | 'fewer' | 'none' | 'others';

type Turned = Pick<Decided, 'outcome' | 'rule' | 'messageKey'>;

export interface Difference {
  readonly recorded: Turned;
  readonly draft: Turned & { readonly roles?: RolesChange };
  readonly attempts: number;
  /** The newest. */
  readonly examples: readonly Example[];
}

export interface RuleTally {
  readonly rule: string;
  readonly applied: number;
  readonly didNotApply: number;
  /** A rule before it ended the call for sure. */
  readonly notReached: number;
  readonly notJudged: number;
}

/** What was not known where a rule could not be judged. */
export interface Want {
  /** `claims.city`, `request.clientId`; `person` for all that is held about people. */
  readonly what: string;
  readonly why: Why;
  readonly attempts: number;
  readonly rules: readonly string[];
}

export interface Tally {
  readonly read: number;
  readonly skipped: { readonly [why: string]: number };
  readonly same: number;
  readonly different: number;
  readonly notJudged: number;
  /** The most frequent first. */
  readonly differences: readonly Difference[];
  /** In the order of the policy. */
  readonly rules: readonly RuleTally[];
  /** The most frequent first. */
  readonly wants: readonly Want[];
}

type Growing<T> = { -readonly [K in keyof T]: T[K] };

/** `ruleIds` are those of the draft, in their order. */
export function newTally(ruleIds: readonly string[]) {
  const counts = { read: 0, same: 0, different: 0, notJudged: 0 };
  const skipped = new Map<string, number>();
  const differences = new Map<string, Growing<Difference>>();
  const wants = new Map<string, Growing<Want>>();
  const rules = new Map(ruleIds.map((id) => [id, newRule(id)]));

  function count(id: string, member: Exclude<keyof RuleTally, 'rule'>): void {
    const rule = rules.get(id);
    if (rule !== undefined) rule[member] += 1;
  }

  function compare(attempt: KeptAttempt, recorded: Decided, draft: Decided): void {
    const difference = differenceOf(recorded, draft);
    if (difference === undefined) {
      counts.same += 1;
      return;
    }
    counts.different += 1;
    const key = JSON.stringify(difference);
    const known = differences.get(key) ?? { ...difference, attempts: 0, examples: [] };
    known.attempts += 1;
    if (known.examples.length < MAX_EXAMPLES) known.examples = [...known.examples, exampleOf(attempt)];
    differences.set(key, known);
  }

  /** An attempt counts once for each thing that it lacks. */
  function lack(gaps: readonly LackedBy[]): void {
    for (const [key, lacked] of Map.groupBy(gaps, ({ what, why }) => `${why} ${what}`)) {
      const [{ what, why }] = lacked as [LackedBy];
      const known = wants.get(key) ?? { what, why, attempts: 0, rules: [] };
      known.attempts += 1;
      known.rules = [...new Set([...known.rules, ...lacked.flatMap(({ rule }) => rule ?? [])])];
      wants.set(key, known);
    }
  }

  return {
    add(attempt: KeptAttempt, replay: Replayed): void {
      counts.read += 1;
      if (replay.kind === 'skipped') {
        skipped.set(replay.why, (skipped.get(replay.why) ?? 0) + 1);
        return;
      }
      const { recorded, draft, looked, notReached, gaps } = replay;
      for (const { id, applies } of looked)
        count(id, applies === undefined ? 'notJudged' : applies ? 'applied' : 'didNotApply');
      for (const id of notReached) count(id, 'notReached');
      lack([
        ...looked.flatMap(({ id, gaps }) => gaps.map((gap) => lackedBy(gap, id))),
        ...(draft === undefined ? gaps.map((gap) => lackedBy(gap, undefined)) : []),
      ]);
      if (draft === undefined) counts.notJudged += 1;
      else compare(attempt, recorded, draft);
    },
    result: (): Tally => ({
      ...counts,
      skipped: Object.fromEntries(skipped),
      differences: mostFirst(differences.values()),
      rules: [...rules.values()],
      wants: mostFirst(wants.values()),
    }),
  };
}

const newRule = (rule: string): Growing<RuleTally> => ({
  rule,
  applied: 0,
  didNotApply: 0,
  notReached: 0,
  notJudged: 0,
});

const mostFirst = <T extends { readonly attempts: number }>(all: Iterable<T>): T[] =>
  [...all].sort((a, b) => b.attempts - a.attempts);

const exampleOf = ({ id, occurredAt, step, clientId, supportCode }: KeptAttempt): Example => ({
  id,
  occurredAt,
  step,
  clientId,
  supportCode,
});

interface LackedBy {
  readonly what: string;
  readonly why: Why;
  readonly rule: string | undefined;
}

const lackedBy = ({ path, why }: Gap, rule: string | undefined): LackedBy => ({
  what: why === 'person' ? 'person' : path,
  why,
  rule,
});

function differenceOf(recorded: Decided, draft: Decided): Pick<Difference, 'recorded' | 'draft'> | undefined {
  const roles = rolesChange(recorded.roles, draft.roles);
  const [was, is] = [turned(recorded), turned(draft)];
  const isSame = was.outcome === is.outcome && was.rule === is.rule && was.messageKey === is.messageKey;
  if (isSame && roles === undefined) return undefined;
  return { recorded: was, draft: { ...is, ...(roles === undefined ? {} : { roles }) } };
}

const turned = ({ outcome, rule, messageKey }: Decided): Turned => ({ outcome, rule, messageKey });

/** Their order says nothing. */
function rolesChange(recorded: Decided['roles'], draft: Decided['roles']): RolesChange | undefined {
  if (recorded === undefined || draft === undefined) return undefined;
  const isGained = draft.some((role) => !recorded.includes(role));
  const isLost = recorded.some((role) => !draft.includes(role));
  if (isGained) return isLost ? 'others' : 'more';
  if (!isLost) return undefined;
  return draft.length === 0 ? 'none' : 'fewer';
}
