/** `npm run deploy`: no gate is deployed before its plans are in Workers KV. */
import { describe, expect, it } from 'vitest';
import { deploy } from '../../src/cli/deploy.ts';
import { planKey, planRefusedKey } from '../../src/policy/plan.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';

interface Deployed {
  readonly kv?: Record<string, string>;
  /** What the desk publishes after so many waits. */
  readonly publishes?: Record<string, [afterWaits: number, text: string]>;
  /** The configuration whose deployment fails. */
  readonly fails?: string;
}

async function deployed({ kv = {}, publishes = {}, fails }: Deployed) {
  const done: string[] = [];
  const said: string[] = [];
  let waits = 0;
  const code = await deploy({
    run: (args) => {
      done.push(String(args.at(-1)));
      return args.at(-1) === fails ? 1 : 0;
    },
    readKv: (key) => {
      const [after, text] = publishes[key] ?? [];
      return kv[key] ?? (after !== undefined && waits >= after ? text : undefined);
    },
    wait: async () => {
      waits += 1;
    },
    say: (line) => said.push(line),
  });
  return { code, done, said: said.join('\n'), waits };
}

const DESK = 'src/desk/wrangler.toml';
const GATE = 'wrangler.toml';
const pointer = { [POINTER_KEY]: '{"v":1,"number":7,"shadow":{"number":9,"sample":1}}' };

describe('a deployment', () => {
  it('without a policy deploys the desk, then the gate', async () => {
    expect(await deployed({})).toMatchObject({ code: 0, done: [DESK, GATE], waits: 0 });
  });

  it('waits for the plans of the active version and of its shadow before it deploys the gate', async () => {
    const publishes = { [planKey(7)]: [2, '{}'], [planKey(9)]: [5, '{}'] } as const;
    expect(await deployed({ kv: pointer, publishes: { ...publishes } as never })).toMatchObject({
      code: 0,
      done: [DESK, GATE],
      waits: 5,
    });
  });

  it('with a version that no longer compiles stops before the gate, with the message', async () => {
    const refused = { [planRefusedKey(7)]: 'rules[0].when: There is no function domian.' };
    const { code, done, said } = await deployed({ kv: { ...pointer, ...refused } });
    expect({ code, done }).toEqual({ code: 1, done: [DESK] });
    expect(said).toContain('Version 7');
    expect(said).toContain('There is no function domian');
  });

  it('whose desk never publishes ends within its limit, and leaves the gate alone', async () => {
    const { code, done, said, waits } = await deployed({ kv: pointer });
    expect({ code, done, waits }).toEqual({ code: 1, done: [DESK], waits: 90 });
    expect(said).toContain('cron trigger');
  });

  it('that fails at the desk leaves the gate alone', async () => {
    expect(await deployed({ fails: DESK })).toMatchObject({ code: 1, done: [DESK] });
  });
});
