/** JSON for people: indented when a browser or a terminal asks, compact for programs. `?pretty=` decides otherwise. */
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from './context.ts';
import { badRequest } from './problem-details.ts';

/** What people call an API with in a terminal. */
const TERMINAL = /^(?:curl|wget|httpie|xh)\//i;
/** A browser that opens a page asks for HTML. Its scripts, and programs, do not. */
const PAGE = /\btext\/html\b/i;
const JSON_TYPE = /^application\/(?:problem\+)?json\b/i;

const PRETTY = /^pretty(?:=(.*))?$/;
const INDENT = 2;

/** Removes `pretty` from the query, which the routes check, and indents every JSON response for which it is wanted. */
export const readableJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  const [address = '', query = ''] = splitAt(c.req.url, '?');
  const parts = query.split('&');
  const asked = parts.flatMap((part) => PRETTY.exec(part)?.slice(1) ?? []);
  if (asked.length > 0) {
    const [wanted] = asked;
    if (asked.length > 1 || (wanted !== 'yes' && wanted !== 'no'))
      return badRequest(c, [{ path: 'pretty', message: 'not yes or no: give one of them, once' }]);
    const rest = parts.filter((part) => !PRETTY.test(part)).join('&');
    c.req.raw = new Request(rest === '' ? address : `${address}?${rest}`, c.req.raw);
  }
  await next();
  const isPerson = PAGE.test(c.req.header('Accept') ?? '') || TERMINAL.test(c.req.header('User-Agent') ?? '');
  const isWanted = asked.length > 0 ? asked[0] === 'yes' : isPerson;
  if (!isWanted || c.res.body === null || !JSON_TYPE.test(c.res.headers.get('Content-Type') ?? '')) return;
  const compact = await c.res.text();
  c.res.headers.delete('Content-Length');
  c.res = new Response(`${JSON.stringify(JSON.parse(compact), null, INDENT)}\n`, c.res);
};

function splitAt(text: string, sign: string): [before: string, after: string] {
  const at = text.indexOf(sign);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
