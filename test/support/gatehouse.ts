/** The built Workers with their own KV and database, a door in front that can fail, and commands run against them. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createTestHarness } from 'wrangler';
import { bothWorkers } from './both-workers.ts';
import { start } from './command.ts';
import { ownDatabase } from './own-database.ts';

export { run, start } from './command.ts';

/** Decides how the door treats a request; `pass` forwards it. */
export type Door = (request: { method: string; body: string }) => Treatment | Promise<Treatment>;
type Treatment = 'pass' | 'hang up' | keyof typeof ANSWERS;

const ANSWERS = {
  'be another': [403, 'text/html', '<h1>Just a moment...</h1>'],
  'be a page': [200, 'text/html', '<h1>Welcome</h1>'],
  'be older': [404, 'application/problem+json', '{"detail":"There is nothing at this address.","requestId":"r"}'],
  refuse: [503, 'application/problem+json', '{"detail":"Workers KV takes one write a second for one person."}'],
} as const;

/** Starts before the file's tests and stops after them. `settings` override wrangler.toml. */
export function ownGatehouse(settings: Record<string, string> = {}) {
  const database = ownDatabase();
  const harness = createTestHarness();
  const requests: { method: string; url: string; body: string }[] = [];
  let door: Door = () => 'pass';
  let url = '';

  const throughTheDoor: typeof fetch = async (input, init) => {
    const { method = 'GET', body = '' } = init ?? {};
    const request = { method, url: String(input).slice(url.length), body: String(body) };
    const treatment = await door(request);
    requests.push(request);
    if (treatment === 'hang up') throw new TypeError('fetch failed', { cause: new Error('other side closed') });
    if (treatment === 'pass') return fetch(input, init);
    const [status, type, text] = ANSWERS[treatment];
    return new Response(text, { status, headers: { 'Content-Type': type, 'Retry-After': '0', ETag: '"3"' } });
  };

  beforeAll(async () => {
    const vars = {
      ...settings,
      LOCAL: 'yes',
      DATABASE_URL: database.url(),
      SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
      EMAIL_KEY: '',
      CONNECTOR_BASIC: '',
      REPORTS_BASIC: '',
      ADMIN_BASIC: '',
    };
    await harness.update(bothWorkers(vars));
    url = (await harness.listen()).url.origin;
  });
  beforeEach(() => {
    door = () => 'pass';
    requests.length = 0;
  });
  afterAll(() => harness.close());

  return {
    database,
    requests,
    url: () => url,
    kv: async () => (await harness.getWorker<Env>().getEnv()).GATEHOUSE,
    letThrough: (treatment: Door) => {
      door = treatment;
    },
    /** Runs a command in this process against this Gatehouse. */
    run: (command: string, ...args: string[]) =>
      start(command, [...args, '--url', url], { fetch: throughTheDoor }).finished,
    /** The same, to interrupt it, or with terminal input. */
    start: (command: string, args: string[], answer?: string) =>
      start(command, [...args, '--url', url], { fetch: throughTheDoor, answer }),
  };
}
