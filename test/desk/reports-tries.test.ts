/** What support reads of a person's tries, and what to tell the person. */
import { expect, test } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import type { Advice } from '../../src/desk/reports/advice.ts';
import type { AttemptJson } from '../../src/desk/reports/attempt-json.ts';
import type { OnlyThisPerson } from '../../src/desk/reports/only-this-person.ts';
import type { Repeat } from '../../src/desk/reports/repeated-calls.ts';
import type { TryJson } from '../../src/desk/reports/try-json.ts';
import { anAttempt } from '../support/attempt.ts';
import { keep, type Problem, report } from '../support/reports-call.ts';

interface Answer {
  standing: string;
  tries: TryJson[];
  onlyThisPerson?: OnlyThisPerson;
  attempts: (AttemptJson & { calledAgain?: Repeat; advice?: Advice; fault?: string })[];
}

const MINUTE_MS = 60_000;
const NOW = Date.now();
const ago = (minutes: number) => new Date(NOW - minutes * MINUTE_MS);
const answerOf = async (response: Response): Promise<Answer> => {
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
};
const ask = async (body: object, headers = {}) => answerOf(await report('/people/search', body, headers));

/** A person who signs up with an e-mail address, and whose account has it. */
function someone() {
  const objectId = crypto.randomUUID();
  const email = `${objectId}@example.com`;
  const call = (minutes: number, step: string, given: Partial<Attempt> = {}) =>
    anAttempt({
      at: ago(minutes),
      clientId: 'shop',
      step,
      emailKey: `email:${email}`,
      fingerprint: crypto.randomUUID(),
      ...(step === 'PreTokenIssuance' ? { objectId, oidKey: `oid:${objectId}` } : { objectId: '', oidKey: '' }),
      ...given,
    });
  return { email, call };
}
const REFUSED = { outcome: 'block', reply: 'ShowBlockPage', rule: 'no-mail', supportCode: 'ABCDE-FGHJK' } as const;
const statusesOf = ({ steps }: TryJson) => steps.map(({ status }) => status);

test('a person has their tries, newest first, and the status begins with the last one and ends with what to tell them', async () => {
  const { email, call } = someone();
  const [federated, refused, collected, token] = [
    call(300, 'PostFederationSignup'),
    call(299, 'PostAttributeCollection', REFUSED),
    call(100, 'PostAttributeCollection'),
    call(99, 'PreTokenIssuance', { roles: ['editor'] }),
  ];
  const unfinished = call(200, 'PostAttributeCollection');
  await keep(federated, refused, unfinished, collected, token);

  const { standing, tries } = await ask({ text: email });
  expect(tries.map(({ outcome, fault, calls, attempts }) => ({ outcome, fault, calls, attempts }))).toEqual([
    { outcome: 'let-in', fault: 'none', calls: 2, attempts: [token.id, collected.id] },
    // The token step of this application is known to call Gatehouse.
    { outcome: 'unfinished', fault: 'microsoft', calls: 1, attempts: [unfinished.id] },
    { outcome: 'blocked', fault: 'rule', calls: 2, attempts: [refused.id, federated.id] },
  ]);
  expect(tries.map(statusesOf)).toEqual([
    ['skipped', 'reached', 'reached'],
    ['skipped', 'reached', 'not-reached'],
    ['reached', 'reached', 'not-reached'],
  ]);
  expect(tries[2]?.sentence).toMatch(
    /^\S+ in application shop: blocked at PostAttributeCollection by rule no-mail, .* Before that, since \S+Z: PostFederationSignup\. Not reached: PreTokenIssuance\./,
  );
  expect(standing).toMatch(/^Last try \S+Z in application shop: let in with the roles editor\. Advice: /);
  expect(standing.endsWith(tries[0]?.advice.text ?? '?')).toBe(true);
});

test('the sentence of a try tells its calls in their order, each once, and how many earlier ones it leaves out', async () => {
  const { email, call } = someone();
  const corrected = (minutes: number) =>
    call(minutes, 'PostAttributeCollection', { outcome: 'invalid', reply: 'ValidationError' });
  const first = call(300, 'PostFederationSignup', { fingerprint: 'first' });
  await keep(
    first,
    call(299.9, 'PostFederationSignup', { fingerprint: 'first' }),
    corrected(299),
    corrected(298),
    call(297, 'PostAttributeCollection'),
    call(296, 'PreTokenIssuance', { roles: ['editor'] }),
    ...[90, 88, 86, 84].flatMap((at) => [corrected(at), call(at - 1, 'PostFederationSignup', REFUSED)]),
    call(82, ''),
  );
  const { tries } = await ask({ text: email });
  const began = `${tries[1]?.from.slice(0, 19)}Z`;
  expect(tries[1]?.sentence).toContain(
    `: let in with the roles editor. Before that, since ${began}: PostFederationSignup, PostAttributeCollection (2 calls, asked to correct), PostAttributeCollection.`,
  );
  expect(tries[0]?.sentence).toMatch(
    /continued after an unknown step.* Before that, since \S+Z: 3 earlier calls, PostFederationSignup \(blocked\), PostAttributeCollection \(asked to correct\), PostFed/,
  );
});

