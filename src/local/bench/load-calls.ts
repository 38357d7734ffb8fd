/** Calls a Worker as B2C does and checks every reply. */
import { Agent, type RequestOptions, request } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { AUTHORIZATION, type MeasuredCall, PEOPLE, USER_FLOW_CALL } from './sign-in.ts';

/**
 * Makes `count` calls over `connections` connections, sequentially on each, starting with the person at index `from`.
 * Rejects at the first unexpected reply.
 */
export async function callMany(
  url: string,
  count: number,
  connections: number,
  from = 0,
  call: MeasuredCall = USER_FLOW_CALL,
): Promise<void> {
  // A new agent for each run: workerd closes connections after some idle seconds, possibly just when one is reused.
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = from;
  const one = async () => {
    while (next < from + count) {
      const person = PEOPLE[next % PEOPLE.length];
      next += 1;
      if (person !== undefined) await callOnce(agent, `${url}${call.path}`, call.bodyOf(person), call.expected);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, one));
  } finally {
    agent.destroy();
  }
}

async function callOnce(agent: Agent, url: string, body: string, expected: object): Promise<void> {
  const headers = { Authorization: AUTHORIZATION, 'Content-Type': 'application/json' };
  const { status, text } = await send(url, { method: 'POST', agent, headers }, body);
  if (status !== 200 || !isDeepStrictEqual(parsed(text), expected))
    throw new Error(`Unexpected reply: ${status} ${text}`);
}

/** Sends one request and reads the whole response. Without an agent it uses a new connection. */
export function send(url: string, options: RequestOptions, body = ''): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, 'Content-Length': Buffer.byteLength(body) };
    const sent = request(url, { agent: false, ...options, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
