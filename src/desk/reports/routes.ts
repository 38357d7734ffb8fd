/** Reports for support. Nothing is changed here. Database code is imported on demand. */
import { configOf } from '../../platform/config.ts';
import { stateOf } from '../../platform/gate-state.ts';
import { newApp } from '../http/context.ts';
import { badRequest, validated } from '../http/problem-details.ts';
import { limitedBody } from '../http/request-body.ts';
import { attemptRoutes } from './attempt-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { policyReportRoutes, rulesRoutes } from './policy/routes.ts';
import { callersQuestion, completenessQuestion, KEY_IN_PATH, probesQuestion } from './questions.ts';
import { callersRange, completenessRange } from './range.ts';
import { changesRoutes, rolesRoutes } from './roles/routes.ts';
import { summaryRoutes } from './summary-routes.ts';

const MAX_BODY_BYTES = 16 * 1024;

export const reports = newApp();

reports.use(limitedBody(MAX_BODY_BYTES, 'question'));

reports.use(async (c, next) => {
  // Hono passes on a segment that does not decode, unchanged.
  if (decodes(new URL(c.req.url).pathname)) return next();
  const message = `the address has a % that is no escape sequence: write %25; ${KEY_IN_PATH}`;
  return badRequest(c, [{ path: '', message }]);
});

reports.route('/', summaryRoutes);
reports.route('/', attemptRoutes);
reports.route('/', peopleRoutes);
reports.route('/rules', rulesRoutes);
reports.route('/policy', policyReportRoutes);
reports.route('/roles', rolesRoutes);
reports.route('/changes', changesRoutes);
// A key with unencoded slashes.
for (const list of ['people', 'roles', 'changes'])
  reports.get(`/${list}/*`, (c) => badRequest(c, [{ path: 'key', message: KEY_IN_PATH }]));

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

reports.get('/probes', validated('query', probesQuestion), async (c) => {
  const { listProbes } = await import('./queries/probes.ts');
  return c.json(await listProbes(configOf(c.env), c.req.valid('query')), 200);
});

function decodes(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
