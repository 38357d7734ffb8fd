/** The policy that decides the calls of a simulated past: the newest one that the database has, compiled as for KV. */
import { sql } from 'drizzle-orm';
import { connect } from '../../../database/connect.ts';
import { policyVersions } from '../../../database/schema.ts';
import { publishedValues } from '../../../desk/policies/published.ts';
import { versionsIn } from '../../../desk/policies/versions.ts';
import type { Config } from '../../../platform/config.ts';
import { POINTER_KEY } from '../../../policy/pointer.ts';
import { SAMPLE_NOTE, SAMPLE_POLICY } from './sample-policy.ts';

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
 * Saves the sample policy, in force from `since`, where no policy was ever saved. A database that does not answer is
 * reported by the first write.
 */
export async function policyInForce(config: Config, since: Date): Promise<PolicyInForce> {
  const versions = versionsIn(config);
  const before = await versions.readPresent();
  if (before.ok && before.value.active === undefined) await saveSample(config, since);
  const present = await versions.readPresent();
  const active = present.ok ? present.value.active : undefined;
  if (active?.text == null) return builtInInForce(config);
  const values = await publishedValues(active.number, active.text);
  return {
    name: `version ${active.number} of the policy${active.note === SAMPLE_NOTE ? `, ${SAMPLE_NOTE}` : ''}`,
    config: { ...config, POLICY: 'stored' },
    values: new Map([
      [POINTER_KEY, JSON.stringify({ v: 1, number: active.number })],
      ...values.map(({ key, text }) => [key, text] as const),
    ]),
  };
}

/** Not published: with the built-in policy of `npm run dev`, no live call reads it. */
async function saveSample({ DATABASE_URL }: Config, since: Date): Promise<void> {
  const { rules, lists, messages } = SAMPLE_POLICY;
  await connect(DATABASE_URL, SAVE_LIMIT_MS)
    .db.insert(policyVersions)
    .values({
      number: 1,
      use: 'active',
      author: 'simulate',
      note: SAMPLE_NOTE,
      createdAt: since,
      rules: rules.length,
      lists: Object.keys(lists).length,
      messages: Object.keys(messages).length,
      document: sql`${JSON.stringify(SAMPLE_POLICY)}::json`,
    })
    .onConflictDoNothing();
}

const SAVE_LIMIT_MS = 10_000;
