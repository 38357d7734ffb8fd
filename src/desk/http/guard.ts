/** Admits only callers with a credential of one kind, and sets `callerName`. Others get 401. */
import type { MiddlewareHandler } from 'hono';
import { countRefusal } from '../../attempts/refused-calls.ts';
import { authenticateStaff } from '../../callers/authenticate.ts';
import type { CredentialKind } from '../../callers/credential.ts';
import { addressOf, isGuessTooMany } from '../../callers/guesses.ts';
import { configOf } from '../../platform/config.ts';
import type { AppEnv } from './context.ts';
import { refuse } from './problem-details.ts';

export const guard =
  (kind: Exclude<CredentialKind, 'connector'>): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const caller = authenticateStaff(c.req.raw, configOf(c.env).credentials[kind]);
    if (!caller.ok) {
      const { reason, name = '' } = caller;
      const refusal = { route: kind, reason, name };
      countRefusal(refusal, Date.now(), c.env.ATTEMPTS, (work) => c.executionCtx.waitUntil(work));
      // The credential was compared first, so one that is right never gets here.
      const isGuess = reason === 'wrong-credential';
      if (isGuess && (await isGuessTooMany(c.env.GUESSES, kind, addressOf(c.req.raw), name)))
        return refuse(c, 'too-many-guesses');
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
