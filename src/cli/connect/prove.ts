/**
 * `npm run connect -- check`: calls every step and exchange of the policy in force as Microsoft does, with a probe, and
 * says what is missing: credentials, a reply that B2C accepts, the record of the call, and calls that are no probes.
 */
import * as z from 'zod/mini';
import { PROBE_HEADER } from '../../attempts/probe.ts';
import { accepted, administrator, type Gatehouse, isRefusedAs, reporter, responseTo } from '../administrator.ts';
import { assertConnector, type Connector, connectorAt } from '../connector.ts';
import { type Io, print } from '../io.ts';
import { inForce, type RemotePolicy } from '../policy/policy-api.ts';
import { CommandRefusal } from '../refusal.ts';
import { table } from '../table.ts';
import { isOf, type Made, makeCall, notesOn, rowOf } from './check-answers.ts';
import { checkCallsOf } from './check-calls.ts';
import { assertNoneMissing, type CheckOptions, presentedBy } from './check-credentials.ts';

/** An attempt is visible two seconds after the reply (design, budgets). A queue that is slow to start takes longer. */
const LIMITS = { recordedMs: 20_000, pauseMs: 500 };
/** The longest range of a summary. */
const SEEN_DAYS = 400;
const DAY_MS = 86_400_000;

const probes = z.object({
  probes: z.array(
    z.object({
      channel: z.string(),
      step: z.string(),
      reason: z.string(),
      degraded: z.string(),
      rule: z.string(),
      policyVersion: z.number(),
      explanation: z.optional(z.string()),
    }),
  ),
});
type Recorded = z.infer<typeof probes>['probes'][number];
const part = z.object({ ok: z.boolean(), problem: z.optional(z.string()) });
const ready = z.object({
  ...{ kv: part, queue: part, neon: part, records: part },
  policy: z.extend(part, { version: z.optional(z.number()) }),
  warnings: z.array(z.string()),
});
const seen = z.object({ totals: z.object({ byStep: z.record(z.string(), z.number()) }) });

