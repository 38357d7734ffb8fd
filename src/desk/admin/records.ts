/** Where the records are for a request: which lines of `EMAIL_KEY` desk and gate have. */
import type { Context } from 'hono';
import { configOf } from '../../platform/config.ts';
import { keyOfGate, stateOf } from '../../platform/gate-state.ts';
import type { AppEnv } from '../http/context.ts';
import type { Records } from './person-records.ts';

export async function recordsOf(c: Context<AppEnv>): Promise<Records> {
  const emailKeys = configOf(c.env).EMAIL_KEY;
  return { kv: c.env.GATEHOUSE, emailKeys, gateKey: await keyOfGate(emailKeys, stateOf(c.req.raw)) };
}
