/** `person.id`: who has which, and when it is computed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { compilePolicy } from '../../../src/desk/policies/compile-plan.ts';
import { personIdOf } from '../../../src/gate/person-id.ts';
import { tryCall } from '../../../src/gate/trial.ts';
import { NOTHING_HELD } from '../../../src/policy/policy.ts';

const NAMES = { rolesClaim: '', extensionsAppId: '' };
const SECRET = 'a secret of this test';
const README = readFileSync(join(import.meta.dirname, '../../../src/policy/README.md'), 'utf8');
/** The policy that the document shows. */
const EXAMPLE = JSON.parse(README.split("cat > person-id.json <<'EOF'\n")[1]?.split('\nEOF\n')[0] ?? '{}');
const UUID_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

afterEach(() => vi.restoreAllMocks());

async function reply(document: unknown, call: Record<string, unknown>, personIdSecret?: string) {
  const checked = checkPolicy(document, '');
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  const policy = await compilePolicy(checked.policy, 1, NAMES);
  const { reply, trace } = await tryCall({
    body: { step: 'PreTokenIssuance', ...call },
    urlStep: undefined,
    policy,
    entitlements: () => NOTHING_HELD,
    now: Date.UTC(2026, 10, 21),
    supportCode: async () => '',
    ...(personIdSecret !== undefined && { personIdSecret }),
  });
  return { id: reply.body.extension_PersonId, trace };
}

describe('person.id', () => {
  it('is the same at every call of a key, and different for two keys or two secrets', async () => {
    const key = fc.string({ minLength: 1 });
    const keys = fc.record({
      oid: fc.option(key, { nil: undefined }),
      idp: fc.array(key),
      email: fc.option(key, { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(keys, keys, async (one, other) => {
        const best = ({ oid, idp, email }: typeof one) => oid ?? idp[0] ?? email;
        const id = await personIdOf(SECRET, { personKeys: one });
        expect(id === undefined).toBe(best(one) === undefined);
        if (id === undefined) return;
        expect(id).toMatch(UUID_8);
        expect(await personIdOf('another secret', { personKeys: one })).not.toBe(id);
        expect((await personIdOf(SECRET, { personKeys: other })) === id).toBe(best(one) === best(other));
      }),
    );
  });

  it('the example of the document puts it into the token of every call that has a key', async () => {
    const objectId = 'AB3EC3B2-A435-45E4-B93A-56A005E88BB7';
    const { id } = await reply(EXAMPLE, { objectId, email: 'a@example.com' }, SECRET);
    expect(id).toMatch(UUID_8);
    expect((await reply(EXAMPLE, { objectId: objectId.toLowerCase(), email: 'b@example.com' }, SECRET)).id).toBe(id);
    expect((await reply(EXAMPLE, { objectId })).id).not.toBe(id);
    expect((await reply(EXAMPLE, {}, SECRET)).id).toBeUndefined();
    expect((await reply(EXAMPLE, { objectId }, '')).id).toBeUndefined();
  });

  it('a rule that reads it without a guard skips a call without one, and the trace says why', async () => {
    const set = { extension_PersonId: 'person.id' };
    const { id, trace } = await reply({ rules: [{ id: 'r', steps: ['PreTokenIssuance'], set }] }, {});
    expect(id).toBeUndefined();
    expect(JSON.stringify(trace)).toContain('person.id is absent');
    const condition = { id: 'r', steps: ['PostAttributeCollection'], when: "person.id == 'x'", block: true };
    expect(checkPolicy({ rules: [condition] }, '')).toMatchObject({ ok: false });
  });

  it('costs a signature only at steps with a rule that reads it', async () => {
    const sign = vi.spyOn(crypto.subtle, 'sign');
    const objectId = crypto.randomUUID();
    const rule = { id: 'r', steps: ['PreTokenIssuance'], set: { city: "'x'" } };
    await reply({ rules: [rule, { ...EXAMPLE.rules[0], steps: ['PostAttributeCollection'] }] }, { objectId });
    expect(sign).not.toHaveBeenCalled();
    await reply(EXAMPLE, { objectId });
    expect(sign).toHaveBeenCalledOnce();
  });
});
