/** `npm run connect -- check`: it passes at a Gatehouse that is connected, and names the gap in every other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { CheckOptions } from '../../src/cli/connect/check-credentials.ts';
import { prove } from '../../src/cli/connect/prove.ts';
import type { Io } from '../../src/cli/io.ts';
import { CommandRefusal } from '../../src/cli/refusal.ts';
import walkthroughs from '../fixtures/policy-custom/policy.json' with { type: 'json' };
import { aPolicy } from '../support/policy-door.ts';
import { type Broken, wholeDoor } from '../support/whole-door.ts';

const door = wholeDoor();
const URL_ = 'https://gatehouse.example';
const CREDENTIALS = {
  GATEHOUSE_CONNECTOR: 'Test:Test',
  GATEHOUSE_REPORTS: 'support:support',
  GATEHOUSE_ADMIN: 'admin:admin',
};

/** Runs the check. `through` is a proxy before Gatehouse. */
async function check(
  broken: Broken = {},
  env: Record<string, string> = {},
  through: (answering: () => Promise<Response>, request: Request) => Promise<Response> = (answering) => answering(),
  how: Omit<CheckOptions, 'url'> = {},
): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (chunk: string) => {
    text += chunk;
    return true;
  };
  const answer = door.fetchWith(broken);
  const io = {
    stdout: { write },
    stderr: { write },
    env: { ...CREDENTIALS, ...env },
    fetch: (input: URL, init: RequestInit) =>
      through(() => answer(input, init), new Request(input, { ...init, signal: null })),
  } as unknown as Io;
  try {
    return { code: await prove(io, { url: URL_, ...how }, { recordedMs: 200, pauseMs: 10 }), text };
  } catch (error) {
    if (!(error instanceof CommandRefusal)) throw error;
    return { code: error.exitCode, text: text + error.message };
  }
}

/** As a limit that was reached. */
const hangs = () => Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
const isConnector = ({ url, method }: Request) => method === 'POST' && url.includes('/connectors/');
const NONE = { GATEHOUSE_CONNECTOR: '', GATEHOUSE_REPORTS: '', GATEHOUSE_ADMIN: '' };
const exchanges = {
  promoCode: {
    kind: 'validation',
    inputs: { code: 'extension_promoCode' },
    outputs: { promoCode: 'string' },
  },
} as const;

const page = (folder: string) => readFileSync(join(import.meta.dirname, '../../src/gate', folder, 'README.md'), 'utf8');
const [roleInToken, promotionCode] = [page('user-flow'), page('custom-policy')];
/** The parts of the output that a page shows, without what differs from run to run. */
const shownIn = (document: string) =>
  withoutFigures(/^```text\n(Check .*?)```/ms.exec(document)?.[1] ?? 'The page shows no check.').split('\n\n');
const withoutFigures = (text: string) =>
  text
    .replace(/^Check \S+ of \S+$/m, 'Check')
    .replace(/\d+ ms/g, 'ms')
    .replace(/\d{4}-\d\d-\d\d/g, 'day')
    .replace(/ +/g, ' ')
    .trim();

