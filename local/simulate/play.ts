/**
 * Plays a programme live. Calls leave at the asked rate whether the ones before are answered or not (an open loop): a slow
 * server meets as many arrivals as a fast one, as it would in life.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { actorsOf, type Turn } from './actors.ts';
import type { Part } from './programme.ts';
import type { ScriptedCall } from './script.ts';
import type { Sent } from './target.ts';

/** More would run into the number of files that systems let a process open, which is often 1,024. */
const MAX_UNDER_WAY = 500;
/** Timers come late by some milliseconds, which the next calls make up for; what is missed for longer stays missed. */
const MAX_LATE_MS = 50;

export interface Stage {
  readonly parts: Iterator<Part>;
  readonly callsPerSecond: number;
  readonly send: (call: ScriptedCall) => Promise<Sent>;
  readonly onReply: (call: ScriptedCall, sent: Sent) => void;
  /** A person has made their last call. */
  readonly onExit: () => void;
  /** Aborted: no further call is made; those under way are waited for. */
  readonly stop: AbortSignal;
}

export interface Played {
  /** Calls that had to wait for the answer to another one, since {@link MAX_UNDER_WAY} were under way. */
  readonly heldBack: number;
}

/** Resolves when everybody has made their last call, or when it was stopped. */
export async function play({ parts, callsPerSecond, send, onReply, onExit, stop }: Stage): Promise<Played> {
  let underWay = 0;
  let heldBack = 0;
  let wake = () => {};
  const change = () => new Promise<void>((resolve) => (wake = resolve));
  const actors = actorsOf(parts, () => wake(), onExit);
  stop.addEventListener('abort', () => wake(), { once: true });

  const make = async ({ call, answered }: Turn) => {
    underWay += 1;
    let sent = await send(call);
    onReply(call, sent);
    // B2C's one retry, with the same bytes (contract 2.6).
    if (sent.reply.kind === 'no answer' && !stop.aborted) {
      sent = await send(call);
      onReply(call, sent);
    }
    underWay -= 1;
    answered(sent.reply);
    wake();
  };

  for (let slotMs = performance.now(); !stop.aborted; slotMs += 1_000 / callsPerSecond) {
    await until(slotMs, stop);
    if (underWay >= MAX_UNDER_WAY) heldBack += 1;
    while (underWay >= MAX_UNDER_WAY) await change();
    let turn = actors.next();
    while (turn === undefined && actors.onStage > 0 && !stop.aborted) {
      await change();
      turn = actors.next();
    }
    if (turn === undefined || stop.aborted) break;
    slotMs = Math.max(slotMs, performance.now() - MAX_LATE_MS);
    void make(turn);
  }
  actors.sendHome();
  while (underWay > 0) await change();
  return { heldBack };
}

/** Until then, or until it is stopped. */
async function until(timeMs: number, signal: AbortSignal): Promise<void> {
  const waitMs = timeMs - performance.now();
  if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
}
