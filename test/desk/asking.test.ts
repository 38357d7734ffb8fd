/** Asking is easy: times as people say them, how many match, and JSON that people can read. */
import { describe, expect, it, vi } from 'vitest';
import type { Summary } from '../../src/desk/reports/summary.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { database, idsOf, keep, type Listed, type Problem, report } from '../support/reports-call.ts';

const json = async <T>(...asked: Parameters<typeof report>) => {
  const response = await report(...asked);
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json<T>();
};
const at = (ms: number) => new Date(ms);

describe('times', () => {
  it('a list from -2h has the attempts of the last two hours, also when it is asked in a body', async () => {
    const clientId = crypto.randomUUID();
    const now = Date.now();
    const [old, recent] = [
      anAttempt({ clientId, at: at(now - 3 * HOUR_MS) }),
      anAttempt({ clientId, at: at(now - HOUR_MS) }),
    ];
    await keep(old, recent);
    expect(idsOf(await json<Listed>(`/attempts?clientId=${clientId}&from=-2h`))).toEqual([recent.id]);
    expect(idsOf(await json<Listed>('/attempts/search', { clientId, from: '-2h' }))).toEqual([recent.id]);
    expect(idsOf(await json<Listed>(`/attempts?clientId=${clientId}&to=-2h`))).toEqual([old.id]);
    const file = await (await report(`/attempts.csv?clientId=${clientId}&from=-2h`)).text();
    expect([file.includes(recent.id), file.includes(old.id)]).toEqual([true, false]);
  });

  it('a date with a zone begins at midnight there, in lists, files and summaries', async () => {
    const clientId = crypto.randomUUID();
    const midnight = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS;
    const day = new Date(midnight).toISOString().slice(0, 10);
    // Tokyo is nine hours ahead all year.
    const start = midnight - 9 * HOUR_MS;
    const [before, first] = [anAttempt({ clientId, at: at(start - 1) }), anAttempt({ clientId, at: at(start) })];
    await keep(before, first);
    const asked = `clientId=${clientId}&from=${day}&tz=Asia/Tokyo`;
    expect(idsOf(await json<Listed>(`/attempts?${asked}`))).toEqual([first.id]);
    const file = await (await report(`/attempts.csv?${asked}`)).text();
    expect([file.includes(first.id), file.includes(before.id)]).toEqual([true, false]);
    const summary = await json<Summary>(`/summary?${asked}`);
    expect([summary.from, summary.totals.attempts]).toEqual([new Date(start).toISOString(), 1]);
  });

  it.each(['/attempts', '/attempts.csv', '/summary', '/summary.csv'])(
    '%s refuses a zone that does not exist with a 400 that suggests one, and a time that is none',
    async (path) => {
      const zone = await report(`${path}?from=today&tz=Europe/Berlim`);
      expect(zone.status).toBe(400);
      expect(await zone.json<Problem>()).toMatchObject({
        code: 'invalid-request',
        errors: [{ path: 'tz', message: expect.stringContaining('Did you mean Europe/Berlin?') }],
      });
      const time = await report(`${path}?from=tomorow`);
      expect(await time.json<Problem>()).toMatchObject({ status: 400, errors: [{ path: 'from' }] });
    },
  );

  it('the pages of a list from -2h are one list, whatever the clock says meanwhile', async () => {
    const clientId = crypto.randomUUID();
    const now = Date.now();
    const all = Array.from({ length: 5 }, (_, nth) =>
      anAttempt({ clientId, at: at(now - 2 * HOUR_MS + 60_000 + nth) }),
    );
    await keep(...all);
    const asked = `/attempts?clientId=${clientId}&from=-2h&to=-0m&limit=2`;
    const found: string[] = [];
    vi.useFakeTimers({ toFake: ['Date'], now });
    try {
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const page: Listed = await json<Listed>(cursor === '' ? asked : `${asked}&cursor=${cursor}`);
        found.push(...idsOf(page));
        cursor = page.next;
        // The first page's "from" has passed the attempts by now.
        vi.setSystemTime(Date.now() + HOUR_MS);
      }
    } finally {
      vi.useRealTimers();
    }
    expect(found).toEqual(all.map(({ id }) => id).toReversed());
  });

  it('a cursor belongs to its "from": another relative time, or another zone, is refused', async () => {
    const clientId = crypto.randomUUID();
    await keep(anAttempt({ clientId }), anAttempt({ clientId }));
    const { next } = await json<Listed>(`/attempts?clientId=${clientId}&from=-2h&limit=1`);
    expect(next).toBeTruthy();
    for (const other of ['from=-3h', 'from=-2h&tz=Asia/Tokyo', 'from=today', ''])
      expect((await report(`/attempts?clientId=${clientId}&${other}&limit=1&cursor=${next}`)).status).toBe(400);
    expect((await report(`/attempts?clientId=${clientId}&from=-2h&limit=1&cursor=${next}`)).status).toBe(200);
  });
});

