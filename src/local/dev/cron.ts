/** Fires the Worker's cron as Cloudflare does: Wrangler's local runtime knows the trigger, but has no clock. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every five minutes in wrangler.toml; the clock here fires at the same minutes. */
const EVERY_MINUTES = 5;
const CHECK_MS = 5_000;

/** Starts the clock, and returns how to stop it. A tick that fails is printed; the next one comes all the same. */
export function fireCron(url: string): () => void {
  const cron = cronOf(readFileSync(join(import.meta.dirname, '..', '..', 'desk', 'wrangler.toml'), 'utf8'));
  let last = slotOf(Date.now());
  const timer = setInterval(() => {
    const slot = slotOf(Date.now());
    if (slot === last) return;
    last = slot;
    fetch(`${url}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`).then(
      (response) =>
        response.ok ||
        console.error(`The schedule failed with ${response.status}. It runs again in ${EVERY_MINUTES} minutes.`),
      (error: unknown) => console.error(`The schedule could not be started: ${error}`),
    );
  }, CHECK_MS);
  return () => clearInterval(timer);
}

const slotOf = (now: number) => Math.floor(now / (EVERY_MINUTES * 60_000));

function cronOf(toml: string): string {
  const cron = /^crons\s*=\s*\["([^"]+)"\]/m.exec(toml)?.[1];
  if (cron !== `*/${EVERY_MINUTES} * * * *`)
    throw new Error(
      `src/local/dev/cron.ts fires every ${EVERY_MINUTES} minutes, src/desk/wrangler.toml has ${cron}. Change one of them.`,
    );
  return cron;
}
