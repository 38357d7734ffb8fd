/** `npm run deploy`: no gate is deployed before its plans are in Workers KV. */
import { describe, expect, it } from 'vitest';
import { deploy } from '../../src/cli/deploy.ts';
import { planKey, planRefusedKey } from '../../src/policy/plan.ts';
import { POINTER_KEY } from '../../src/policy/pointer.ts';

interface Deployed {
  readonly kv?: Record<string, string>;
  /** The values that the desk publishes, each after a number of waits. */
  readonly publishes?: Record<string, [afterWaits: number, text: string]>;
  /** The wrangler configuration whose deployment fails. */
  readonly fails?: string;
}

async function deployed({ kv = {}, publishes = {}, fails }: Deployed) {
  const done: string[] = [];
  const printed: string[] = [];
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
    say: (line) => printed.push(line),
  });
  return { code, done, printed: printed.join('\n'), waits };
}

const DESK = 'src/desk/wrangler.toml';
const GATE = 'wrangler.toml';
const pointer = { [POINTER_KEY]: '{"v":1,"number":7,"shadow":{"number":9,"sample":1}}' };

describe('npm run deploy', () => {
  it('deploys the desk, then the gate, when there is no policy', async () => {
    expect(await deployed({})).toMatchObject({ code: 0, done: [DESK, GATE], waits: 0 });
  });

  it('deploys the gate only after the plans of the active version and its shadow are published', async () => {
    const publishes = { [planKey(7)]: [2, '{}'], [planKey(9)]: [5, '{}'] } as const;
    expect(await deployed({ kv: pointer, publishes: { ...publishes } as never })).toMatchObject({
      code: 0,
      done: [DESK, GATE],
      waits: 5,
    });
  });

  it('does not deploy the gate when a version no longer compiles, and prints why', async () => {
    const refused = { [planRefusedKey(7)]: 'rules[0].when: There is no function domian.' };
    const { code, done, printed } = await deployed({ kv: { ...pointer, ...refused } });
    expect({ code, done }).toEqual({ code: 1, done: [DESK] });
    expect(printed).toContain('Version 7');
    expect(printed).toContain('There is no function domian');
  });

  it('fails after its time limit when the desk publishes no plan, and does not deploy the gate', async () => {
    const { code, done, printed, waits } = await deployed({ kv: pointer });
    expect({ code, done, waits }).toEqual({ code: 1, done: [DESK], waits: 90 });
    expect(printed).toContain('cron trigger');
  });

  it('does not deploy the gate when the deployment of the desk fails', async () => {
    expect(await deployed({ fails: DESK })).toMatchObject({ code: 1, done: [DESK] });
  });
});
