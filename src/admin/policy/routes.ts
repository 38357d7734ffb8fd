/** What administrators do with the policy over HTTP: read it, save it, go back, and run another one in its shadow. */
import { guard } from '../../callers/guard.ts';
import { configOf } from '../../config.ts';
import { newApp } from '../../context.ts';
import { jsonBody, limitedBody } from '../../json-body.ts';
import type { Problem } from '../../policy/problem.ts';
import { type Draft, saveVersion } from '../../policy/save.ts';
import { badRequest, only, problem, validated } from '../../problem.ts';
import { pageOf } from '../inputs.ts';
import { outcomeAnswer, shownVersion, shownWithDocument } from './answers.ts';
import { checkDocument, limitedDocument, readDocument } from './document-body.ts';
import { noteOnly, nothing, rollbackBody, shadowQuery, versionParam } from './inputs.ts';
import { etagOf, holds, readPrecondition } from './preconditions.ts';
import {
  type Kind,
  noSuchVersion,
  nothingSaved,
  type PolicyContext,
  preconditionMissing,
  refusedDocument,
  unanswered,
} from './refusals.ts';
import { tryRoute } from './try.ts';

/** Of everything but a document. */
const MAX_BODY_BYTES = 16 * 1024;

export const policyRoutes = newApp();

policyRoutes.use(guard('admin'));

policyRoutes.get('/', validated('query', nothing), async (c) => {
  const present = await (await versionsOf(c)).readPresent();
  if (!present.ok) return unanswered(c, present);
  const { active } = present.value;
  if (active === undefined || active.text === null) return nothingSaved(c, 'policy');
  return c.body(active.text, 200, { 'Content-Type': 'application/json', ETag: etagOf(active.number) });
});
policyRoutes.put('/', limitedDocument, jsonBody, validated('query', noteOnly), (c) =>
  knowing(c, 'policy', async (save) => {
    const read = await readDocument(c);
    if (!read.ok) return refusedDocument(c, read.problems);
    return save({ use: 'active', document: read.document, note: c.req.valid('query').note ?? '' }, read.warnings);
  }),
);
policyRoutes.all('/', only('GET', 'HEAD', 'PUT'));

const versionsPage = pageOf('policy-versions', 50, 500);

policyRoutes.get('/versions', validated('query', versionsPage.query), async (c) => {
  const { cursor, limit } = c.req.valid('query');
  const before = cursor === undefined ? undefined : Number(cursor);
  const listed = await (await versionsOf(c)).listVersions(limit + 1, before);
  if (!listed.ok) return unanswered(c, listed);
  const shown = listed.value.slice(0, limit);
  const next = listed.value.length > limit ? shown.at(-1)?.number.toString() : undefined;
  return c.json({ versions: shown.map(shownVersion), ...(await versionsPage.next(next)) }, 200);
});
policyRoutes.all('/versions', only('GET', 'HEAD'));

policyRoutes.get('/versions/:number', validated('param', versionParam), validated('query', nothing), async (c) => {
  const { number } = c.req.valid('param');
  const read = await (await versionsOf(c)).readVersion(number);
  if (!read.ok) return unanswered(c, read);
  return read.value === undefined ? noSuchVersion(c, number) : c.json(shownWithDocument(read.value), 200);
});
policyRoutes.all('/versions/:number', only('GET', 'HEAD'));

policyRoutes.post(
  '/rollback',
  limitedBody(MAX_BODY_BYTES, 'order to go back'),
  jsonBody,
  validated('query', nothing),
  validated('json', rollbackBody),
  (c) =>
    knowing(c, 'policy', async (save) => {
      const { to, note = '' } = c.req.valid('json');
      const read = await (await versionsOf(c)).readVersion(to);
      if (!read.ok) return unanswered(c, read);
      if (read.value === undefined) return noSuchVersion(c, to);
      if (read.value.text === null) return badRequest(c, [{ path: 'to', message: WITHOUT_DOCUMENT }]);
      const checked = await checkDocument(c, read.value.text);
      if (!checked.ok) return refusedDocument(c, checked.problems, `By the rules of today version ${to}`);
      return save({ use: 'active', document: checked.document, documentOf: to, note }, checked.warnings);
    }),
);
policyRoutes.all('/rollback', only('POST'));

policyRoutes.get('/shadow', validated('query', nothing), async (c) => {
  const present = await (await versionsOf(c)).readPresent();
  if (!present.ok) return unanswered(c, present);
  const { shadow } = present.value;
  return shadow === undefined
    ? nothingSaved(c, 'shadow')
    : c.json(shownWithDocument(shadow), 200, { ETag: etagOf(shadow.number) });
});
policyRoutes.put('/shadow', limitedDocument, jsonBody, validated('query', shadowQuery), (c) =>
  knowing(c, 'shadow', async (save) => {
    const { note = '', sample } = c.req.valid('query');
    const read = await readDocument(c);
    if (!read.ok) return refusedDocument(c, read.problems);
    return save({ use: 'shadow', document: read.document, sample, note }, read.warnings);
  }),
);
policyRoutes.delete('/shadow', validated('query', noteOnly), (c) =>
  knowing(c, 'shadow', (save) => save({ use: 'no-shadow', note: c.req.valid('query').note ?? '' })),
);
policyRoutes.all('/shadow', only('GET', 'HEAD', 'PUT', 'DELETE'));

policyRoutes.route('/try', tryRoute);

policyRoutes.all('*', (c) => problem(c, 404, 'There is nothing at this address. The README lists every address.'));

const WITHOUT_DOCUMENT =
  'this number says that a shadow was taken away: it has no document. Take another one from GET /admin/policy/versions';

/** Loaded when it is needed: drizzle costs start-up time. */
const versionsOf = async (c: PolicyContext) => (await import('../../policy/versions.ts')).versionsIn(configOf(c.env));

type Save = (draft: Draft, warnings?: readonly Problem[]) => Promise<Response>;

/** Refuses a call that does not say which version it was made from; `change` gets the way to save. */
async function knowing(c: PolicyContext, kind: Kind, change: (save: Save) => Promise<Response>): Promise<Response> {
  const precondition = readPrecondition(c.req.raw.headers);
  if (precondition.kind === 'missing') return preconditionMissing(c, kind, await currentNumber(c, kind));
  return change(async (draft, warnings = []) => {
    const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
    const versions = await versionsOf(c);
    const saving = saveVersion(
      { kv: c.env.GATEHOUSE, versions, later },
      { ...draft, author: c.get('callerName'), expects: (number) => holds(precondition, number) },
    );
    // Goes on when whoever called hangs up.
    later(saving.catch(() => undefined));
    return outcomeAnswer(c, kind, await saving, precondition, warnings);
  });
}

/** Null when Neon does not say. */
async function currentNumber(c: PolicyContext, kind: Kind): Promise<number | undefined | null> {
  const read = await (await versionsOf(c)).readInForce();
  if (!read.ok) return null;
  return (kind === 'policy' ? read.value : read.value?.shadow)?.number;
}
