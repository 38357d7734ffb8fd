/** A TCP proxy that can stop passing bytes on, as an endpoint does that is up but does not answer. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

export interface Stallable {
  readonly port: number;
  /** From now on nothing passes, in either direction; connections are still taken. */
  stall(): void;
  /** What was held back passes, in order. */
  resume(): void;
  close(): Promise<void>;
}

/** Passes 127.0.0.1:`targetPort` on under a port of its own. */
export async function stallable(targetPort: number): Promise<Stallable> {
  const sockets = new Set<Socket>();
  let stalled = false;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => stalled || from.resume());
      from.once('end', () => to.end());
      from.once('error', () => to.destroy());
      from.once('close', () => sockets.delete(from));
      if (stalled) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
