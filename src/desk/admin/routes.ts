/** The endpoints for administrators: people and their roles, the audit log, and dead letters. */
import type { Context } from 'hono';
import { configOf } from '../../platform/config.ts';
import { type KvRefusal, withKvTimeout } from '../../platform/kv.ts';
import { type ChangesPage, changesQuestion } from '../audit/changes-question.ts';
import { listDeadLetters, readDeadLetter, removeDeadLetter, replayDeadLetters } from '../consume/dead-letters.ts';
import { type AppEnv, newApp } from '../http/context.ts';
import { badRequest, refuse, validated } from '../http/problem-details.ts';
import { jsonBody, limitedBody } from '../http/request-body.ts';
import { FOREIGN_SIGNED_CURSOR } from '../http/signed-page.ts';
import { authorOf } from './author.ts';
import { erasureRoutes } from './erasure/routes.ts';
import {
  deadLetterId,
  deadLetterKind,
  deadLettersPage,
  keyedRecordInput,
  keyOnly,
  peoplePage,
  type TypedKey,
} from './inputs.ts';
import { listPeople } from './list-people.ts';
import { type PersonRefusal, readPerson, removePerson, type StoredPerson, savePerson } from './person-records.ts';
import { type EntitlementsInput, recordInput } from './record-input.ts';
import { recordsOf } from './records.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** A later call sends the rest. */
const REPLAY_LIMIT_MS = 30_000;

const IN_FORCE =
  "everywhere within about a minute, and in the person's token from the next interactive sign-in. " +
  'A token that was issued before keeps its claims';

const EMAIL_NOT_USED =
  'No issuer is trusted for e-mail (EMAIL_TRUSTED_ISSUERS is empty), so user flows do not use a record under an email: ' +
  'key. An exchange of a custom policy does, if it declares its e-mail as trusted. ' +
  'Use the oid: or idp: key, or read about EMAIL_TRUSTED_ISSUERS and set it.';

export const adminRoutes = newApp();

adminRoutes.use(limitedBody(MAX_BODY_BYTES, 'record'));

adminRoutes.route('/people', erasureRoutes);

adminRoutes.get('/people', validated('query', peoplePage.query), async (c) => {
  const { cursor, limit } = c.req.valid('query');
  const listed = await listPeople(await recordsOf(c), limit, cursor);
  if (!listed.ok) return refusedPage(c, listed, cursor);
  return c.json({ people: listed.value.people.map(shown), ...(await peoplePage.next(listed.value.next)) }, 200);
});

// These take the key in the body, so that no e-mail address is in a URL, which proxies and browsers store.
adminRoutes.put('/people', jsonBody, validated('json', keyedRecordInput), (c) => {
  const { key, ...input } = c.req.valid('json');
  return save(c, key, input);
});
adminRoutes.post('/people/search', jsonBody, validated('json', keyOnly), (c) => show(c, c.req.valid('json').key));
adminRoutes.post('/people/remove', jsonBody, validated('json', keyOnly), (c) => remove(c, c.req.valid('json').key));

adminRoutes.get('/people/:key', validated('param', keyOnly), (c) => show(c, c.req.valid('param').key));
adminRoutes.put('/people/:key', validated('param', keyOnly), jsonBody, validated('json', recordInput), (c) =>
  save(c, c.req.valid('param').key, c.req.valid('json')),
);
adminRoutes.delete('/people/:key', validated('param', keyOnly), (c) => remove(c, c.req.valid('param').key));

adminRoutes.get('/changes', validated('query', changesQuestion), (c) => changes(c, c.req.valid('query')));
adminRoutes.post('/changes/search', jsonBody, validated('json', changesQuestion), (c) =>
  changes(c, c.req.valid('json')),
);

adminRoutes.get('/dead-letters', validated('query', deadLettersPage.query), async (c) => {
  const { cursor, limit } = c.req.valid('query');
  const listed = await withKvTimeout(() => listDeadLetters(c.env.GATEHOUSE, limit, cursor));
  if (!listed.ok) return refusedPage(c, listed, cursor);
  return c.json({ deadLetters: listed.value.letters, ...(await deadLettersPage.next(listed.value.next)) }, 200);
});

