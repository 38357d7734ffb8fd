/** Admits only callers with a credential of one kind, and sets `callerName`. Others get 401. */
import type { MiddlewareHandler } from 'hono';
import { countRefusal } from '../../attempts/refused-calls.ts';
import { authenticate } from '../../callers/authenticate.ts';
import type { CredentialKind } from '../../callers/credential.ts';
import { configOf } from '../../platform/config.ts';
import type { AppEnv } from './context.ts';
import { refuse } from './problem-details.ts';

export const guard =
  (kind: Exclude<CredentialKind, 'connector'>): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const caller = authenticate(c.req.raw, configOf(c.env).credentials[kind]);
    if (!caller.ok) {
      const refusal = { route: kind, reason: caller.reason, name: caller.name ?? '' };
      countRefusal(refusal, Date.now(), c.env.ATTEMPTS, (work) => c.executionCtx.waitUntil(work));
      return refuse(
        c,
        'not-authenticated',
        { kind },
        { 'WWW-Authenticate': 'Basic realm="Gatehouse", charset="UTF-8"' },
      );
    }
    c.set('callerName', caller.name);
    return next();
  };
