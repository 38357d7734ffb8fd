/** How long support waits: from the reply until `/reports/attempts` shows the attempt, with the queue's real batch time. */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { against, type Finding } from './finding.ts';
import { callOnce } from './load.ts';
import { authorizationOf, SECRETS, signIns } from './sign-in.ts';
import { median } from './statistics.ts';
import type { Whole } from './whole.ts';

/** The design's, section 11. */
const MOST_SECONDS = 2;
const POLL_MS = 20;
const GIVE_UP_MS = 30_000;

/** Rejects when an attempt does not appear at all. */
export async function measureVisible(
  whole: Whole,
  { tries, progress }: { tries: number; progress: (line: string) => void },
): Promise<Finding[]> {
  const agent = new Agent({ keepAlive: true });
  const seconds: number[] = [];
  try {
    for (let number = 1; number <= tries; number += 1) {
      const clientId = randomUUID();
      const [person] = signIns(1, '', clientId);
      if (person !== undefined) await callOnce(agent, whole.url, person);
      seconds.push(await untilVisible(whole.url, clientId));
    }
  } finally {
    agent.destroy();
  }
  const most = Math.max(...seconds);
  progress(`visible: ${tries} tries, ${most.toFixed(2)} s at most`);
  const measured = `${most.toFixed(2)} s at most in ${tries} tries (median ${median(seconds).toFixed(2)} s)`;
  return [against('attempt visible in /reports/attempts after the reply', most, MOST_SECONDS, 's', measured)];
}

async function untilVisible(url: string, clientId: string): Promise<number> {
  const repliedAt = performance.now();
  while (performance.now() - repliedAt < GIVE_UP_MS) {
    const answer = await fetch(`${url}/reports/attempts?clientId=${clientId}`, {
      headers: { Authorization: authorizationOf(SECRETS.REPORTS_BASIC) },
    });
    if (!answer.ok) throw new Error(`/reports/attempts answered ${answer.status} ${await answer.text()}`);
    const { attempts } = (await answer.json()) as { attempts: unknown[] };
    if (attempts.length > 0) return (performance.now() - repliedAt) / 1_000;
    await wait(POLL_MS);
  }
  throw new Error(`An attempt was not in /reports/attempts ${GIVE_UP_MS / 1_000} s after its reply.`);
}
