/** Properties of every exchange with every transport and body. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../src/desk/policies/check.ts';
import { compilePolicy } from '../../src/desk/policies/compile-plan.ts';
import { answer, type World } from '../../src/gate/answer.ts';
import { customPolicyDoor } from '../../src/gate/custom-policy/door.ts';
import { withTimeout } from '../../src/platform/timeout.ts';
import { NOTHING_HELD } from '../../src/policy/policy.ts';
import { CUSTOM_POLICY } from '../support/exchange-call.ts';

const NAMES = { rolesClaim: 'extension_Roles', extensionsAppId: '' };

type Output = [name: string, type: unknown, value: string];

const output = fc.constantFrom<Output>(
  ['text', 'string', "person.roles.join(' ')"],
  ['text-2', 'string', "'7.50'"],
  ['code', 'number', '7.5'],
  ['status', 'string', "'x'"],
  ['flag', 'boolean', 'size(person.roles) > 1'],
  ['roles', 'list', 'person.roles'],
  ['all.roles', { type: 'list', join: ';' }, 'person.roles'],
  ['version', 'string', "claims.word + 'é\\u0000'"],
);

interface Declared {
  readonly name: string;
  readonly kind: string;
  readonly whenUnavailable: string;
  readonly outputs: readonly Output[];
  readonly refuses: string;
}

const exchange: fc.Arbitrary<Declared> = fc.record({
  name: fc.constantFrom('One', 'two-2', 'SignInStarted'),
  kind: fc.constantFrom('validation', 'orchestration'),
  whenUnavailable: fc.constantFrom('block', 'continue'),
  outputs: fc.uniqueArray(output, { maxLength: 4, selector: ([name]) => name }),
  refuses: fc.constantFrom('no', 'word', 'count'),
});

const REFUSALS: Readonly<Record<string, object>> = {
  word: { when: "has(claims.word) && claims.word.startsWith('a')", block: 'no', developerMessage: 'It begins with a.' },
  count: { when: 'has(claims.count) && claims.count > 3.0', block: true },
};

const documentOf = ({ name, kind, whenUnavailable, outputs, refuses }: Declared) => ({
  messages: { no: { en: 'No, {word}. {supportCode}' } },
  exchanges: {
    [name]: {
      kind,
      whenUnavailable,
      inputs: { word: ['word', 'a.0.word'], count: { from: 'count', type: 'number' } },
      outputs: Object.fromEntries(outputs.map(([output, type]) => [output, type])),
      emptyReply: outputs.length === 0,
    },
  },
  rules: [
    ...(refuses in REFUSALS ? [{ id: 'refuse', steps: [name], ...REFUSALS[refuses] }] : []),
    ...outputs.map(([output, , value], at) => ({ id: `set-${at}`, steps: [name], set: { [output]: value } })),
  ],
});

const word = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a', '', '{Culture:LCID}', '\ud800', 'null'),
);
const body = fc.oneof(
  fc
    .record({ word, count: fc.oneof(fc.double(), fc.integer(), word), a: fc.jsonValue() }, { requiredKeys: [] })
    .map((value) => JSON.stringify(value)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string(),
  fc.constantFrom('{', '[', '{"word":"a","word":""}', '\u0000', '{"__proto__":{"word":"a"}}', 'word=a&word='),
);
const TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain',
  'application/json;charset=utf-16',
];
const request: fc.Arbitrary<(url: string) => Request> = fc.oneof(
  fc.tuple(body, fc.constantFrom(...TYPES)).map(
    ([text, type]) =>
      (url: string) =>
        new Request(url, { method: 'POST', body: text, headers: { 'Content-Type': type } }),
  ),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => (url: string) => new Request(url, { method: 'POST', body: bytes })),
  fc
    .record({ word, count: word }, { requiredKeys: [] })
    .map((claims) => (url: string) => new Request(`${url}?${new URLSearchParams(Object.entries(claims))}`)),
  fc
    .string({ unit: fc.constantFrom('a', 'b', ' ', '~', '"') })
    .map((value) => (url: string) => new Request(url, { headers: { word: value } })),
);

const REFUSAL = ['code', 'developerMessage', 'requestId', 'status', 'userMessage', 'version'];

describe('any exchange, any transport and any body', () => {
  it('the reply is 200 with flat JSON of declared outputs, or empty, or 409 with the documented members', async () => {
    const named = fc.constantFrom('same', 'lower', 'other');
    await fc.assert(
      fc.asyncProperty(exchange, request, fc.boolean(), named, async (declared, make, known, spelling) => {
        const checked = checkPolicy(documentOf(declared), '');
        if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
        const policy = await compilePolicy(checked.policy, 1, NAMES);
        const inForce = { policy, shadow: undefined, fault: '' } as const;
        const person = { ...NOTHING_HELD, roles: known ? ['a', 'b'] : [], known };
        const world: World = {
          policyInMemory: () => policy,
          policy: () => inForce,
          know: async () => ({ inForce, lookup: undefined, droppedNames: 0, person }),
          personId: async () => undefined,
          supportCode: async () => 'AAAAA-BBBBB',
          randomSupportCode: () => 'CCCCC-DDDDD',
        };
        const urlStep = { same: declared.name, lower: declared.name.toLowerCase(), other: 'Other' }[spelling];
        const { reply } = await answer(customPolicyDoor([]), world, {
          request: make(`${CUSTOM_POLICY}/${urlStep}`),
          caller: '',
          callerKind: '',
          urlStep,
          startedAt: 0,
          decisionTimeoutMs: 10_000,
          withTimeout,
        });
        if (spelling === 'other') expect(JSON.parse(reply.body)).toMatchObject({ code: 'unknown-exchange' });
        if (reply.status === 409) {
          const refusal = JSON.parse(reply.body) as Record<string, unknown>;
          expect(Object.keys(refusal).filter((name) => !REFUSAL.includes(name))).toEqual([]);
          const documented = { version: '1.0.0', status: 409, userMessage: expect.stringMatching(/\S/) };
          expect(refusal).toMatchObject(documented);
          return;
        }
        expect(reply.status).toBe(200);
        // A body that no decision was made on gives no claims.
        const claims = reply.body === '' ? {} : (JSON.parse(reply.body) as Record<string, unknown>);
        if (reply.body === '') expect(declared.outputs).toEqual([]);
        const types = new Map(declared.outputs.map(([name, type]) => [name, type]));
        for (const [name, value] of Object.entries(claims)) {
          const type = types.get(name);
          if (type === 'list') expect(value).toEqual(['a', 'b']);
          else expect(typeof value).toBe(typeof type === 'string' ? type : 'string');
        }
        expect(reply.body.isWellFormed()).toBe(true);
        if (!known) expect(Object.keys(claims)).not.toContain('roles');
      }),
      { numRuns: 150 },
    );
  });
});
