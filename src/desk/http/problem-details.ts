/** Refusals outside `/connectors`: problem details (RFC 9457) with a code of `error-codes.ts` and the request id. */
import { zValidator } from '@hono/zod-validator';
import type { Context, Hono, MiddlewareHandler, ValidationTargets } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { $ZodType } from 'zod/v4/core';
import { firstItems } from '../../platform/name-list.ts';
import type { AppEnv } from './context.ts';
import { type Code, type Entry, type Fault, type ParametersOf, REFUSALS } from './error-codes.ts';
import { pointerTo } from './json-pointer.ts';

const TITLES: Partial<Record<ContentfulStatusCode, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'From another site',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  412: 'Changed in the meantime',
  413: 'Body too large',
  415: 'Body of another type',
  428: 'Precondition required',
  429: 'Too many guesses',
  500: 'Something went wrong here',
  503: 'Not available right now',
};

type Headers = Readonly<Record<string, string>>;
/** A code without parameters may carry `current: null`: no version exists. */
type Given<P> = P extends undefined ? [{ current: null }?, Headers?] : [P, Headers?];

/** Replies with the problem document of a code: of its `errors`, the first 20 and the number of the others. */
export function refuse<C extends Code>(
  c: Context,
  code: C,
  ...[parameters, headers]: Given<ParametersOf<C>>
): Response {
  const [status, sentence, retryAfterSeconds] = REFUSALS[code] as Entry;
  const given: { errors?: readonly Fault[]; current?: unknown } = parameters ?? {};
  const { current } = given;
  const errors = given.errors && firstFaults(given.errors);
  const shown = { ...given, errors, total: given.errors?.length };
  const detail = typeof sentence === 'string' ? sentence : sentence(shown as never);
  const again = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
  const title = TITLES[status];
  const type = `urn:gatehouse:problem:${code}`;
  const body = { type, title, status, detail, requestId: c.get('requestId'), code, errors, current };
  return c.body(JSON.stringify(body, wellFormed), status, {
    'Content-Type': 'application/problem+json',
    ...again,
    ...headers,
  });
}

/** Of a name that the caller sent, half a character does not come back: strict readers of JSON reject it. */
const wellFormed = (_: string, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value);

/** 400 with the faults of a request, for people in `detail` and for programs in `errors`. */
export const badRequest = (c: Context, errors: readonly Fault[]): Response => refuse(c, 'invalid-request', { errors });

export const firstFaults = (errors: readonly Fault[]): readonly Fault[] =>
  firstItems(errors, (more) => ({ path: '', message: `and ${more} more. Correct these first` }));

/**
 * Answers 405 with `Allow` (RFC 9110, section 15.5.6) when no route of `app` takes the method at an address. A route
 * that names the address literally wins over patterns that match it. Register it before the routes.
 */
export const methodNotAllowed =
  (app: Hono<AppEnv>): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const known = new Set(app.routes.map(({ method }) => method));
    const fitting = [...known].flatMap((method) =>
      app.router.match(method, c.req.path)[0].flatMap(([[, route]]) => (route.method === 'ALL' ? [] : [route])),
    );
    const named = fitting.filter(({ path }) => !/[:*]/.test(path));
    const allowed = new Set((named.length > 0 ? named : fitting).map(({ method }) => method));
    // Hono answers HEAD where there is a GET.
    const methods = [...allowed].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    if (methods.length === 0 || methods.includes(c.req.method)) return next();
    return refuse(c, 'method-not-allowed', { allowed: methods.join(', ') }, { Allow: methods.join(', ') });
  };

/** What a validator of a route checks. A test compares it with the API description. */
const checks = new WeakMap<object, { readonly target: keyof ValidationTargets; readonly schema: $ZodType }>();
export const checkOf = (handler: object) => checks.get(handler);

/** @hono/zod-validator; a failure is a 400 that names every parameter or member at fault in `errors`. */
export function validated<Target extends keyof ValidationTargets, Schema extends $ZodType>(
  target: Target,
  schema: Schema,
) {
  const validator = zValidator(target, schema, (result, c) => {
    if (result.success) return;
    return badRequest(
      c,
      result.error.issues.map(({ path, message }) => ({
        path: path.join('.'),
        ...(target === 'json' && path.length > 0 ? { pointer: pointerTo(path) } : {}),
        message,
      })),
    );
  });
  checks.set(validator, { target, schema });
  return validator;
}

/** For `onError`: 400 for malformed JSON, which Hono's validator throws; undefined for every other error. */
export function malformedJson(c: Context, error: unknown): Response | undefined {
  if (!(error instanceof HTTPException) || error.status !== 400) return undefined;
  const message = 'The body is not valid JSON. Send a JSON object with Content-Type: application/json.';
  return badRequest(c, [{ path: '', message }]);
}
