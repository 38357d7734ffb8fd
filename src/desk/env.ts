/** Bindings of the desk in src/desk/wrangler.toml. `config.ts` reads settings and secrets. */
export interface DeskEnv {
  readonly GATEHOUSE: KVNamespace;
  readonly ATTEMPTS: Queue;
}
