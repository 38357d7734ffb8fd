/**
 * Refuses changes that a page of another site makes a browser send. A browser keeps a pair for HTTP Basic and sends it
 * with every request, also with those that other sites cause. Programs send none of the headers that are read here.
 */
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from './context.ts';
import { refuse } from './problem-details.ts';

/** `Sec-Fetch-Site` (https://w3c.github.io/webappsec-fetch-metadata/) of another origin. `none`: a person typed it. */
const ELSEWHERE = ['cross-site', 'same-site'];

/** For every method but GET and HEAD, which change nothing. */
export const refuseCrossSite: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
  const site = c.req.header('Sec-Fetch-Site')?.trim().toLowerCase();
  const origin = c.req.header('Origin');
  const isOurs = origin === undefined || hostOf(origin) === new URL(c.req.url).host;
  return isOurs && !ELSEWHERE.includes(site ?? '') ? next() : refuse(c, 'cross-site');
};

/** Undefined for `null`, which a page without an origin sends, and for what is no origin. */
const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);
