/** Gate and desk as one Worker: the gate's bindings to the desk call the desk's entry module. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { writeDirectly } from '../../src/desk/consume/write-directly.ts';
import desk from '../../src/desk/index.ts';
import type { GateEnv } from '../../src/gate/env.ts';
import gate from '../../src/gate/index.ts';

type Incoming = Parameters<typeof desk.fetch>[0];

/** By environment, so that settings and policy stay in memory from call to call, as in an isolate. */
const gateEnvs = new WeakMap<object, GateEnv>();
const calls = new AsyncLocalStorage<ExecutionContext>();

/** A test's own bindings to the desk take precedence. */
function gateEnvOf(env: Env): GateEnv {
  const known = gateEnvs.get(env);
  if (known !== undefined) return known;
  const fetchDesk = async (request: Request) => {
    const ctx = calls.getStore();
    if (ctx === undefined) throw new Error('The desk is called outside a call.');
    return desk.fetch(request as Incoming, env, ctx);
  };
  const made = {
    DESK: { fetch: fetchDesk as GateEnv['DESK']['fetch'] },
    RECORDER: { record: (attempt: Parameters<GateEnv['RECORDER']['record']>[0]) => writeDirectly(env, attempt) },
    ...env,
  };
  gateEnvs.set(env, made);
  return made;
}

export default {
  fetch: (request, env, ctx) => calls.run(ctx, () => gate.fetch(request, gateEnvOf(env), ctx)),
  queue: desk.queue,
  scheduled: desk.scheduled,
} satisfies ExportedHandler<Env>;
