/** Numbers and texts leave exactly as they came, or not at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordInput } from '../../../src/desk/admin/record-input.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { evaluate } from '../../support/evaluate-expression.ts';
import { triesOf } from '../../support/try-policy.ts';

const copies = {
  rules: [
    {
      id: 'copies',
      steps: ['PostAttributeCollection'],
      set: {
        extension_Same: 'claims.extension_Num',
        extension_Text: 'string(claims.extension_Num)',
        extension_Number: 'double(claims.extension_Num)',
      },
    },
  ],
};

describe('a whole number beyond 2^53 in a body', () => {
  const beyond = fc.bigInt({ min: 2n ** 53n, max: 10n ** 40n }).chain((size) => fc.constantFrom(size, -size));

  it('is an unexpected claim, so no rule sends it changed', async () => {
    const tried = await triesOf(copies);
    await fc.assert(
      fc.asyncProperty(beyond, fc.constantFrom('', '.0', 'e0'), async (number, end) => {
        const body = JSON.parse(`{"extension_Num":${number}${end}}`);
        const event = await readEvent(body, undefined);
        expect([event.claims, event.unexpectedClaims]).toEqual([{}, ['extension_Num']]);
        expect(Object.keys((await tried(body)).reply.body)).toEqual(['version', 'action']);
      }),
    );
  });

  it('is not sent as a rounded number when it is a text', async () => {
    const sources = [
      'double(X)',
      'string(double(X))',
      "'no ' + string(double(X) * 1.0)",
      "[string(double(X))].join('')",
    ];
    const rules = [...sources, 'string(person.attributes.n)'].map((source, at) => ({
      id: `n${at}`,
      steps: ['PostAttributeCollection'],
      set: { [`extension_N${at}`]: source.replace('X', 'claims.extension_Num') },
    }));
    const tried = await triesOf({ rules });
    await fc.assert(
      fc.asyncProperty(beyond, async (number) => {
        // A record that was written by hand may have such a number.
        const { reply } = await tried({ extension_Num: String(number) }, { attributes: { n: Number(number) } });
        expect(Object.keys(reply.body)).toEqual(['version', 'action']);
      }),
    );
  });

  it('is refused as an attribute of a person', () => {
    expect(recordInput.safeParse(JSON.parse('{"attributes":{"loyalty":12345678901234567890}}')).success).toBe(false);
    expect(recordInput.safeParse(JSON.parse('{"attributes":{"loyalty":9007199254740991,"x":1.5}}')).success).toBe(true);
  });
});

it('a number up to 2^53, or with decimals, is sent as it came', async () => {
  const tried = await triesOf(copies);
  const exact = fc.oneof(
    fc.maxSafeInteger(),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((n) => n !== 0),
  );
  await fc.assert(
    fc.asyncProperty(exact, async (number) => {
      expect((await tried({ extension_Num: number })).reply.body).toMatchObject({
        extension_Same: number,
        extension_Text: String(number),
        extension_Number: number,
      });
    }),
  );
});

it('a text that a rule sets is well-formed, and its parts are whole characters', async () => {
  const tried = await triesOf({
    rules: [
      'claims.displayName',
      'titleCase(claims.displayName)',
      'claims.displayName.charAt(0)',
      'claims.displayName.substring(0, 1)',
      "claims.displayName.split('')",
      "claims.displayName.replace('a', 'b')",
      'normalizeCode(claims.displayName)',
      'claims.displayName.lowerAscii() + claims.displayName',
    ].map((source, at) => ({
      id: `r${at}`,
      steps: ['PostAttributeCollection'],
      set: { [`extension_X${at}`]: source },
    })),
  });
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 20 }), fc.boolean(), async (text, isCut) => {
      const displayName = isCut ? `${text}\u{20bb7}`.slice(0, -1) : `\u{20bb7}${text}`;
      const { body } = (await tried({ displayName })).reply;
      for (const value of Object.values(body)) expect(String(value).isWellFormed()).toBe(true);
      expect(body).toHaveProperty('extension_X0', displayName.toWellFormed());
      if (!isCut) expect(body).toMatchObject({ extension_X2: '\u{20bb7}', extension_X3: '\u{20bb7}' });
    }),
  );
});

it('a whole number is equal to a number with a point only if their exact values are', () => {
  for (const [source, value] of [
    ['9007199254740993 == double(9007199254740993)', false],
    ['9007199254740993 in [double(9007199254740993)]', false],
    ['9007199254740993 != double(9007199254740993)', true],
    ['9007199254740992 == double(9007199254740992)', true],
    ['2 == 2.0', true],
    ['2 == 2.5', false],
  ] as const)
    expect(evaluate(source, { claims: {} }), source).toBe(value);
});
