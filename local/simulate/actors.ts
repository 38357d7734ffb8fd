/** Who is on stage in a live play, whose call is next, and what an answer makes a person do. Knows nothing of HTTP and rates. */
import { diceFor } from './dice.ts';
import type { Part } from './programme.ts';
import type { Reply } from './reply.ts';
import { afterReply, correctedCall, type ScriptedCall } from './script.ts';

/** A form takes a minute in life, which nobody wants to wait for here. */
const PAUSES_SHORTER_BY = 60;

/** One person's next call. */
export interface Turn {
  readonly call: ScriptedCall;
  /** To be told the reply; the person goes on, corrects their input, or leaves. */
  readonly answered: (reply: Reply) => void;
}

export interface Actors {
  /** Somebody whose pause is over, else somebody new; undefined while nobody is ready. */
  next(): Turn | undefined;
  /** How many people wait for a reply or take their time: while there are some, `next` may have more. */
  readonly onStage: number;
  /** Nobody comes back from a pause any more. */
  sendHome(): void;
}

/** `onChange`: somebody became ready, or left. `onExit`: a person has made their last call. */
export function actorsOf(parts: Iterator<Part>, onChange: () => void, onExit: () => void): Actors {
  const ready: Turn[] = [];
  const pausing = new Set<NodeJS.Timeout>();
  let onStage = 0;

  const turnOf = (call: ScriptedCall, rest: readonly ScriptedCall[], part: Part): Turn => {
    // B2C's second try of a call that is made twice: with equal bytes, and of no further consequence.
    if (call.twice) ready.push({ call, answered: () => undefined });
    return {
      call,
      answered({ action }) {
        const follows = afterReply(call, action);
        const [following, ...others] = rest;
        if (follows === 'again') pause(correctedCall(call, diceFor('corrects', part.person.objectId)), rest, part);
        else if (follows === 'next' && following !== undefined) pause(following, others, part);
        else exit();
      },
    };
  };
  const pause = (call: ScriptedCall, rest: readonly ScriptedCall[], part: Part) => {
    const timer = setTimeout(() => {
      pausing.delete(timer);
      ready.push(turnOf(call, rest, part));
      onChange();
    }, call.pauseMs / PAUSES_SHORTER_BY);
    pausing.add(timer);
  };
  const exit = () => {
    onStage -= 1;
    onExit();
    onChange();
  };

  return {
    next() {
      const waiting = ready.shift();
      if (waiting !== undefined) return waiting;
      for (let part = parts.next(); !part.done; part = parts.next()) {
        const [first, ...rest] = part.value.calls;
        if (first === undefined) continue;
        onStage += 1;
        return turnOf(first, rest, part.value);
      }
      return undefined;
    },
    get onStage() {
      return onStage;
    },
    sendHome() {
      for (const timer of pausing) clearTimeout(timer);
      pausing.clear();
    },
  };
}
