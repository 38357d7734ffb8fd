/** Refused calls are counted, and a flood costs two messages and two log lines in ten seconds (attack 5, 15). */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RefusedCalls } from '../../src/attempts/attempt.ts';
import { countRefusal, type Refusal } from '../../src/attempts/refused-calls.ts';

const logged = vi.spyOn(console, 'log').mockReturnValue();
beforeEach(() => logged.mockClear());
afterEach(() => logged.mockClear());

let used = 0;
/** A kind of its own: the counters are those of an isolate. */
const newKind = (): Refusal => ({ route: 'connector', reason: 'wrong-credential', name: `b2c-${used++}` });

/** Refuses calls at these times, and returns the messages that were sent. */
async function refuseAt(refusal: Refusal, times: readonly number[], send = async (_: RefusedCalls) => {}) {
  const sent: RefusedCalls[] = [];
  const work: Promise<unknown>[] = [];
  const queue: Pick<Queue, 'send'> = {
    send: async (message) => {
      sent.push(message as RefusedCalls);
      await send(message as RefusedCalls);
      return {} as never;
    },
  };
  for (const now of times) countRefusal(refusal, now, queue, (task) => work.push(task));
  await Promise.all(work);
  return sent;
}

const NOW = Date.parse('2026-11-27T14:00:00Z');

const timeOf = ({ id }: RefusedCalls) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

it('refused calls: messages add up to every refusal but those of the last ten seconds, each within ten seconds of its time', async () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(pauses, async (all) => {
      const refusal = newKind();
      let now = NOW;
      const times = all.map((pause) => {
        now += pause;
        return now;
      });
      const sent = await refuseAt(refusal, times);
      const newest = Math.max(...sent.map(timeOf));
      const reported = sent.flatMap((message) => Array<number>(message.calls).fill(timeOf(message)));
      expect(reported).toHaveLength(times.filter((time) => time <= newest).length - restOf(times, newest));
      for (const [index, time] of reported.toSorted((a, b) => a - b).entries()) {
        expect(Math.abs((times[index] ?? 0) - time)).toBeLessThan(10_000);
      }
    }),
  );
});
/** Refusals at the very time of the newest message wait for the next one, except the first of them. */
const restOf = (times: readonly number[], newest: number) => times.filter((time) => time === newest).length - 1;

it('refused calls: 100,000 refusals within ten seconds are one message and one log line, and one more after them', async () => {
  const kind = newKind();
  const sent = await refuseAt(
    kind,
    Array.from({ length: 100_000 }, (_, index) => NOW + (index % 9_999)),
  );
  expect(sent).toMatchObject([{ kind: 'refused-calls', v: 1, ...kind, calls: 1 }]);
  expect(logged).toHaveBeenCalledOnce();
  const later = await refuseAt(kind, [NOW + 3_600_000]);
  expect(later.map((message) => [timeOf(message), message.calls])).toEqual([
    [NOW, 99_999],
    [NOW + 3_600_000, 1],
  ]);
});

it('refused calls: a queue that rejects or throws fails no call, and is logged', async () => {
  await refuseAt(newKind(), [NOW], () => Promise.reject(new Error('full')));
  const broken = () => {
    throw new Error('full');
  };
  await refuseAt(newKind(), [NOW], broken);
  const events = logged.mock.calls.map(([line]) => JSON.parse(String(line)).event);
  expect(events).toEqual(['refused', 'refused-calls-not-sent', 'refused', 'refused-calls-not-sent']);
});
