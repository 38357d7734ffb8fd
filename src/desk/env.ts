/** What the desk is bound to, beside the settings and secrets that `config.ts` reads (src/desk/wrangler.toml). */
export interface DeskEnv {
  readonly GATEHOUSE: KVNamespace;
  readonly ATTEMPTS: Queue;
}
