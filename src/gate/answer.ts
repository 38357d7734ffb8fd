/**
 * The road of a call, the same for every front door: heard, understood, known, decided, answered. A stage is a value that
 * holds the fields of the stage before; no stage is ever changed, so work that outlives the deadline cannot change a reply.
 */
import type { CallIdentity } from '../attempts/support-code.ts';
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
import type { BodyFault } from './body.ts';
import type { ChannelPart } from './compose-attempt.ts';

/** A call whose caller is known. */
export interface Call {
  readonly request: Request;
  /** Name of the credential. */
  readonly caller: string;
  /** The step that the URL names. */
  readonly urlStep: Step | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly decisionTimeoutMs: number;
  /** Every timeout of a call runs on one timer: each is expensive. */
  readonly withTimeout: WithTimeout;
}

export interface Parsed extends Call {
  /** The body. */
  readonly text: string;
  readonly members: Record<string, unknown>;
}

export interface Understood extends Parsed {
  readonly event: SignInEvent & { readonly step: Step };
}

/** What decides and what is held about the person. */
export interface Knowledge {
  readonly inForce: ActiveVersion;
  /** Undefined: the records were not asked for. */
  readonly lookup: Lookup | undefined;
  readonly person: PersonEntitlements;
  /** How many names of roles and groups were left out. */
  readonly droppedNames: number;
}

export interface Known extends Understood, Knowledge {}

export interface Decided extends Known {
  readonly decision: Decision;
  readonly supportCode: string;
}

/** Everything that was learnt, however far the call came. */
export type Reached = Call &
  Partial<Pick<Parsed, 'text' | 'members'> & Knowledge> & { readonly event?: SignInEvent | undefined };

/** Why a policy did not decide; `''`: it did. */
export type Reason = '' | Stop;
type Stop = BodyFault | 'unknown-step' | 'no-policy' | 'deadline' | 'exception';

/** A stage that was not reached, and the last one that was. */
export class Stopped {
  readonly reason: Stop;
  readonly reached: Reached;
  constructor(reason: Stop, reached: Reached) {
    this.reason = reason;
    this.reached = reached;
  }
}

export interface Reply {
  readonly status: number;
  /** What the channel calls this kind of reply. */
  readonly action: string;
  /** The text that the person sees, `''` when there is none. */
  readonly userMessage: string;
  readonly body: string;
}

/** A call with the decision that counts, before it has a reply. */
export interface Ended {
  readonly reached: Reached;
  readonly reason: Reason;
  readonly decision: Decision;
  /** `''` when the person is not turned away and a policy decided. */
  readonly supportCode: string;
}

export interface Answered extends Ended {
  readonly reply: Reply;
  readonly durationMs: number;
}

/** What only one of Microsoft's channels knows: its request and its reply. */
export interface FrontDoor {
  /** The request as members, or why it cannot be used. Never rejects. */
  parse(call: Call): Promise<Parsed | Stopped>;
  /** The members as an event. `policy` declares the inputs of an exchange; undefined: none is known. */
  understand(heard: Parsed, policy: Policy | undefined): Promise<Understood | Stopped> | Understood | Stopped;
  /** The only place that writes this channel's replies. */
  reply(ended: Ended): Reply;
  /** What only this channel records of a call. */
  recorded(reached: Reached): ChannelPart;
}

/** What a call asks of the outside. Trying, replay and the simulator bring their own. */
export interface World {
  /** What this isolate knows without asking, for a reply that no policy decides. */
  policyInMemory(): Policy;
  /** The last policy that this isolate knows; a cold isolate reads it. Never rejects. */
  policy(): ActiveVersion | Promise<ActiveVersion>;
  /**
   * What is in force now, and what is held about the person of `event`: one read. `event` undefined asks for the policy alone;
   * so does a sign-up step whose rules in `last` do not ask about the person. Never rejects.
   */
  know(event: Understood['event'] | undefined, last: ActiveVersion): Promise<Knowledge>;
  /** Rejects when no code can be made. */
  supportCode(identity: CallIdentity): Promise<string>;
  /** A code for a call of which nothing could be read. */
  randomSupportCode(): string;
  /** Is given each rule that was evaluated, in order. */
  readonly watch?: (trace: RuleTrace) => void;
}

