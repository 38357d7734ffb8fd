/** `npm run simulate`: a live play from the first look at Gatehouse to the closing tables. */
import { SingleBar } from 'cli-progress';
import { play } from './play.ts';
import { programme } from './programme.ts';
import { Tally } from './tally.ts';
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
export async function playLive(target: Target, { people, seed, callsPerSecond, stop }: LivePlay): Promise<number> {
  await target.probe();
  console.log(`Playing ${people} people at ${target.origin}, ${callsPerSecond} calls a second (seed ${seed}).`);
  const tally = new Tally();
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: 'Playing {bar} {value}/{total} people, {calls} calls, {eta_formatted} left',
        hideCursor: true,
      })
    : undefined;
  bar?.start(people, 0, { calls: 0 });
  const startedAt = performance.now();
  const { heldBack } = await play({
    parts: programme(seed, people),
    callsPerSecond,
    stop,
    send: (call) => target.send(call),
    onReply: ({ step }, { reply, latencyMs }) => tally.add(step, reply, latencyMs),
    onExit: () => bar?.increment({ calls: tally.calls }),
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  bar?.stop();

  console.log(`${stop.aborted ? 'Cut off: these are the replies so far.\n' : ''}\n${tally.tables()}\n`);
  console.log(`${tally.calls} calls in ${seconds.toFixed(1)} s, ${(tally.calls / seconds).toFixed(0)} a second.`);
  console.log(`Answered, so that Gatehouse keeps an attempt of each: ${tally.answered} (a refused call is none).`);
  if (heldBack > 0) {
    console.log(`${heldBack} of them left late, since 500 were under way: Gatehouse is slower than the rate.`);
  }
  const [wrong, missing] = [tally.of('not allowed'), tally.of('no answer')];
  if (wrong > 0) console.log(`${wrong} replies were not ones that B2C takes at their step: see above.`);
  if (missing > 0)
    console.log(
      `${missing} calls got no answer in time (Gatehouse may have kept attempts of them all the same): see above.`,
    );
  if (wrong + missing > 0) return 1;
  return stop.aborted ? CUT_OFF_EXIT_CODE : 0;
}
