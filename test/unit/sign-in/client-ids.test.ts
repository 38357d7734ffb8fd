/** An application has one client id, however people and tools write it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRolesCsv } from '../../../src/cli/roles/roles-csv.ts';
import { recordInput } from '../../../src/desk/admin/record-input.ts';
import { checkPolicy } from '../../../src/desk/policies/check.ts';
import { namesOfApplications } from '../../../src/desk/reports/queries/application-names.ts';
import { attemptsQuestion } from '../../../src/desk/reports/questions.ts';
import { readEvent } from '../../../src/gate/user-flow/request.ts';
import { clientIdOf } from '../../../src/sign-in/normal-form.ts';
import { refusing, triesOf } from '../../support/try-policy.ts';

const CLIENT = '231c70e8-8424-48ac-9b5d-5623b9e4ccf3';
const PERSON = 'oid:d0000000-0000-4000-8000-000000000001';
const spelling = fc.constantFrom(
  CLIENT,
  CLIENT.toUpperCase(),
  CLIENT.replaceAll('-', ''),
  `{${CLIENT.toUpperCase()}}`,
  `urn:uuid:${CLIENT}`,
  ` ${CLIENT}\u00a0`,
  `${CLIENT}\u200b`,
  CLIENT.replaceAll('-', '\u2011'),
);
/** A GUID with a slip. */
const SLIPS = [CLIENT.slice(1), `${CLIENT}0`, CLIENT.replace('c', 'o')];

describe('a client id in any notation of a GUID', () => {
  it('is the application of a record, a file of roles, a policy and a report', async () => {
    await fc.assert(
      fc.asyncProperty(spelling, async (typed) => {
        expect(clientIdOf(typed)).toBe(CLIENT);
        const record = recordInput.parse({ applications: { [typed]: { roles: ['a'] } } });
        expect(Object.keys(record.applications)).toEqual([CLIENT]);
        const file = await readRolesCsv(`key,roles,clientId\n${PERSON},a,"${typed}"\n`);
        expect(file.ok && file.lines.map(({ clientId }) => clientId)).toEqual([CLIENT]);
        const document = {
          applications: { [typed]: 'Shop', onlyThese: true },
          rules: [refusing("request.application == 'Shop'")],
        };
        const tried = await triesOf(document);
        expect((await tried({ client_id: CLIENT })).reply.status).toBe(400);
        expect([...namesOfApplications({ [typed]: 'Shop' }).keys()]).toEqual([CLIENT]);
        const { narrowed } = await attemptsQuestion.parseAsync({ clientId: typed });
        expect(narrowed.clientId).toBe(CLIENT);
      }),
    );
  });

  it('is that of a call with and without hyphens, in any letter case', async () => {
    const sent = fc.constantFrom(CLIENT, CLIENT.replaceAll('-', '')).chain((id) => fc.mixedCase(fc.constant(id)));
    await fc.assert(
      fc.asyncProperty(sent, async (client_id) => {
        expect((await readEvent({ client_id }, undefined)).clientId).toBe(CLIENT);
      }),
    );
    expect((await readEvent({ client_id: ' My-App ' }, undefined)).clientId).toBe('my-app');
  });

  it('is one application: a second spelling is refused', async () => {
    await fc.assert(
      fc.asyncProperty(spelling, spelling, async (one, other) => {
        fc.pre(one !== other);
        const applications = { [one]: { roles: ['a'] }, [other]: { roles: ['b'] } };
        expect(recordInput.safeParse({ applications }).success).toBe(false);
        const file = `key,roles,clientId\n${PERSON},a,"${one}"\n${PERSON},b,"${other}"\n`;
        expect(await readRolesCsv(file)).toMatchObject({ ok: false });
        expect(checkPolicy({ applications: { [one]: 'A', [other]: 'B' }, rules: [] }, '').ok).toBe(false);
      }),
    );
  });

  it('is refused in a record and in a policy when a digit is missing, too many or wrong', () => {
    for (const slip of SLIPS) {
      expect(recordInput.safeParse({ applications: { [slip]: { roles: ['a'] } } }).success).toBe(false);
      expect(checkPolicy({ applications: { [slip]: 'Shop' }, rules: [] }, '').ok).toBe(false);
      expect(checkPolicy({ rules: [refusing(`request.clientId == '${slip}'`)] }, '').ok).toBe(false);
    }
  });

  it('is suggested where a rule has another spelling', () => {
    const check = checkPolicy({ rules: [refusing(`request.clientId == '{${CLIENT.toUpperCase()}}'`)] }, '');
    expect(check.ok || check.problems[0]?.message).toContain(`Write ${CLIENT}`);
  });
});
