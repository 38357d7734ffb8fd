/** Warnings of `/health/ready` that follow from the state of the database. */
import { expect, it } from 'vitest';
import { neonWarnings } from '../../../src/desk/health/readiness.ts';

const fine = {
  migrated: true,
  oldestUnsummedSeconds: null,
  differentSteps: 0,
  unknownSteps: 0,
  unknownExchanges: {},
  failedRules: {},
  refusedCalls: {},
  usersMissing: false,
};

it.each([
  ['nothing when all is well', {}, []],
  ['nothing while an hour waits for the next ticks', { oldestUnsummedSeconds: 30 * 60 }, []],
  ['of hours that wait long for their sum', { oldestUnsummedSeconds: 30 * 60 + 1 }, ['cron trigger']],
  ['of a database that lacks a migration', { migrated: false }, ['npm run migrate']],
  ['of older attempts without users', { usersMissing: true }, ['npm run sums -- rebuild']],
  ['of steps that differ or are unknown', { differentSteps: 2, unknownSteps: 1 }, ['2 calls', '1 calls']],
  [
    'of rules that failed unforeseen',
    { failedRules: { guards: 3, adults: 1 } },
    ['guards (3 calls), adults (1 calls)'],
  ],
  [
    'of calls that were refused, with route, reason and name',
    { refusedCalls: { 'connector wrong-credential b2c': 31 } },
    ['connector wrong-credential b2c (31)'],
  ],
  [
    'of exchanges that the policy does not have, with the name that was called as one quoted line',
    { unknownExchanges: { ValidateProfil: 3, 'a"\u0000\n\u202eb': 2, '': 1 } },
    ['"ValidateProfil" (3), "a\ufffd\ufffd\ufffd\ufffdb" (2), none at all (1). Correct the ServiceUrl'],
  ],
])('warns %s', (_, changed, wanted) => {
  const warnings = neonWarnings({ ...fine, ...changed });
  expect(warnings).toEqual(wanted.map((words) => expect.stringContaining(words)));
});
