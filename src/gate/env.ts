/** What the gate is bound to, beside the settings and secrets that `config.ts` reads (wrangler.toml). */
import type { Attempt } from '../attempts/attempt.ts';

export interface GateEnv {
  readonly GATEHOUSE: KVNamespace;
  readonly ATTEMPTS: Pick<Queue, 'send'>;
  /** The desk, for every path that is not a connector's. */
  readonly DESK: Pick<Fetcher, 'fetch'>;
  readonly RECORDER: RecorderBinding;
}

/**
 * For Hono. `hono/tiny` matches patterns in their order: for a handful of routes that is as fast as any router, and it starts
 * soonest.
 */
export interface GateBindings {
  Bindings: GateEnv;
}

/** The desk's `Recorder` entrypoint. */
export interface RecorderBinding {
  /** Writes an attempt to the database; false when the database refuses it. Rejects when the database or the desk is away. */
  record(attempt: Attempt): Promise<boolean>;
}
