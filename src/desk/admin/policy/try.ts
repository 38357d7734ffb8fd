/** `POST /admin/policy/try`: the reply that B2C would get, and the reason. Nothing is recorded. */
import type { Context } from 'hono';
import * as z from 'zod/mini';
import { supportCodeOf } from '../../../attempts/support-code.ts';
import { heldIn, isEmailTrusted } from '../../../entitlements/look-up.ts';
import { KvWorld } from '../../../gate/know.ts';
import { heldBy, shownEntry, tryCall } from '../../../gate/trial.ts';
import { configOf } from '../../../platform/config.ts';
import { firstItems, nameList } from '../../../platform/name-list.ts';
import { withTimeout } from '../../../platform/timeout.ts';
import type { Decision } from '../../../policy/decide.ts';
import type { Policy } from '../../../policy/policy.ts';
import type { SignInEvent } from '../../../sign-in/event.ts';
import { type AppEnv, newApp } from '../../http/context.ts';
import { strict } from '../../http/input-rules.ts';
import { badRequest, refuse, validated } from '../../http/problem-details.ts';
import { jsonBody, limitedBody } from '../../http/request-body.ts';
import { stepOrExchange } from '../../policies/exchanges.ts';
import { MAX_DOCUMENT_BYTES } from '../../policies/policy-document.ts';
import type { Problem } from '../../policies/policy-problem.ts';
import { readPerson } from '../person-records.ts';
import { recordInput } from '../record-input.ts';
import { bodyFaultOf } from './answers.ts';

/** A draft and a call. */
const MAX_BODY_BYTES = MAX_DOCUMENT_BYTES + 512 * 1024;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const trialBody = strict({
  call: z.custom<Record<string, unknown>>(isObject, 'not a JSON object. Send the body that B2C sends'),
  step: z.optional(z.string('not a text')),
  policy: z.optional(z.unknown()),
  entitlements: z.optional(recordInput),
  now: z.optional(
    z.pipe(
      z.iso.datetime({ offset: true, error: 'not a time. Write one such as 2026-11-21T08:00:00Z' }),
      z.transform((typed: string) => Date.parse(typed)),
    ),
  ),
});

export const tryRoute = newApp();

tryRoute.post(
  '/',
  limitedBody(MAX_BODY_BYTES, 'call with its draft'),
  jsonBody,
  validated('json', trialBody),
  async (c) => {
    const trial = c.req.valid('json');
    const config = configOf(c.env);
    const now = trial.now ?? Date.now();
    const deciding = await policyFor(c, trial.policy);
    if (!deciding.ok) {
      return deciding.problems === undefined
        ? refuse(c, 'nothing-decides')
        : badRequest(
            c,
            deciding.problems.map((problem) => bodyFaultOf(problem, 'policy')),
          );
    }
    const step = trial.step === undefined ? undefined : stepOrExchange(trial.step, deciding.policy);
    if (trial.step !== undefined && step === undefined)
      return badRequest(c, [
        { path: 'step', message: `not a step. Write ${nameList([...deciding.policy.steps.keys()])}` },
      ]);
    const notes: string[] = [];
    const tried = await tryCall({
      body: trial.call,
      urlStep: step,
      policy: deciding.policy,
      entitlements: async (event) => {
        if (trial.entitlements !== undefined) return heldBy(event, trial.entitlements);
        const held = await entitlementsInKv(c, event);
        notes.push(...held.notes);
        return held.person;
      },
      now,
      supportCode: (identity) => supportCodeOf(config.SUPPORT_CODE_KEY, identity, now),
      personIdSecret: config.SUPPORT_CODE_KEY,
    });
    const { roles, groups, attributes } = tried.person;
    const readsId = deciding.policy.steps.get(tried.step)?.readsPersonId === true;
    if (readsId && config.SUPPORT_CODE_KEY === '') notes.push(NO_ID);
    return c.json(
      {
        policyVersion: trial.policy === undefined ? deciding.policy.version : 'draft',
        step: tried.step,
        reply: tried.reply,
        decision: shownDecision(tried.decision),
        supportCode: tried.supportCode,
        entitlements: { roles, groups, attributes },
        trace: tried.trace.map(shownEntry),
        notes: [...notes, ...deciding.notes, ...tried.notes],
      },
      200,
    );
  },
);

