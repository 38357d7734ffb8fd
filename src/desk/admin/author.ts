/** The author of a change that a request makes. */
import type { Context } from 'hono';
import { recordChange } from '../../attempts/enqueue.ts';
import { writeDirectly } from '../consume/write-directly.ts';
import type { AppEnv } from '../http/context.ts';
import type { Author } from './person-records.ts';

export const authorOf = (c: Context<AppEnv>): Author => ({
  by: c.get('callerName'),
  now: Date.now(),
  logChange: (change) => recordChange(change, c.env.ATTEMPTS, (lost) => writeDirectly(c.env, lost)),
});
