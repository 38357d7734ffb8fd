/** Checks of a JSON body before @hono/zod-validator reads it: size and Content-Type. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from './context.ts';
import { refuse } from './problem-details.ts';

/** Refuses a body above `maxBytes`; `what` names the body in the message. */
export const limitedBody = (maxBytes: number, what: string): MiddlewareHandler =>
  bodyLimit({ maxSize: maxBytes, onError: (c) => refuse(c, 'body-too-large', { maxBytes, what }) });

/** @hono/zod-validator reads a body of another type as `{}`, which would mean "every attempt" or "no roles". */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  const mediaType = c.req.header('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType === 'application/json' ? next() : refuse(c, 'body-not-json');
};
