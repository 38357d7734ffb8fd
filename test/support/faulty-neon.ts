/** A Neon that can fail: a proxy in front of the local Neon that refuses, stalls, fails or forwards. */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startMigratedNeon } from './migrated-neon.ts';

export type Mood = 'healthy' | 'refusing' | 'stalled' | 'failing' | 'failing once';

/** `url` goes through the proxy. `directUrl` bypasses it, to read rows in any mood. */
export async function startFaultyNeon() {
  const neon = await startMigratedNeon();
  let mood: Mood = 'healthy';
  const server: Server = createServer((incoming, outgoing) => {
    if (mood === 'refusing') return void incoming.socket.destroy();
    if (mood === 'failing' || mood === 'failing once') {
      if (mood === 'failing once') mood = 'healthy';
      return void outgoing.writeHead(503).end('upstream connect error');
    }
    if (mood === 'stalled') return;
    const forwarded = request(
      { host: '127.0.0.1', port: neon.port, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: neon.url.replace(`:${neon.port}/`, `:${port}/`),
    directUrl: neon.url,
    setMood(next: Mood) {
      mood = next;
      // Connections hang only while the mood is `stalled`.
      if (next !== 'stalled') server.closeAllConnections();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await neon.close();
    },
  };
}
