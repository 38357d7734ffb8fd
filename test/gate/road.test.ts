/** The pipeline of a call, with a channel whose inputs the policy declares. */
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { answer, type Call, type FrontDoor, Stopped } from '../../src/gate/answer.ts';
import { KvWorld } from '../../src/gate/know.ts';
import { readEvent, type UserFlowCall } from '../../src/gate/user-flow/request.ts';
import { readConfig } from '../../src/platform/config.ts';
import { withTimeout } from '../../src/platform/timeout.ts';
import { newObjectId } from '../support/call.ts';
import { publish, watchedKv } from '../support/policy-call.ts';

const STEP = 'PostAttributeCollection';

/** A channel that reads the one claim that the policy's message `inputs` names. */
const door = (order: string[] = []): FrontDoor<UserFlowCall> => ({
  parse: async (call) => {
    const members = await call.request.json<Record<string, unknown>>();
    order.push('parsed');
    return { ...call, text: '{}', members };
  },
  understand: async (parsed, policy) => {
    order.push(`understood by ${policy?.version}`);
    const input = policy?.messages.own.get('inputs')?.get('en') ?? 'none';
    if (input === 'none') return new Stopped('unknown-step', parsed);
    return { ...parsed, event: { ...(await readEvent({ [input]: parsed.members[input] }, STEP)), step: STEP } };
  },
  reply: ({ decision, reached, reason }) => ({
    status: 200,
    action: reason || decision.kind,
    userMessage: '',
    body: JSON.stringify({ ...decision.claims, version: reached.inForce?.policy?.version }),
  }),
  recorded: () => ({
    channel: 'test',
    step: STEP,
    urlStep: '',
    correlationId: '',
    policyId: '',
    ipNetwork: '',
    notes: [],
  }),
});

const inputs = (input: string) => ({
  messages: { inputs: { en: input } },
  rules: [{ id: 'held', steps: [STEP], set: { city: "person.groups.join(' ') + '!'" } }],
});

/** One isolate. Each call has its own world. */
function isolate(kv: Pick<KVNamespace, 'get'>) {
  const config = readConfig({ LOCAL: 'yes', POLICY: 'stored', KV_TIMEOUT_MS: '100', DECISION_TIMEOUT_MS: '300' });
  return async (objectId: string, through: FrontDoor<UserFlowCall> = door()) => {
    const startedAt = Date.now();
    const late: Promise<unknown>[] = [];
    const world = new KvWorld({
      kv,
      config,
      startedAt,
      deadline: startedAt + config.DECISION_TIMEOUT_MS,
      withTimeout,
      later: (work) => void late.push(work),
    });
    const call: Call = {
      request: new Request('https://gatehouse.example/', { method: 'POST', body: JSON.stringify({ objectId }) }),
      caller: 'test',
      callerKind: 'basic',
      urlStep: STEP,
      startedAt,
      decisionTimeoutMs: config.DECISION_TIMEOUT_MS,
      withTimeout,
    };
    const { reply, reason, decision } = await answer(through, world, call);
    return { ...JSON.parse(reply.body), reason, kind: decision.kind };
  };
}

async function memberOf(group: string): Promise<string> {
  const objectId = newObjectId();
  const record = { v: 1, roles: [], groups: [group], attributes: {}, applications: {}, updatedBy: 'x' };
  await env.GATEHOUSE.put(`person:oid:${objectId}`, JSON.stringify({ ...record, updatedAt: '2026-11-01T00:00:00Z' }));
  return objectId;
}

afterEach(() => vi.restoreAllMocks());

describe('channel whose inputs the policy declares', () => {
  it('a cold isolate interprets the first call with the active policy', async () => {
    const version = await publish(inputs('objectId'));
    const order: string[] = [];
    const { kv, asked } = watchedKv();
    expect(await isolate(kv)(await memberOf('staff'), door(order))).toMatchObject({ city: 'staff!', version });
    expect(order).toEqual(['parsed', `understood by ${version}`]);
    expect(asked).toHaveLength(3);
  });

  it('a call is interpreted again when KV returns another version, and reads the person of that interpretation', async () => {
    const first = await publish(inputs('email'));
    const { kv, asked } = watchedKv();
    const call = isolate(kv);
    const objectId = await memberOf('staff');
    expect(await call(objectId)).toMatchObject({ city: '!', version: first });
    const second = await publish(inputs('objectId'));
    asked.length = 0;
    const order: string[] = [];
    expect(await call(objectId, door(order))).toMatchObject({ city: 'staff!', version: second });
    expect(order).toEqual(['parsed', `understood by ${first}`, `understood by ${second}`]);
    expect(asked.filter((keys) => [keys].flat().includes(`person:oid:${objectId}`))).toHaveLength(1);
  });

  it('an input that only a new version declares is read in the first call after its publication', async () => {
    await publish(inputs('none'));
    const call = isolate(env.GATEHOUSE);
    const objectId = await memberOf('staff');
    expect(await call(objectId)).toMatchObject({ reason: 'unknown-step' });
    await publish(inputs('objectId'));
    expect(await call(objectId)).toMatchObject({ reason: '', city: 'staff!' });
  });

  it('a call is decided by the version that interpreted it, even when a third version arrives meanwhile', async () => {
    const first = await publish(inputs('email'));
    let next = '';
    const { kv } = watchedKv((keys, real) => {
      if (next === '' || !Array.isArray(keys)) return undefined;
      const pointer = next;
      return real(keys).then(async (values) => {
        const third = await publish(inputs('objectId'));
        next = JSON.stringify({ v: 1, number: third });
        return new Map([...(values as Map<string, string>), ['policy:active', pointer]]);
      });
    });
    const call = isolate(kv);
    await call(newObjectId());
    const second = await publish(inputs('objectId'));
    next = JSON.stringify({ v: 1, number: second });
    const { version, reason } = await call(newObjectId());
    expect([version, reason]).toEqual([second, '']);
    expect(version).toBeGreaterThan(first);
  });
});

describe('work after the deadline', () => {
  it('work that continues after the deadline does not change the reply', async () => {
    await publish(inputs('objectId'));
    const call = isolate(env.GATEHOUSE);
    await call(newObjectId());
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let resume = () => {};
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const slow: FrontDoor<UserFlowCall> = {
      ...door(),
      understand: async (parsed, policy) => {
        await released;
        resume();
        return door().understand(parsed, policy);
      },
    };
    const replied = await call(await memberOf('staff'), slow);
    release();
    await resumed;
    expect(replied).toMatchObject({ reason: 'deadline', kind: 'block' });
    expect(replied).not.toHaveProperty('city');
  });
});
