/** The policy that decides the calls of a simulated past: the newest one that the database has, compiled as for KV. */
import { publishedValues } from '../../../desk/policies/published.ts';
import { versionsIn } from '../../../desk/policies/versions.ts';
import type { Config } from '../../../platform/config.ts';
import { POINTER_KEY } from '../../../policy/pointer.ts';

export interface PolicyInForce {
  /** Shown to people: `version 4 of the policy`. */
  readonly name: string;
  /** Settings under which it decides. */
  readonly config: Config;
  /** Its values in Workers KV, by key. */
  readonly values: ReadonlyMap<string, string>;
}

export const builtInInForce = (config: Config): PolicyInForce => ({
  name: 'the built-in policy',
  config,
  values: new Map(),
});

/**
 * Without a saved version the built-in policy decides. A database that does not answer is reported by the first
 * write.
 */
export async function policyInForce(config: Config): Promise<PolicyInForce> {
  const present = await versionsIn(config).readPresent();
  const active = present.ok ? present.value.active : undefined;
  if (active?.text == null) return builtInInForce(config);
  const values = await publishedValues(active.number, active.text);
  return {
    name: `version ${active.number} of the policy`,
    config: { ...config, POLICY: 'stored' },
    values: new Map([
      [POINTER_KEY, JSON.stringify({ v: 1, number: active.number })],
      ...values.map(({ key, text }) => [key, text] as const),
    ]),
  };
}
