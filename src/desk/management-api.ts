/** The API for people, not for B2C: reports, administration, readiness. */
import { config } from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { NOT_STORED } from '../platform/answer-headers.ts';
import { configOf } from '../platform/config.ts';
import { errorFields, log } from '../platform/log.ts';
import { policyRoutes } from './admin/policy/routes.ts';
import { adminRoutes } from './admin/routes.ts';
import { apiRoutes } from './api/routes.ts';
import { health } from './health/routes.ts';
import { home } from './home.ts';
import { newApp } from './http/context.ts';
import { refuseCrossSite } from './http/cross-site.ts';
import { signCursorsWith } from './http/cursor.ts';
import { databaseProblem } from './http/database-unavailable.ts';
import { guard } from './http/guard.ts';
import { malformedJson, methodNotAllowed, refuse } from './http/problem-details.ts';
import { readableJson } from './http/readable-json.ts';
import { reports } from './reports/routes.ts';

// zod/mini has no error messages of its own.
config(en());

export const managementApi = newApp();

managementApi.use(async (c, next) => {
  c.set('requestId', crypto.randomUUID());
  const { SUPPORT_CODE_KEY, DATABASE_URL } = configOf(c.env);
  // Without the key, another secret that all isolates have: the next page may come from another one.
  signCursorsWith(SUPPORT_CODE_KEY || DATABASE_URL);
  await next();
  // A page has a policy of its own.
  for (const [name, value] of Object.entries(NOT_STORED)) if (!c.res.headers.has(name)) c.header(name, value);
});
managementApi.use(readableJson);
managementApi.use(refuseCrossSite);
// Authentication comes first: no other address is public than the home page and the API description.
managementApi.use('/health/ready', guard('reports'));
managementApi.use('/reports/*', guard('reports'));
managementApi.use('/admin/*', guard('admin'));
managementApi.use(methodNotAllowed(managementApi));
managementApi.get('/', home);
managementApi.route('/', apiRoutes);
managementApi.route('/health', health);
managementApi.route('/reports', reports);
// Before the rest of /admin, whose limit for bodies is too low for a policy.
managementApi.route('/admin/policy', policyRoutes);
managementApi.route('/admin', adminRoutes);

managementApi.notFound((c) => refuse(c, 'no-such-address'));

managementApi.onError((error, c) => {
  const known = databaseProblem(c, error) ?? malformedJson(c, error);
  if (known !== undefined) return known;
  log('request-failed', { requestId: c.get('requestId'), method: c.req.method, ...errorFields(error) });
  return refuse(c, 'internal-error');
});
