/**
 * The pipeline of a call, the same for every channel: parsed, understood, known, decided, answered. Each stage extends
 * the previous one. Stages are immutable, so work that outlives the deadline cannot change a reply.
 */
import type { ErrorReason } from '../attempts/error-reasons.ts';
import type { CallIdentity } from '../attempts/support-code.ts';
import type { CallerKind } from '../callers/credential.ts';
import type { Lookup } from '../entitlements/look-up.ts';
import { errorFields, log } from '../platform/log.ts';
import { TimeoutError, type WithTimeout } from '../platform/timeout.ts';
import type { ActiveVersion } from '../policy/active.ts';
import {
  type Decision,
  decideWithoutPolicy,
  evaluateRules,
  type RuleTrace,
  renderMessage,
  type WithoutPolicy,
} from '../policy/decide.ts';
import { NOTHING_HELD, type PersonEntitlements, type Policy } from '../policy/policy.ts';
import { bestKey, type SignInEvent, type Step } from '../sign-in/event.ts';
import type { ChannelPart } from './compose-attempt.ts';
import { withPersonId } from './person-id.ts';

/** An authenticated call. */
export interface Call {
  readonly request: Request;
  /** Name of the credential. */
  readonly caller: string;
  /** What the caller presented: the strongest of it. `''` in a trial. */
  readonly callerKind: CallerKind | '';
  /** The step or exchange that the URL names, as typed. */
  readonly urlStep: Step | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly decisionTimeoutMs: number;
  /** All timeouts of a call share one timer, because timers are expensive. */
  readonly withTimeout: WithTimeout;
}

export interface Parsed extends Call {
  /** The body, or the claims of a call without one. */
  readonly text: string;
}

export interface Understood extends Parsed {
  readonly event: SignInEvent & { readonly step: Step };
}

/** The policy, and the entitlements of the person. */
export interface Knowledge {
  readonly inForce: ActiveVersion;
  /** Undefined when the records were not read. */
  readonly lookup: Lookup | undefined;
  readonly person: PersonEntitlements;
  /** Number of dropped names of roles and groups. */
  readonly droppedNames: number;
}

export interface Known extends Understood, Knowledge {}

export interface Decided extends Known {
  readonly decision: Decision;
  readonly supportCode: string;
}

/** The data of the stages that the call reached. */
export type Reached = Call & Partial<Pick<Parsed, 'text'> & Knowledge> & { readonly event?: SignInEvent | undefined };

/** The reason why no policy decided; `''` when one did. */
export type Reason = '' | ErrorReason;

/** A call that stopped: the reason, and the last stage that it reached. */
export class Stopped {
  readonly reason: ErrorReason;
  readonly reached: Reached;
  constructor(reason: ErrorReason, reached: Reached) {
    this.reason = reason;
    this.reached = reached;
  }
}

export interface Reply {
  readonly status: number;
  /** The channel's name for this kind of reply. */
  readonly action: string;
  /** The text that the person sees; `''` when there is none. */
  readonly userMessage: string;
  readonly body: string;
}

/** A call with its final decision, before the reply. */
export interface Ended {
  readonly reached: Reached;
  readonly reason: Reason;
  readonly decision: Decision;
  /** `''` when a policy decided to continue. */
  readonly supportCode: string;
}

export interface Answered extends Ended {
  readonly reply: Reply;
  readonly durationMs: number;
}

/** The part that depends on the channel: request and reply. `Read` is what it parses from a request. */
export interface FrontDoor<Read extends Parsed = Parsed> {
  /** Parses the request. Never rejects. */
  parse(call: Call): Promise<Read | Stopped>;
  /** Converts members to an event. `policy` declares the inputs; undefined when no policy is known. */
  understand(parsed: Read, policy: Policy | undefined): Promise<Understood | Stopped> | Understood | Stopped;
  /** The only place that writes this channel's replies. */
  reply(ended: Ended): Reply;
  /** The part of an attempt that is specific to the channel. */
  recorded(reached: Reached): ChannelPart;
}

/** The external data of a call. Trials, replay and the simulator have their own implementations. */
export interface World {
  /** The policy in memory, for a reply without a decision. */
  policyInMemory(): Policy;
  /** The last known policy of this isolate. A cold isolate reads it. Never rejects. */
  policy(): ActiveVersion | Promise<ActiveVersion>;
  /**
   * Reads the current policy and the person's entitlements in one read. Reads the policy only when `event` is
   * undefined, or when the rules of `last` for a sign-up step do not read entitlements. Never rejects.
   */
  know(event: Understood['event'] | undefined, last: ActiveVersion): Promise<Knowledge>;
  /** `person.id`; undefined when the call has no person key, or there is no secret. Rejects as `supportCode`. */
  personId(event: SignInEvent): Promise<string | undefined>;
  /** Rejects when the runtime cannot sign. */
  supportCode(identity: CallIdentity): Promise<string>;
  /** A code for an unreadable call. */
  randomSupportCode(): string;
  /** Called for each evaluated rule, in order. */
  readonly watch?: (trace: RuleTrace) => void;
}

/** Answers a call. Never rejects: after any failure, the caller gets a reply that its channel allows. */
export async function answer<Read extends Parsed>(door: FrontDoor<Read>, world: World, call: Call): Promise<Answered> {
  let reached: Reached = call;
  const reach = <Stage extends Reached>(stage: Stage | Stopped): Stage => {
    if (stage instanceof Stopped) throw stage;
    reached = stage;
    return stage;
  };
  let ended: Ended;
  try {
    ended = await call.withTimeout(call.decisionTimeoutMs, () => run(door, world, call, reach));
  } catch (error) {
    ended = await withoutDecision(world, error instanceof Stopped ? error : unforeseen(error, reached));
  }
  return { ...ended, reply: door.reply(ended), durationMs: Math.max(0, Date.now() - call.startedAt) };
}

