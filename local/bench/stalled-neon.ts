/** What a sign-in notices of a Neon that does not answer: replies in both states, in turns; and whether every attempt arrives. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Finding } from './finding.ts';
import { callAtRate } from './load.ts';
import { signIns } from './sign-in.ts';
import { median, quantile } from './statistics.ts';
import type { Whole } from './whole.ts';

const PEOPLE = signIns(1_000, '');
const CALLS_A_SECOND = 50;
/** The consumer gives up a write after 20 s and tries again after 5 s more: the last stall is longer than that. */
const LAST_STALL_MS = 24_000;
const ARRIVED_WITHIN_MS = 60_000;
const POLL_MS = 200;

export interface StalledNeonOptions {
  readonly rounds: number;
  readonly secondsARound: number;
  /** Whether the last stall outlasts the consumer's patience. */
  readonly long: boolean;
  readonly progress: (line: string) => void;
}

interface Round {
  readonly p50: number;
  readonly p99: number;
}

/** Rejects when a reply was not the expected one, or an attempt is missing in Postgres or there twice. */
export async function measureStalledNeon(whole: Whole, options: StalledNeonOptions): Promise<Finding[]> {
  const { rounds, secondsARound, long, progress } = options;
  let calls = await whole.rows();
  const before = calls;
  const round = async (): Promise<Round> => {
    const durations = await callAtRate(whole.url, PEOPLE, CALLS_A_SECOND, secondsARound);
    calls += durations.length;
    return { p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) };
  };
  progress('stalled Neon: warming up');
  await round();
  await arrived(whole, calls);
  const healthy: Round[] = [];
  const stalled: Round[] = [];
  for (let number = 1; number <= rounds; number += 1) {
    healthy.push(await round());
    await arrived(whole, calls);
    whole.stall();
    const startedAt = Date.now();
    stalled.push(await round());
    if (long && number === rounds) await wait(Math.max(0, startedAt + LAST_STALL_MS - Date.now()));
    const missing = calls - (await whole.rows());
    if (missing === 0) throw new Error('Neon was not stalled: the attempts arrived all the same.');
    whole.resume();
    const tookMs = await arrived(whole, calls);
    const [a, b] = [healthy.at(-1)?.p99 ?? 0, stalled.at(-1)?.p99 ?? 0].map((ms) => ms.toFixed(1));
    progress(
      `stalled Neon: round ${number} of ${rounds}: p99 ${a} ms, stalled ${b} ms; ${missing} attempts held up, all there after ${(tookMs / 1_000).toFixed(1)} s`,
    );
  }
  return findings(healthy, stalled, calls - before);
}

/** Waits until Postgres has as many attempts as calls were answered; a moment longer would show those that came twice. */
async function arrived(whole: Whole, calls: number): Promise<number> {
  const startedAt = Date.now();
  let rows = await whole.rows();
  while (rows < calls && Date.now() - startedAt < ARRIVED_WITHIN_MS) {
    await wait(POLL_MS);
    rows = await whole.rows();
  }
  const tookMs = Date.now() - startedAt;
  await wait(POLL_MS);
  rows = await whole.rows();
  if (rows !== calls) throw new Error(`${calls} calls were answered, but Postgres has ${rows} attempts.`);
  return tookMs;
}

/**
 * Turn by turn, since whatever else the machine does hits both rounds of a turn. Noise is the same comparison where nothing
 * differs: each healthy round with the next one, the factor that three quarters of them stay within.
 */
function findings(healthy: readonly Round[], stalled: readonly Round[], calls: number): Finding[] {
  const ratio = median(stalled.map(({ p99 }, turn) => p99 / (healthy[turn]?.p99 ?? Number.NaN)));
  const neighbours = healthy.slice(1).map(({ p99 }, turn) => p99 / (healthy[turn]?.p99 ?? Number.NaN));
  const noise = quantile(
    neighbours.map((one) => Math.max(one, 1 / one)),
    0.75,
  );
  const both = (which: keyof Round) => {
    const [a, b] = [stalled, healthy].map((rounds) => median(rounds.map((round) => round[which])).toFixed(1));
    return `${a} ms against ${b} ms healthy`;
  };
  return [
    { what: 'replies with Neon stalled, p50', measured: both('p50') },
    {
      what: 'replies with Neon stalled, p99',
      measured: `${ratio.toFixed(2)} × (${both('p99')}; healthy rounds differ by ${noise.toFixed(2)} ×)`,
      budget: 'the same within noise',
      within: ratio <= noise,
    },
    {
      what: 'attempts in Postgres after the stalls',
      measured: `${calls.toLocaleString('en')} of ${calls.toLocaleString('en')}, each once`,
      budget: 'none lost, none doubled',
      within: true,
    },
  ];
}
