/** The calls of a check as Microsoft makes them, what each reply means to B2C, and the line that shows it. */
import { PROBE_HEADER } from '../../attempts/probe.ts';
import { type Connector, type ReceivedAnswer, whyNoAnswer } from '../connector.ts';
import { jsonIn } from '../files.ts';
import { noAnswer, type ReceivedReply, readReply } from '../received-reply.ts';
import type { CheckCall } from './check-calls.ts';

/** A person notices it. B2C waits five seconds (contract 2.6). */
const SLOW_MS = 1_000;
/** A few kB: tokens and cookies carry what a reply has (contract 2.6). */
const LONG_REPLY_BYTES = 4_096;
/** What the directory stores of an attribute (contract 1.6). */
const MAX_STORED_CHARS = 250;

export interface Made {
  readonly call: CheckCall;
  readonly reply: ReceivedReply;
  readonly latencyMs: number;
  /** The body of the reply; `''` without one. */
  readonly text: string;
}

/** What Gatehouse recorded of a call. */
export interface RecordedCall {
  readonly channel: string;
  readonly step: string;
  readonly reason: string;
  readonly degraded: string;
  readonly rule: string;
  readonly explanation?: string | undefined;
}

/** Never rejects. */
export async function makeCall(
  { credentials, timeoutMs, request }: Connector,
  call: CheckCall,
  run: string,
): Promise<Made> {
  const headers = new Headers(credentials.own);
  headers.set('Content-Type', 'application/json');
  headers.set(PROBE_HEADER, run);
  const startedAt = performance.now();
  const made = await request(call.path, { method: 'POST', headers, body: JSON.stringify(call.body) }).then(
    (answer: ReceivedAnswer) => ({ reply: readReply({ ...call, credential: 'own' }, answer), text: answer.text }),
    (error: unknown) => ({ reply: noAnswer(whyNoAnswer(error, timeoutMs)), text: '' }),
  );
  return { call, ...made, latencyMs: performance.now() - startedAt };
}

export const isOf = ({ call }: Pick<Made, 'call'>, { channel, step }: RecordedCall): boolean =>
  call.channel === channel && call.step === step;

interface Row {
  readonly cells: readonly string[];
  /** Undefined: the call passed. */
  readonly problem: string | undefined;
}

export function rowOf({ call, reply, latencyMs }: Made, recorded: RecordedCall | undefined): Row {
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

function problemOf({ kind, problem }: ReceivedReply, recorded: RecordedCall | undefined): string | undefined {
  if (kind === 'no answer') return `no answer (${problem}). B2C would show an error page.`;
  if (kind === 'not allowed')
    return `B2C does not accept the reply: ${problem}. Look for a proxy that changes replies.`;
  if (recorded === undefined) return undefined;
  if (recorded.reason !== '') return recorded.explanation ?? recorded.reason;
  return recorded.degraded === '' ? undefined : `decided without a part that did not work: ${recorded.degraded}.`;
}

/** Sentences about a reply that B2C accepts and that may still not be what the owner expects. */
export function notesOn({ call, reply, text }: Made): string[] {
  const bytes = Buffer.byteLength(text);
  const long =
    bytes > LONG_REPLY_BYTES
      ? [`${call.step}: the reply has ${bytes} bytes, and tokens and cookies grow with it. Keep it below 4 kB.`]
      : [];
  if (reply.kind !== 'continue') return long;
  const body = jsonIn(text);
  const claims = typeof body === 'object' && body !== null ? body : {};
  const missing = call.outputs.filter((output) => !Object.hasOwn(claims, output));
  const unstored = call.isStored
    ? Object.entries(claims).filter(([, value]) => typeof value === 'string' && value.length > MAX_STORED_CHARS)
    : [];
  return [
    ...long,
    ...(missing.length === 0
      ? []
      : [`${call.step} returned no ${missing.join(', ')}. The made-up person has none, or no rule sets it.`]),
    ...unstored.map(
      ([claim]) => `${call.step}: ${claim} has more than ${MAX_STORED_CHARS} characters. The directory stores no more.`,
    ),
  ];
}
