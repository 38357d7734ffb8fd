/** How many messages wait in the two queues. */
import { errorFields, log } from '../../platform/log.ts';
import { withTimeout } from '../../platform/timeout.ts';
import type { DeskEnv } from '../env.ts';

/** As each part of `/health/ready`. */
const LIMIT_MS = 1_000;

/** Messages that a queue has and no consumer has acknowledged. */
export interface Backlog {
  readonly messages: number;
  /** When the oldest was sent; undefined without messages, or when the queue does not say. */
  readonly oldest: Date | undefined;
}

export interface Waiting {
  /** In this and the next member, undefined when the queue did not say. */
  readonly first: Backlog | undefined;
  /** The queue of messages that could not be delivered within a day. */
  readonly second: Backlog | undefined;
}

/** Never rejects. Needs `queue.metrics()` (Workers since 2026-04). */
export async function waitingMessages({ ATTEMPTS, WAITING }: DeskEnv): Promise<Waiting> {
  const [first, second] = await Promise.all([backlogOf(ATTEMPTS), backlogOf(WAITING)]);
  return { first, second };
}

async function backlogOf(queue: Pick<Queue, 'metrics'> | undefined): Promise<Backlog | undefined> {
  if (queue === undefined) return undefined;
  try {
    const { backlogCount, oldestMessageTimestamp } = await withTimeout(LIMIT_MS, () => queue.metrics());
    // Miniflare has 1970 for an empty queue.
    const oldest = Number(oldestMessageTimestamp ?? 0);
    return { messages: backlogCount, oldest: oldest > 0 ? new Date(oldest) : undefined };
  } catch (error) {
    log('queue-not-measured', errorFields(error));
    return undefined;
  }
}
