/** Everything that a call leaves behind: logs, messages of the queue, values in KV, and the row of its attempt. */
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { type Answered, rowsOfOnce } from './call.ts';
import { send } from './exchange-call.ts';
import { reportWith } from './reports-call.ts';

export interface Left {
  readonly answered: Answered;
  /** All texts that the call left anywhere. */
  readonly everywhere: string;
  readonly message: Readonly<Record<string, unknown>>;
}

const CONSOLE = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;

/** Sends a request to the gate and collects what it leaves, its reply too. */
export async function leftBy(request: Request, bindings: object = {}): Promise<Left> {
  const logs = CONSOLE.map((level) => vi.spyOn(console, level).mockReturnValue());
  const sent: unknown[] = [];
  const ATTEMPTS = {
    send: (message: unknown) => {
      sent.push(message);
      return Promise.resolve();
    },
  };
  try {
    const answered = await send(request, { ATTEMPTS, ...bindings });
    const lines = logs.flatMap(({ mock }) => mock.calls.flat().map(String));
    const headers = [...answered.headers].flat();
    const everywhere = [...lines, ...headers, answered.text, JSON.stringify(sent)].join('\n');
    return { answered, everywhere, message: (sent[0] ?? {}) as Record<string, unknown> };
  } finally {
    for (const log of logs) log.mockRestore();
  }
}

/** Sends a request through the real queue. Adds the row in Postgres, reports and CSV, and every value in KV. */
export async function storedBy(request: Request, clientId: string): Promise<string> {
  await send(request);
  const [row] = await rowsOfOnce(clientId, 1);
  const reports = await Promise.all(
    [`/attempts?clientId=${clientId}`, `/attempts.csv?clientId=${clientId}`].map(async (path) =>
      (await reportWith({}, path)).text(),
    ),
  );
  return [JSON.stringify(row), ...reports, ...(await valuesInKv())].join('\n');
}

/** Values of dead letters, of sums and of people. */
async function valuesInKv(): Promise<string[]> {
  const { keys } = await env.GATEHOUSE.list();
  const own = keys.filter(({ name }) => !name.startsWith('policy:'));
  return Promise.all(own.map(async ({ name }) => `${name} ${await env.GATEHOUSE.get(name)}`));
}
