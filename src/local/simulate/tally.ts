/** Counts the replies of a live simulation and formats the closing tables. */

import { KINDS, type Kind, type ReceivedReply } from '../../cli/received-reply.ts';
import { table } from '../../cli/table.ts';
import { SIGN_IN_COMPLETED, SIGN_IN_STARTED } from '../../sign-in/steps.ts';
import { VISIT_STEPS } from './people.ts';
import { PLAYED_SIGN_INS, type PlayedSignIn, type ScriptedCall } from './script.ts';

const NO_STEP = 'unknown step';
const SIGN_INS = 'sign-ins by custom policy';
const PERCENTILES = [50, 95, 99, 100];

export class SimulationTally {
  readonly #counted: {
    readonly step: string;
    readonly reply: ReceivedReply;
    readonly latencyMs: number | undefined;
  }[] = [];

  /** By correlation id: a sign-in has several calls. */
  readonly #signIns = new Map<string, PlayedSignIn>();

  /** `latencyMs` is the time to the last byte of the response; undefined without a response. */
  add(
    { step, signIn }: Pick<ScriptedCall, 'step' | 'signIn'>,
    reply: ReceivedReply,
    latencyMs: number | undefined,
  ): void {
    this.#counted.push({ step: step ?? NO_STEP, reply, latencyMs });
    if (signIn !== undefined) this.#signIns.set(signIn.correlationId, signIn.is);
  }

  /** The number of sign-ins through a custom policy that were played in this way. */
  signIns(is: PlayedSignIn): number {
    return [...this.#signIns.values()].filter((one) => one === is).length;
  }

  get calls(): number {
    return this.#counted.length;
  }

  /** The number of replies of a kind, at one step or in total. */
  of(kind: Kind, step?: string): number {
    return this.#at(step).filter(({ reply }) => reply.kind === kind).length;
  }

  /** Replies by step and kind, latencies by step, and the problems. */
  tables(): string {
    const steps = [...VISIT_STEPS, SIGN_IN_STARTED, SIGN_IN_COMPLETED, NO_STEP].filter(
      (step) => this.#at(step).length > 0,
    );
    const replies = [...steps, undefined].map((step) => [
      step ?? 'all',
      `${this.#at(step).length}`,
      ...KINDS.map((kind) => `${this.of(kind, step)}`),
    ]);
    const latencies = steps.flatMap((step) => {
      const sorted = this.#at(step).flatMap(({ latencyMs }) => latencyMs ?? []);
      sorted.sort((a, b) => a - b);
      return sorted.length === 0 ? [] : [[step, ...PERCENTILES.map((percent) => percentile(sorted, percent))]];
    });
    const problems = this.#problems();
    return [
      table(['replies', 'calls', ...KINDS], replies),
      table(['latency in ms', 'p50', 'p95', 'p99', 'max'], latencies),
      ...(this.#signIns.size === 0 ? [] : [table([SIGN_INS, ...PLAYED_SIGN_INS], [this.#signInRow()])]),
      ...(problems.length === 0 ? [] : [problems.join('\n')]),
    ].join('\n\n');
  }

  #signInRow = () => ['played', ...PLAYED_SIGN_INS.map((is) => `${this.signIns(is)}`)];

  #at = (step: string | undefined) => this.#counted.filter((one) => step === undefined || one.step === step);

  /** The most frequent problems first. */
  #problems(): string[] {
    const counts = new Map<string, number>();
    for (const { step, reply } of this.#counted) {
      const problem = `${step}: ${reply.problem}`;
      if (reply.problem !== '') counts.set(problem, (counts.get(problem) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a).map(([problem, count]) => `${count} x ${problem}`);
  }
}

/** The percentile as text. */
const percentile = (sorted: readonly number[], percent: number) =>
  (sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0).toFixed(1);
