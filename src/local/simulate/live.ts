/** `npm run simulate`: a live play from the first look at Gatehouse to the closing tables. */

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

/** The exit code of a shell for a command that was ended with Ctrl-C: 128 + SIGINT. */
export const CUT_OFF_EXIT_CODE = 130;

/** Returns the exit code: 1 when B2C would not have taken a reply, or got none. */
export async function playLive(target: Target, { people, seed, callsPerSecond, stop }: LivePlay, io: Streams) {
  await target.probe();
  printLine(io, `Playing ${people} people at ${target.origin}, ${callsPerSecond} calls a second (seed ${seed}).`);
  const tally = new SimulationTally();
  const tried = async (scripted: ScriptedCall) => {
    const { reply, latencyMs } = await target.send(scripted);
    tally.add(scripted.step, reply, latencyMs);
    return reply;
  };
  const call = async (scripted: ScriptedCall) => {
    const reply = await tried(scripted);
    // B2C's one retry, with the same bytes (contract 2.6).
    return reply.kind === 'no answer' && !stop.aborted ? (await tried(scripted)).action : reply.action;
  };
  const bar = progressBar('Playing {bar} {value}/{total} people, {eta_formatted} left', people);
  let gone = 0;
  const startedAt = performance.now();
  const onExit = () => bar.update(++gone);
  const heldBack = await play({ parts: programme(seed, people), callsPerSecond, call, onExit, stop });
  bar.stop();
  const seconds = (performance.now() - startedAt) / 1_000;

  printLine(io, `${stop.aborted ? 'Cut off: these are the replies so far.\n' : ''}\n${tally.tables()}\n`);
  printLine(io, `${tally.calls} calls in ${seconds.toFixed(1)} s, ${(tally.calls / seconds).toFixed(0)} a second.`);
  const [wrong, missing, refused] = [tally.of('not allowed'), tally.of('no answer'), tally.of('refused')];
  const answered = tally.calls - refused - missing;
  printLine(io, `Answered, so that Gatehouse keeps an attempt of each: ${answered} (a refused call is none).`);
  if (heldBack > 0)
    printLine(io, `${heldBack} left late, since ${MAX_UNDER_WAY} were under way: Gatehouse is slower than the rate.`);
  if (wrong > 0) printLine(io, `${wrong} replies were not ones that B2C takes at their step: see above.`);
  if (missing > 0)
    printLine(io, `${missing} calls got no answer in time; Gatehouse may have kept attempts of them: see above.`);
  if (wrong + missing > 0) return 1;
  return stop.aborted ? CUT_OFF_EXIT_CODE : 0;
}
