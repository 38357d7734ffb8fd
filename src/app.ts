/** All of HTTP: which group of routes answers where, and how what nobody answers is refused. */
import { adminRoutes } from './admin/routes.ts';
import { userFlow } from './connectors/user-flow/routes.ts';
import { factory } from './context.ts';
import { health } from './health/routes.ts';
import { errorFields, log } from './log.ts';
import { problem, problemOf } from './problem.ts';
import { reports } from './reports/routes.ts';

export const app = factory.createApp();

// Connectors first and without middleware: every step costs the person who waits.
app.route('/connectors/user-flow', userFlow);
app.all('/connectors/*', (c) =>
  c.json({ version: '1.0.0', status: 404, userMessage: 'There is no connector at this address.' }, 404),
);

app.use(async (c, next) => {
  c.set('requestId', crypto.randomUUID());
  await next();
  c.header('Cache-Control', 'no-store');
});
app.route('/health', health);
app.route('/reports', reports);
app.route('/admin', adminRoutes);

app.notFound((c) => problem(c, 404, 'There is nothing at this address. The README lists every address.'));

app.onError((error, c) => {
  log('request-failed', { requestId: c.get('requestId'), method: c.req.method, ...errorFields(error) });
  return problemOf(c, error);
});
