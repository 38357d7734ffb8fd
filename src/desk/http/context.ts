/** The types that every Hono route shares, and the one place that makes an app. */
import { Hono } from 'hono/tiny';
import type { DeskEnv } from '../env.ts';

export interface Variables {
  /** Name of the credential that opened the route: set by the guards of `/reports`, `/admin` and `/health/ready`. */
  callerName: string;
  /** Ours (an incoming X-Request-Id is not taken over); stands in problem details and in log lines. */
  requestId: string;
}

export interface AppEnv<Bindings extends object = DeskEnv> {
  Bindings: Bindings;
  Variables: Variables;
}

/** `hono/tiny` matches patterns in their order: for a handful of routes that is as quick as any, and starts soonest. */
export const newApp = <Bindings extends object = DeskEnv>() => new Hono<AppEnv<Bindings>>();
