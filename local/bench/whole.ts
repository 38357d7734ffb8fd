/**
 * The whole of Gatehouse for measuring: the production bundle under Miniflare with its real KV, queue and consumer, set up as
 * wrangler.toml says, and the stand-in for Neon in a process of its own behind a proxy that can stall.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { convertV4MiniflareOptions, Miniflare, NoOpLog } from 'miniflare';
import { connect } from '../../src/database/connect.ts';
import { migrate } from '../commands/migrate.ts';
import { COMPATIBILITY_DATE, CONSUMER, VARS } from './build.ts';
import { SECRETS } from './sign-in.ts';
import { stallable } from './stallable.ts';

const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;
const QUERY_LIMIT_MS = 10_000;

export interface Whole {
  readonly url: string;
  /** Neon stops answering Gatehouse, and answers again; `rows` still reaches it. */
  readonly stall: () => void;
  readonly resume: () => void;
  /** How many attempts lie in Postgres. */
  readonly rows: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Rejects with a sentence when a part does not start. */
export async function startWhole(bundle: string, folder: string): Promise<Whole> {
  const stopping: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    // One part that does not end well must not leave the others running.
    const ends = await Promise.allSettled(stopping.splice(0).map((end) => end()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };
  try {
    const neon = await startNeonProcess(join(folder, 'neon-url'));
    stopping.push(neon.stop);
    await migrate(neon.url);
    const proxy = await stallable(Number(new URL(neon.url).port));
    stopping.push(proxy.close);
    const throughProxy = new URL(neon.url);
    throughProxy.port = `${proxy.port}`;

    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port: 0,
        cf: false,
        log: new NoOpLog(),
        // While Neon is stalled, the consumer rightly says so.
        handleStructuredLogs: ({ message }) => process.stderr.write(`Gatehouse logs: ${message}\n`),
        telemetry: { enabled: false },
        modules: [{ type: 'ESModule', path: bundle }],
        modulesRoot: dirname(bundle),
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: { ...VARS, ...SECRETS, DATABASE_URL: throughProxy.href },
        kvNamespaces: ['GATEHOUSE'],
        queueProducers: { ATTEMPTS: { queueName: CONSUMER.queue } },
        queueConsumers: { [CONSUMER.queue]: CONSUMER.settings },
      }),
    );
    stopping.push(() => miniflare.dispose());
    const { origin } = await miniflare.ready;
    return { url: origin, stall: proxy.stall, resume: proxy.resume, rows: () => countRows(neon.url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function countRows(databaseUrl: string): Promise<number> {
  const [row] = await connect(databaseUrl, QUERY_LIMIT_MS).sql`select count(*)::int as rows from attempts`;
  return Number(row?.rows);
}

/** In a process of its own, as its work would otherwise stand in the way of the calls that are measured. */
async function startNeonProcess(urlFile: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const script = join(import.meta.dirname, '../neon.ts');
  const child = spawn(process.execPath, [script, '--port', '0', '--url-file', urlFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = () => ended(child).finally(() => process.off('exit', kill));
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await wait(POLL_MS)) {
    if (existsSync(urlFile)) return { url: readFileSync(urlFile, 'utf8').trim(), stop };
    if (child.exitCode !== null) break;
  }
  await stop();
  throw new Error(`The stand-in for Neon did not start. It said:\n${said}`);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
