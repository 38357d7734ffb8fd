/** `try`: what one call would be answered, and why. */
import * as z from 'zod/mini';
import { compilePolicy } from '../../../src/desk/policies/compile-plan.ts';
import { stepNamed } from '../../../src/gate/user-flow/request.ts';
import type { Step } from '../../../src/sign-in/event.ts';
import type { Call } from '../administrator.ts';
import { calledWrongly, Refusal } from '../ending.ts';
import { pairs } from '../table.ts';
import { entitlementsSchema } from './cases.ts';
import { parsedObject, readJsonFile } from './json-file.ts';
import { readPolicy } from './policy-file.ts';
import { issuesIn, located, refusalOf } from './problems.ts';
import { type Tried, tryOut } from './server.ts';
import { claimNamesGiven, type Settings } from './settings.ts';
import { traceTable } from './trace.ts';
import { tryHere } from './trial.ts';

export interface TryOptions {
  readonly policy: string | undefined;
  readonly entitlements: string | undefined;
  readonly step: string | undefined;
  readonly at: string | undefined;
  readonly settings: Settings;
  /** The Gatehouse to ask; undefined: none. */
  readonly gatehouse: Call | undefined;
}

export async function tryFile(file: string, options: TryOptions): Promise<number> {
  const call = parsedObject(await readJsonFile(file), 'the body that B2C sends');
  const step = stepIn(options.step);
  const now = timeIn(options.at);
  const entitlements = await entitlementsIn(options.entitlements);
  const names = await claimNamesGiven(options.settings);
  const policy = options.policy === undefined ? undefined : (await readPolicy(options.policy, names.rolesClaim)).policy;

  if (options.gatehouse !== undefined) {
    const tried = await tryOut(options.gatehouse, {
      call,
      ...(step === undefined ? {} : { step }),
      ...(policy === undefined ? {} : { policy: policy.document }),
      ...(entitlements === undefined ? {} : { entitlements }),
      ...(options.at === undefined ? {} : { now: options.at }),
    });
    show(tried, options.policy, tried.supportCode);
  } else if (policy !== undefined) {
    const compiled = await compilePolicy(policy, 0, names);
    const tried = await tryHere({ policy: compiled, call, step, entitlements: entitlements ?? {}, now });
    show(tried, options.policy, tried.supportCode === '' ? '' : `${tried.supportCode} (made up)`);
  }
  return 0;
}

/** The reply first and alone on its line, as Microsoft would get it. */
function show({ reply, policyVersion, trace, notes }: Tried, draft: string | undefined, supportCode: string): void {
  // The same JSON without what would move the cursor, which JSON.stringify leaves as it is.
  const body = JSON.stringify(reply.body).replace(
    /[\x7f-\x9f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  );
  console.log(`${body}\n`);
  const about: (readonly [string, string])[] = [
    ['status', String(reply.status)],
    ['policy', draft ?? (policyVersion === 0 ? 'the built-in one' : `version ${policyVersion}`)],
    ...(supportCode === '' ? [] : [['support code', supportCode] as const]),
    ...notes.map((note) => ['note', note] as const),
  ];
  console.log(`${pairs(about)}\n`);
  console.log(trace.length === 0 ? 'No rule is for this step.' : traceTable(trace));
}

function stepIn(typed: string | undefined): Step | undefined {
  const step = typed === undefined ? undefined : stepNamed(typed);
  if (step !== undefined || typed === undefined) return step;
  throw calledWrongly(
    `--step ${typed} is not a step: PostFederationSignup, PostAttributeCollection or PreTokenIssuance.`,
    'policy',
  );
}

function timeIn(typed: string | undefined): number {
  if (typed === undefined) return Date.now();
  if (z.iso.datetime({ offset: true }).safeParse(typed).success) return Date.parse(typed);
  throw calledWrongly(`--at ${typed} is not a time. Write one such as 2026-11-21T08:00:00Z.`, 'policy');
}

async function entitlementsIn(file: string | undefined) {
  if (file === undefined) return undefined;
  const source = await readJsonFile(file);
  const parsed = entitlementsSchema.safeParse(parsedObject(source, 'entitlements, such as { "roles": ["editor"] }'));
  if (parsed.success) return parsed.data;
  throw new Refusal(refusalOf(file, located(issuesIn(parsed.error), source)));
}
