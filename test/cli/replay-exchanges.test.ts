/** A replay of calls of exchanges: a certain decision is the draft's decision on the whole call. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { draftOf, replayed } from '../../src/cli/policy/replay/replay-judge.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { tryCall } from '../../src/gate/trial.ts';
import { checked, NAMES, recorded } from '../support/policy-replay.ts';

const INPUTS = {
  word: 'word',
  other: 'other',
  count: { from: 'count', type: 'number' },
  flag: { from: 'flag', type: 'boolean' },
};
const claim = fc.constantFrom('word', 'other', 'email');
const condition = fc.oneof(
  fc
    .constantFrom('has', '!has')
    .chain((has) => fc.constantFrom(...Object.keys(INPUTS), 'email').map((c) => `${has}(claims.${c})`)),
  claim.map((name) => `has(claims.${name}) && claims.${name} == 'x'`),
  claim.map((name) => `claims.${name} == 'x'`),
  fc.constantFrom(
    'claims.count > 3.0',
    'claims.flag',
    "'editor' in person.roles",
    "identity.issuer == ''",
    'true',
    'false',
  ),
  fc.constantFrom("request.channel == 'custom-policy'", "request.clientId == 'app'", "request.locale == 'de'"),
);
const rule = fc.record({
  when: condition,
  onError: fc.constantFrom('skip', 'apply'),
  block: fc.constantFrom('no', true),
});
/** The draft may have inputs that the policy of the call did not have, and the reverse. */
const document = fc
  .record({ inputs: fc.subarray(Object.entries(INPUTS)), rules: fc.array(rule, { maxLength: 3 }) })
  .map(({ inputs, rules }) =>
    checked({
      messages: { no: { en: 'No {supportCode}' } },
      exchanges: { Ask: { kind: 'validation', inputs: Object.fromEntries(inputs) } },
      rules: rules.map((one, at) => ({ id: `r${at}`, steps: ['Ask'], ...one })),
    }),
  )
  .filter((policy) => policy !== undefined);
const body = fc.record(
  {
    word: fc.constantFrom('x', 'y', '', 'x'.repeat(3_000)),
    other: fc.constantFrom('x', 7, null),
    count: fc.constantFrom(5, '5', 'many'),
    flag: fc.constantFrom(true, 'False', 7),
    email: fc.constantFrom('x', 'jane@example.com'),
    client_id: fc.constantFrom('app', 'App', ''),
    lang: fc.constantFrom('de', '1031'),
  },
  { requiredKeys: [] },
);
const held = fc.option(fc.record({ roles: fc.subarray(['editor', 'admin']) }), { nil: undefined });
const keep = fc.subarray(['word', 'other', 'count', 'flag']);

it('a certain decision on a call of an exchange is the decision that the draft makes on the whole call', async () => {
  const seen = { certain: 0, undecided: 0 };
  await fc.assert(
    fc.asyncProperty(
      document,
      document,
      body,
      held,
      keep,
      fc.boolean(),
      async (then, draft, sent, person, kept, fails) => {
        const one = await recorded({
          body: sent,
          exchange: 'ask',
          policy: then,
          held: person,
          keep: kept,
          kvFails: fails,
        });
        const replay = await replayed(one.kept, await draftOf(draft, NAMES));
        if (replay.kind === 'skipped') {
          expect(one.attempt.outcome).toBe('error');
          return;
        }
        if (replay.draft === undefined) {
          seen.undecided += 1;
          return;
        }
        seen.certain += 1;
        const { decision } = await tryCall({
          body: sent,
          urlStep: 'Ask',
          policy: await compilePolicy(draft, 0, NAMES),
          // The draft identifies the person in the same way.
          entitlements: () => one.entitlements,
          now: Date.parse(one.kept.occurredAt),
          supportCode: async () => 'ABCDE-12345',
        });
        const { rule: by, messageKey } = decision.kind === 'continue' ? { rule: '', messageKey: '' } : decision;
        expect(replay.draft).toMatchObject({ outcome: decision.kind, rule: by, messageKey });
      },
    ),
    { numRuns: 600 },
  );
  expect(seen.certain).toBeGreaterThan(50);
  expect(seen.undecided).toBeGreaterThan(50);
});

it('a call of an exchange that the draft does not have is skipped', async () => {
  const [policy, draft] = [checked({ exchanges: { Ask: { kind: 'validation' } }, rules: [] }), checked({ rules: [] })];
  if (policy === undefined || draft === undefined) throw new Error('A document is refused.');
  const { kept } = await recorded({ body: {}, exchange: 'Ask', policy });
  expect(await replayed(kept, await draftOf(draft, NAMES))).toEqual({
    kind: 'skipped',
    why: 'not a step of the draft',
  });
});
