/** Calls under a stored policy: writes documents to KV as publishing does, and calls the gate as B2C does. */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { checkPolicy } from '../../src/desk/policies/check.ts';
import { compilePlan } from '../../src/desk/policies/compile-plan.ts';
import { listKey, planKey } from '../../src/policy/plan.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';
import { type Answered, b2cRequest, readAnswer } from './call.ts';
import worker from './worker.ts';

export interface Published {
  shadow?: { number: number; sample: number };
  kv?: KVNamespace;
}

let latest = 1_000;

/** Writes only the plan of a document (or any text instead) under a new number. */
export async function putVersion(document: unknown, kv: KVNamespace = env.GATEHOUSE): Promise<number> {
  latest += 1;
  if (typeof document === 'string') await kv.put(planKey(latest), document);
  else await putPlan(latest, document, kv);
  return latest;
}

/** Writes the plan of a document, and its lists, under a number. */
export async function putPlan(number: number, document: unknown, kv: KVNamespace = env.GATEHOUSE): Promise<void> {
  const checked = checkPolicy(document, 'extension_Roles');
  if (!checked.ok) throw new Error(`The policy is refused: ${JSON.stringify(checked.problems)}`);
  const { text, lists } = await compilePlan(checked.policy, JSON.stringify(document));
  await kv.put(planKey(number), text);
  for (const [name, list] of lists) await kv.put(listKey(number, name), list);
}

/** Puts a document in force; returns its number. */
export async function publish(document: unknown, { shadow, kv = env.GATEHOUSE }: Published = {}): Promise<number> {
  const number = await putVersion(document, kv);
  await kv.put(POINTER_KEY, JSON.stringify({ v: 1, number, ...(shadow === undefined ? {} : { shadow }) }));
  return number;
}

/** An isolate with stored policies, which keeps its memory from call to call. */
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

/** The real KV with some reads replaced. Records the keys of all reads. */
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
