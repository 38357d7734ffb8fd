/** Builds the report on the credentials of connectors from counted rows, so that an old one can be retired. Pure. */

import { dimensionOf } from '../../attempts/text-limits.ts';
import { CALLER_KINDS } from '../../callers/credential.ts';
import { DAY_MS } from '../../platform/duration.ts';
import type { ConfiguredCaller } from '../../platform/gate-state.ts';
import type { AnswerOf } from '../http/operation.ts';
import type { callersAnswer, credentialUseAnswer } from './callers-answer.ts';
import { adviceFor, callersCoverage } from './callers-sentences.ts';
import { dayOf, type Stretch } from './parts.ts';

export type CredentialUse = AnswerOf<typeof credentialUseAnswer>;
export type RefusedReason = CredentialUse['refusals'][number];

export type CallersReport = AnswerOf<typeof callersAnswer>;

/** Counts from the database. Days are in UTC, as `2026-11-21`. */
export interface CallerCounts {
  /** `credential` is the facet: `kind:name`. */
  readonly accepted: readonly { readonly credential: string; readonly day: string; readonly attempts: number }[];
  /** The last attempts of today and yesterday, in milliseconds since 1970. */
  readonly lastCalls: ReadonlyMap<string, number>;
  readonly refused: readonly {
    readonly name: string;
    readonly reason: string;
    readonly day: string;
    readonly calls: number;
  }[];
  /** Number of hours in the range with late attempts that are not counted yet. */
  readonly waiting: number;
  /** The first day with a counted call, of any credential; undefined without one. */
  readonly countedSince: string | undefined;
  /** The first day whose calls are counted by kind. */
  readonly kindsSince: string | undefined;
}

export interface CallersContext {
  readonly range: Stretch;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Refused calls are kept for that long. */
  readonly retentionDays: number;
  /** What the gate has; undefined when it did not say. */
  readonly configured: readonly ConfiguredCaller[] | undefined;
}

interface Gathered {
  readonly name: string;
  readonly kind: string;
  readonly accepted: Map<string, number>;
  readonly refused: Map<string, number>;
  readonly reasons: Map<string, { calls: number; lastDay: string }>;
}

/** A key counts as one credential, in whichever way it is presented. */
export const lineOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string =>
  `${kind === 'code' ? 'api-key' : kind}:${name}`;

export function callersReport(counts: CallerCounts, context: CallersContext): CallersReport {
  const { range, now } = context;
  const configured = context.configured?.map(({ name, kind }) => ({ kind, name: dimensionOf(name) }));
  const all = new Map<string, Gathered>();
  const gathered = (kind: string, name: string): Gathered => {
    const key = `${kind}:${name}`;
    const known = all.get(key) ?? { name, kind, accepted: new Map(), refused: new Map(), reasons: new Map() };
    all.set(key, known);
    return known;
  };
  const unnamed = gathered('', '');
  for (const { credential, day, attempts } of counts.accepted) {
    const colon = credential.indexOf(':');
    add(gathered(credential.slice(0, colon), credential.slice(colon + 1)).accepted, day, attempts);
  }
  for (const { name, reason, day, calls } of counts.refused) {
    const kind = kindOfRefused(reason, name, configured);
    const one = name === '' ? unnamed : gathered(kind, dimensionOf(name));
    add(one.refused, day, calls);
    const { calls: before = 0, lastDay = '' } = one.reasons.get(reason) ?? {};
    one.reasons.set(reason, { calls: before + calls, lastDay: day > lastDay ? day : lastDay });
  }
  const used = new Set([...all.values()].filter(({ accepted }) => accepted.size > 0).map(lineOf));
  for (const { kind, name } of configured ?? []) if (!used.has(lineOf({ kind, name }))) gathered(kind, name);
  const has = configured && new Set(configured.map(lineOf));
  const rows = [...all.values()].filter((one) => one !== unnamed).map(withoutAdvice);
  const lines = Map.groupBy(rows, lineOf);
  return {
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    asOf: new Date(now).toISOString(),
    credentials: rows.toSorted(byName).map((row) => ({
      ...row,
      advice: adviceFor(row, {
        now,
        range,
        countedSince: counts.countedSince,
        others: (lines.get(lineOf(row)) ?? []).filter((other) => other !== row),
        sharedBy: configured?.filter((one) => lineOf(one) === lineOf(row)).length ?? 1,
      }),
    })),
    unnamed: {
      refused: sumOf(unnamed.refused),
      days: daysOf(unnamed.refused).map((day) => ({ day, refused: unnamed.refused.get(day) ?? 0 })),
      refusals: reasonsOf(unnamed),
    },
    coverage: callersCoverage({
      range,
      counts,
      refusedSince: dayOf(now - context.retentionDays * DAY_MS),
      gateNames: configured !== undefined,
    }),
  };

  function withoutAdvice(one: Gathered): Omit<CredentialUse, 'advice'> {
    const { name, kind, accepted, refused } = one;
    const usedDays = daysOf(accepted);
    const last = usedDays.at(-1) ?? null;
    const lastCall = counts.lastCalls.get(`${kind}:${name}`);
    return {
      name,
      kind,
      ...(has === undefined ? {} : { configured: has.has(lineOf(one)) }),
      firstSeen: usedDays[0] ?? null,
      lastSeen: lastCall === undefined ? last : new Date(lastCall).toISOString(),
      accepted: sumOf(accepted),
      refused: sumOf(refused),
      days: daysOf(accepted, refused).map((day) => ({
        day,
        accepted: accepted.get(day) ?? 0,
        refused: refused.get(day) ?? 0,
      })),
      refusals: reasonsOf(one),
    };
  }

  /** Most calls first. */
  function reasonsOf({ name, reasons }: Gathered): RefusedReason[] {
    return [...reasons]
      .map(([reason, some]) => ({ reason, error: errorOf(kindOfRefused(reason, name, configured)), ...some }))
      .sort((a, b) => b.calls - a.calls || (a.reason < b.reason ? -1 : 1));
  }
}

const add = (counts: Map<string, number>, day: string, calls: number) =>
  counts.set(day, (counts.get(day) ?? 0) + calls);
const sumOf = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, calls) => sum + calls, 0);
const daysOf = (...counts: readonly ReadonlyMap<string, number>[]) =>
  [...new Set(counts.flatMap((some) => [...some.keys()]))].sort();

const RANKS: readonly string[] = CALLER_KINDS;
const byName = (a: { name: string; kind: string }, b: { name: string; kind: string }) =>
  a.name === b.name ? RANKS.indexOf(a.kind) - RANKS.indexOf(b.kind) : a.name < b.name ? -1 : 1;

/**
 * The kind of a refused call, of which only the reason is stored; `''` when it may be one of several. Only a wrong
 * Basic credential names one. Where connectors have Basic alone, besides certificates, an unnamed one is Basic too.
 */
function kindOfRefused(reason: string, name: string, configured: readonly { readonly kind: string }[] = []): string {
  if (reason.startsWith('certificate-')) return 'certificate';
  if (reason.startsWith('token-')) return 'jwt';
  if (reason === 'code-alone') return 'code';
  if (!['wrong-credential', 'too-many-guesses', 'malformed'].includes(reason)) return '';
  const others = configured.filter(({ kind }) => kind !== 'certificate');
  return name !== '' || (others.length > 0 && others.every(({ kind }) => kind === 'basic')) ? 'basic' : '';
}

/** Contract 2.4. */
function errorOf(kind: string): string {
  if (kind === 'basic') return 'AADB2C90027';
  return kind === 'certificate' ? 'AADB2C90028' : 'AADB2C90075';
}
