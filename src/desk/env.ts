/** Bindings of the desk in src/desk/wrangler.toml. `config.ts` reads settings and secrets. */
export interface DeskEnv {
  readonly GATEHOUSE: KVNamespace;
  readonly ATTEMPTS: Queue;
  /** The second queue (consume/consume.ts). Only its length is read. */
  readonly WAITING?: Pick<Queue, 'metrics'>;
  /** Counts wrong credentials. Without it guesses are not slowed. */
  readonly GUESSES?: Pick<RateLimit, 'limit'>;
}
