/**
 * `npm run dev`: the whole of Gatehouse on this machine. Postgres is PGlite behind Neon's HTTP protocol, KV and the queue are
 * Wrangler's local ones, the cron is fired from here, and sample people are there to try.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { migrate } from '../cli/migrate-command.ts';
import { SAMPLE_CREDENTIALS } from '../platform/config.ts';
import { fireCron } from './dev/cron.ts';
import { readOptions, USAGE } from './dev/options.ts';
import { sampleSteps, seedPeople } from './dev/sample.ts';
import { keepInForce, policyToBeginWith } from './dev/watch-policy.ts';
import { startWorker } from './dev/worker.ts';
import { startNeon } from './neon.ts';

/** How soon an orphan notices. */
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
  // Where the commands look. The port differs at every start.
  writeFileSync(join(data, 'database-url'), `${neon.url}\n`, { mode: 0o600 });

  const url = `http://localhost:${port}`;
  const worker = await startWorker({
    port,
    data,
    databaseUrl: neon.url,
    storedPolicy: policy !== undefined,
    inspectorPort,
  });
  stopping.unshift(worker.stop);
  void worker.exited.then((code) => stop(code));
  await worker.ready;
  stopping.unshift(fireCron(url));
  await seedPeople(url);
  if (policy === undefined)
    console.log(
      `Policy: none, so that roles go into the token and that is all. A policy.json in ${process.cwd()} decides from the next start.`,
    );
  else stopping.unshift(await keepInForce(url, policy));
  console.log(welcome(url, data));
}

/** npm passes a signal on to its shell only, which goes without telling us: an orphan would keep port and data folder. */
function stopWithNpm(): void {
  const shell = process.ppid;
  setInterval(() => process.ppid !== shell && void stop(0), PARENT_CHECK_MS).unref();
}

/** Wrangler would move to another port by itself, and the printed commands would ask somebody else. */
function refuseTakenPort(port: number): Promise<void> {
  return new Promise((accept, refuse) => {
    const probe = createServer();
    probe.once('error', () =>
      refuse(
        new Error(
          `Port ${port} is taken. Stop what listens there, or choose another: npm run dev -- --port ${port + 1} --data .gatehouse-2`,
        ),
      ),
    );
    probe.listen(port, 'localhost', () => probe.close(() => accept()));
  });
}

function welcome(url: string, data: string): string {
  return `
Gatehouse is running at ${url}   (data in ${data}; Ctrl-C stops it)

Credentials, in local development only:
  connector   ${SAMPLE_CREDENTIALS.connector}       what B2C presents
  reports     ${SAMPLE_CREDENTIALS.reports} support staff
  admin       ${SAMPLE_CREDENTIALS.admin}     who may change roles and the policy

The cron fires every five minutes, as on Cloudflare (whatever Wrangler says above).

${sampleSteps(url)}
${commandsFor(url, data)}`;
}

/** The commands look at port 8787 and at .gatehouse unless they are told otherwise. */
function commandsFor(url: string, data: string): string {
  if (url === 'http://localhost:8787' && data === resolve('.gatehouse')) return '';
  return `
The commands talk to this one with --url ${url} (roles, policy, dead-letters, simulate)
or --database-url "$(cat ${join(data, 'database-url')})" (sums, migrate, simulate --days).
`;
}

async function stop(code: number): Promise<never> {
  if (stopped) return new Promise(() => undefined);
  stopped = true;
  for (const end of stopping) await end();
  process.exit(code);
}
