/** A reply to B2C, and what `try` and refusals name, have a limit. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordInput } from '../../../src/desk/admin/record-input.ts';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { triesOf } from '../../support/try-policy.ts';

const MAX_REPLY_BYTES = 32 * 1024;
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).byteLength;

const rulesFor = (step: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    id: `r${at}`,
    steps: [step],
    when: 'has(claims.city)',
    set: { [`extension_X${at}`]: 'claims.city' },
  }));

describe('a reply to B2C', () => {
  it('has at most 32 KiB: the last claims are left out, and the notes name them', async () => {
    const tried = await triesOf({ rules: rulesFor('PostAttributeCollection', 30) });
    const city = fc
      .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }), fc.nat(10_000))
      .map(([text, length]) => text.repeat(length).slice(0, length));
    await fc.assert(
      fc.asyncProperty(city, async (text) => {
        const { reply, notes } = await tried({ city: text });
        expect(bytesOf(reply.body)).toBeLessThanOrEqual(MAX_REPLY_BYTES);
        const sent = Object.keys(reply.body).filter((name) => name.startsWith('extension_X'));
        expect(sent).toEqual(sent.map((_, at) => `extension_X${at}`));
        const size = bytesOf({ extension_X10: text.toWellFormed() });
        expect(sent.length).toBe(size * 31 < MAX_REPLY_BYTES ? 30 : Math.min(30, sent.length));
        expect(notes.some((note) => note.startsWith('claims left out of the reply'))).toBe(sent.length < 30);
      }),
      { numRuns: 60 },
    );
  });

  it('always has the roles claim at the token step, empty when a rule made it too large', async () => {
    const set = { extension_A: 'claims.city', extension_Roles: 'claims.city' };
    const tried = await triesOf({ rules: [{ id: 'r', steps: ['PreTokenIssuance'], when: 'has(claims.city)', set }] });
    const { reply } = await tried({ step: 'PreTokenIssuance', city: '\u0001'.repeat(9_000) });
    expect(reply.body).toEqual({ version: '1.0.0', action: 'Continue', extension_Roles: '' });
  });
});

describe('an answer about many things', () => {
  const names = Array.from({ length: 1_000 }, (_, at) => `member${at}`);
  const things = Object.fromEntries(names.map((name) => [name, [1]]));

  it('of try names 20 ignored claims and the number of the others', async () => {
    const { notes } = await (await triesOf({ rules: [] }))(things);
    expect(notes.join(' ')).toMatch(/member19 and 980 more$/);
    expect(notes.join(' ').length).toBeLessThan(1_000);
  });

  it('about a document names 20 unknown members and the number of the others, each truncated', () => {
    const check = checkPolicy({ rules: [], ...things }, '');
    expect(check.ok ? [] : check.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('member19 and 980 more'),
    ]);
    const long = checkPolicy({ rules: [], ['x'.repeat(50_000)]: 1 }, '');
    expect(JSON.stringify(long).length).toBeLessThan(1_000);
  });

  it('about a record names 20 unknown members and the number of the others', () => {
    const issues = recordInput.safeParse(things).error?.issues ?? [];
    expect(issues.map(({ message }) => message).join(' ')).toContain('member19 and 980 more');
  });
});