adminRoutes.post('/dead-letters/replay', validated('query', deadLetterKind), async (c) => {
  const { kind } = c.req.valid('query');
  const replay = () => replayDeadLetters(c.env, kind);
  const replayed = await withKvTimeout(replay, REPLAY_LIMIT_MS);
  return replayed.ok ? c.json(replayed.value, 200) : refuse(c, 'dead-letters-not-replayed');
});

adminRoutes.get('/dead-letters/:id', validated('param', deadLetterId), async (c) => {
  const read = await withKvTimeout(() => readDeadLetter(c.env.GATEHOUSE, c.req.valid('param').id));
  if (!read.ok) return refused(c, read);
  return read.value === undefined ? refuse(c, 'no-such-dead-letter') : c.json(read.value, 200);
});
adminRoutes.delete('/dead-letters/:id', validated('param', deadLetterId), async (c) => {
  const { id } = c.req.valid('param');
  const removed = await withKvTimeout(() => removeDeadLetter(c.env.GATEHOUSE, id, c.get('callerName')));
  if (!removed.ok) return refused(c, removed);
  return removed.value ? c.json({ id, removed: true }, 200) : refuse(c, 'no-such-dead-letter');
});

type AdminContext = Context<AppEnv>;

async function show(c: AdminContext, { key: normal, unchanged, problem }: TypedKey): Promise<Response> {
  const records = await recordsOf(c);
  for (const key of new Set([normal, unchanged])) {
    const read = await readPerson(records, key);
    if (!read.ok) return refused(c, read);
    if (read.value !== undefined) return c.json(shown(read.value), 200);
  }
  return noRecord(c, problem);
}

/** A record under a key that no call can have is shown and removed; without one, the key is a slip. */
const noRecord = (c: AdminContext, problem: string | undefined): Response =>
  problem === undefined ? refuse(c, 'no-such-person') : badRequest(c, [{ path: 'key', message: problem }]);

async function save(c: AdminContext, { key, problem }: TypedKey, input: EntitlementsInput): Promise<Response> {
  if (problem !== undefined) return badRequest(c, [{ path: 'key', message: problem }]);
  const saved = await savePerson(await recordsOf(c), key, input, authorOf(c));
  if (!saved.ok) return refused(c, saved);
  const { record, changed } = saved.value;
  return c.json({ ...shown({ key, record }), changed, inForce: IN_FORCE, ...warningFor(c, key) }, 200);
}

async function remove(c: AdminContext, { key: normal, unchanged, problem }: TypedKey): Promise<Response> {
  const records = await recordsOf(c);
  for (const key of new Set([normal, unchanged])) {
    const removed = await removePerson(records, key, authorOf(c));
    if (!removed.ok) return refused(c, removed);
    if (removed.value) return c.json({ key, removed: true, inForce: IN_FORCE }, 200);
  }
  return noRecord(c, problem);
}

async function changes(c: AdminContext, page: ChangesPage): Promise<Response> {
  const { listChanges: list } = await import('../audit/changes.ts');
  return c.json(await list(configOf(c.env), page), 200);
}

const UNREADABLE =
  'The value in Workers KV under this key is not a valid record, so this person gets no roles. ' +
  'Save the record again (PUT) or remove it (DELETE).';

function shown(person: StoredPerson) {
  if (person.record === undefined) return { key: person.key, unreadable: person.unreadable, problem: UNREADABLE };
  const { v: _, ...record } = person.record;
  return { key: person.key, ...record };
}

function warningFor(c: AdminContext, key: string) {
  const unused = key.startsWith('email:') && configOf(c.env).EMAIL_TRUSTED_ISSUERS.length === 0;
  return unused ? { warning: EMAIL_NOT_USED } : {};
}

const refused = (c: AdminContext, { reason, begun }: { reason: PersonRefusal['reason']; begun?: boolean }): Response =>
  refuse(c, reason, { afterwards: begun ? 'change-logged' : 'nothing-changed' });

/** KV refuses a page only for its cursor: from another Gatehouse, or expired. */
const refusedPage = (c: AdminContext, refusal: KvRefusal, cursor: string | undefined) =>
  refusal.reason === 'kv-refused' && cursor !== undefined
    ? badRequest(c, [{ path: 'cursor', message: FOREIGN_SIGNED_CURSOR }])
    : refused(c, refusal);
