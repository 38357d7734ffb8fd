/** How everything but the connectors says no: problem details (RFC 9457), with our request id. */
import { zValidator } from '@hono/zod-validator';
import type { Context, ValidationTargets } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { $ZodType } from 'zod/v4/core';

const TITLES: Partial<Record<ContentfulStatusCode, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Changed in the meantime',
  413: 'Body too large',
  415: 'Body of another type',
  428: 'Precondition required',
  500: 'Something went wrong here',
  503: 'Not available right now',
};

/** A problem document. `detail` says what to do; `more` adds members, such as `errors`. */
export function problem(
  c: Context,
  status: ContentfulStatusCode,
  detail: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Response {
  const body = { type: 'about:blank', title: TITLES[status], status, detail, requestId: c.get('requestId'), ...more };
  return c.body(JSON.stringify(body), status, { 'Content-Type': 'application/problem+json', ...headers });
}

/** What is at fault in a request: the parameter or member (`''` when it is the whole), and what to send instead. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** A 400 that names everything at fault, for people in `detail` and for programs in `errors`. */
export function badRequest(c: Context, errors: readonly Fault[]): Response {
  const named = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return problem(c, 400, named, { errors });
}

/** Stands behind the routes of an address, for every method that none of them takes: 405 (RFC 9110, section 15.5.6). */
export function only(...methods: string[]) {
  const allowed = methods.join(', ');
  return (c: Context) =>
    problem(c, 405, `This address does not take ${c.req.method}. Use ${allowed}.`, {}, { Allow: allowed });
}

/** @hono/zod-validator, refusing with a 400 problem that names every parameter or member at fault in `errors`. */
export function validated<Target extends keyof ValidationTargets, Schema extends $ZodType>(
  target: Target,
  schema: Schema,
) {
  return zValidator(target, schema, (result, c) => {
    if (result.success) return;
    return badRequest(
      c,
      result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
    );
  });
}

/** For `onError`: what Hono itself refuses (such as malformed JSON in a body) keeps its status; everything else is a 500. */
export function problemOf(c: Context, error: unknown): Response {
  if (error instanceof HTTPException) {
    const message = 'The body is not valid JSON. Send a JSON object with Content-Type: application/json.';
    return error.status === 400
      ? badRequest(c, [{ path: '', message }])
      : problem(c, error.status as ContentfulStatusCode, error.message);
  }
  return problem(
    c,
    500,
    'Nothing was changed by this call as far as we know. Try again; if it stays, look for the request id in the logs.',
  );
}
