/**
 * The routes for B2C's custom policies. To an authenticated caller they answer 200 or 409 and nothing else, whatever
 * the method and path: B2C ends a journey at any other status (contract line 111).
 */
import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { randomSupportCode } from '../../attempts/support-code.ts';
import { JSON_NOT_STORED, NOT_STORED } from '../../platform/answer-headers.ts';
import { configOf } from '../../platform/config.ts';
import { errorFields, log } from '../../platform/log.ts';
import { policyInMemory } from '../../policy/active.ts';
import { decideWithoutPolicy } from '../../policy/decide.ts';
import { exchangeKey } from '../../policy/exchange.ts';
import { admitted } from '../admit.ts';
import type { Reply } from '../answer.ts';
import type { GateBindings } from '../env.ts';
import { serveCall } from '../serve-call.ts';
import { customPolicyDoor } from './door.ts';
import { replyTo } from './reply.ts';

const ROUTE = '/connectors/custom-policy';

function exchange(c: Context<GateBindings>): Response | Promise<Response> {
  const startedAt = Date.now();
  const { method, url } = c.req.raw;
  const urlStep = exchangeIn(url);
  return admitted(c, 'custom-policy', async (caller) => {
    // Uptime checks and the portal ask whether the address responds. A GET that names an exchange is a call.
    if (method === 'HEAD' || (method === 'GET' && urlStep === '')) return new Response(null, { headers: NOT_STORED });
    const door = customPolicyDoor(configOf(c.env).credentials.connector.keyHeaders);
    return written(await serveCall(c, door, { caller, urlStep, startedAt }));
  });
}

export const customPolicy = new Hono<GateBindings>().all('/*', exchange);

const NAME = /^https?:\/\/[^/?#]*\/connectors\/custom-policy\/*([^?#]*)/;

/** What may be a name of an exchange, and what follows it but slashes. A dot may end a part of a token. */
const NAME_AND_REST = /^([\w-]{1,63})(?![\w.-])\/*(.?)/s;
/** In place of what is no name. An exchange with it does not exist. */
const NO_NAME = '…';

/**
 * The exchange that a URL names, as typed; a slash at the end has no meaning. A path can contain claims (contract 4.1,
 * `SendClaimsIn` `Url`), so what is no name is left out: the result is logged and stored.
 */
function exchangeIn(url: string): string {
  const path = NAME.exec(url)?.[1] ?? '';
  if (path === '') return '';
  const [, name = '', rest] = NAME_AND_REST.exec(decoded(path)) ?? [];
  return rest === '' ? name : name + NO_NAME;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const EMPTY = { ...NOT_STORED, 'Content-Length': '0' };

const written = ({ status, body }: Reply) =>
  body === ''
    ? new Response(null, { status, headers: EMPTY })
    : new Response(body, { status, headers: JSON_NOT_STORED });

/** Answers a failure before there is a call. It leaves no attempt, so the log line contains the support code. */
export function answerExchangeInPanic(error: unknown, c: Context<GateBindings>): Response {
  const supportCode = randomSupportCode();
  log('call-failed', { route: ROUTE, supportCode, ...errorFields(error) });
  const policy = policyInMemory(configOf(c.env));
  const named = policy.exchanges.get(exchangeKey(exchangeIn(c.req.raw.url)));
  const why = named === undefined ? 'unknown-exchange' : 'unavailable';
  const decision = decideWithoutPolicy({ step: named?.name, languages: [] }, policy, why, supportCode);
  return written(replyTo({ decision, reason: 'exception', supportCode }, named));
}
