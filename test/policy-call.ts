/** Calls under a stored policy: puts documents into KV as publishing does, and knocks as B2C does. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import worker from '../src/index.ts';
// A machine under load may take seconds to fetch the engine's modules for a first call; a bundle has them.
import '../src/policy/load.ts';
import { POINTER_KEY, versionKey } from '../src/policy/pointer.ts';
import { type Answered, b2cRequest, readAnswer } from './call.ts';

export interface Published {
  shadow?: { number: number; sample: number };
  kv?: KVNamespace;
}

let latest = 1_000;

/** Writes a document (or any text) under a number of its own, and nothing else. */
export async function putVersion(document: unknown, kv: KVNamespace = env.GATEHOUSE): Promise<number> {
  latest += 1;
  await kv.put(versionKey(latest), typeof document === 'string' ? document : JSON.stringify(document));
  return latest;
}

/** Makes a document the one that decides; its number. */
export async function publish(document: unknown, { shadow, kv = env.GATEHOUSE }: Published = {}): Promise<number> {
  const number = await putVersion(document, kv);
  await kv.put(POINTER_KEY, JSON.stringify({ v: 1, number, ...(shadow === undefined ? {} : { shadow }) }));
  return number;
}

/** An isolate that decides by stored policies: its memory lasts from call to call. */
export function isolate(bindings: object = {}) {
  const world = { ...env, POLICY: 'stored', ...bindings };
  return {
    env: world,
    /** Waits for all work after the reply. */
    async call(body: unknown, path = ''): Promise<Answered> {
      const ctx = createExecutionContext();
      const response = await worker.fetch(b2cRequest(body, path) as Parameters<typeof worker.fetch>[0], world, ctx);
      const answered = await readAnswer(response);
      await waitOnExecutionContext(ctx);
      return answered;
    },
  };
}

/** One call in a new isolate under this policy. */
export async function callUnder(document: unknown, body: unknown, bindings: object = {}): Promise<Answered> {
  await publish(document);
  return isolate(bindings).call(body);
}

type Read = (keys: string | string[]) => Promise<unknown>;

/** The real KV, with some reads replaced; counts what is asked of it. */
export function watchedKv(
  replace: (key: string | string[], real: Read) => Promise<unknown> | undefined = () => undefined,
) {
  const asked: (string | string[])[] = [];
  const real: Read = (keys) => env.GATEHOUSE.get(keys as string);
  const kv = new Proxy(env.GATEHOUSE, {
    get(target, property) {
      if (property !== 'get') return Reflect.get(target, property).bind(target);
      return (keys: string | string[]) => {
        asked.push(keys);
        return replace(keys, real) ?? real(keys);
      };
    },
  });
  return { kv, asked };
}
