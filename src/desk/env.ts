/** Bindings of the desk in src/desk/wrangler.toml. `config.ts` reads settings and secrets. */
export interface DeskEnv {
  readonly GATEHOUSE: KVNamespace;
  readonly ATTEMPTS: Queue;
  /** Counts wrong credentials. Without it guesses are not slowed. */
  readonly GUESSES?: Pick<RateLimit, 'limit'>;
}
