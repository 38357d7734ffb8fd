/** The entry of readiness in the API description (`http/operation.ts`). */
import * as z from 'zod/mini';
import { describing, type Operations } from '../http/operation.ts';
import { instant, said, whole } from '../http/problem-answer.ts';
import type { askParts } from './readiness.ts';

const text = z.string();
const counts = z.record(text, whole);
const failed = z.object({ ok: z.literal(false), problem: text });
const ok = { ok: z.literal(true) };

const readinessAnswer = describing<Awaited<ReturnType<typeof askParts>>>()(
  z.object({
    status: z.enum(['ready', 'not-ready']),
    kv: z.union([z.object(ok), failed]),
    queue: said(
      'Numbers of dead letters. A text says that there are more than were counted.',
      z.union([z.object({ ...ok, outage: z.union([text, z.number()]), refused: z.union([text, z.number()]) }), failed]),
    ),
    neon: z.union([
      z.object({
        ...ok,
        oldestUnsummedSeconds: said('Since the end of the oldest hour that was never summed.', z.nullable(whole)),
        differentSteps: said('Calls of the last 24 hours with different steps in URL and body.', whole),
        unknownSteps: said('Calls of the last 24 hours without a known step.', whole),
        unknownExchanges: said('Calls of the last 24 hours that named an unknown exchange, by its name.', counts),
        failedRules: said('Calls of today and yesterday, by rule, whose condition failed.', counts),
        refusedCalls: said('Calls that were refused in the last hour, by route, reason and name.', counts),
        usersMissing: said('True while people of the oldest attempts are not in reports on users.', z.boolean()),
        migrated: said('False when tables or columns of this version are missing.', z.boolean()),
      }),
      failed,
    ]),
    policy: z.union([
      z.object({
        ...ok,
        decides: said('False when no policy could be read: sign-ups are blocked.', z.boolean()),
        version: said('0: the built-in policy.', z.exactOptional(whole)),
        shadow: z.exactOptional(whole),
        fault: text,
        unused: said('Workers KV has a policy, but the built-in one decides.', z.boolean()),
        unpublishedSince: z.exactOptional(instant),
      }),
      failed,
    ]),
    records: z.union([
      z.object({
        ...ok,
        rekey: z.enum(['waiting', 'copy', 'delete', 'done']),
        moved: whole,
        stuck: whole,
        foreign: whole,
      }),
      failed,
    ]),
    warnings: said('What to fix. No personal data, no secrets.', z.array(text)),
  }),
);

export const healthOperations = {
  'GET /health/ready': {
    id: 'readReadiness',
    summary: 'Whether everything behind Gatehouse works, and what to fix.',
    answer: readinessAnswer,
    also: { status: 503, meaning: 'A part does not respond, or no policy decides.' },
  },
} as const satisfies Operations;
