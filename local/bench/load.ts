/** Calls a Worker as B2C would, over connections that stay open, and looks at every reply. */
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { SignIn } from './sign-in.ts';

/** Few, so that neither the client nor a queue in front of workerd is what is measured. */
const CONNECTIONS = 2;

/** Makes `count` calls, each connection one after the other, and returns how long each took, in milliseconds. Rejects on the first reply that is not the expected one. */
export async function callMany(url: string, people: readonly SignIn[], count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const durations: number[] = [];
  let next = 0;
  const one = async () => {
    for (let index = next++; index < count; index = next++) {
      const person = people[index % people.length];
      if (person === undefined) throw new Error('Nobody signs in.');
      durations.push(await callOnce(agent, url, person));
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, one));
  } finally {
    agent.destroy();
  }
  return durations;
}

/** Starts `rate` calls a second for so many seconds, however long the replies take, and returns durations in milliseconds. Rejects as {@link callMany} does. */
export async function callAtRate(
  url: string,
  people: readonly SignIn[],
  rate: number,
  seconds: number,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const startedAt = performance.now();
  const calls: Promise<number>[] = [];
  try {
    for (let index = 0; index < rate * seconds; index += 1) {
      await wait(Math.max(0, startedAt + (index * 1_000) / rate - performance.now()));
      const person = people[index % people.length];
      if (person !== undefined) calls.push(callOnce(agent, url, person));
    }
    return await Promise.all(calls);
  } finally {
    await Promise.allSettled(calls);
    agent.destroy();
  }
}

/** One call; its duration in milliseconds, until the last byte. */
export function callOnce(agent: Agent, url: string, { authorization, body, expected }: SignIn): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const headers = {
      Authorization: authorization,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    };
    const sent = request(`${url}/connectors/user-flow`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => {
        const took = performance.now() - startedAt;
        if (response.statusCode === 200 && isDeepStrictEqual(parsed(text), expected)) resolve(took);
        else reject(new Error(`The reply was not the expected one, but ${response.statusCode} ${text}`));
      });
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
