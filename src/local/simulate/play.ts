/**
 * Runs a programme live as an open loop: calls start at a fixed rate, independent of responses, so a slow server gets
 * as many arrivals as a fast one. The calls of one person are sequential.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { diceFor } from './dice.ts';
import type { ProgrammePart } from './programme.ts';
import { nextVisit, type ScriptedCall } from './script.ts';

/** People take a minute to fill in a form, which is too long for a simulation. */
const PAUSES_SHORTER_BY = 60;
/** The usual limit of open files is 1,024 for each process. */
export const MAX_UNDER_WAY = 500;
/** Timers fire some milliseconds late, and the next calls catch up. A longer delay is not caught up. */
const MAX_LATE_MS = 50;
const POLL_MS = 2;

export interface Stage {
  readonly parts: Iterator<ProgrammePart>;
  readonly callsPerSecond: number;
  /** Makes a call and returns the action of the reply. Never rejects. */
  readonly call: (call: ScriptedCall) => Promise<string>;
  /** Called after the last call of a person. */
  readonly onExit: () => void;
  /** After an abort no further call starts; open calls finish. */
  readonly stop: AbortSignal;
}

/** Resolves at the end with the number of calls that were delayed because {@link MAX_UNDER_WAY} were open. */
export async function play({ parts, callsPerSecond, call, onExit, stop }: Stage): Promise<number> {
  /** Calls that wait for the next slot. */
  const ready: (() => unknown)[] = [];
  let [onStage, underWay, heldBack] = [0, 0, 0];

  const make = async (scripted: ScriptedCall) => {
    underWay += 1;
    const action = await call(scripted);
    underWay -= 1;
    return action;
  };
  const perform = async ({ person, calls }: ProgrammePart) => {
    onStage += 1;
    const dice = diceFor('corrects', person.objectId);
    let left = calls;
    for (let [next] = left; next !== undefined; [next] = left) {
      if (left !== calls) {
        await pause(next.pauseMs / PAUSES_SHORTER_BY, stop);
        await new Promise<void>((resolve) => ready.push(resolve));
      }
      // B2C's retry of a call: its reply is ignored.
      if (next.twice) ready.push(() => make(next));
      left = nextVisit(left, await make(next), dice);
    }
    onStage -= 1;
    onExit();
  };
  /** Starts a waiting call, else the next person. Returns false when there is neither. */
  const proceed = (): boolean => {
    const due = ready.shift();
    const part = due === undefined ? parts.next() : undefined;
    if (part?.done) return false;
    if (part === undefined) due?.();
    else void perform(part.value);
    return true;
  };

  for (let slotMs = performance.now(); !stop.aborted; slotMs += 1_000 / callsPerSecond) {
    await pause(slotMs - performance.now(), stop);
    if (underWay >= MAX_UNDER_WAY) heldBack += 1;
    while (underWay >= MAX_UNDER_WAY) await pause(POLL_MS);
    let proceeded = proceed();
    while (!proceeded && onStage > 0 && !stop.aborted) {
      await pause(POLL_MS);
      proceeded = proceed();
    }
    if (!proceeded) break;
    slotMs = Math.max(slotMs, performance.now() - MAX_LATE_MS);
  }
  while (underWay > 0) await pause(POLL_MS);
  return heldBack;
}

/** Waits for `ms` or until the signal aborts. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
