/** "Only this person, or everyone?": the sums, and hours that are not summed, count as a plain count does. */
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { type Attempt, OUTCOMES } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { runQuery } from '../../src/database/run-query.ts';
import { policyVersions } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import { besideAttempts } from '../../src/desk/reports/queries/beside-attempts.ts';
import { findPerson } from '../../src/desk/reports/queries/find-person.ts';
import { personQuestion } from '../../src/desk/reports/questions.ts';
import { readConfig } from '../../src/platform/config.ts';
import { DAY_MS, HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from '../support/attempt.ts';
import { empty, ownDatabase } from '../support/own-database.ts';

const { db, url } = ownDatabase();
const config = () => readConfig({ DATABASE_URL: url() });
/** The start of an hour. */
const HOUR = Math.floor(Date.now() / HOUR_MS - 30) * HOUR_MS;

const attempts = fc
  .record({
    weeks: fc.integer({ min: 0, max: 5 }),
    offset: fc.oneof(fc.integer({ min: 0, max: HOUR_MS - 1 }), fc.integer({ min: -HOUR_MS, max: 2 * HOUR_MS })),
    outcome: fc.constantFrom(...OUTCOMES),
    rule: fc.constantFrom('', '', 'no-mail', 'constructor'),
    step: fc.constantFrom('PostAttributeCollection', 'PreTokenIssuance'),
    objectId: fc.constantFrom('', 'ada', 'grace', 'hedy'),
    emailKey: fc.constantFrom('', 'email:ada', 'email:grace'),
  })
  .map(({ weeks, offset, ...rest }) => anAttempt({ at: new Date(HOUR - weeks * 7 * DAY_MS + offset), ...rest }));

/** Distinct people of the hour that share the outcome and rule. */
function plainCount(stored: readonly Attempt[], { outcome, rule }: Attempt, hour: number): number {
  const inHour = stored.filter(({ id }) => occurredAtOf(id) >= hour && occurredAtOf(id) < hour + HOUR_MS);
  const people = inHour.map((one) => {
    if (rule === '' && outcome === 'continue') return one.step === 'PreTokenIssuance' ? one.objectId : '';
    const shares = rule === '' ? one.outcome === outcome : one.rule === rule;
    return shares ? one.oidKey || one.idpKey || one.emailKey : '';
  });
  return new Set(people.filter((person) => person !== '')).size;
}

test('the people of an hour and of the same hour of four weeks before are counted exactly, whatever part of it is summed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(attempts, { minLength: 60, maxLength: 80 }), async (stored) => {
      await empty(db());
      await keepAttempts(db(), stored);
      const sample = stored.slice(0, 12);
      const shared = sample.map((one) => ({ ...one, occurredAt: new Date(occurredAtOf(one.id)) }));
      // Nothing is summed, then all but the last two weeks.
      for (const until of [undefined, HOUR - 13 * DAY_MS]) {
        if (until !== undefined) await sumDue(db, new Date(until));
        const counted = await runQuery(config(), (_, run) =>
          Promise.all(shared.map((one) => besideAttempts(db(), run, [one], Date.now()))),
        );
        for (const [nth, { onlyThisPerson }] of counted.entries()) {
          const one = sample[nth] ?? anAttempt();
          const hour = Math.floor(occurredAtOf(one.id) / HOUR_MS) * HOUR_MS;
          const hours = Array.from({ length: 5 }, (_, weeks) => hour - weeks * 7 * DAY_MS);
          expect([onlyThisPerson, ...(onlyThisPerson?.before ?? [])].map((each) => each?.people)).toEqual(
            hours.map((each) => plainCount(stored, one, each)),
          );
          expect(onlyThisPerson?.hour).toBe(new Date(hour).toISOString());
        }
      }
    }),
    { numRuns: 1, endOnFailure: true },
  );
});

test('hours whose attempts are deleted have no number, and the sentence says that the weeks are not kept', async () => {
  const refused = anAttempt({ at: new Date(HOUR), outcome: 'block', rule: 'no-mail' });
  await keepAttempts(db(), [refused]);
  await db().execute(sql`update summed_until set dropped_before = ${new Date(HOUR - DAY_MS).toISOString()}`);
  const { onlyThisPerson } = await findPerson(config(), await asked({ key: refused.oidKey }), Date.now());
  expect(onlyThisPerson).toMatchObject({ people: 1, counted: 'rule' });
  expect(onlyThisPerson?.before.map(({ people }) => people)).toEqual([null, null, null, null]);
  expect(onlyThisPerson?.sentence).toMatch(
    /^Only this person\. By rule no-mail in the hour .*: 1 person\. The weeks before are not kept\.$/,
  );
});

test('the answer about a person has the advice of the rule in force and the name of the application, at one more request', async () => {
  const clientId = 'Shop-Client';
  const refused = anAttempt({ at: new Date(HOUR), clientId: clientId.toLowerCase(), outcome: 'invalid', rule: 'age' });
  const inForce = (number: number, advice: object) => ({
    number,
    use: 'active' as const,
    author: 'Ada',
    createdAt: new Date(),
    document: {
      defaultLanguage: 'de',
      applications: { [clientId]: 'Shop' },
      rules: [{ id: 'roles' }, { id: 'age', ...advice }],
    },
  });
  await keepAttempts(db(), [refused]);
  const requests = vi.spyOn(globalThis, 'fetch');
  const answer = async (languages: string[]) => {
    const person = await findPerson(config(), await asked({ key: refused.oidKey }), Date.now(), languages);
    return { standing: person.standing, one: person.tries[0] };
  };

  expect((await answer(['fr'])).one?.advice).toMatchObject({ source: 'built-in', language: 'fr' });
  const statements = requests.mock.calls.map(([, init]) => String(init?.body));
  expect(statements.filter((body) => body.includes('in_force'))).toHaveLength(1);
  expect(statements.filter((body) => body.includes('visits'))).toHaveLength(1);
  requests.mockRestore();

  await db()
    .insert(policyVersions)
    .values(inForce(1, { advice: { de: 'Alt', 'en-GB': 'Old' } }));
  await db()
    .insert(policyVersions)
    .values(inForce(2, { advice: { de: 'Ausweis zeigen.', 'en-GB': 'Ask for the card.' } }));
  const { standing, one } = await answer(['en']);
  expect(one).toMatchObject({
    application: 'Shop',
    advice: { text: 'Ask for the card.', language: 'en-gb', source: 'rule' },
  });
  expect(standing).toContain('in application Shop (shop-client): ');
  expect(standing).toMatch(/Advice: Ask for the card\.$/);
  // English is the default, then the language that every message has.
  expect((await answer(['fr'])).one?.advice).toMatchObject({ language: 'en-gb', source: 'rule' });
  await db()
    .insert(policyVersions)
    .values(inForce(3, { advice: { de: 'Ausweis zeigen.' } }));
  expect((await answer(['fr'])).one?.advice).toEqual({ text: 'Ausweis zeigen.', language: 'de', source: 'rule' });
});

const asked = (question: object) => personQuestion.parseAsync(question);
