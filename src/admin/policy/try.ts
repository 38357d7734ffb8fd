/** `POST /admin/policy/try`: what B2C would be answered, and why. Nothing is recorded. */
import type { Context } from 'hono';
import * as z from 'zod/mini';
import { supportCodeOf } from '../../attempts/support-code.ts';
import { configOf } from '../../config.ts';
import { bestKey, type SignInEvent, type Step } from '../../connectors/event.ts';
import { emailIsTrusted } from '../../connectors/user-flow/answer.ts';
import { stepNamed } from '../../connectors/user-flow/claims.ts';
import { eventOf, heldBy, notesOn, shownEntry, tryCall } from '../../connectors/user-flow/trial.ts';
import { type AppEnv, newApp } from '../../context.ts';
import { recordInput } from '../../entitlements/record-input.ts';
import { lookUp } from '../../entitlements/store.ts';
import { strict } from '../../input-rules.ts';
import { jsonBody, limitedBody } from '../../json-body.ts';
import type { Decision } from '../../policy/decide.ts';
import { MAX_DOCUMENT_BYTES } from '../../policy/document.ts';
import { NOTHING_HELD, type PersonEntitlements, type Policy } from '../../policy/policy.ts';
import type { Problem } from '../../policy/problem.ts';
import { policyInForce } from '../../policy/store.ts';
import { badRequest, problem, validated } from '../../problem.ts';
import { within } from '../../within.ts';

/** A draft and a call beside it. */
const MAX_BODY_BYTES = MAX_DOCUMENT_BYTES + 512 * 1024;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const trialBody = strict({
  call: z.custom<Record<string, unknown>>(isObject, 'not a JSON object: give the body that B2C sends'),
  step: z.optional(
    z.pipe(
      z.string('not a text'),
      z.transform((typed: string, { issues }): Step => {
        const step = stepNamed(typed);
        if (step !== undefined) return step;
        const message = 'not a step: PostFederationSignup, PostAttributeCollection or PreTokenIssuance';
        issues.push({ code: 'custom', input: typed, message });
        return z.NEVER;
      }),
    ),
  ),
  policy: z.optional(z.unknown()),
  entitlements: z.optional(recordInput),
  now: z.optional(
    z.pipe(
      z.iso.datetime({ offset: true, error: 'not a time: write one such as 2026-11-21T08:00:00Z' }),
      z.transform((typed: string) => Date.parse(typed)),
    ),
  ),
});
type TrialBody = z.infer<typeof trialBody>;

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
    const event = await eventOf(trial.call, trial.step);
    const deciding = await policyFor(c, trial.policy);
    if (!deciding.ok) {
      return deciding.problems === undefined
        ? problem(c, 503, NO_POLICY, {}, { 'Retry-After': '30' })
        : badRequest(
            c,
            deciding.problems.map(({ path, message }) => ({
              path: path === '' ? 'policy' : `policy.${path}`,
              message,
            })),
          );
    }
    const { entitlements, notes } = await entitlementsFor(c, event, trial.entitlements);
    const identity = {
      step: event.step ?? '',
      clientId: event.clientId,
      personKey: bestKey(event.personKeys),
      body: new TextEncoder().encode(JSON.stringify(trial.call)),
    };
    const code = await supportCodeOf(config.SUPPORT_CODE_KEY, identity, now);
    const tried = tryCall({ event, policy: deciding.policy, entitlements, now, supportCode: code });
    return c.json(
      {
        policyVersion: trial.policy === undefined ? deciding.policy.version : 'draft',
        step: event.step ?? '',
        reply: tried.reply,
        decision: shownDecision(tried.decision),
        supportCode: tried.supportCode,
        entitlements: { roles: entitlements.roles, groups: entitlements.groups, attributes: entitlements.attributes },
        trace: tried.trace.map(shownEntry),
        notes: [...notes, ...deciding.notes, ...notesOn(event, deciding.policy)],
      },
      200,
    );
  },
);

const NO_POLICY =
  'No policy could be read from Workers KV, so that nothing can be decided: at this moment sign-ups are blocked. ' +
  'Save one (PUT /admin/policy), or give a draft as "policy".';

type Deciding =
  | { ok: true; policy: Policy; notes: readonly string[] }
  | { ok: false; problems: readonly Problem[] | undefined };

/** The draft, or what decides at this moment. */
async function policyFor(c: Context<AppEnv>, draft: unknown): Promise<Deciding> {
  const config = configOf(c.env);
  if (draft !== undefined) {
    // They bring the engine along, which nothing else that people ask needs.
    const [{ checkPolicy }, { compilePolicy }] = await Promise.all([
      import('../../policy/check.ts'),
      import('../../policy/compile.ts'),
    ]);
    const checked = checkPolicy(draft, config.ROLES_CLAIM);
    if (!checked.ok) return checked;
    const names = { rolesClaim: config.ROLES_CLAIM, extensionsAppId: config.EXTENSIONS_APP_ID };
    const notes = checked.policy.warnings.map(({ path, message }) => `${path}: ${message}`);
    return { ok: true, policy: compilePolicy(checked.policy, 0, names), notes };
  }
  const { policy, fault } = await policyInForce({
    kv: c.env.GATEHOUSE,
    config,
    now: Date.now(),
    timeoutMs: config.KV_TIMEOUT_MS,
    coldTimeoutMs: config.DECISION_TIMEOUT_MS,
    later: (work) => c.executionCtx.waitUntil(work),
    afterReply: (work) => c.executionCtx.waitUntil(work()),
  });
  if (policy === undefined) return { ok: false, problems: undefined };
  const builtIn = config.POLICY === 'built-in' ? [BUILT_IN_DECIDES] : [];
  return {
    ok: true,
    policy,
    notes: fault === '' ? builtIn : [...builtIn, `the policy may not be the newest: ${fault}`],
  };
}

const BUILT_IN_DECIDES =
  'the built-in policy decides (POLICY = "built-in"), whatever is saved: set POLICY = "stored" to change that';

async function entitlementsFor(
  c: Context<AppEnv>,
  event: SignInEvent,
  given: TrialBody['entitlements'],
): Promise<{ entitlements: PersonEntitlements; notes: string[] }> {
  if (given !== undefined) return { entitlements: heldBy(event, given), notes: [] };
  const config = configOf(c.env);
  const { found, degraded, emailRecordNotUsed } = await lookUp(c.env.GATEHOUSE, event.personKeys, {
    emailIsTrusted: emailIsTrusted(event, config.EMAIL_TRUSTED_ISSUERS),
    timeoutMs: config.KV_TIMEOUT_MS,
    within,
    staleMaxSeconds: config.STALE_ROLES_MAX_SECONDS,
    // Not the time that the call is tried at: what KV says is remembered for calls of B2C too.
    now: Date.now(),
    later: (work) => c.executionCtx.waitUntil(work),
  });
  const known = degraded === '' || degraded === 'kv-stale-copy';
  const entitlements = found.record === undefined ? NOTHING_HELD : heldBy(event, found.record);
  const notes = [
    found.record === undefined ? 'nothing is held for this person' : `entitlements of ${found.key}`,
    ...(emailRecordNotUsed ? ['email record not used'] : []),
    ...(degraded === '' ? [] : [degraded]),
  ];
  return { entitlements: { ...entitlements, known }, notes };
}

/** Who was turned away by what; the claims stand in the reply. */
function shownDecision(decision: Decision) {
  if (decision.kind === 'continue') return { outcome: decision.kind };
  const { rule, messageKey, message, language } = decision;
  return { outcome: decision.kind, rule, messageKey, message, messageLanguage: language };
}
