/** Erasing a person: a preview, and the erasure. Below `/admin/people`. */
import type { Context } from 'hono';
import { type AppEnv, newApp } from '../../http/context.ts';
import { databaseProblem } from '../../http/database-unavailable.ts';
import { badRequest, refuse, validated } from '../../http/problem-details.ts';
import { jsonBody } from '../../http/request-body.ts';
import { authorOf } from '../author.ts';
import type { TypedKey } from '../inputs.ts';
import { recordsOf } from '../records.ts';
import { choiceOnly, erasureKeyOnly, keyAndChoice } from './erasure-inputs.ts';

export const erasureRoutes = newApp();

// These take the key in the body, so that no e-mail address is in a URL.
erasureRoutes.post('/data/preview', jsonBody, validated('json', erasureKeyOnly), (c) =>
  preview(c, c.req.valid('json').key),
);
erasureRoutes.post('/data/erase', jsonBody, validated('json', keyAndChoice), (c) => {
  const { key, shared } = c.req.valid('json');
  return erase(c, key, shared === 'yes');
});

erasureRoutes.get('/:key/data', validated('param', erasureKeyOnly), (c) => preview(c, c.req.valid('param').key));
erasureRoutes.delete('/:key/data', validated('param', erasureKeyOnly), validated('query', choiceOnly), (c) =>
  erase(c, c.req.valid('param').key, c.req.valid('query').shared === 'yes'),
);

type ErasureContext = Context<AppEnv>;

const spellingsOf = ({ key, unchanged }: TypedKey) => [...new Set([key, unchanged])];

async function preview(c: ErasureContext, key: TypedKey): Promise<Response> {
  const { previewErasure } = await import('./preview.ts');
  const found = await previewErasure(c.env, await recordsOf(c), spellingsOf(key));
  return found.ok ? c.json(found.value, 200) : refuse(c, found.reason, { afterwards: 'nothing-changed' });
}

async function erase(c: ErasureContext, key: TypedKey, shared: boolean): Promise<Response> {
  const [{ erasePerson }, { isAnythingFound, previewErasure }] = await Promise.all([
    import('./erase.ts'),
    import('./preview.ts'),
  ]);
  if (key.problem !== undefined) {
    // What an earlier version stored under such a key is erased; without it, the key is a slip.
    const found = await previewErasure(c.env, await recordsOf(c), spellingsOf(key));
    if (!found.ok) return refuse(c, found.reason, { afterwards: 'nothing-changed' });
    if (!isAnythingFound(found.value)) return badRequest(c, [{ path: 'key', message: key.problem }]);
  }
  try {
    const erased = await erasePerson(c.env, await recordsOf(c), spellingsOf(key), authorOf(c), shared);
    if (erased.ok) return c.json(erased.value, erased.value.finished ? 200 : 202);
    if (erased.reason === 'shared-address') return refuse(c, erased.reason, erased);
    return refuse(c, erased.reason, { afterwards: 'erasure-begun' });
  } catch (error) {
    const answer = databaseProblem(c, error, 'erasure-begun');
    if (answer === undefined) throw error;
    return answer;
  }
}
