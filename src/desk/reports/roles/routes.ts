/** What support reads of a person's roles: those of now, and their changes. Nothing is changed here. */
import type { Context } from 'hono';
import { configOf } from '../../../platform/config.ts';
import { type AppEnv, newApp } from '../../http/context.ts';
import { FOREIGN_CURSOR } from '../../http/list-page.ts';
import { badRequest, refuse, validated } from '../../http/problem-details.ts';
import { jsonBody } from '../../http/request-body.ts';
import type { PersonOfText } from '../queries/find-person.ts';
import {
  changesOfPerson,
  changesPageQuestion,
  nothingMore,
  type PersonNamed,
  personKeyOrText,
  personPage,
  personParam,
} from '../questions.ts';

type RolesContext = Context<AppEnv>;

/** `/reports/roles` */
export const rolesRoutes = newApp();

rolesRoutes.post('/search', jsonBody, validated('json', personKeyOrText), (c) => roles(c, c.req.valid('json')));
rolesRoutes.get('/:key', validated('param', personParam), validated('query', nothingMore), (c) =>
  roles(c, c.req.valid('param')),
);

/** `/reports/changes` */
export const changesRoutes = newApp();

changesRoutes.post('/search', jsonBody, validated('json', changesOfPerson), (c) => changes(c, c.req.valid('json')));
changesRoutes.get('/:key', validated('param', personParam), validated('query', changesPageQuestion), async (c) => {
  const { key } = c.req.valid('param');
  const page = await personPage(key, c.req.valid('query'), 'changes-of-person');
  return page === undefined ? badRequest(c, [{ path: 'cursor', message: FOREIGN_CURSOR }]) : changes(c, page);
});

async function roles(c: RolesContext, named: PersonNamed): Promise<Response> {
  const person = await personIn(c, named);
  if (person === undefined) return refuse(c, 'no-person-named');
  const { rolesReport } = await import('./roles-report.ts');
  const report = await rolesReport({ kv: c.env.GATEHOUSE, config: configOf(c.env) }, person, Date.now());
  return report.ok ? c.json(report.value, 200) : refuse(c, report.reason, { afterwards: 'nothing-changed' });
}

type ChangesOfPerson = NonNullable<Awaited<ReturnType<typeof personPage>>> | typeof changesOfPerson._zod.output;

async function changes(c: RolesContext, page: ChangesOfPerson): Promise<Response> {
  const person = await personIn(c, page.narrowed);
  if (person === undefined) return refuse(c, 'no-person-named');
  const { personChanges } = await import('../queries/person-changes.ts');
  return c.json(await personChanges(configOf(c.env), page, person), 200);
}

async function personIn(c: RolesContext, { key, text = '' }: PersonNamed): Promise<PersonOfText | undefined> {
  if (key !== undefined) return { key };
  const { personOfText } = await import('../queries/find-person.ts');
  return personOfText(configOf(c.env), text);
}
