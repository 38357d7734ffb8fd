/** `/reports/attempts`: the list, the file, and one attempt or call. */
import type { Context } from 'hono';
import { configOf } from '../../platform/config.ts';
import { askedLanguages } from '../http/asked-language.ts';
import { type AppEnv, newApp } from '../http/context.ts';
import { MAX_LIMIT } from '../http/list-page.ts';
import { refuse, validated } from '../http/problem-details.ts';
import { jsonBody } from '../http/request-body.ts';
import { fileOf, incomplete, periodName, positionOf } from './file-response.ts';
import {
  type AttemptsPage,
  attemptParam,
  attemptsFileQuestion,
  attemptsQuestion,
  languageQuestion,
} from './questions.ts';
import { listFrom } from './range.ts';

export const attemptRoutes = newApp();

attemptRoutes.get('/attempts', validated('query', attemptsQuestion), (c) => list(c, c.req.valid('query')));
attemptRoutes.post('/attempts/search', jsonBody, validated('json', attemptsQuestion), (c) =>
  list(c, c.req.valid('json')),
);

attemptRoutes.get('/attempts.csv', validated('query', attemptsFileQuestion), async (c) => {
  const config = configOf(c.env);
  const now = Date.now();
  const asked = c.req.valid('query');
  const from = listFrom(asked, undefined, now);
  const [{ pagesOf }, { attemptsFile, FILE_PAGE_ROWS }] = await Promise.all([
    import('./queries/attempts.ts'),
    import('./csv.ts'),
  ]);
  const page = pagesOf(config, asked, from, FILE_PAGE_ROWS);
  const pieces = attemptsFile((place) => page(positionOf(place)), from, incomplete(c));
  return fileOf(c, pieces, `attempts-${periodName(from, asked.to, now)}`);
});

attemptRoutes.get(
  '/attempts/:attempt',
  validated('param', attemptParam),
  validated('query', languageQuestion),
  async (c) => {
    const asked = c.req.valid('param').attempt;
    const languages = askedLanguages(c.req.valid('query').lang, c.req.header('Accept-Language'));
    const config = configOf(c.env);
    const now = Date.now();
    const [{ findAttempt, listAttempts }, { adviseAttempts }] = await Promise.all([
      import('./queries/attempts.ts'),
      import('./queries/advised-attempts.ts'),
    ]);
    if ('id' in asked) {
      const attempt = await findAttempt(config, asked.id);
      if (attempt === undefined) return unknownAttempt(c, 'id');
      const { attempts, onlyThisPerson } = await adviseAttempts(config, [attempt], now, languages);
      return c.json({ ...attempts[0], onlyThisPerson }, 200);
    }
    const page = await attemptsQuestion.parseAsync({ supportCode: asked.supportCode, limit: MAX_LIMIT });
    const listed = await listAttempts(config, page, now);
    if (listed.attempts.length === 0) return unknownAttempt(c, 'support code');
    return c.json({ ...listed, ...(await adviseAttempts(config, listed.attempts, now, languages)) }, 200);
  },
);

async function list(c: Context<AppEnv>, page: AttemptsPage): Promise<Response> {
  const { listAttempts } = await import('./queries/attempts.ts');
  return c.json(await listAttempts(configOf(c.env), page, Date.now()), 200);
}

const unknownAttempt = (c: Context<AppEnv>, by: 'id' | 'support code') =>
  refuse(c, 'no-such-attempt', { by, days: configOf(c.env).RETENTION_DAYS });
