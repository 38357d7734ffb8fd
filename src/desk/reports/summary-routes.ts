/** `/reports/summary`: how many attempts, as JSON and as a file. */
import type { Context } from 'hono';
import { DatabaseUnavailable } from '../../database/unavailable.ts';
import { configOf } from '../../platform/config.ts';
import { type AppEnv, newApp } from '../http/context.ts';
import { badRequest, validated } from '../http/problem-details.ts';
import { fileHeaders } from './file-response.ts';
import { isDefault, type SummaryQuestion, summaryFileQuestion, summaryQuestion } from './questions.ts';
import { summaryRange } from './range.ts';
import { readSnapshot } from './snapshot.ts';
import type { Summary } from './summary.ts';

export const summaryRoutes = newApp();

summaryRoutes.get('/summary', validated('query', summaryQuestion), (c) =>
  withSummary(c, c.req.valid('query'), (summary) => c.json(summary, 200)),
);
summaryRoutes.get('/summary.csv', validated('query', summaryFileQuestion), (c) =>
  withSummary(c, c.req.valid('query'), async (summary) => {
    const { summaryFile } = await import('./csv.ts');
    const name = `summary-by-${summary.interval}-${summary.from.slice(0, 10)}-to-${summary.to.slice(0, 10)}`;
    return c.body(summaryFile(summary), 200, fileHeaders(name));
  }),
);

/** Falls back on the snapshot, which exists only for the request without parameters. */
async function withSummary(
  c: Context<AppEnv>,
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