/** Never rejects: whatever happens, the caller gets a reply that its channel allows. */
export async function answer(door: FrontDoor, world: World, call: Call): Promise<Answered> {
  let reached: Reached = call;
  const reach = <Stage extends Reached>(stage: Stage | Stopped): Stage => {
    if (stage instanceof Stopped) throw stage;
    reached = stage;
    return stage;
  };
  let ended: Ended;
  try {
    ended = await call.withTimeout(call.decisionTimeoutMs, () => road(door, world, call, reach));
  } catch (error) {
    ended = await withoutDecision(world, error instanceof Stopped ? error : unforeseen(error, reached));
  }
  return { ...ended, reply: door.reply(ended), durationMs: Math.max(0, Date.now() - call.startedAt) };
}

/** Notes how far a call came; throws what stops it. */
type Reach = <Stage extends Reached>(stage: Stage | Stopped) => Stage;

async function road(door: FrontDoor, world: World, call: Call, reach: Reach): Promise<Ended> {
  // Asked before the body is read, so that a cold isolate waits for both at once.
  const asked = world.policy();
  const heard = reach(await door.parse(call));
  const last = asked instanceof Promise ? await asked : asked;
  const known = reach(await know(door, world, heard, last, reach));
  const { decision, supportCode } = await decide(world, known);
  return { reached: known, decision, supportCode, reason: '' };
}

/**
 * Understands a call by the last policy and reads what counts now. Where KV brings another version, both are done once more by
 * that one.
 */
async function know(
  door: FrontDoor,
  world: World,
  heard: Parsed,
  last: ActiveVersion,
  reach: Reach,
): Promise<Known | Stopped> {
  let inForce = last;
  for (;;) {
    const understood = await door.understand(heard, inForce.policy);
    const isUnderstood = !(understood instanceof Stopped);
    reach({ ...(isUnderstood ? understood : understood.reached), inForce });
    const event = isUnderstood ? understood.event : undefined;
    const knowledge = inForce.policy === undefined ? { inForce, ...NOTHING_KNOWN } : await world.know(event, inForce);
    if (knowledge.inForce.policy !== inForce.policy && inForce === last) {
      inForce = knowledge.inForce;
      continue;
    }
    // A third version waits for the next call: this one was understood by the second.
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
  const verdict = evaluateRules(event, person, policy, startedAt, world.watch);
  // The code costs a signature: only replies that show one have one.
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
  const event = { step: stepOf(reached), locale: reached.event?.locale ?? '' };
  const decision: Decision =
    why === 'not-ours' ? { kind: 'continue', claims: {} } : decideWithoutPolicy(event, policy, why, supportCode);
  // What a policy that did not decide knew of the person does not count.
  const { person: _, droppedNames: __, ...known } = reached;
  // The attempt names the version whose words were shown.
  const inForce = reached.inForce ?? { policy, shadow: undefined, fault: '' };
  return { reached: { ...known, inForce }, decision, supportCode, reason };
}

/** `not-ours`: a step that Gatehouse does not know is none of its business. */
function withoutPolicy(reason: Stop): WithoutPolicy | 'not-ours' {
  switch (reason) {
    case 'too-large':
    case 'cut-off':
    case 'not-json':
    case 'not-an-object':
    case 'nested-too-deep':
      return 'unreadable-body';
    case 'unknown-step':
      return 'not-ours';
    case 'no-policy':
    case 'exception':
      return 'unavailable';
    case 'deadline':
      return 'late';
  }
}

/** The step of a call: the body's, or the URL's where nothing could be read. */
export const stepOf = ({ event, urlStep }: Pick<Reached, 'event' | 'urlStep'>): Step | undefined =>
  event === undefined ? urlStep : event.step;

/** Bodies of which nothing could be read would all have one code, and lead support to other people. */
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
