/** Reports for support: attempts, timelines and summaries. Database code is imported on demand. */
import type { Context } from 'hono';
import { DatabaseUnavailable } from '../../database/unavailable.ts';
import { configOf } from '../../platform/config.ts';
import { stateOf } from '../../platform/gate-state.ts';
import { errorFields, log } from '../../platform/log.ts';
import { askedLanguages } from '../http/asked-language.ts';
import { type AppEnv, newApp } from '../http/context.ts';
import type { Position } from '../http/cursor.ts';
import { FOREIGN_CURSOR, MAX_LIMIT } from '../http/list-page.ts';
import { badRequest, refuse, validated } from '../http/problem-details.ts';
import { jsonBody, limitedBody } from '../http/request-body.ts';
import type { Place } from './csv.ts';
import { policyReportRoutes, rulesRoutes } from './policy/routes.ts';
import {
  type AttemptsPage,
  attemptParam,
  attemptsFileQuestion,
  attemptsQuestion,
  callersQuestion,
  completenessQuestion,
  isDefault,
  KEY_IN_PATH,
  languageQuestion,
  type PersonSearch,
  personPage,
  personPageQuestion,
  personParam,
  personQuestion,
  probesQuestion,
  type SummaryQuestion,
  summaryFileQuestion,
  summaryQuestion,
} from './questions.ts';
import { callersRange, completenessRange, listFrom, summaryRange } from './range.ts';
import { changesRoutes, rolesRoutes } from './roles/routes.ts';
import { readSnapshot } from './snapshot.ts';
import type { Summary } from './summary.ts';
import { type UsersPage, usersFileQuestion, usersQuestion } from './users-question.ts';

type ReportsContext = Context<AppEnv>;

const MAX_BODY_BYTES = 16 * 1024;

export const reports = newApp();

reports.use(limitedBody(MAX_BODY_BYTES, 'question'));

reports.use(async (c, next) => {
  // Hono passes on a segment that does not decode, unchanged.
  if (decodes(new URL(c.req.url).pathname)) return next();
  const message = `the address has a % that is no escape sequence: write %25; ${KEY_IN_PATH}`;
  return badRequest(c, [{ path: '', message }]);
});

reports.get('/summary', validated('query', summaryQuestion), (c) =>
  withSummary(c, c.req.valid('query'), (summary) => c.json(summary, 200)),
);
reports.get('/summary.csv', validated('query', summaryFileQuestion), (c) =>
  withSummary(c, c.req.valid('query'), async (summary) => {
    const { summaryFile } = await import('./csv.ts');
    const name = `summary-by-${summary.interval}-${summary.from.slice(0, 10)}-to-${summary.to.slice(0, 10)}`;
    return c.body(summaryFile(summary), 200, fileHeaders(name));
  }),
);

reports.get('/callers', validated('query', callersQuestion), async (c) => {
  const now = Date.now();
  const range = callersRange(c.req.valid('query'), now);
  if (typeof range === 'string') return badRequest(c, [{ path: 'from', message: range }]);
  const config = configOf(c.env);
  const [{ callerCounts }, { callersReport }] = await Promise.all([
    import('./queries/caller-counts.ts'),
    import('./callers-report.ts'),
  ]);
  const counts = await callerCounts(config, range, now);
  const configured = stateOf(c.req.raw)?.callers;
  return c.json(callersReport(counts, { range, now, retentionDays: config.RETENTION_DAYS, configured }), 200);
});

reports.get('/completeness', validated('query', completenessQuestion), async (c) => {
  const now = Date.now();
  const range = completenessRange(c.req.valid('query'), now);
  if (typeof range === 'string') return badRequest(c, [{ path: 'from', message: range }]);
  const [{ completenessCounts }, { completenessReport }] = await Promise.all([
    import('./queries/completeness-counts.ts'),
    import('./completeness.ts'),
  ]);
  return c.json(completenessReport(await completenessCounts(c.env, configOf(c.env), range, now), now), 200);
});

reports.get('/attempts', validated('query', attemptsQuestion), (c) => list(c, c.req.valid('query')));
reports.post('/attempts/search', jsonBody, validated('json', attemptsQuestion), (c) => list(c, c.req.valid('json')));

