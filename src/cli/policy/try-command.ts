/** `try`: shows the reply to one call, and why. */
import { compilePolicy } from '../../desk/policies/compile-plan.ts';
import { stepOrExchange } from '../../desk/policies/exchanges.ts';
import { nameList } from '../../platform/name-list.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Step } from '../../sign-in/event.ts';
import type { Gatehouse } from '../administrator.ts';
import { type Io, print } from '../io.ts';
import { calledWrongly } from '../refusal.ts';
import { pairs } from '../table.ts';
import { entitlementsSchema } from './cases.ts';
import { type CheckedFile, readJson, shapedAs } from './json-file.ts';
import { tryHere } from './local-trial.ts';
import { type RemoteTried, tryOut } from './policy-api.ts';
import { readPolicy } from './policy-file.ts';
import { claimNamesGiven, type Settings } from './settings.ts';
import { traceTable } from './trace.ts';

export interface TryOptions {
  readonly policy?: string;
  readonly entitlements?: string;
  /** A step or an exchange, as typed. */
  readonly step?: string;
  /** A time in the form of ISO 8601. */
  readonly at?: string;
  readonly var?: Settings;
}

/** Evaluates the call at `gatehouse`, or on this machine when undefined. */
export async function tryFile(
  io: Io,
  gatehouse: Gatehouse | undefined,
  file: string,
  options: TryOptions,
): Promise<number> {
  const { value: call } = await readJson(file, bodyIn);
  const { step } = options;
  const held = options.entitlements;
  const entitlements = held === undefined ? undefined : (await readJson(held, shapedAs(entitlementsSchema))).value;
  const names = await claimNamesGiven(options.var);
  const policy = options.policy === undefined ? undefined : (await readPolicy(options.policy, names.rolesClaim)).policy;

  if (gatehouse !== undefined) {
    const tried = await tryOut(gatehouse, { call, step, policy: policy?.document, entitlements, now: options.at });
    show(io, tried, options.policy, tried.supportCode);
  } else if (policy !== undefined) {
    const compiled = await compilePolicy(policy, 0, names);
    const now = options.at === undefined ? Date.now() : Date.parse(options.at);
    const at = stepAt(step, compiled);
    const tried = await tryHere({ policy: compiled, call, step: at, entitlements: entitlements ?? {}, now });
    show(io, tried, options.policy, tried.supportCode === '' ? '' : `${tried.supportCode} (made up)`);
  }
  return 0;
}

function stepAt(typed: string | undefined, policy: Policy): Step | undefined {
  const step = typed === undefined ? undefined : stepOrExchange(typed, policy);
  if (typed === undefined || step !== undefined) return step;
  throw calledWrongly(`--step ${typed} is not a step: ${nameList([...policy.steps.keys()])}.`, 'policy');
}

/** Accepts any object. Zod would drop some members, such as `__proto__`. */
function bodyIn(parsed: unknown): CheckedFile<Record<string, unknown>> {
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
    return { ok: true, value: parsed as Record<string, unknown> };
  const message = 'Not a JSON object. Write the body that B2C sends.';
  return { ok: false, problems: [{ rule: '', path: '', message }] };
}

/** Prints the reply on the first line, as Microsoft would receive it. */
function show(
  io: Io,
  { reply, policyVersion, trace, notes }: RemoteTried,
  draft: string | undefined,
  supportCode: string,
): void {
  // JSON.stringify does not escape these control characters, which could move the cursor.
  const body = JSON.stringify(reply.body).replace(
    /[\x7f-\x9f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  );
  print(io, `${body}\n`);
  const about: (readonly [string, string])[] = [
    ['status', String(reply.status)],
    ['policy', draft ?? (policyVersion === 0 ? 'the built-in policy' : `version ${policyVersion}`)],
    ...(supportCode === '' ? [] : [['support code', supportCode] as const]),
    ...notes.map((note) => ['note', note] as const),
  ];
  print(io, `${pairs(about)}\n`);
  print(io, trace.length === 0 ? 'No rule is for this step.' : traceTable(trace));
}
