/** Counts the replies of a live play and writes the closing tables. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { STEPS, type UserFlowStep } from '../../src/sign-in/steps.ts';
import { table } from '../commands/table.ts';
import { KINDS, type Reply } from './reply.ts';

/** Histograms count whole numbers from 1. */
const MICROSECONDS_A_MS = 1_000;
const MAX_PROBLEMS = 10;
const NO_STEP = 'no step that we know';
const PERCENTILES = [50, 95, 99] as const;

interface OfStep {
  readonly replies: Map<string, number>;
  readonly latency: RecordableHistogram;
}

export class Tally {
  readonly #steps = new Map<string, OfStep>();
  readonly #problems = new Map<string, number>();

  /** `latencyMs` from sending to the last byte of the answer; undefined when none came. */
  add(step: UserFlowStep | undefined, { kind, problem }: Reply, latencyMs: number | undefined): void {
    const name = step ?? NO_STEP;
    const counted = this.#steps.get(name) ?? { replies: new Map(), latency: createHistogram() };
    this.#steps.set(name, counted);
    count(counted.replies, kind);
    if (latencyMs !== undefined) counted.latency.record(Math.max(1, Math.round(latencyMs * MICROSECONDS_A_MS)));
    if (problem !== '') count(this.#problems, `${name}: ${problem}`);
  }

  get calls(): number {
    return KINDS.reduce((sum, kind) => sum + this.of(kind), 0);
  }

  /** Calls that were let in and answered. */
  get answered(): number {
    return this.calls - this.of('refused') - this.of('no answer');
  }

  /** How many replies of one kind there were. */
  of(kind: Reply['kind']): number {
    return [...this.#steps.values()].reduce((sum, { replies }) => sum + (replies.get(kind) ?? 0), 0);
  }

  /** Replies by step and kind, latencies by step, and what was wrong. */
  tables(): string {
    const rows = [...STEPS, NO_STEP].flatMap((name) => {
      const counted = this.#steps.get(name);
      return counted === undefined ? [] : [{ name, ...counted }];
    });
    const replies = aligned(
      ['replies', 'calls', ...KINDS],
      [
        ...rows.map(({ name, replies }) => [name, total(replies), ...KINDS.map((kind) => replies.get(kind) ?? 0)]),
        ['all', this.calls, ...KINDS.map((kind) => this.of(kind))],
      ],
    );
    const latencies = aligned(
      ['latency in ms', ...PERCENTILES.map((percentile) => `p${percentile}`), 'max'],
      rows
        .filter(({ latency }) => latency.count > 0)
        .map(({ name, latency }) => [name, ...[...PERCENTILES, 100].map((it) => inMs(latency.percentile(it)))]),
    );
    const problems = [...this.#problems].sort(([, a], [, b]) => b - a);
    const more = problems.length - MAX_PROBLEMS;
    return [
      replies,
      latencies,
      ...(problems.length === 0
        ? []
        : [
            [
              ...problems.slice(0, MAX_PROBLEMS).map(([problem, times]) => `${times} x ${problem}`),
              ...(more > 0 ? [`and ${more} other problems`] : []),
            ].join('\n'),
          ]),
    ].join('\n\n');
  }
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, number) => sum + number, 0);
const inMs = (microseconds: number) => (microseconds / MICROSECONDS_A_MS).toFixed(1);

/** The first column is text; figures stand under the end of their heading. */
function aligned(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const widths = header.map((name, column) => Math.max(name.length, ...texts.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell : cell.padStart(widths[column] ?? 0)));
  return table(line(header), texts.map(line));
}