describe('how many match', () => {
  it('a list says how many match on its first page, exactly up to 1,000, and then that there are more', async () => {
    const [few, many] = [crypto.randomUUID(), crypto.randomUUID()];
    await keepAttempts(database(), [
      ...Array.from({ length: 7 }, () => anAttempt({ clientId: few, outcome: 'block', rule: 'closed' })),
      ...Array.from({ length: 1_000 }, () => anAttempt({ clientId: many })),
    ]);
    const matches = async (asked: string) => (await json<Listed>(`/attempts?${asked}`)).matches;
    expect(await matches(`clientId=${few}`)).toEqual({ count: 7, isMore: false });
    expect(await matches(`clientId=${few}&limit=3`)).toEqual({ count: 7, isMore: false });
    expect(await matches(`clientId=${few}&limit=3&outcome=block&rule=closed`)).toEqual({ count: 7, isMore: false });
    expect(await matches(`clientId=${few}&limit=3&outcome=invalid`)).toEqual({ count: 0, isMore: false });
    expect(await matches(`clientId=${many}`)).toEqual({ count: 1_000, isMore: false });
    await keep(anAttempt({ clientId: many }));
    expect(await matches(`clientId=${many}`)).toEqual({ count: 1_000, isMore: true });
    const { next, matches: first } = await json<Listed>(`/attempts?clientId=${few}&limit=3`);
    const second = await json<Listed>(`/attempts?clientId=${few}&limit=3&cursor=${next}`);
    expect([first, second.attempts.length, second.matches]).toEqual([{ count: 7, isMore: false }, 3, undefined]);
  });

  it('a person, an address and a code have their own number, in which an attempt with two of the keys counts once', async () => {
    const [objectId, email] = [crypto.randomUUID(), `${crypto.randomUUID()}@example.com`];
    const keys = { emailKey: `email:${email}`, email, otherKeys: [`name:${email}`] };
    await keep(...Array.from({ length: 5 }, () => anAttempt({ objectId, ...keys })));
    expect((await json<Listed>(`/attempts?email=${email}&limit=2`)).matches).toEqual({ count: 5, isMore: false });
    const person = await json<Listed>('/people/search', { key: `email:${email}`, limit: 2 });
    expect([person.attempts.length, person.matches]).toEqual([2, { count: 5, isMore: false }]);
    expect((await json<Listed>(`/people/oid:${objectId}`)).matches).toEqual({ count: 5, isMore: false });
  });
});

describe('JSON', () => {
  const BROWSER = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
  const CURL = { 'User-Agent': 'curl/8.5.0', Accept: '*/*' };
  const PROGRAM = { 'User-Agent': 'node', Accept: 'application/json' };
  const isIndented = async (path: string, headers: Record<string, string>, body?: unknown) =>
    /^\{\n {2}"/.test(await (await report(path, body, headers)).text());

  it.each<[who: string, path: string, headers: Record<string, string>, indented: boolean]>([
    ['a browser', '/attempts', BROWSER, true],
    ['curl', '/attempts', CURL, true],
    ['a program', '/attempts', PROGRAM, false],
    ['a program without a name', '/attempts', {}, false],
    ['a program that asks with pretty=yes', '/attempts?pretty=yes', PROGRAM, true],
    ['a browser that asks with pretty=no', '/attempts?pretty=no', BROWSER, false],
    ['curl that asks with pretty=no', '/attempts?limit=1&pretty=no&from=-1h', CURL, false],
    ['curl, of a refusal', '/attempts?colour=blue', CURL, true],
    ['curl, of an address that does not exist', '/nowhere', CURL, true],
    ['a program, of a refusal', '/attempts?colour=blue', PROGRAM, false],
  ])('for %s (%s) is indented only when a person reads it', async (_, path, headers, indented) => {
    expect(await isIndented(path, headers)).toBe(indented);
  });

  it('is indented for a question in a body too, and for a caller without a credential', async () => {
    expect(await isIndented('/attempts/search?pretty=yes', {}, { limit: 1 })).toBe(true);
    expect(await isIndented('/attempts/search', CURL, { limit: 1 })).toBe(true);
    expect(await isIndented('/attempts', { ...CURL, Authorization: '' })).toBe(true);
  });

  it('has the same content and headers either way', async () => {
    const clientId = crypto.randomUUID();
    const notes = ['a "quoted" text', 'two\nlines', '{"json": [1, 2]}', 'é – \u202e'];
    await keep(anAttempt({ clientId, notes, keptClaims: { 2: 'b', 1: 'a', price: 1.5e21, big: 9007199254740991 } }));
    const [compact, indented] = await Promise.all(
      ['no', 'yes'].map((pretty) => report(`/attempts?clientId=${clientId}&pretty=${pretty}`)),
    );
    const [one = '', other = ''] = [await compact?.text(), await indented?.text()];
    expect(JSON.stringify(JSON.parse(other))).toBe(one);
    expect(other.endsWith('}\n')).toBe(true);
    const names = (response: Response | undefined) =>
      [...(response?.headers ?? [])].filter(([name]) => name !== 'content-length');
    expect(names(indented)).toEqual(names(compact));
  });

  it.each(['pretty=', 'pretty', 'pretty=maybe', 'pretty=true', 'pretty=yes&pretty=no', 'pretty=%00'])(
    'is refused for %s with a 400 that names the parameter',
    async (query) => {
      const response = await report(`/attempts?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json<Problem>()).toMatchObject({ errors: [{ path: 'pretty' }] });
    },
  );

  it('of a file and of a page is left as it is', async () => {
    for (const path of ['/attempts.csv', '/summary.csv']) {
      const file = await report(`${path}?pretty=yes`, undefined, BROWSER);
      expect([file.status, file.headers.get('Content-Type')]).toEqual([200, expect.stringContaining('text/csv')]);
    }
    const head = await report('/attempts?pretty=yes', undefined, CURL, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
