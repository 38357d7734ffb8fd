/** What people ask, rather than B2C: reports, administration, readiness. */
import { config } from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { policyRoutes } from './admin/policy/routes.ts';
import { adminRoutes } from './admin/routes.ts';
import { newApp } from './context.ts';
import { health } from './health/routes.ts';
import { errorFields, log } from './log.ts';
import { problem, problemOf } from './problem.ts';
import { reports } from './reports/routes.ts';

// zod/mini has no words of its own; these are read by people.
config(en());

export const staff = newApp();

staff.use(async (c, next) => {
  c.set('requestId', crypto.randomUUID());
  await next();
  c.header('Cache-Control', 'no-store');
});
staff.route('/health', health);
staff.route('/reports', reports);
// Before the rest of /admin, whose bodies may not be as large as a policy.
staff.route('/admin/policy', policyRoutes);
staff.route('/admin', adminRoutes);

staff.notFound((c) => problem(c, 404, 'There is nothing at this address. The README lists every address.'));

staff.onError((error, c) => {
  log('request-failed', { requestId: c.get('requestId'), method: c.req.method, ...errorFields(error) });
  return problemOf(c, error);
});
