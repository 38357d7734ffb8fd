/** The policy endpoints for administrators: read, save, roll back, and run a shadow policy. */
import { newApp } from '../../http/context.ts';
import { pointerTo } from '../../http/json-pointer.ts';
import { badRequest, refuse, validated } from '../../http/problem-details.ts';
import { jsonBody, limitedBody } from '../../http/request-body.ts';
import { MAX_DOCUMENT_BYTES } from '../../policies/policy-document.ts';
import type { Problem } from '../../policies/policy-problem.ts';
import { type SaveRequest, saveVersion } from '../../policies/save.ts';
import { shownVersion } from '../../policies/saved-version.ts';
import { versionsPage } from '../inputs.ts';
import { bodyFaultOf, faultOf, outcomeAnswer, shownWithDocument } from './answers.ts';
import { listRoutes } from './lists.ts';
import {
  checkDocument,
  noteOnly,
  nothing,
  type PolicyContext,
  readDocument,
  rollbackBody,
  shadowQuery,
  versionParam,
  versionsOf,
} from './policy-inputs.ts';
import { etagOf, holds, readPrecondition } from './preconditions.ts';
import { tryRoute } from './try.ts';

/** The policy and its shadow have separate endpoints and are saved in the same way. */
const POLICY = '/admin/policy';
const SHADOW = '/admin/policy/shadow';
type Address = typeof POLICY | typeof SHADOW;

const limitedDocument = limitedBody(MAX_DOCUMENT_BYTES, 'policy');
/** Limit for bodies other than a document. */
const MAX_BODY_BYTES = 16 * 1024;

export const policyRoutes = newApp();

policyRoutes.get('/', validated('query', nothing), async (c) => {
  const present = await (await versionsOf(c)).readPresent();
  if (!present.ok) return refuse(c, present.reason, { afterwards: 'nothing-changed' });
  const { active } = present.value;
  if (active === undefined || active.text === null) return refuse(c, 'no-policy', { current: null });
  return c.body(active.text, 200, { 'Content-Type': 'application/json', ETag: etagOf(active.number) });
});
policyRoutes.put('/', limitedDocument, jsonBody, validated('query', noteOnly), (c) =>
  withPrecondition(c, POLICY, async (save) => {
    const read = await readDocument(c);
    if (!read.ok) return refuse(c, 'invalid-policy', { errors: read.problems.map((problem) => bodyFaultOf(problem)) });
    return save({ use: 'active', ...read.checked, note: c.req.valid('query').note ?? '' }, read.warnings);
  }),
);

policyRoutes.get('/versions', validated('query', versionsPage.query), async (c) => {
  const { cursor, limit } = c.req.valid('query');
  const before = cursor === undefined ? undefined : Number(cursor);
  const listed = await (await versionsOf(c)).listVersions(limit + 1, before);
  if (!listed.ok) return refuse(c, listed.reason, { afterwards: 'nothing-changed' });
  const shown = listed.value.slice(0, limit);
  const next = listed.value.length > limit ? shown.at(-1)?.number.toString() : undefined;
  return c.json({ versions: shown.map(shownVersion), ...(await versionsPage.next(next)) }, 200);
});

policyRoutes.get('/versions/:number', validated('param', versionParam), validated('query', nothing), async (c) => {
  const { number } = c.req.valid('param');
  const read = await (await versionsOf(c)).readVersion(number);
  if (!read.ok) return refuse(c, read.reason, { afterwards: 'nothing-changed' });
  return read.value === undefined
    ? refuse(c, 'no-such-version', { number })
    : c.json(shownWithDocument(read.value), 200);
});

policyRoutes.post(
  '/rollback',
  limitedBody(MAX_BODY_BYTES, 'rollback'),
  jsonBody,
  validated('query', nothing),
  validated('json', rollbackBody),
  (c) =>
    withPrecondition(c, POLICY, async (save) => {
      const { to, note = '' } = c.req.valid('json');
      const read = await (await versionsOf(c)).readVersion(to);
      if (!read.ok) return refuse(c, read.reason, { afterwards: 'nothing-changed' });
      if (read.value === undefined) return refuse(c, 'no-such-version', { number: to });
      if (read.value.text === null)
        return badRequest(c, [{ path: 'to', pointer: pointerTo(['to']), message: WITHOUT_DOCUMENT }]);
      const today = await checkDocument(c, read.value.text);
      if (!today.ok)
        return refuse(c, 'invalid-policy', {
          errors: today.problems.map(faultOf),
          what: `By today’s rules, version ${to}`,
        });
      return save({ use: 'active', ...today.checked, documentOf: to, note }, today.warnings);
    }),
);

policyRoutes.get('/shadow', validated('query', nothing), async (c) => {
  const present = await (await versionsOf(c)).readPresent();
  if (!present.ok) return refuse(c, present.reason, { afterwards: 'nothing-changed' });
  const { shadow } = present.value;
  return shadow === undefined
    ? refuse(c, 'no-shadow', { current: null })
    : c.json(shownWithDocument(shadow), 200, { ETag: etagOf(shadow.number) });
});
policyRoutes.put('/shadow', limitedDocument, jsonBody, validated('query', shadowQuery), (c) =>
  withPrecondition(c, SHADOW, async (save) => {
    const { note = '', sample } = c.req.valid('query');
    const read = await readDocument(c);
    if (!read.ok) return refuse(c, 'invalid-policy', { errors: read.problems.map((problem) => bodyFaultOf(problem)) });
    return save({ use: 'shadow', ...read.checked, sample, note }, read.warnings);
  }),
);
policyRoutes.delete('/shadow', validated('query', noteOnly), (c) =>
  withPrecondition(c, SHADOW, (save) => save({ use: 'no-shadow', note: c.req.valid('query').note ?? '' })),
);

policyRoutes.route('/lists', listRoutes('active'));
policyRoutes.route('/shadow/lists', listRoutes('shadow'));

policyRoutes.route('/try', tryRoute);

const WITHOUT_DOCUMENT =
  'this version ended a shadow, so it has no document. Choose another one from GET /admin/policy/versions';

type Save = (draft: SaveRequest, warnings?: readonly Problem[]) => Promise<Response>;

/** Refuses a call without a precondition. Otherwise calls `change` with a function that saves. */
async function withPrecondition(
  c: PolicyContext,
  address: Address,
  change: (save: Save) => Promise<Response>,
): Promise<Response> {
  const precondition = readPrecondition(c.req.raw.headers);
  if (precondition.kind === 'missing')
    return refuse(c, 'precondition-missing', { address, current: await currentNumber(c, address) });
  return change(async (draft, warnings = []) => {
    const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    const versions = await versionsOf(c);
    const saved = saveVersion(
      { kv: c.env.GATEHOUSE, versions, later },
      { ...draft, author: c.get('callerName'), expects: (number) => holds(precondition, number) },
    );
    // The save continues when the caller disconnects.
    later(saved.catch(() => undefined));
    return outcomeAnswer(c, address, await saved, warnings);
  });
}

/** Null when no version exists; undefined when Neon fails. */
async function currentNumber(c: PolicyContext, address: Address): Promise<number | null | undefined> {
  const read = await (await versionsOf(c)).readInForce();
  if (!read.ok) return undefined;
  return (address === POLICY ? read.value : read.value?.shadow)?.number ?? null;
}
