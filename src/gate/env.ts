/** The gate's bindings in wrangler.toml, except the settings and secrets that `config.ts` reads. */
import type { Attempt, Probe } from '../attempts/attempt.ts';
import type { GuessCounter } from '../callers/guesses.ts';

export interface GateEnv {
  readonly GATEHOUSE: KVNamespace;
  readonly ATTEMPTS: Pick<Queue, 'send'>;
  /** The desk, for every path outside `/connectors`. */
  readonly DESK: Pick<Fetcher, 'fetch'>;
  readonly RECORDER: RecorderBinding;
  /** Counts wrong credentials. Without it guesses are not slowed. */
  readonly GUESSES?: GuessCounter;
}

/** For Hono. `hono/tiny` tries routes in order: as fast as others for a few routes, and fastest to start. */
export interface GateBindings {
  Bindings: GateEnv;
}

/** The desk's `Recorder` entrypoint. */
export interface RecorderBinding {
  /** Writes a message; false when the database refuses it. Rejects when the database or the desk is unavailable. */
  record(message: Attempt | Probe): Promise<boolean>;
}
