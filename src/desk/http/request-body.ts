/** The two checks that a JSON body of ours passes before @hono/zod-validator reads it. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from './context.ts';
import { refuse } from './problem-details.ts';

/** Refuses a body above `maxBytes`; `what` says in a few words what is never so large. */
export const limitedBody = (maxBytes: number, what: string): MiddlewareHandler =>
  bodyLimit({ maxSize: maxBytes, onError: (c) => refuse(c, 'body-too-large', { maxBytes, what }) });

/** @hono/zod-validator takes a body of another type for `{}`, which would mean "every attempt" or "no roles". */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const mediaType = c.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType === 'application/json' ? next() : refuse(c, 'body-not-json');
};
