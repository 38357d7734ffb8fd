/** Every accepted document with exchanges becomes a plan that a gate loads, with a step for each exchange. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { compilePolicy } from '../../../src/desk/policies/compile-plan.ts';
import { inputClaim } from '../../../src/desk/policies/exchanges.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { decide } from '../../../src/policy/decide.ts';
import { STEPS } from '../../../src/sign-in/steps.ts';

const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };

const exchangeName = fc.constantFrom('Ask', 'ask', 'Get-Profile', 'constructor', 'toString', 'SignInStarted', 'X_1');
const claim = fc.constantFrom('loyaltyId', 'count', 'flag', 'email', 'locale', 'lastName', 'postalCode');
const scalar = fc.constantFrom('string', 'number', 'boolean');
const outputName = fc.constantFrom(
  'status',
  'error-codes',
  'a.b',
  'roles',
  'promoCode',
  'toString',
  'valueOf',
  'version',
);
const anyExchange = fc.record(
  {
    kind: fc.constantFrom('validation', 'orchestration'),
    issuer: fc.constant('contoso'),
    whenUnavailable: fc.constantFrom('block', 'continue'),
    inputs: fc.dictionary(
      claim,
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('x', ['x', 'y.0.z'], []) },
        fc.record({ from: fc.constant('x'), type: scalar }, { requiredKeys: ['from'] }),
      ),
      { maxKeys: 5, noNullPrototype: true },
    ),
    identifies: fc.constantFrom({}, { email: { trusted: true } }, { objectId: { form: 'any' } }, { objectId: {} }),
    outputs: fc.dictionary(
      outputName,
      fc.oneof(
        scalar,
        fc.record({ type: scalar }),
        fc.constant('list'),
        fc.record({ type: fc.constant('list'), join: fc.constantFrom(',', ' ') }),
      ),
      { maxKeys: 5, noNullPrototype: true },
    ),
  },
  { requiredKeys: ['kind'], noNullPrototype: true },
);
const exchange = anyExchange.map((drawn) => {
  const isEmpty = Object.keys(drawn.outputs ?? {}).length === 0;
  return { ...drawn, emptyReply: isEmpty };
});
const condition = fc.oneof(
  claim.map((name) => `has(claims.${name})`),
  claim.map((name) => `claims.${name} == 'x'`),
  claim.map((name) => `has(claims.${name}) && string(claims.${name}).startsWith('1')`),
  fc.constantFrom(
    'claims.count > 3.0',
    'claims.flag',
    'true',
    "'a' in person.roles",
    "request.channel == 'custom-policy'",
  ),
);
const anyOutput = fc.oneof(
  claim.map((name) => `claims.${name}`),
  claim.map((name) => `[string(claims.${name})]`),
  fc.constantFrom("'x'", '7', 'true', 'person.roles', '[]', "person.roles.join(',')", 'person.attributes.a'),
);
/** Values that can be sent under the type of an output. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  string: ["'x'", '7', 'claims.email', 'person.attributes.a'],
  number: ['7', "'7.50'", 'person.attributes.a', 'claims.count'],
  boolean: ['true', "'False'", 'claims.flag'],
  list: ['person.roles', '[]', "['a', string(claims.email)]"],
};
type Outputs = Readonly<Record<string, string | { readonly type: string }>>;
const settingOf = (outputs: Outputs): fc.Arbitrary<object> =>
  fc
    .subarray(Object.entries(outputs), { minLength: Math.min(1, Object.keys(outputs).length) })
    .chain((some) =>
      fc.tuple(
        ...some.map(([name, type]) =>
          fc.constantFrom(...(VALUES[typeof type === 'string' ? type : type.type] ?? [])).map((one) => [name, one]),
        ),
      ),
    )
    .map((set) => ({ set: Object.fromEntries(set) }));
const anySetting = fc.dictionary(outputName, anyOutput, { minKeys: 1, maxKeys: 2 }).map((set) => ({ set }));
const refusal = fc.oneof(
  fc.record({ block: fc.constantFrom(true, 'm'), developerMessage: fc.constantFrom('dev', undefined) }),
  fc.constant({ invalid: 'm' }),
);
type Exchanges = Readonly<Record<string, { readonly outputs?: Outputs }>>;
const outputsOf = (exchanges: Exchanges, [first = '']: readonly string[]): Outputs => exchanges[first]?.outputs ?? {};
const hasOutputs = (exchanges: Exchanges, steps: readonly string[]) =>
  Object.keys(outputsOf(exchanges, steps)).length > 0;
/** Most rules fit their exchange. */
const ruleFor = (exchanges: Exchanges) =>
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...Object.keys(exchanges), 'SignInStarted', 'PostAttributeCollection'), {
        minLength: 1,
        maxLength: 2,
        size: 'small',
      }),
      fc.option(condition, { nil: undefined, freq: 2 }),
    )
    .chain(([steps, when]) =>
      fc
        .oneof(
          { weight: hasOutputs(exchanges, steps) ? 9 : 0, arbitrary: settingOf(outputsOf(exchanges, steps)) },
          { weight: 1, arbitrary: anySetting },
          { weight: 3, arbitrary: refusal },
        )
        .map((does) => ({
          steps,
          ...(when !== undefined && { when, ...(!('set' in does) && { onError: 'skip' }) }),
          ...does,
        })),
    );
