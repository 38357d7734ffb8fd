/**
 * `npm run dev`: the whole of Gatehouse on this machine. Postgres is PGlite behind Neon's HTTP protocol, KV and the queue are
 * Wrangler's local ones, the cron is fired from here, and sample people are there to try.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SAMPLE_CREDENTIALS } from '../src/config.ts';
import { migrate } from './commands/migrate.ts';
import { fireCron } from './dev/cron.ts';
import { keepInForce, policyToBeginWith } from './dev/policy.ts';
import { sampleSteps, seedPeople } from './dev/sample.ts';
import { startWorker } from './dev/worker.ts';
import { startNeon } from './neon.ts';

const USAGE = `Usage: npm run dev -- [--port N] [--data DIR] [--policy FILE] [--inspect N]

  --port N       where Gatehouse listens (default 8787)
  --data DIR     where database, KV and queue are kept (default .gatehouse); a second Gatehouse needs one of its own
  --policy FILE  the policy that decides, put in force anew whenever the file is edited (default policy.json, when
                 there is one). With none instead of a file, or without one, roles go into the token and that is all
  --inspect N    where a debugger can attach to the Worker, such as 9229`;

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
  const { port, data, policy: askedPolicy, inspectorPort } = readOptions();
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

function readOptions(): { port: number; data: string; policy: string | undefined; inspectorPort: number } {
  const values = readArguments();
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const inspectorPort = values.inspect === undefined ? 0 : portOf('--inspect', values.inspect);
  return { port: portOf('--port', values.port), data: resolve(values.data), policy: values.policy, inspectorPort };
}

function portOf(option: string, typed: string): number {
  const port = Number(typed);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new Error(`${option} takes a number from 1 to 65535.\n\n${USAGE}`);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '8787' },
        data: { type: 'string', default: '.gatehouse' },
        policy: { type: 'string' },
        inspect: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
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
