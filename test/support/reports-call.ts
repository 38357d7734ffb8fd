/** Calls the reports as a support agent does. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import type { Attempt, Change } from '../../src/attempts/attempt.ts';
import { occurredAtOf } from '../../src/attempts/text-limits.ts';
import { connect } from '../../src/database/connect.ts';
import { changes } from '../../src/database/schema.ts';
import { sumDue } from '../../src/desk/aggregates/sum-due.ts';
import type { AttemptJson } from '../../src/desk/reports/attempt-json.ts';
import { keepAttempts } from './attempt.ts';
import worker from './worker.ts';

const SUPPORT = `Basic ${btoa('support:support')}`;
const REPORTS = 'https://gatehouse.example/reports';
const TIME_LIMIT_MS = 20_000;

export const database = () => connect(env.DATABASE_URL, TIME_LIMIT_MS).db;

/** Writes attempts and sums hours that are over, because another test file may already have summed later hours. */
export const keep = async (...some: Attempt[]) => {
  await keepAttempts(database(), some);
  await sumDue(database, new Date());
};

export const keepChange = ({ kind: _, v: __, ...change }: Change) =>
  database()
    .insert(changes)
    .values({ ...change, occurredAt: new Date(occurredAtOf(change.id)) });

export const reportRequest = (
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  method = body === undefined ? 'GET' : 'POST',
): Request =>
  new Request(REPORTS + path, {
    method,
    headers: {
      Authorization: SUPPORT,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

/** A GET, or a POST with a body. Text is sent unchanged, anything else as JSON. */
export const report = (...request: Parameters<typeof reportRequest>): Promise<Response> =>
  exports.default.fetch(reportRequest(...request));

/** The same with some bindings replaced. */
export async function reportWith(bindings: object, path: string, body?: unknown): Promise<Response> {
  const ctx = createExecutionContext();
  const request = reportRequest(path, body) as Parameters<typeof worker.fetch>[0];
  const response = await worker.fetch(request, { ...env, ...bindings }, ctx);
  await waitOnExecutionContext(ctx);
  return response;
}

export interface Listed {
  attempts: AttemptJson[];
  next?: string;
  matches?: { count: number; isMore: boolean } | { leftOut: string };
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  requestId: string;
  errors?: { path: string; message: string }[];
}

export const idsOf = ({ attempts }: Listed) => attempts.map(({ id }) => id);