test('a call that B2C makes twice is one call, and the second attempt says whether the first answer came too late', async () => {
  const { email, call } = someone();
  const twice = (fingerprint: string, minutes: number, durationMs: number) => [
    call(minutes, 'PostAttributeCollection', { fingerprint, durationMs }),
    call(minutes - 0.1, 'PostAttributeCollection', { fingerprint }),
  ];
  const [slow, quick, again] = [twice('a', 300, 6_200), twice('b', 200, 3), twice('c', 100, 3)];
  const later = call(80, 'PostAttributeCollection', { fingerprint: 'c' });
  await keep(...slow, ...quick, ...again, later);

  const { tries, attempts } = await ask({ text: email });
  expect(tries.map(({ calls, attempts: ids }) => [calls, ids.length])).toEqual([
    [1, 3],
    [1, 2],
    [1, 2],
  ]);
  expect(attempts.map(({ calledAgain }) => calledAgain?.cause)).toEqual([
    'begun-again',
    'answer-in-time',
    undefined,
    'answer-in-time',
    undefined,
    'answer-too-late',
    undefined,
  ]);
  expect(attempts[5]?.calledAgain).toMatchObject({ of: attempts[6]?.id, afterMs: 6_000 });
  expect(attempts[5]?.calledAgain?.sentence).toContain('took 6200 ms, and Microsoft waits 5 seconds');
  expect(tries.at(-1)).toMatchObject({ outcome: 'unfinished', fault: 'us' });
});

test('advice is in the language of lang, else of Accept-Language, else English, on each try and on one attempt', async () => {
  const { email, call } = someone();
  const supportCode = `ABCDE-${crypto
    .randomUUID()
    .replace(/[^0-9a-f]/g, '')
    .slice(0, 5)
    .toUpperCase()}`;
  const attempt = call(50, 'PostAttributeCollection', { ...REFUSED, supportCode });
  await keep(attempt);

  const languages: [query: string, header: string | undefined, language: string][] = [
    ['?lang=de-AT', 'fr', 'de'],
    ['', 'pl, nl;q=0.5, es;q=0.9', 'es'],
    ['?lang=pl', undefined, 'en'],
    ['', undefined, 'en'],
  ];
  for (const [query, header, language] of languages) {
    const headers = header === undefined ? {} : { 'Accept-Language': header };
    const person = await answerOf(
      await report(`/people/${encodeURIComponent(`email:${email}`)}${query}`, undefined, headers),
    );
    const [byCode] = (await answerOf(await report(`/attempts/${supportCode}${query}`, undefined, headers))).attempts;
    const byId = await (await report(`/attempts/${attempt.id}${query}`, undefined, headers)).json();
    expect(person.tries[0]?.advice).toMatchObject({ language, source: 'built-in' });
    expect(byCode).toMatchObject({ id: attempt.id, fault: 'rule', advice: person.tries[0]?.advice });
    expect(byId).toMatchObject({ id: attempt.id, fault: 'rule', advice: person.tries[0]?.advice });
    expect(byId).toHaveProperty('onlyThisPerson.people', expect.any(Number));
  }
  expect((await ask({ text: email, lang: 'it' })).tries[0]?.advice.language).toBe('it');
  const inQuery = await answerOf(await report('/people/search?lang=it', { text: email }, { 'Accept-Language': 'de' }));
  expect(inQuery.tries[0]?.advice.language).toBe('it');
  for (const path of [`/people/x?lang=1`, `/attempts/${attempt.id}?lang=no%20language`]) {
    const refused = await report(path.replace('/x', `/${encodeURIComponent(`email:${email}`)}`));
    expect(refused.status).toBe(400);
    expect((await refused.json<Problem>()).errors?.[0]).toMatchObject({ path: 'lang' });
  }
});

test('a page shows the tries of its attempts, marks one that may go on, and another language continues the same pages', async () => {
  const { email, call } = someone();
  const all = Array.from({ length: 4 }, (_, nth) => call(100 + 60 * nth, 'PreTokenIssuance'));
  await keep(...all, call(281, 'PreTokenIssuance'));
  const first = (await ask({ text: email, limit: 2 })) as Answer & { next: string };
  expect(first.tries.map(({ attempts }) => attempts)).toEqual([[all[0]?.id], [all[1]?.id]]);
  const second = await ask({ text: email, limit: 2, cursor: first.next, lang: 'de' });
  expect(second.tries.map(({ attempts, isCut }) => [attempts.length, isCut])).toEqual([
    [1, true],
    [2, true],
  ]);
});
