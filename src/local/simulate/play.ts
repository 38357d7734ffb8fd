/**
 * Plays a programme live. Calls leave at the asked rate whether the ones before are answered or not (an open loop): a slow
 * server meets as many arrivals as a fast one, as it would in life. The calls of one person come one after another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { diceFor } from './dice.ts';
import type { ProgrammePart } from './programme.ts';
import { nextVisit, type ScriptedCall } from './script.ts';

/** A form takes a minute in life, which is too long to wait for here. */
const PAUSES_SHORTER_BY = 60;
/** More would run into the number of files that systems let a process open, which is often 1,024. */
export const MAX_UNDER_WAY = 500;
/** Timers come late by some milliseconds, which the next calls make up for; what is missed for longer stays missed. */
const MAX_LATE_MS = 50;
const POLL_MS = 2;

export interface Stage {
  readonly parts: Iterator<ProgrammePart>;
  readonly callsPerSecond: number;
  /** Makes a call, and returns what the answer wants B2C to do. Never rejects. */
  readonly call: (call: ScriptedCall) => Promise<string>;
  /** A person has made their last call. */
  readonly onExit: () => void;
  /** Aborted: no further call is made; those under way are waited for. */
  readonly stop: AbortSignal;
}

/** Resolves at the end, with the number of calls that left late since {@link MAX_UNDER_WAY} were under way. */
export async function play({ parts, callsPerSecond, call, onExit, stop }: Stage): Promise<number> {
  /** Each lets one call go that is due at the next slot. */
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
      // B2C's second try of a call that is made twice: of no further consequence.
      if (next.twice) ready.push(() => make(next));
      left = nextVisit(left, await make(next), dice);
    }
    onStage -= 1;
    onExit();
  };
  /** Lets a call go that is due, else a new person come on; false when there is neither. */
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

/** Waits so long, or until it is stopped. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
