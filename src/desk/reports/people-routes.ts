/** `/reports/people`: one person. `/reports/users`: the list of those with an objectId, and its file. */
import type { Context } from 'hono';
import { configOf } from '../../platform/config.ts';
import { askedLanguages } from '../http/asked-language.ts';
import { type AppEnv, newApp } from '../http/context.ts';
import { FOREIGN_CURSOR } from '../http/list-page.ts';
import { badRequest, validated } from '../http/problem-details.ts';
import { jsonBody } from '../http/request-body.ts';
import { fileOf, incomplete, periodName, positionOf } from './file-response.ts';
import {
  languageQuestion,
  type PersonSearch,
  personPage,
  personPageQuestion,
  personParam,
  personQuestion,
} from './questions.ts';
import { type UsersPage, usersFileQuestion, usersQuestion } from './users-question.ts';

export const peopleRoutes = newApp();

peopleRoutes.post(
  '/people/search',
  jsonBody,
  validated('query', languageQuestion),
  validated('json', personQuestion),
  (c) => person(c, c.req.valid('json'), c.req.valid('query').lang),
);
peopleRoutes.get('/people/:key', validated('param', personParam), validated('query', personPageQuestion), async (c) => {
  const page = await personPage(c.req.valid('param').key, c.req.valid('query'));
  return page === undefined ? badRequest(c, [{ path: 'cursor', message: FOREIGN_CURSOR }]) : person(c, page);
});

peopleRoutes.get('/users', validated('query', usersQuestion), (c) => userList(c, c.req.valid('query')));
peopleRoutes.post('/users/search', jsonBody, validated('json', usersQuestion), (c) => userList(c, c.req.valid('json')));
peopleRoutes.get('/users.csv', validated('query', usersFileQuestion), async (c) => {
  const asked = c.req.valid('query');
  const [{ pagesOfUsers }, { usersFile, FILE_USERS }] = await Promise.all([
    import('./queries/users.ts'),
    import('./csv.ts'),
  ]);
  const page = pagesOfUsers(configOf(c.env), asked, FILE_USERS);
  const pieces = usersFile((place) => page(positionOf(place)), asked.from, incomplete(c));
  return fileOf(c, pieces, `users-${periodName(asked.from, asked.to, Date.now())}`);
});

async function person(c: Context<AppEnv>, page: PersonSearch, lang?: string): Promise<Response> {
  const { findPerson } = await import('./queries/find-person.ts');
  const languages = askedLanguages(page.narrowed.lang ?? lang, c.req.header('Accept-Language'));
  return c.json(await findPerson(configOf(c.env), page, Date.now(), languages), 200);
}

async function userList(c: Context<AppEnv>, page: UsersPage): Promise<Response> {
  const { listUsers } = await import('./queries/users.ts');
  return c.json(await listUsers(configOf(c.env), page), 200);
}