/** Records the stage that the call reached, or throws a {@link Stopped}. */
type Reach = <Stage extends Reached>(stage: Stage | Stopped) => Stage;

async function run<Read extends Parsed>(door: FrontDoor<Read>, world: World, call: Call, reach: Reach): Promise<Ended> {
  // Starts before the body is read, so that a cold isolate waits for both in parallel.
  const policy = world.policy();
  const parsed = reach(await door.parse(call));
  const last = policy instanceof Promise ? await policy : policy;
  const known = reach(await know(door, world, parsed, last, reach));
  const { decision, supportCode } = await decide(world, known);
  return { reached: known, decision, supportCode, reason: '' };
}

/**
 * Interprets a call with the last known policy and reads the current one. If KV returns another version, it repeats
 * both once with that version.
 */
async function know<Read extends Parsed>(
  door: FrontDoor<Read>,
  world: World,
  parsed: Read,
  last: ActiveVersion,
  reach: Reach,
): Promise<Known | Stopped> {
  let inForce = last;
  for (;;) {
    const understood = await door.understand(parsed, inForce.policy);
    const isUnderstood = !(understood instanceof Stopped);
    reach({ ...(isUnderstood ? understood : understood.reached), inForce });
    const event = isUnderstood ? understood.event : undefined;
    const knowledge = inForce.policy === undefined ? { inForce, ...NOTHING_KNOWN } : await world.know(event, inForce);
    if (knowledge.inForce.policy !== inForce.policy && inForce === last) {
      inForce = knowledge.inForce;
      continue;
    }
    // A third version applies to the next call: this call was interpreted with the second.
    const counts = { ...knowledge, inForce: { ...knowledge.inForce, policy: inForce.policy } };
    if (!isUnderstood) return new Stopped(understood.reason, { ...understood.reached, ...counts });
    const known = { ...understood, ...counts };
    return inForce.policy === undefined ? new Stopped('no-policy', known) : known;
  }
}

const NOTHING_KNOWN = { lookup: undefined, person: NOTHING_HELD, droppedNames: 0 };

async function decide(world: World, known: Known): Promise<Pick<Ended, 'decision' | 'supportCode'>> {
  const { event, person, inForce, startedAt } = known;
  const policy = inForce.policy ?? world.policyInMemory();
  const whole = await withPersonId(person, event, policy, (of) => world.personId(of));
  const verdict = evaluateRules(event, whole, policy, startedAt, world.watch);
  // A code costs a signature, so only replies that show one get one.
  const supportCode = verdict.kind === 'continue' ? '' : await supportCodeOf(world, known);
  return { decision: renderMessage(verdict, event, policy, supportCode), supportCode };
}

function unforeseen(error: unknown, reached: Reached): Stopped {
  if (error instanceof TimeoutError) return new Stopped('deadline', reached);
  log('call-failed', { step: stepOf(reached), ...errorFields(error) });
  return new Stopped('exception', reached);
}

async function withoutDecision(world: World, { reason, reached }: Stopped): Promise<Ended> {
  const supportCode = await supportCodeOf(world, reached);
  const why = withoutPolicy(reason);
  const policy = reached.inForce?.policy ?? world.policyInMemory();
  const event = { step: stepOf(reached), languages: reached.event?.languages ?? [] };
  const decision: Decision =
    why === 'unsupported' ? { kind: 'continue', claims: {} } : decideWithoutPolicy(event, policy, why, supportCode);
  // The attempt must not contain entitlements that did not take part in the decision.
  const { person: _, droppedNames: __, ...known } = reached;
  // The attempt contains the version whose message was shown.
  const inForce = reached.inForce ?? { policy, shadow: undefined, fault: '' };
  return { reached: { ...known, inForce }, decision, supportCode, reason };
}

/** `unsupported`: Gatehouse lets unknown steps continue. */
function withoutPolicy(reason: ErrorReason): WithoutPolicy | 'unsupported' {
  switch (reason) {
    case 'too-large':
    case 'cut-off':
    case 'compressed':
    case 'not-utf-8':
    case 'not-json':
    case 'not-an-object':
    case 'nested-too-deep':
      return 'unreadable-body';
    case 'unknown-step':
      return 'unsupported';
    case 'unknown-exchange':
      return reason;
    case 'no-policy':
    case 'exception':
      return 'unavailable';
    case 'deadline':
      return 'late';
  }
}

/** The step of a call: the body's, or the URL's when the body is unreadable. */
export const stepOf = ({ event, urlStep }: Pick<Reached, 'event' | 'urlStep'>): Step | undefined =>
  event === undefined ? urlStep : event.step;

/** A call without a readable body gets a random code. Otherwise all such calls would share one code. */
async function supportCodeOf(world: World, reached: Reached): Promise<string> {
  const { text, event } = reached;
  if (text === undefined || text === '') return world.randomSupportCode();
  const personKey = event === undefined ? '' : bestKey(event.personKeys);
  try {
    return await world.supportCode({
      step: stepOf(reached) ?? '',
      clientId: event?.clientId ?? '',
      personKey,
      body: text,
    });
  } catch (error) {
    log('support-code-failed', errorFields(error));
    return world.randomSupportCode();
  }
}