type Deciding =
  | { ok: true; policy: Policy; notes: readonly string[] }
  | { ok: false; problems: readonly Problem[] | undefined };

/** The draft, or the policy in force. */
async function policyFor(c: Context<AppEnv>, draft: unknown): Promise<Deciding> {
  const config = configOf(c.env);
  if (draft !== undefined) {
    // Imported lazily: other calls do not need the compiler.
    const [{ checkPolicy }, { compilePolicy }] = await Promise.all([
      import('../../policies/check.ts'),
      import('../../policies/compile-plan.ts'),
    ]);
    const checked = checkPolicy(draft, config.ROLES_CLAIM);
    if (!checked.ok) return checked;
    const names = { rolesClaim: config.ROLES_CLAIM, extensionsAppId: config.EXTENSIONS_APP_ID };
    const warnings = checked.policy.warnings.map(({ path, message }) => `${path}: ${message}`);
    const notes = firstItems(warnings, (more) => `and ${more} more warnings`);
    return { ok: true, policy: await compilePolicy(checked.policy, 0, names), notes };
  }
  const { policy, fault } = await worldOf(c).policyNow();
  if (policy === undefined) return { ok: false, problems: undefined };
  const builtIn = config.POLICY === 'built-in' ? [BUILT_IN_DECIDES] : [];
  return {
    ok: true,
    policy,
    notes: fault === '' ? builtIn : [...builtIn, `the policy may be outdated: ${fault}`],
  };
}

const BUILT_IN_DECIDES =
  'the built-in policy decides (POLICY = "built-in"). Set POLICY = "stored" to use the saved policy';

const NO_ID = 'person.id is absent: SUPPORT_CODE_KEY is not set. Set it, for the gate too';

/** Reads the entitlements from Workers KV at the real time, because calls of B2C fall back on the same cache. */
async function entitlementsInKv(c: Context<AppEnv>, event: SignInEvent) {
  const lookup = await worldOf(c).lookUp(event);
  const { found, degraded } = lookup;
  const { person } = heldIn(lookup, event.clientId);
  const isRecordOfEmailUnused = found.key === undefined && (await hasUnusedRecord(c, event));
  const notes = [
    found.record === undefined ? 'no entitlements found for this person' : `entitlements of ${found.key}`,
    ...(isRecordOfEmailUnused ? ['email record not used'] : []),
    ...(degraded === '' ? [] : [degraded]),
  ];
  return { person, notes };
}

/** Whether the address of a call has a record that the call may not use. A call itself does not look. */
async function hasUnusedRecord(c: Context<AppEnv>, event: SignInEvent): Promise<boolean> {
  const { email } = event.personKeys;
  const config = configOf(c.env);
  if (email === undefined || isEmailTrusted(event, config)) return false;
  const read = await readPerson({ kv: c.env.GATEHOUSE, emailKeys: config.EMAIL_KEY, gateKey: undefined }, email);
  return read.ok && read.value !== undefined;
}

/** Workers KV as a call at this moment reads it. */
function worldOf(c: Context<AppEnv>): KvWorld {
  const config = configOf(c.env);
  const now = Date.now();
  const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  const deadline = now + config.DECISION_TIMEOUT_MS;
  return new KvWorld({ kv: c.env.GATEHOUSE, config, startedAt: now, deadline, withTimeout, later });
}

/** The decision without its claims, which the reply has. */
function shownDecision(decision: Decision) {
  if (decision.kind === 'continue') return { outcome: decision.kind };
  const { rule, messageKey, message, language } = decision;
  return { outcome: decision.kind, rule, messageKey, message, messageLanguage: language };
}
