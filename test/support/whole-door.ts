/** Both Workers in Node behind the door of a test: the gate, the desk, and a queue that delivers at once. */
import { consume } from '../../src/desk/consume/consume.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import gate from '../../src/gate/index.ts';
import { policyDoor } from './policy-door.ts';

export interface Broken {
  /** Settings and secrets of both Workers. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Messages are accepted and never delivered. */
  readonly queueStands?: true;
}

export function wholeDoor() {
  const door = policyDoor();
  /** Answers requests as the deployed Gatehouse does. */
  const fetchWith =
    ({ settings = {}, queueStands }: Broken = {}): typeof fetch =>
    async (input, init) => {
      const after: Promise<unknown>[] = [];
      const context = { waitUntil: (work: Promise<unknown>) => after.push(work), passThroughOnException() {} } as never;
      const desk = { ...door.env(), ...settings };
      const queue = {
        send: async (body: unknown) => {
          if (queueStands) return;
          const message = { id: crypto.randomUUID(), timestamp: new Date(), body, attempts: 1, ack() {}, retry() {} };
          await consume({ queue: 'gatehouse-attempts', messages: [message] } as unknown as MessageBatch, desk);
        },
      };
      const env = {
        ...desk,
        ATTEMPTS: queue,
        DESK: { fetch: (request: Request) => managementApi.fetch(request, { ...desk, ATTEMPTS: queue }, context) },
        RECORDER: { record: () => Promise.resolve(false) },
      };
      const request = new Request(input, init);
      const response = await gate.fetch(request as never, env as never, context);
      await Promise.allSettled(after);
      return response;
    };
  return { ...door, fetchWith };
}