describe('connect check', () => {
  it('passes where every step and exchange is answered and recorded, and changes no count', async () => {
    await door.save(aPolicy({ exchanges }));
    const { code, text } = await check();
    expect(text).toContain('All 6 calls passed.');
    expect(code).toBe(0);
    for (const step of [
      'PostFederationSignup',
      'PostAttributeCollection',
      'PreTokenIssuance',
      'promoCode',
      'SignInStarted',
    ])
      expect(text).toMatch(new RegExp(`ok +${step} +`));
    expect(text).toMatch(/^No call since \d{4}-\d\d-\d\d, apart from probes:$/m);
    expect(text).toContain('PreTokenIssuance: is the API connector chosen at that step of the user flow?');
    const [counted] = await door.database.rows(sql`
      select (select count(*)::int from attempts) as attempts, (select count(*)::int from probes) as probes,
        (select count(*)::int from dirty_hours) as dirty, (select count(*)::int from refused_calls) as refused`);
    expect(counted).toEqual({ attempts: 0, probes: 6, dirty: 0, refused: 0 });
  });

  it('passes by the built-in policy when no policy is saved', async () => {
    const { code, text } = await check({ settings: { POLICY: 'built-in' } });
    expect([code, text]).toEqual([0, expect.stringContaining('Policy: the built-in one')]);
    expect(text).toContain('All 5 calls passed.');
  });

  it.each([
    ['basic', { CONNECTOR_BASIC: 'prüfer:ein Paßwort, das lang genug ist' }],
    ['api-key', { CONNECTOR_KEYS: 'gateway:0123456789/abcdef:ghij==' }],
    ['bearer', { CONNECTOR_TOKENS: 'gateway:0123456789abcdefghij' }],
  ] as const)('passes where connectors accept nothing but %s', async (auth, settings) => {
    await door.save();
    const env = { GATEHOUSE_CONNECTOR: Object.values(settings)[0] ?? '' };
    const only = { settings: { CONNECTOR_BASIC: '', ...settings } };
    expect(await check(only, env, undefined, { auth })).toMatchObject({ code: 0 });
    const other = auth === 'basic' ? 'bearer' : 'basic';
    const refusal = await check(only, { GATEHOUSE_CONNECTOR: 'gateway:another' }, undefined, { auth: other });
    expect(refusal).toMatchObject({ code: 1, text: expect.stringContaining('choose it with --auth') });
  });

  it('says what it cannot present, and what a header cannot have, as wrong usage', async () => {
    const refusal = await check({}, {}, undefined, { auth: 'certificate' });
    expect(refusal).toMatchObject({ code: 2, text: expect.stringContaining('npm run connect -- secret --name check') });
    // Whatever else is missing: the next steps supply it.
    expect(await check({}, NONE, undefined, { auth: 'certificate' })).toEqual(refusal);
    for (const value of ['only-a-key', 'gateway:schlüssel', 'gateway:'])
      expect(await check({}, { GATEHOUSE_CONNECTOR: value }, undefined, { auth: 'api-key' })).toMatchObject({
        code: 2,
      });
    expect(await check({}, {}, undefined, { auth: 'api-key', header: 'x-other' })).toMatchObject({ code: 2 });
  });

  it('names every credential that is missing in one refusal', async () => {
    const { code, text } = await check({}, NONE);
    expect(code).toBe(2);
    for (const variable of Object.keys(NONE)) expect(text).toContain(variable);
  });

  it('says which declared outputs a reply lacks, and which values are too long, which is no gap', async () => {
    const long = { id: 'long', steps: ['PostAttributeCollection'], set: { extension_Note: `'${'x'.repeat(251)}'` } };
    await door.save(aPolicy({ exchanges, rules: [...aPolicy().rules, long] }));
    const { code, text } = await check();
    expect(text).toContain('promoCode returned no promoCode.');
    expect(text).toContain('PostAttributeCollection: extension_Note has more than 250 characters.');
    expect(code).toBe(0);
  });

  it('says which rule refused the made-up person, which is no gap', async () => {
    const rule = { id: 'invited-only', steps: ['PostAttributeCollection'], block: true };
    await door.save(aPolicy({ rules: [...aPolicy().rules, rule] }));
    const { code, text } = await check();
    expect([code, text]).toEqual([0, expect.stringContaining('ShowBlockPage (rule invited-only)')]);
  });

  it.each<[gap: string, sentence: string, Parameters<typeof check>]>([
    [
      'the password of the connector is another',
      'does not accept this credential',
      [{}, { GATEHOUSE_CONNECTOR: 'Test:other' }],
    ],
    ['no credential of a connector is configured', 'does not accept this credential', [{ settings: { LOCAL: '' } }]],
    [
      'the reports credential is another',
      'does not accept this credential. Set GATEHOUSE_REPORTS',
      [{}, { GATEHOUSE_REPORTS: 'support:other' }],
    ],
    ['the database is not set', 'The database did not answer.', [{ settings: { DATABASE_URL: '' } }]],
    ['the queue delivers nothing', 'No call was recorded in time', [{ queueStands: true }]],
    [
      'the address is of another server',
      'is not a Gatehouse (status 404)',
      [{}, {}, async () => new Response('not here', { status: 404 })],
    ],
    [
      'a proxy writes its own page for refusals and replies',
      'B2C does not accept the reply: status 200 with content type text/html',
      [
        {},
        {},
        async (answering, request) =>
          isConnector(request) ? new Response('<p>Hello', { headers: { 'Content-Type': 'text/html' } }) : answering(),
      ],
    ],
    [
      'a proxy removes the step of the address and the body',
      'A call arrived changed: The call failed: neither its body nor its URL named a step',
      [
        {},
        {},
        async (answering, request) =>
          isConnector(request) && request.url.includes('user-flow/')
            ? door.fetchWith({})(`${URL_}/connectors/user-flow`, {
                method: 'POST',
                headers: request.headers,
                body: '{}',
              })
            : answering(),
      ],
    ],
    [
      'a proxy adds a credential to every call',
      'A call without a credential is answered',
      [
        {},
        {},
        async (answering, request) =>
          request.headers.has('Authorization') ? answering() : new Response(null, { status: 200 }),
      ],
    ],
    [
      'a proxy does not reach Gatehouse for one step',
      'PreTokenIssuance: no answer (ECONNRESET)',
      [
        {},
        {},
        async (answering, request) => {
          if (!request.url.endsWith('/PreTokenIssuance')) return answering();
          throw new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
        },
      ],
    ],
    [
      'a policy is saved and the built-in one decides',
      'Version 1 of the policy is saved, but the built-in one decides. Set POLICY = "stored"',
      [{ settings: { POLICY: 'built-in' } }],
    ],
    [
      'Gatehouse hangs at the connectors',
      'Gatehouse does not answer at https://gatehouse.example (timeout after 5 s)',
      [{}, {}, async (answering, { url }) => (url.includes('/connectors/') ? hangs() : answering())],
    ],
    [
      'Gatehouse hangs at reports',
      'Nothing was called:\n- https://gatehouse.example did not answer (timeout after 40 s)',
      [{}, {}, async (answering, { url }) => (/reports|health/.test(url) ? hangs() : answering())],
    ],
    [
      'Gatehouse hangs at one exchange',
      'SignInCompleted: no answer (timeout after 5 s)',
      [{}, {}, async (answering, { url }) => (url.endsWith('/SignInCompleted') ? hangs() : answering())],
    ],
    [
      'a login page is before Gatehouse',
      'is not a Gatehouse (status 302). Check --url, and that no login page',
      [{}, {}, async () => new Response(null, { status: 302, headers: { Location: '/login' } })],
    ],
    [
      'Gatehouse is of a version before checks',
      'is an older version, which counts a check as attempts',
      [
        {},
        {},
        async (answering, request) =>
          request.url.includes('/probes')
            ? new Response(JSON.stringify({ code: 'no-such-address', title: 'Not found', status: 404, detail: '' }), {
                status: 404,
              })
            : answering(),
      ],
    ],
  ])('names the gap when %s', async (_, sentence, given) => {
    await door.save();
    const { code, text } = await check(...given);
    expect(text).toContain(sentence);
    expect(code).toBe(1);
  });

  it('names the gap when no policy is in force', async () => {
    const { code, text } = await check();
    expect(text).toContain('No policy is in force. Save one with npm run policy -- push.');
    expect(code).toBe(1);
  });

  it('calls nothing at a Gatehouse of a version before checks, which would count the calls', async () => {
    await door.save();
    const called: string[] = [];
    await check({}, {}, async (answering, { method, url }) => {
      if (method === 'POST') called.push(url);
      return url.includes('/probes')
        ? Response.json({ code: 'no-such-address', detail: '' }, { status: 404 })
        : answering();
    });
    expect(called).toEqual([]);
  });

  it('names the version that decided when the saved one is not everywhere yet', async () => {
    await door.save();
    const newer = async (answering: () => Promise<Response>, { url }: Request) => {
      const answer = await answering();
      return url.endsWith('/admin/policy')
        ? new Response(await answer.text(), { headers: { 'Content-Type': 'application/json', ETag: '"7"' } })
        : answer;
    };
    const { code, text } = await check({}, {}, newer);
    expect([code, text]).toEqual([1, expect.stringContaining('Version 1 decided, and version 7 is saved.')]);
  });

  it('prints what the page to a role in a token shows', async () => {
    const settings = { POLICY: 'built-in' };
    await door.fetchWith({ settings })(`${URL_}/connectors/user-flow/PreTokenIssuance`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa('Test:Test')}`, 'Content-Type': 'application/json' },
      body: '{"step":"PreTokenIssuance","objectId":"7c9e6679-7425-40de-944b-e07fc1f90ae7"}',
    });
    const { text } = await check({ settings });
    for (const part of shownIn(roleInToken)) expect(withoutFigures(text)).toContain(part);
  });

  it('prints what the page to a promotion code shows', async () => {
    await door.save(walkthroughs);
    const { text } = await check();
    for (const part of shownIn(promotionCode)) expect(withoutFigures(text)).toContain(part);
  });

  it('passes when the database was asleep, and answers a moment later', async () => {
    await door.save();
    let isAsleep = true;
    let isRead = false;
    const { code } = await check({}, {}, async (answering, { url }) => {
      if (url.includes('/reports/probes') && !isRead) {
        isRead = true;
        return Response.json({ detail: 'The database did not answer.' }, { status: 503 });
      }
      const answer = await answering();
      if (!url.endsWith('/health/ready') || !isAsleep) return answer;
      isAsleep = false;
      const parts = (await answer.json()) as object;
      return Response.json({ ...parts, neon: { ok: false, problem: 'Neon did not answer.' } }, { status: 503 });
    });
    expect([isAsleep, code]).toEqual([false, 0]);
  });

  it('names the part when Workers KV fails while a call is decided', async () => {
    await door.save();
    door.memory().fate = (operation, key) => (operation === 'get' && key.includes('oid:') ? 'throws' : undefined);
    const { code, text } = await check();
    expect(text).toMatch(/PreTokenIssuance: decided without a part that did not work: \S+/);
    expect(code).toBe(1);
  });

  it.each([
    ['http://gatehouse.example', 'would get the password in clear text'],
    ['gatehouse', 'is not an address'],
    ['https://a:b@gatehouse.example', 'Leave user and password out of --url'],
  ])('refuses the address %s as wrong usage', async (url, sentence) => {
    const io = { env: CREDENTIALS, fetch, stdout: { write: () => true } } as unknown as Io;
    await expect(prove(io, { url })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(sentence) });
  });
});
