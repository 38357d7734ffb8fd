/**
 * Concurrent saves and crons, with crashes, failures and late writes: the newest version ends up in force. The code
 * under test is real. Neon and KV are models that run one operation at a time; fast-check chooses the order and the
 * failures.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { listDue, publishDue } from '../../src/desk/policies/publish.ts';
import { saveVersion } from '../../src/desk/policies/save.ts';
import { type NeonRefusal, policyPointer, type Version, type Versions } from '../../src/desk/policies/saved-version.ts';
import { POINTER_KEY, PUBLISH_DUE_PREFIX, versionKey } from '../../src/policy/pointer.ts';
import { memoryKv } from '../support/memory-kv.ts';

const MINUTE = 60_000;
const HISTORIES = Number(process.env.HISTORIES ?? 500);

// Fake timers: no operation times out. An operation without a result means that its caller crashed.
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/**
 * The result of an operation. `answer lost`: it is done but fails for the caller. `late`: it fails and is done at the
 * end. `dies`: the caller crashes before or after it.
 */
const FATES = ['done', 'done', 'done', 'fails', 'answer lost', 'late', 'dies before', 'dies after'] as const;
type Fate = (typeof FATES)[number];
/** One actor performs several operations, the last with this fate. */
const turn = fc.record({
  who: fc.nat(20),
  operations: fc.integer({ min: 1, max: 12 }),
  fate: fc.constantFrom(...FATES),
});
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

type Operate = <Value>(operation: () => Value, failure: () => Value | Promise<Value>) => Promise<Value>;

/** Actors are saves and crons. Their operations wait until the test runs them. */
function stage(turns: readonly Turn[]) {
  const waiting: { actor: object; happen: (fate: Fate) => void }[] = [];
  const late: (() => void)[] = [];
  const alive = new Set<object>();
  let taken = 0;

  /** Starts `work` as a new actor. */
  function enter(work: (operate: Operate) => Promise<unknown>): void {
    const actor = {};
    alive.add(actor);
    const leave = () => void alive.delete(actor);
    const operate: Operate = (operation, failure) =>
      new Promise((resolve) => {
        const happen = (fate: Fate) => {
          if (fate === 'late') late.push(operation);
          if (fate === 'fails' || fate === 'late') return resolve(failure());
          if (fate === 'dies before') return leave();
          const value = operation();
          if (fate === 'dies after') return leave();
          resolve(fate === 'answer lost' ? failure() : value);
        };
        waiting.push({ actor, happen });
      });
    void work(operate).then(leave, leave);
  }

  /** Runs operations until all actors have finished or crashed. */
  async function run(): Promise<void> {
    while (alive.size > 0) {
      const { who, operations, fate } = turns[taken++] ?? { who: 0, operations: 1, fate: 'done' };
      const actor = [...alive][who % alive.size];
      for (let left = operations; left > 0 && actor !== undefined && alive.has(actor); ) {
        await new Promise(setImmediate);
        const next = waiting.findIndex((operation) => operation.actor === actor);
        if (next === -1) continue;
        waiting.splice(next, 1)[0]?.happen(left === 1 ? fate : 'done');
        left -= 1;
      }
    }
    for (const operation of late.splice(0)) operation();
  }
  return { enter, run };
}

type Added = Awaited<ReturnType<Versions['addVersion']>>;

const AWAY: NeonRefusal = { ok: false, reason: 'database-unavailable', code: '', uncertain: true };

/** A model of the table of versions. */
function neonModel() {
  const rows: Version[] = [];
  const newest = (...uses: string[]) => rows.findLast(({ use }) => uses.includes(use));
  const present = () => {
    const shadow = newest('shadow', 'no-shadow');
    return { last: rows.length, active: newest('active'), shadow: shadow?.use === 'shadow' ? shadow : undefined };
  };
  const inForce = () => policyPointer(present());
  const versionsOn = (operate: Operate): Versions => {
    const query = <Value>(work: () => Value) =>
      operate<{ ok: true; value: Value } | NeonRefusal>(
        () => ({ ok: true, value: work() }),
        () => AWAY,
      );
    return {
      readPresent: () => query(present),
      readInForce: () => query(inForce),
      readVersion: (number) => query(() => rows[number - 1]),
      readDeciding: () => query(() => undefined),
      listVersions: () => query(() => rows),
      addVersion: (version) =>
        operate<Added>(
          () => {
            if (version.number !== rows.length + 1) return { ok: false, reason: 'number-taken' };
            rows.push(version);
            return { ok: true, value: inForce() };
          },
          () => AWAY,
        ),
    };
  };
  return { present, inForce, versionsOn };
}

