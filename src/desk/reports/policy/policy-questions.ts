/** Query strings of the reports on the policy. */
import * as z from 'zod/mini';
import { strict, text } from '../../http/input-rules.ts';
import { signedPageOf } from '../../http/signed-page.ts';

/** Maximum of the Postgres type integer. */
const MAX_VERSION = 2_147_483_647;
const NO_VERSION =
  'not the number of a version: digits, such as 3. 0 is the built-in policy. GET /reports/policy/versions lists them';
const version = z.pipe(
  z.pipe(text.check(z.regex(/^\d{1,10}$/, NO_VERSION)), z.transform(Number)),
  z.int(NO_VERSION).check(z.lte(MAX_VERSION, NO_VERSION)),
);

/** 0 is the built-in policy, as in attempts. */
export const rulesQuestion = strict({ version: z.optional(version) });
export const ruleParam = z.object({ id: text });

export const reportedVersionsPage = signedPageOf('reported-versions', 50, 500);

/** Versions, not times. Without `to`, the one in force; without `from`, the one that decided before it. */
export const differencesQuestion = strict({ from: z.optional(version), to: z.optional(version) });
