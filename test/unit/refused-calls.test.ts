/** Refused calls are counted, and a flood of them costs one message and one log line in ten seconds (attack 5, 15). */
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

it('refused calls: messages add up to every refusal until the last message, at any rate of calls', async () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(pauses, async (all) => {
      const refusal = newKind();
      let [now, refused, reported] = [NOW, 0, 0];
      for (const pause of all) {
        now += pause;
        refused += 1;
        const [message] = await refuseAt(refusal, [now]);
        if (message === undefined) continue;
        reported += message.calls;
        expect(reported).toBe(refused);
      }
      expect(reported).toBeGreaterThan(0);
    }),
  );
});

it('refused calls: 100,000 refusals within ten seconds are one message and one log line', async () => {
  const kind = newKind();
  const sent = await refuseAt(
    kind,
    Array.from({ length: 100_000 }, (_, index) => NOW + (index % 9_999)),
  );
  expect(sent).toMatchObject([{ kind: 'refused-calls', v: 1, ...kind, calls: 1 }]);
  expect(logged).toHaveBeenCalledOnce();
  expect(await refuseAt(kind, [NOW + 10_000])).toMatchObject([{ calls: 100_000 }]);
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
