/** The types that the desk's Hono routes share, and the one place that makes an app. */
import { Hono } from 'hono/tiny';
import type { DeskEnv } from '../env.ts';

export interface Variables {
  /** Name of the credential that opened the route: set by the guards of `/reports`, `/admin` and `/health/ready`. */
  callerName: string;
  /** Ours (an incoming X-Request-Id is ignored). It is in problem details and in log lines. */
  requestId: string;
}

export interface AppEnv {
  Bindings: DeskEnv;
  Variables: Variables;
}

export const newApp = () => new Hono<AppEnv>();
