/** `test`: runs the cases beside a policy on this machine. */
import { existsSync } from 'node:fs';
import type { CheckedPolicy } from '../../desk/policies/check.ts';
import { compilePolicy } from '../../desk/policies/compile-plan.ts';
import { stepOrExchange } from '../../desk/policies/exchanges.ts';
import { didYouMean } from '../../platform/closest-name.ts';
import type { Policy } from '../../policy/policy.ts';
import { type Io, print } from '../io.ts';
import { CommandRefusal, calledWrongly } from '../refusal.ts';
import { printable } from '../table.ts';
import { type LocatedCase, readCases } from './cases.ts';
import { differing, differingMembers } from './compare.ts';
import { SAMPLE_CODE, tryHere } from './local-trial.ts';
import type { Traced } from './policy-api.ts';
import { readPolicy } from './policy-file.ts';
import { counted } from './problems.ts';
import { claimNames, claimNamesGiven, deployedSettings, type Settings } from './settings.ts';
import { traceTable } from './trace.ts';

interface Outcome {
  /** `[]` when the case passes. */
  readonly faults: readonly string[];
  readonly trace: readonly Traced[];
}

/** `file` defaults to the cases beside the policy, `policyFile` to the policy beside the cases. */
export async function testPolicy(
  io: Io,
  file: string | undefined,
  policyFile: string | undefined,
  given?: Settings,
): Promise<number> {
  const files = besideEachOther(file, policyFile);
  const { rolesClaim } = await claimNamesGiven(given);
  const { policy } = await readPolicy(files.policy, rolesClaim);
  if (!existsSync(files.cases)) throw noCases(files);
  const cases = await readCases(files.cases);
  const compiled = compiledFor(policy, { ...(await deployedSettings()), ...given });

  let failed = 0;
  const applied = new Set<string>();
  for (const one of cases) {
    const { faults, trace } = await run(one, compiled);
    for (const entry of trace) if (entry.applied) applied.add(entry.rule);
    if (faults.length > 0) failed += 1;
    print(io, faults.length === 0 ? `ok    ${printable(one.name)}` : failure(files.cases, one, faults, trace));
  }
  print(io, `\n${counted(cases.length, 'case')}: ${cases.length - failed} ok, ${failed} failed.`);
  const idle = policy.document.rules.map(({ id }) => id).filter((id) => !applied.has(id));
  if (idle.length > 0) print(io, `Rules that applied in no case: ${idle.join(', ')}.`);
  return failed === 0 ? 0 : 1;
}

const BESIDE = '.test.json';

function besideEachOther(cases: string | undefined, policy: string | undefined): { cases: string; policy: string } {
  if (cases === undefined) {
    const of = policy ?? 'policy.json';
    return { policy: of, cases: `${of.replace(/\.json$/, '')}${BESIDE}` };
  }
  if (policy !== undefined) return { cases, policy };
  if (cases.endsWith(BESIDE)) return { cases, policy: `${cases.slice(0, -BESIDE.length)}.json` };
  throw calledWrongly(
    `${cases} does not end with ${BESIDE}. If it is a policy: npm run policy -- test --policy ${cases}. ` +
      'If it has test cases, name their policy with --policy.',
    'policy',
  );
}

const noCases = ({ cases, policy }: { cases: string; policy: string }) =>
  new CommandRefusal(
    `${policy} has no test cases yet. Write calls and their expected replies into ${cases}. ` +
      'npm run policy -- schema --cases describes the file; test/fixtures/policy/policy.test.json is a complete example.',
    2,
  );

type CompiledFor = (settings: Settings) => Promise<Policy | { readonly problems: readonly string[] }>;

/** Compiles the policy once for each combination of settings. */
function compiledFor(policy: CheckedPolicy, deployed: Settings): CompiledFor {
  const known = new Map<string, Policy>();
  return async (own) => {
    const { names, problems } = claimNames({ ...deployed, ...own });
    if (problems.length > 0) return { problems };
    const key = JSON.stringify(names);
    const compiled = known.get(key) ?? (await compilePolicy(policy, 0, names));
    known.set(key, compiled);
    return compiled;
  };
}

async function run(one: LocatedCase, compiled: CompiledFor): Promise<Outcome> {
  const policy = await compiled(one.settings ?? {});
  if ('problems' in policy) return { faults: policy.problems.map((problem) => `settings: ${problem}`), trace: [] };
  const step = one.step === undefined ? undefined : stepOrExchange(one.step, policy);
  if (one.step !== undefined && step !== one.step) return { faults: [unknownStep(one.step, policy)], trace: [] };
  const { reply, decision, trace } = await tryHere({
    policy,
    call: one.call,
    step,
    entitlements: one.entitlementsUnavailable ? undefined : (one.entitlements ?? {}),
    now: one.now === undefined ? Date.now() : Date.parse(one.now),
  });
  const decidedBy = decision.kind === 'continue' ? '' : decision.rule;
  const status = one.status ?? statusOf(one.reply);
  const faults = [
    ...differingMembers(withCode(one.reply), reply.body),
    ...(reply.status === status ? [] : differing('HTTP status', status, reply.status)),
    ...(one.rule === undefined || one.rule === decidedBy ? [] : differing('rule that decides', one.rule, decidedBy)),
  ];
  return { faults, trace };
}

const unknownStep = (step: string, { steps }: Policy): string =>
  `step: the policy has no step or exchange ${printable(step)}.${didYouMean(step, steps.keys())}`;

/** A refusal by an exchange has the status 409 and a text for the person; an output can be called `status` too. */
function statusOf({ action, status, userMessage }: LocatedCase['reply']): number {
  if (action === 'ValidationError') return 400;
  return status === 409 && typeof userMessage === 'string' ? 409 : 200;
}

/** Replaces `{supportCode}` in the expected message, and in the id that an exchange sends with it. */
function withCode(reply: LocatedCase['reply']): LocatedCase['reply'] {
  const { userMessage, requestId } = reply;
  const code = (text: string) => text.replaceAll('{supportCode}', SAMPLE_CODE);
  return {
    ...reply,
    ...(typeof userMessage === 'string' && { userMessage: code(userMessage) }),
    ...(typeof requestId === 'string' && { requestId: code(requestId) }),
  };
}

function failure(file: string, { name, line }: LocatedCase, faults: readonly string[], trace: readonly Traced[]) {
  const rules = trace.length === 0 ? ['No rule was evaluated.'] : traceTable(trace).split('\n');
  const details = [...faults, '', ...rules].map((text) => (text === '' ? '' : `      ${text}`));
  return `FAIL  ${printable(name)} (${file}:${line})\n${details.join('\n')}\n`;
}
