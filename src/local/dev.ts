/**
 * `npm run dev`: Gatehouse on this machine. Postgres is PGlite behind Neon's HTTP protocol; KV and queue are
 * Wrangler's local ones. This program runs the schedule, and saves sample people.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { migrate } from '../cli/migrate-command.ts';
import { quoted } from '../cli/table.ts';
import { sampleCommands } from '../desk/samples.ts';
import { SAMPLE_CREDENTIALS } from '../platform/credential-settings.ts';
import { fireCron } from './dev/cron.ts';
import { readOptions, USAGE } from './dev/options.ts';
import { seedPeople } from './dev/sample.ts';
import { keepInForce, policyToBeginWith } from './dev/watch-policy.ts';
import { startWorker } from './dev/worker.ts';
import { startNeon } from './neon.ts';

/** An orphan exits within this time. */
const PARENT_CHECK_MS = 500;

const stopping: (() => Promise<unknown> | unknown)[] = [];
let stopped = false;

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}

async function start(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') return console.log(USAGE);
  const { port, data, policy: askedPolicy, inspectorPort } = options;
  await refuseTakenPort(port);
  const policy = await policyToBeginWith(askedPolicy);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0));
  if (process.env.npm_lifecycle_event !== undefined) stopWithNpm();

  console.log('Starting Gatehouse: its database, then the Worker ...');
  const neon = await startNeon({ dataDir: join(data, 'neon') });
  stopping.unshift(() => neon.close());
  await migrate(neon.url);
  const url = `http://localhost:${port}`;
  // For the commands. The port of the database differs at every start.
  writeFileSync(join(data, 'database-url'), `${neon.url}\n`, { mode: 0o600 });
  writeFileSync(join(data, 'url'), `${url}\n`);

  const worker = await startWorker({
    port,
    data,
    databaseUrl: neon.url,
    storedPolicy: policy !== undefined,
    inspectorPort,
  });
  stopping.unshift(worker.stop);
  void worker.exited.then((code) => stop(code));
  try {
    await worker.ready;
    await seedPeople(url);
  } catch (error) {
    worker.output.releaseAll();
    throw error;
  }
  stopping.unshift(fireCron(url));
  if (policy === undefined)
    console.log(
      `Policy: none. Gatehouse adds roles to the token, and refuses no one. A policy.json in ${process.cwd()} decides from the next start.`,
    );
  else stopping.unshift(await keepInForce(url, policy));
  // The last request of the start: what Wrangler prints before it is about the start.
  await fetch(`${url}/health`, { method: 'HEAD' });
  await worker.output.releaseAfter('HEAD /health');
  console.log(welcome(url, data));
}

/**
 * npm passes a signal to its shell only, which exits without passing it on: an orphan would keep port and data
 * folder.
 */
function stopWithNpm(): void {
  const shell = process.ppid;
  setInterval(() => process.ppid !== shell && void stop(0), PARENT_CHECK_MS).unref();
}

/** Wrangler would take another port, and the printed commands would reach another program. */
function refuseTakenPort(port: number): Promise<void> {
  return new Promise((accept, refuse) => {
    const probe = createServer();
    probe.once('error', () =>
      refuse(
        new Error(
          `Port ${port} is taken. Stop the program that listens there, or choose another port: npm run dev -- --port ${port + 1} --data .gatehouse-2`,
        ),
      ),
    );
    probe.listen(port, 'localhost', () => probe.close(() => accept()));
  });
}

function welcome(url: string, data: string): string {
  return `
Gatehouse is running at ${url}   (open it in a browser; data in ${data}; Ctrl-C stops it)

Credentials, in local development only:
  connector   ${SAMPLE_CREDENTIALS.connector}         B2C
  reports     ${SAMPLE_CREDENTIALS.reports}   support staff
  admin       ${SAMPLE_CREDENTIALS.admin}       administrators of roles and policy

The schedule runs every five minutes, as on Cloudflare.

${sampleCommands(url)
  .map(({ title, command }) => `${title}:\n${command}`)
  .join('\n')}
${commandsFor(url, data)}`;
}

/** The commands default to port 8787 and .gatehouse. */
function commandsFor(url: string, data: string): string {
  if (url === 'http://localhost:8787' && data === resolve('.gatehouse')) return '';
  return `
The commands reach this Gatehouse with --url ${url} (roles, policy, dead-letters, simulate)
or --database-url "$(cat ${quoted(join(data, 'database-url'))})" (sums, migrate, simulate --days).
`;
}

async function stop(code: number): Promise<never> {
  if (stopped) return new Promise(() => undefined);
  stopped = true;
  for (const end of stopping) await end();
  process.exit(code);
}
