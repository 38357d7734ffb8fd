/** `npm run simulate`: a live simulation, from the first probe to the closing tables. */

import { progressBar } from '../../cli/progress-bar.ts';
import { printLine, type Streams } from '../run-program.ts';
import { MAX_UNDER_WAY, play } from './play.ts';
import { programme } from './programme.ts';
import type { ScriptedCall } from './script.ts';
import { SimulationTally } from './tally.ts';
import type { Target } from './target.ts';

export interface LivePlay {
  readonly people: number;
  readonly seed: number;
  readonly callsPerSecond: number;
  /** Aborted by Ctrl-C. */
  readonly stop: AbortSignal;
}

/** The exit code of a shell after Ctrl-C: 128 + SIGINT. */
export const CUT_OFF_EXIT_CODE = 130;

/** Returns the exit code: 1 when a reply is missing or B2C would not accept it. */
export async function playLive(target: Target, { people, seed, callsPerSecond, stop }: LivePlay, io: Streams) {
  await target.probe();
  printLine(io, `Simulating ${people} people at ${target.origin}, ${callsPerSecond} calls a second (seed ${seed}).`);
  const tally = new SimulationTally();
  const sendOnce = async (scripted: ScriptedCall) => {
    const { reply, latencyMs } = await target.send(scripted);
    tally.add(scripted, reply, latencyMs);
    return reply;
  };
  const call = async (scripted: ScriptedCall) => {
    const reply = await sendOnce(scripted);
    // B2C retries once, with the same bytes (contract 2.6).
    return reply.kind === 'no answer' && !stop.aborted ? (await sendOnce(scripted)).action : reply.action;
  };
  const bar = progressBar('Simulating {bar} {value}/{total} people, {eta_formatted} left', people);
  let gone = 0;
  const startedAt = performance.now();
  const onExit = () => bar.update(++gone);
  const heldBack = await play({ parts: programme(seed, people), callsPerSecond, call, onExit, stop });
  bar.stop();
  const seconds = (performance.now() - startedAt) / 1_000;

  printLine(io, `${stop.aborted ? 'Interrupted. These are the replies so far.\n' : ''}\n${tally.tables()}\n`);
  printLine(io, `${tally.calls} calls in ${seconds.toFixed(1)} s, ${(tally.calls / seconds).toFixed(0)} a second.`);
  const [wrong, missing, refused] = [tally.of('not allowed'), tally.of('no answer'), tally.of('refused')];
  const answered = tally.calls - refused - missing;
  printLine(io, `${answered} calls were answered; Gatehouse stores an attempt of each. Refused calls are not stored.`);
  if (heldBack > 0)
    printLine(io, `${heldBack} calls were late, since ${MAX_UNDER_WAY} were open: Gatehouse is slower than the rate.`);
  if (wrong > 0) printLine(io, `B2C would not accept ${wrong} replies at their step: see above.`);
  if (missing > 0)
    printLine(io, `${missing} calls got no answer in time: see above. Gatehouse may have stored attempts of them.`);
  if (wrong + missing > 0) return 1;
  return stop.aborted ? CUT_OFF_EXIT_CODE : 0;
}
