/** What support reads of sign-ins through custom policies. */
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/attempts/attempt.ts';
import type { AttemptJson } from '../../src/desk/reports/attempt-json.ts';
import { anAttempt } from '../support/attempt.ts';
import { keep, report } from '../support/reports-call.ts';

type Entry = AttemptJson & { signIn?: string };
interface Person {
  standing: string;
  attempts: Entry[];
  matched?: string[];
}

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
const call = (step: string, minutes: number, more: Partial<Attempt>) =>
  anAttempt({ at: ago(minutes), channel: 'custom-policy', reply: 'Claims', objectId: '', step, ...more });
const started = (minutes: number, more: Partial<Attempt>) => call('SignInStarted', minutes, more);
const completed = (minutes: number, more: Partial<Attempt>) => call('SignInCompleted', minutes, more);

const someone = () => {
  const name = crypto.randomUUID();
  return { email: `${name}@example.com`, emailKey: `email:${name}@example.com`, clientId: 'shop' };
};
const ask = async (text: string) => (await (await report('/people/search', { text })).json()) as Person;
const signInsOf = ({ attempts }: Person) => attempts.map(({ step, signIn }) => [step, signIn]);

describe('a timeline', () => {
  it('shows of each call of a sign-in what became of it, and nothing of other calls', async () => {
    const { email, ...who } = someone();
    const ids = Array.from({ length: 6 }, () => uuidv7());
    const of = (nth: number) => ({ ...who, email, correlationId: ids[nth] ?? '' });
    await keep(
      started(300, of(0)),
      started(299, of(0)),
      completed(295, of(0)),
      started(200, of(1)),
      started(100, of(2)),
      completed(80, of(2)),
      completed(70, of(3)),
      started(60, { ...who, email, correlationId: '' }),
      call('ValidateProfile', 50, of(4)),
      anAttempt({ at: ago(45), ...who, email, step: 'SignInStarted', correlationId: ids[4] ?? '' }),
      started(3, of(5)),
    );
    expect(signInsOf(await ask(email))).toEqual([
      ['SignInStarted', 'pending'],
      ['SignInStarted', undefined],
      ['ValidateProfile', undefined],
      ['SignInStarted', 'without-correlation-id'],
      ['SignInCompleted', 'without-start'],
      ['SignInCompleted', 'late'],
      ['SignInStarted', 'abandoned'],
      ['SignInStarted', 'abandoned'],
      ['SignInCompleted', 'completed'],
      ['SignInStarted', 'completed'],
      ['SignInStarted', 'completed'],
    ]);
  });

  it('of an abandoned start without a person is found by its correlation id', async () => {
    const correlationId = uuidv7();
    const start = started(30, { correlationId });
    await keep(start);
    const found = await ask(correlationId);
    expect(found).toMatchObject({ matched: [start.id], attempts: [{ id: start.id, signIn: 'abandoned' }] });
    expect(found.standing).toContain('was not finished within ten minutes');
  });
});

describe('standing', () => {
  /** The one form of times. */
  const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g;

  it.each<[string, (who: Partial<Attempt>) => Attempt[], string[]]>([
    [
      'says when a sign-in began that was not finished, why that may be, and what to do',
      (who) => [started(30, who)],
      [
        'Z a sign-in to application shop began and was not finished within ten minutes: a wrong password, or the page was closed.',
        'ask the person to try again, or to reset the password.',
      ],
    ],
    [
      'counts the abandoned sign-ins before it, each once',
      (who) => [
        completed(90, { ...who, correlationId: uuidv7() }),
        ...[80, 60, 59].map((at) => started(at, { ...who, correlationId: at === 80 ? 'first' : 'second' })),
        started(30, { ...who, correlationId: uuidv7() }),
      ],
      ['was not finished within ten minutes, like the 2 before it: a wrong password'],
    ],
    [
      'says that a person may still be on the page',
      (who) => [started(2, who)],
      ['The person may still be on the page: read this again after'],
    ],
    [
      'says that a sign-in was completed',
      (who) => [started(30, who), completed(29, who)],
      ['a sign-in to application shop was completed'],
    ],
    ['says that a sign-in had no page', (who) => [completed(29, who)], ['completed without a page: a single sign-on']],
    [
      'says that it cannot know how a start without a correlation id ended',
      (who) => [started(30, { ...who, correlationId: '' })],
      ['Whether it was finished is unknown, since the custom policy sends no correlation id'],
    ],
    [
      'says first what a refusing exchange did, and nothing of a password',
      (who) => [
        started(30, who),
        call('ValidateProfile', 29, { ...who, outcome: 'block', rule: 'closed', reply: 'Refusal' }),
      ],
      ['blocked at ValidateProfile by rule closed.'],
    ],
    [
      'says of a start before another exchange that it was not finished',
      (who) => [started(30, who), call('GetProfile', 29, who)],
      ['continued after the exchange GetProfile; at ', 'was not finished within ten minutes'],
    ],
    [
      'translates the reason unknown-exchange',
      (who) => [call('GetProfil', 5, { ...who, outcome: 'error', reason: 'unknown-exchange', reply: 'Refusal' })],
      ['GetProfil failed: the policy has no exchange of the name in its URL'],
    ],
  ])('%s', async (_, calls, words) => {
    const who = { ...someone(), correlationId: uuidv7() };
    await keep(...calls(who));
    const { standing } = await ask(who.email);
    for (const word of words) expect(standing).toContain(word);
    expect(standing).toMatch(TIME);
    expect(standing.replaceAll(TIME, '')).not.toMatch(/\d:\d\d|UTC/);
    if (calls(who).some(({ outcome }) => outcome !== 'continue')) expect(standing).not.toContain('password');
  });
});

describe('a summary', () => {
  const coverageOf = async (query: string) => {
    const { coverage } = (await (await report(`/summary?${query}`)).json()) as { coverage: string[] };
    return coverage.join(' ');
  };

  it('counts sign-ins without filters, and says with filters that they are left out', async () => {
    await keep(started(60, { correlationId: uuidv7() }));
    const body = (await (await report('/summary')).json()) as { signIns: Record<string, number> };
    expect(body.signIns.abandoned).toBeGreaterThan(0);
    expect(Object.keys(body.signIns)).toEqual([
      'completed',
      'abandoned',
      'late',
      'withoutStart',
      'withoutCorrelationId',
    ]);
    const filtered = (await (await report('/summary?clientId=shop')).json()) as object;
    expect(filtered).not.toHaveProperty('signIns');
    expect(await coverageOf('clientId=shop')).toContain('"signIns" is left out');
  });

  it('accepts an exchange as a step, and warns only of a step that calls of a user flow had or no call has', async () => {
    const [exchange, misnamed] = [`Exchange-${uuidv7()}`, `Step-${uuidv7()}`];
    await keep(call(exchange, 30, {}), call(exchange, 200, {}), anAttempt({ at: ago(30), step: misnamed }));
    expect(await coverageOf(`step=${exchange}`)).not.toContain(exchange);
    expect(await coverageOf(`step=${misnamed}`)).toContain('none of the three of user flows');
    expect(await coverageOf('step=Nowhere')).toContain('No call has the step "Nowhere"');
  });

  it('finds the built-in exchanges in any case', async () => {
    await keep(started(60, { correlationId: uuidv7() }));
    const { totals } = (await (await report('/summary?step=signinstarted')).json()) as { totals: { attempts: number } };
    expect(totals.attempts).toBeGreaterThan(0);
  });
});