reports.get('/attempts.csv', validated('query', attemptsFileQuestion), async (c) => {
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

reports.get('/attempts/:attempt', validated('param', attemptParam), validated('query', languageQuestion), async (c) => {
  const asked = c.req.valid('param').attempt;
  const languages = languagesOf(c, c.req.valid('query').lang);
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
});

reports.get('/probes', validated('query', probesQuestion), async (c) => {
  const { listProbes } = await import('./queries/probes.ts');
  return c.json(await listProbes(configOf(c.env), c.req.valid('query')), 200);
});

reports.get('/users', validated('query', usersQuestion), (c) => userList(c, c.req.valid('query')));
reports.post('/users/search', jsonBody, validated('json', usersQuestion), (c) => userList(c, c.req.valid('json')));
reports.get('/users.csv', validated('query', usersFileQuestion), async (c) => {
  const asked = c.req.valid('query');
  const [{ pagesOfUsers }, { usersFile, FILE_USERS }] = await Promise.all([
    import('./queries/users.ts'),
    import('./csv.ts'),
  ]);
  const page = pagesOfUsers(configOf(c.env), asked, FILE_USERS);
  const pieces = usersFile((place) => page(positionOf(place)), asked.from, incomplete(c));
  return fileOf(c, pieces, `users-${periodName(asked.from, asked.to, Date.now())}`);
});

reports.post('/people/search', jsonBody, validated('query', languageQuestion), validated('json', personQuestion), (c) =>
  person(c, c.req.valid('json'), c.req.valid('query').lang),
);
reports.get('/people/:key', validated('param', personParam), validated('query', personPageQuestion), async (c) => {
  const page = await personPage(c.req.valid('param').key, c.req.valid('query'));
  return page === undefined ? badRequest(c, [{ path: 'cursor', message: FOREIGN_CURSOR }]) : person(c, page);
});
reports.route('/rules', rulesRoutes);
reports.route('/policy', policyReportRoutes);

reports.route('/roles', rolesRoutes);
reports.route('/changes', changesRoutes);
// A key with unencoded slashes.
for (const list of ['people', 'roles', 'changes'])
  reports.get(`/${list}/*`, (c) => badRequest(c, [{ path: 'key', message: KEY_IN_PATH }]));

async function list(c: ReportsContext, page: AttemptsPage): Promise<Response> {
  const { listAttempts } = await import('./queries/attempts.ts');
  return c.json(await listAttempts(configOf(c.env), page, Date.now()), 200);
}

async function userList(c: ReportsContext, page: UsersPage): Promise<Response> {
  const { listUsers } = await import('./queries/users.ts');
  return c.json(await listUsers(configOf(c.env), page), 200);
}

async function person(c: ReportsContext, page: PersonSearch, lang?: string): Promise<Response> {
  const { findPerson } = await import('./queries/find-person.ts');
  const languages = languagesOf(c, page.narrowed.lang ?? lang);
  return c.json(await findPerson(configOf(c.env), page, Date.now(), languages), 200);
}

const languagesOf = (c: ReportsContext, asked: string | undefined) =>
  askedLanguages(asked, c.req.header('Accept-Language'));

/** Falls back on the snapshot, which exists only for the request without parameters. */
async function withSummary(
  c: ReportsContext,
  { include, ...asked }: SummaryQuestion,
  show: (summary: Summary) => Response | Promise<Response>,
): Promise<Response> {
  const now = Date.now();
  const { from, to, interval, ...filters } = asked;
  const range = summaryRange({ ...asked, include }, now);
  if (typeof range === 'string') return badRequest(c, [{ path: 'from', message: range }]);
  const { summary } = await import('./queries/summary-counts.ts');
  try {
    return await show(await summary(configOf(c.env), range, filters, now, {}, include));
  } catch (error) {
    const snapshot =
      error instanceof DatabaseUnavailable && isDefault({ ...asked, include }) ? await readSnapshot(c.env) : undefined;
    if (snapshot === undefined) throw error;
    return show(snapshot);
  }
}

const unknownAttempt = (c: ReportsContext, by: 'id' | 'support code') =>
  refuse(c, 'no-such-attempt', { by, days: configOf(c.env).RETENTION_DAYS });

function decodes(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

const positionOf = (place: Place | undefined): Position | undefined =>
  place && { id: place.id, occurredAt: new Date(place.occurredAt), from: undefined };

const incomplete = (c: ReportsContext) => (error: unknown) =>
  log('file-incomplete', { requestId: c.get('requestId'), error: errorFields(error).error });

function periodName(from: Date | undefined, to: Date | undefined, now: number): string {
  const day = (instant: Date) => instant.toISOString().slice(0, 10);
  return `${from ? day(from) : 'all'}-to-${day(to ?? new Date(now))}`;
}

/** Waits for the first piece before the response begins, so that an unavailable database is still a 503. */
async function fileOf(c: ReportsContext, pieces: AsyncGenerator<string, void, undefined>, name: string) {
  const first = await pieces.next();
  return c.body(streamOf(first.value ?? '', pieces), 200, fileHeaders(name));
}

const fileHeaders = (name: string) => ({
  'Content-Type': 'text/csv; charset=utf-8; header=present',
  'Content-Disposition': `attachment; filename="gatehouse-${name}.csv"`,
});

/** Reads pieces on demand, and stops when the client disconnects. */
function streamOf(first: string, rest: AsyncGenerator<string, void, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start: (controller) => controller.enqueue(encoder.encode(first)),
    pull: async (controller) => {
      const piece = await rest.next();
      if (piece.done) controller.close();
      else controller.enqueue(encoder.encode(piece.value));
    },
    cancel: async () => {
      await rest.return();
    },
  });
}