/** Returns 0 when every call passed, else 1. Throws a refusal when nothing can be checked. */
export async function prove(io: Io, { url, ...how }: CheckOptions, limits = LIMITS): Promise<number> {
  const presented = await presentedBy(io, how);
  assertNoneMissing(io, url);
  const connector = connectorAt(url, presented, io.fetch);
  const [report, admin] = [reporter(io, url), administrator(io, url)];
  await assertConnector(connector);
  const run = crypto.randomUUID();
  print(io, `Check ${run} of ${connector.origin}`);
  const problems: string[] = [];
  const trying = async <Value>(work: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CommandRefusal)) throw error;
      const sentence = error.message.replace(REQUEST_ID, '');
      if (!problems.includes(sentence)) problems.push(sentence);
      return undefined;
    }
  };

  const [readiness] = await Promise.all([trying(() => readinessOf(report)), assertNotOlder(report, run)]);
  // Without it, what decides the calls is unknown, and perhaps whether they are counted.
  if (readiness === undefined) throw new CommandRefusal(`Nothing was called:\n${listed(problems)}`);
  const saved = await trying(async () => ({ policy: await inForce(admin) }));
  const { deciding, inWords, problem } = decidingOf(readiness.decides, saved?.policy, saved !== undefined);
  print(io, `Policy: ${inWords}\n`);
  problems.push(...problem);
  if (!(await refusesStrangers(connector, run)))
    problems.push('A call without a credential is answered. Look for a proxy before Gatehouse that adds one.');
  const made: Made[] = [];
  for (const call of checkCallsOf(deciding?.document ?? {})) made.push(await makeCall(connector, call, run));
  const recorded = await trying(() => allRecorded(report, run, made.length, limits));

  const rows = made.map((one) =>
    rowOf(
      one,
      recorded?.find((probe) => isOf(one, probe)),
    ),
  );
  print(
    io,
    table(
      ['', 'CALL', 'ANSWER', 'TIME', 'RECORDED'],
      rows.map(({ cells }) => cells),
    ),
  );
  problems.push(...rows.flatMap(({ problem }) => problem ?? []));
  if (recorded !== undefined) problems.push(...unrecorded(made, recorded), ...decidedByOthers(recorded, deciding));
  const since = new Date(Date.now() - (SEEN_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  const silent = await trying(() => notCalled(report, made, since));
  // A database that was asleep is slow once.
  const state = readiness.problems.length === 0 ? readiness : await trying(() => readinessOf(report));
  problems.push(...(state?.problems ?? []));
  const sections = [
    { title: 'Look at the replies', sentences: made.flatMap(notesOn) },
    { title: `No call since ${since}, apart from probes`, sentences: silent ?? [] },
    { title: 'Gatehouse warns', sentences: state?.warnings ?? [] },
    { title: 'Not connected', sentences: [...new Set(problems)] },
  ];
  for (const { title, sentences } of sections) if (sentences.length > 0) print(io, `\n${title}:\n${listed(sentences)}`);
  if (problems.length > 0) return 1;
  print(
    io,
    `\nAll ${made.length} calls passed. GET /reports/probes?run=${run} shows them; no other report counts them.`,
  );
  return 0;
}

/** What decides the calls, and what is wrong with that. `version`: 0 is the built-in policy. */
function decidingOf(version: number | undefined, saved: RemotePolicy | undefined, isKnown: boolean) {
  if (version === 0)
    return {
      deciding: undefined,
      inWords: 'the built-in one, which puts roles into the token and refuses no one',
      problem:
        saved === undefined
          ? []
          : [
              `Version ${saved.number} of the policy is saved, but the built-in one decides. Set POLICY = "stored" in ` +
                'wrangler.toml and src/desk/wrangler.toml, then deploy. For npm run dev, start it again with a policy.json.',
            ],
    };
  if (saved !== undefined) return { deciding: saved, inWords: `version ${saved.number}`, problem: [] };
  return {
    deciding: undefined,
    inWords: isKnown ? 'none' : 'unknown, so no exchange is called',
    problem: isKnown ? ['No policy is in force. Save one with npm run policy -- push.'] : [],
  };
}

/** A sentence when the gate did not decide by the saved version. */
function decidedByOthers(recorded: readonly Recorded[], deciding: RemotePolicy | undefined): string[] {
  const sound = recorded.filter(({ reason, degraded }) => reason === '' && degraded === '');
  const other = sound.find(({ policyVersion }) => deciding !== undefined && policyVersion !== deciding.number);
  if (deciding === undefined || other === undefined) return [];
  return [
    other.policyVersion === 0
      ? `The built-in policy decided, and version ${deciding.number} is saved. Set POLICY = "stored" in wrangler.toml, then deploy.`
      : `Version ${other.policyVersion} decided, and version ${deciding.number} is saved. A change is everywhere within about a minute: check again then.`,
  ];
}

class OlderVersion extends CommandRefusal {}

/** A database that does not answer yet is no reason: the probes are read again after the calls. */
async function assertNotOlder(report: Gatehouse, run: string): Promise<void> {
  await recordedOf(report, run).catch((error: unknown) => {
    if (error instanceof OlderVersion || !(error instanceof CommandRefusal)) throw error;
  });
}

/** At the end of a message of Gatehouse. Every request has another. */
const REQUEST_ID = / \(request [0-9a-f-]+\)$/;

const listed = (sentences: readonly string[]) => sentences.map((sentence) => `- ${sentence}`).join('\n');

/** Sentences about calls that were answered and not recorded, or recorded as another call. */
function unrecorded(made: readonly Made[], recorded: readonly Recorded[]): string[] {
  const changed = recorded.find((probe) => !made.some((one) => isOf(one, probe)));
  if (changed !== undefined)
    return [
      `A call arrived changed: ${changed.explanation ?? `as ${changed.step}`} Look for a proxy that changes calls.`,
    ];
  const steps = made.filter((one) => one.reply.action !== '' && !recorded.some((probe) => isOf(one, probe)));
  if (steps.length === 0) return [];
  const which =
    recorded.length === 0 ? 'No call' : `Not every call (missing: ${steps.map(({ call }) => call.step).join(', ')})`;
  return [`${which} was recorded in time. Look at the queue, at the desk that consumes it, and at the database.`];
}

/** The probes of this check that are recorded. Throws a refusal when this Gatehouse would count them as attempts. */
async function recordedOf(report: Gatehouse, run: string): Promise<Recorded[]> {
  const answer = await responseTo(report.reports.probes.$get({ query: { run, limit: 500 } }));
  if (!isRefusedAs(answer, 'no-such-address')) return accepted(answer, probes).probes;
  throw new OlderVersion('This Gatehouse is an older version, which counts a check as attempts. Deploy this version.');
}

async function allRecorded(report: Gatehouse, run: string, calls: number, { recordedMs, pauseMs }: typeof LIMITS) {
  const until = Date.now() + recordedMs;
  for (;;) {
    const found = await recordedOf(report, run);
    if (found.length >= calls || Date.now() >= until) return found;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const refusesStrangers = async ({ request }: Connector, run: string): Promise<boolean> =>
  (await request('/user-flow', { headers: { [PROBE_HEADER]: run } }).catch(() => ({ status: 401 }))).status !== 200;

/** What Gatehouse itself says about its parts. */
async function readinessOf(report: Gatehouse) {
  const { body } = await responseTo(report.health.ready.$get());
  const parsed = ready.safeParse(body);
  if (!parsed.success) throw new CommandRefusal('/health/ready did not answer as Gatehouse does. Check --url.');
  const { warnings, ...parts } = parsed.data;
  const problems = Object.values(parts).flatMap(({ problem }) => problem ?? []);
  return { problems, warnings, decides: parts.policy.version };
}

/** A sentence for each call whose step no attempt since the day `from` has. Whether Microsoft made one is unknown. */
async function notCalled(report: Gatehouse, made: readonly Made[], from: string): Promise<string[]> {
  const asked = report.reports.summary.$get({ query: { interval: 'day', from } });
  const { totals } = accepted(await responseTo(asked), seen);
  return made
    .filter(({ call }) => (totals.byStep[call.step] ?? 0) === 0)
    .map(({ call: { channel, step } }) =>
      channel === 'user-flow'
        ? `${step}: is the API connector chosen at that step of the user flow?`
        : `${step}: does a technical profile with this ServiceUrl run in the journey?`,
    );
}