function kvOn(operate: Operate, memory: ReturnType<typeof memoryKv>): KVNamespace {
  const away = () => Promise.reject(new Error('KV is away'));
  const staged =
    (method: 'get' | 'put' | 'delete' | 'list') =>
    (...given: unknown[]) =>
      operate(() => Reflect.apply(memory.kv[method], memory.kv, given), away);
  return {
    get: staged('get'),
    put: staged('put'),
    delete: staged('delete'),
    list: staged('list'),
  } as unknown as KVNamespace;
}

const actor = fc.constantFrom('save', 'save', 'again', 'shadow', 'no-shadow', 'cron', 'cron');
const scene = fc.record({
  /** Whether a version is in force at the start. */
  begun: fc.boolean(),
  actors: fc.array(actor, { minLength: 1, maxLength: 4 }),
  turns: fc.array(turn, { maxLength: 16 }),
  laterActors: fc.array(fc.constant('cron' as const), { maxLength: 2 }),
  laterTurns: fc.array(turn, { maxLength: 8 }),
});

it('publishing: the newest version ends up in force after overlaps, crashes, failures and late writes', async () => {
  let savedInAll = 0;
  await fc.assert(
    fc.asyncProperty(scene, async ({ begun, actors, turns, laterActors, laterTurns }) => {
      const memory = memoryKv();
      const neon = neonModel();
      const saved: number[] = [];
      let written = 0;

      const play = (who: string, now: number) => async (operate: Operate) => {
        const [kv, versions] = [kvOn(operate, memory), neon.versionsOn(operate)];
        if (who === 'cron') return publishDue(kv, versions, now);
        const draft = { note: '', author: 'admin', expects: () => true };
        const fresh = { description: `text ${written++}`, rules: [] };
        const inForce = JSON.parse(neon.present().active?.text ?? '{"rules":[]}') as typeof fresh;
        const checked = (document: typeof fresh) => ({ document, text: JSON.stringify(document) });
        const known = (number: number | undefined) => number !== undefined;
        const order =
          who === 'save'
            ? { ...draft, use: 'active' as const, ...checked(fresh) }
            : who === 'again'
              ? { ...draft, use: 'active' as const, ...checked(inForce), expects: known }
              : who === 'shadow'
                ? { ...draft, use: 'shadow' as const, ...checked(fresh), sample: 0.5 }
                : { ...draft, use: 'no-shadow' as const };
        const after: Promise<unknown>[] = [];
        const outcome = await saveVersion({ kv, versions, later: (work) => after.push(work) }, order);
        if (outcome.kind === 'saved' && outcome.changed) saved.push(outcome.version.number);
        return Promise.allSettled(after);
      };
      const isRight = () => {
        const pointer = memory.values.get(POINTER_KEY);
        const { active, shadow } = neon.present();
        if (active === undefined) return pointer === undefined;
        const expected = {
          v: 1,
          number: active.number,
          ...(shadow && { shadow: { number: shadow.number, sample: shadow.sample } }),
        };
        return (
          pointer === JSON.stringify(expected) &&
          [active, ...(shadow ? [shadow] : [])].every(
            ({ number, text }) => memory.values.get(versionKey(number)) === text,
          )
        );
      };
      const due = () => [...memory.values.keys()].filter((key) => key.startsWith(PUBLISH_DUE_PREFIX));

      const now = Date.now();
      const before = stage([]);
      if (begun) before.enter(play('save', now - MINUTE));
      await before.run();
      const first = stage(turns);
      for (const who of actors) first.enter(play(who, now));
      await first.run();
      // No actor is left: KV is right, or a publish-due key exists.
      expect(isRight() || due().length > 0).toBe(true);

      const second = stage(laterTurns);
      for (const who of laterActors) second.enter(play(who, now + 5 * MINUTE));
      await second.run();
      expect(isRight() || due().length > 0).toBe(true);

      // Two more ticks without failures. The second one runs only when the first one left a key.
      for (const minutes of [10, 15]) {
        const third = stage([]);
        if ((await listDue(memory.kv)).length > 0) third.enter(play('cron', now + minutes * MINUTE));
        await third.run();
      }
      expect({ right: isRight(), due: due() }).toEqual({ right: true, due: [] });
      // No two saves got the same number.
      expect(new Set(saved).size).toBe(saved.length);
      savedInAll += saved.length;
    }),
    { numRuns: HISTORIES },
  );
  expect(savedInAll).toBeGreaterThan(HISTORIES * 0.15);
}, 300_000);
