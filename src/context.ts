/** The types that every Hono route shares, and the one factory that makes them. */
import { createFactory } from 'hono/factory';

export interface Variables {
  /** Name of the credential that opened the route: set by the guards of `/reports`, `/admin` and `/health/ready`. */
  callerName: string;
  /** Ours (an incoming X-Request-Id is not taken over); stands in problem details and in log lines. */
  requestId: string;
}

export const factory = createFactory<{ Bindings: Env; Variables: Variables }>();
