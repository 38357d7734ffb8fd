/**
 * `npm run connect -- check`: calls every step and exchange of the policy in force as Microsoft does, with a probe, and
 * says what is missing: credentials, a reply that B2C accepts, the record of the call, and calls of Microsoft itself.
 */
import * as z from 'zod/mini';
import { PROBE_HEADER } from '../../attempts/probe.ts';
import { accepted, administrator, type Gatehouse, isRefusedAs, reporter, responseTo } from '../administrator.ts';
import { assertConnector, type Connector, connectorAt, whyNoAnswer } from '../connector.ts';
import { type Io, print } from '../io.ts';
import { inForce } from '../policy/policy-api.ts';
import { noAnswer, type ReceivedReply, readReply } from '../received-reply.ts';
import { CommandRefusal } from '../refusal.ts';
import { table } from '../table.ts';
import { type CheckCall, checkCallsOf } from './check-calls.ts';

/** An attempt is visible two seconds after the reply (design, budgets). A queue that is slow to start takes longer. */
const LIMITS = { recordedMs: 20_000, pauseMs: 500 };
/** A person notices it. B2C waits five seconds (contract 2.6). */
const SLOW_MS = 1_000;
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
      caller: z.string(),
      explanation: z.optional(z.string()),
    }),
  ),
});
type Recorded = z.infer<typeof probes>['probes'][number];
const part = z.object({ ok: z.boolean(), problem: z.optional(z.string()) });
const ready = z.object({
  ...{ kv: part, queue: part, neon: part, policy: part, records: part },
  warnings: z.array(z.string()),
});
const seen = z.object({ totals: z.object({ byStep: z.record(z.string(), z.number()) }) });

interface Made {
  readonly call: CheckCall;
  readonly reply: ReceivedReply;
  readonly latencyMs: number;
}

/** Returns 0 when every call passed, else 1. Throws a refusal when nothing can be checked. */
export async function prove(io: Io, url: string | undefined, limits = LIMITS): Promise<number> {
  const connector = connectorAt(url, io.env.GATEHOUSE_CONNECTOR, io.fetch);
  const [report, admin] = [reporter(io, url), administrator(io, url)];
  await assertConnector(connector);
  const run = crypto.randomUUID();
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

  const first = await trying(() => recordedOf(report, run));
  const policy = await trying(() => policyOf(admin));
  print(io, `Check ${run} of ${connector.origin}${policy === undefined ? '' : `, policy ${policy.number}`}\n`);
  if (!(await refusesStrangers(connector)))
    problems.push('A call without a credential is answered. Look for a proxy before Gatehouse that adds one.');
  const made: Made[] = [];
  for (const call of checkCallsOf(policy?.document ?? {})) made.push(await make(connector, call, run));
  const recorded = first === undefined ? undefined : await trying(() => allRecorded(report, run, made.length, limits));

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
  if (recorded !== undefined) problems.push(...unrecorded(made, recorded));
  const readiness = await trying(() => readinessOf(report));
  problems.push(...(readiness?.problems ?? []));
  const silent = await trying(() => neverCalled(report, made));
  if (silent !== undefined && silent.length > 0) print(io, `\nNever called by Microsoft:\n${listed(silent)}`);
  const warnings = readiness?.warnings ?? [];
  if (warnings.length > 0) print(io, `\nGatehouse warns:\n${listed(warnings)}`);
  if (problems.length === 0) {
    print(
      io,
      `\nAll ${made.length} calls passed. GET /reports/probes?run=${run} shows them; no other report counts them.`,
    );
    return 0;
  }
  print(io, `\nNot connected:\n${listed(problems)}`);
  return 1;
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

async function policyOf(admin: Gatehouse) {
  const policy = await inForce(admin);
  if (policy !== undefined) return policy;
  throw new CommandRefusal('No policy is in force. Save one with npm run policy -- push.');
}

/** The probes of this check that are recorded. Throws a refusal when this Gatehouse would count them as attempts. */
async function recordedOf(report: Gatehouse, run: string): Promise<Recorded[]> {
  const answer = await responseTo(report.reports.probes.$get({ query: { run, limit: 500 } }));
  if (!isRefusedAs(answer, 'no-such-address')) return accepted(answer, probes).probes;
  throw new CommandRefusal(
    'This Gatehouse is an older version, which counts a check as attempts. Deploy this version.',
  );
}

async function allRecorded(report: Gatehouse, run: string, calls: number, { recordedMs, pauseMs }: typeof LIMITS) {
  const until = Date.now() + recordedMs;
  for (;;) {
    const found = await recordedOf(report, run);
    if (found.length >= calls || Date.now() >= until) return found;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const refusesStrangers = async ({ request }: Connector): Promise<boolean> =>
  (await request('/user-flow', {}).catch(() => ({ status: 401 }))).status === 401;

async function make({ authorization, timeoutMs, request }: Connector, call: CheckCall, run: string): Promise<Made> {
  const headers = { Authorization: authorization.own, 'Content-Type': 'application/json', [PROBE_HEADER]: run };
  const startedAt = performance.now();
  const reply = await request(call.path, { method: 'POST', headers, body: JSON.stringify(call.body) }).then(
    (answer) => readReply({ ...call, credential: 'own' }, answer),
    (error: unknown) => noAnswer(whyNoAnswer(error, timeoutMs)),
  );
  return { call, reply, latencyMs: performance.now() - startedAt };
}

const isOf = ({ call }: Made, { channel, step }: Recorded): boolean => call.channel === channel && call.step === step;

interface Row {
  readonly cells: readonly string[];
  /** Undefined: the call passed. */
  readonly problem: string | undefined;
}

function rowOf({ call, reply, latencyMs }: Made, recorded: Recorded | undefined): Row {
  const problem = problemOf(reply, recorded);
  const ms = Math.round(latencyMs);
  const answer =
    recorded !== undefined && recorded.rule !== '' ? `${reply.action} (rule ${recorded.rule})` : reply.action;
  const cells = [
    problem === undefined ? 'ok' : 'NOT OK',
    call.step,
    answer || '-',
    ms > SLOW_MS ? `${ms} ms, slow` : `${ms} ms`,
    recorded === undefined ? 'no' : 'yes',
  ];
  return { cells, problem: problem === undefined ? undefined : `${call.step}: ${problem}` };
}

function problemOf({ kind, problem }: ReceivedReply, recorded: Recorded | undefined): string | undefined {
  if (kind === 'no answer') return `no answer (${problem}). B2C would show an error page.`;
  if (kind === 'not allowed')
    return `B2C does not accept the reply: ${problem}. Look for a proxy that changes replies.`;
  if (recorded === undefined) return undefined;
  if (recorded.reason !== '') return recorded.explanation ?? recorded.reason;
  return recorded.degraded === '' ? undefined : `decided without a part that did not work: ${recorded.degraded}.`;
}

/** What Gatehouse itself says about its parts. */
async function readinessOf(report: Gatehouse): Promise<{ problems: string[]; warnings: string[] }> {
  const { body } = await responseTo(report.health.ready.$get());
  const parsed = ready.safeParse(body);
  if (!parsed.success) throw new CommandRefusal('/health/ready did not answer as Gatehouse does. Check --url.');
  const { warnings, ...parts } = parsed.data;
  return { problems: Object.values(parts).flatMap(({ problem }) => problem ?? []), warnings };
}

/** A sentence for each call that no attempt of the longest range has. */
async function neverCalled(report: Gatehouse, made: readonly Made[]): Promise<string[]> {
  const from = new Date(Date.now() - (SEEN_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
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