const written = fc.dictionary(exchangeName, exchange, { maxKeys: 3, noNullPrototype: true }).chain((exchanges) =>
  fc.record({
    messages: fc.constant({ m: { en: 'No {supportCode} {email}' } }),
    exchanges: fc.constant(exchanges),
    rules: fc
      .array(ruleFor(exchanges as Exchanges), { minLength: 1, maxLength: 2 })
      .map((rules) => rules.map((one, at) => ({ id: `r${at}`, ...one }))),
  }),
);

const anyValue = fc.oneof(
  fc.constantFrom('x', '', '7', 'true', 'a@example.com', '\ud800', '1033'),
  fc.double(),
  fc.boolean(),
);
const OF_TYPE = { string: 'string', number: 'number', boolean: 'boolean' } as const;

it('whatever document with exchanges is accepted loads, and every step decides with the declared outputs only', async () => {
  const seen = { accepted: 0, sent: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(written, fc.dictionary(claim, anyValue), fc.boolean(), async (drawn, sent, known) => {
      const document = JSON.parse(JSON.stringify(drawn));
      const checked = checkPolicy(document, '');
      if (!checked.ok) return;
      seen.accepted += 1;
      const policy = await compilePolicy(checked.policy, 1, NAMES);
      const declared = Object.keys(drawn.exchanges);
      expect([...policy.steps.keys()]).toEqual(expect.arrayContaining([...STEPS, ...declared, 'SignInCompleted']));
      for (const step of policy.steps.keys()) {
        const claims = Object.fromEntries(Object.entries(sent).map(([name, one]) => [inputClaim(name), one]));
        const event = { ...(await readEvent({}, undefined)), channel: 'custom-policy' as const, step, claims };
        const held = { roles: ['a', 'b,c'], groups: [], attributes: { a: '760.50' }, known };
        const decision = decide(event, held, policy, 0, 'ABCDE-12345');
        const outputs = policy.exchanges.get(step.toLowerCase())?.outputs;
        if (outputs === undefined) continue;
        if (decision.kind !== 'continue') seen.refused += 1;
        for (const [name, one] of Object.entries(decision.kind === 'continue' ? decision.claims : {})) {
          seen.sent += 1;
          const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
          if (output?.type === 'list') expect(output.join === undefined).toBe(Array.isArray(one));
          else expect(typeof one).toBe(output === undefined ? 'nothing' : OF_TYPE[output.type]);
        }
      }
    }),
    { numRuns: 1_000 },
  );
  expect(Math.min(seen.accepted, seen.sent, seen.refused)).toBeGreaterThan(0);
});
