/** `npm run connect -- check`: it passes at a Gatehouse that is connected, and names the gap in every other. */
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { prove } from '../../src/cli/connect/prove.ts';
import type { Io } from '../../src/cli/io.ts';
import { CommandRefusal } from '../../src/cli/refusal.ts';
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
    return { code: await prove(io, URL_, { recordedMs: 200, pauseMs: 10 }), text };
  } catch (error) {
    if (!(error instanceof CommandRefusal)) throw error;
    return { code: error.exitCode, text: text + error.message };
  }
}

const isConnector = ({ url, method }: Request) => method === 'POST' && url.includes('/connectors/');
const exchanges = {
  promoCode: {
    kind: 'validation',
    inputs: { code: 'extension_promoCode' },
    outputs: { promoCode: 'string' },
  },
} as const;

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
    expect(text).toContain('PreTokenIssuance: is the API connector chosen at that step of the user flow?');
    const [counted] = await door.database.rows(sql`
      select (select count(*)::int from attempts) as attempts, (select count(*)::int from probes) as probes,
        (select count(*)::int from dirty_hours) as dirty`);
    expect(counted).toEqual({ attempts: 0, probes: 6, dirty: 0 });
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
    await expect(prove(io, url)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(sentence) });
  });
});
