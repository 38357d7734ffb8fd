/**
 * Saving a version: Neon decides who is first, then KV is told. Whatever breaks off in between, either nothing was saved, or
 * a key in KV stands for the saving and the cron goes on with it.
 */
import { v7 as uuidv7 } from 'uuid';
import { MAX_CHARS, occurredAtOf, truncate } from '../../attempts/text-limits.ts';
import type { KvRefusal } from '../../platform/kv.ts';
import { log } from '../../platform/log.ts';
import { type Differences, differences, forLog, same } from './differences.ts';
import { type PolicyDocument, policySchema } from './policy-document.ts';
import { clearPublishDue, type Due, markPublishDue, publish, publishAgain } from './publish.ts';
import {
  CHANGE_SUBJECTS,
  type ChangeRow,
  type NeonRefusal,
  type Present,
  pointerTo,
  type Version,
  type VersionInfo,
  type Versions,
} from './saved-version.ts';

/** Each round loses to a saving that went in: with so many at once nobody knows what they change. */
const MAX_ROUNDS = 5;

export interface SaveWorld {
  readonly kv: Pick<KVNamespace, 'get' | 'put' | 'delete' | 'list'>;
  readonly versions: Versions;
  /** Takes work that goes on after the reply. */
  readonly later: (work: Promise<unknown>) => void;
}

/** What is to be saved. `document` has passed `check.ts`, and keeps its author's order of members. */
export type SaveRequest = { readonly note: string } & (
  | { readonly use: 'active'; readonly document: PolicyDocument; readonly documentOf?: number }
  | { readonly use: 'shadow'; readonly document: PolicyDocument; readonly sample: number }
  | { readonly use: 'no-shadow' }
);

export type Order = SaveRequest & {
  readonly author: string;
  /** Whether the version that counts for this use (undefined: there is none) is the one that the author knew. */
  readonly expects: (number: number | undefined) => boolean;
};

export interface SavedPolicy {
  readonly kind: 'saved';
  readonly version: VersionInfo;
  /** False: the version that counts said this already, and none was added. */
  readonly changed: boolean;
  /** The version that counted before. */
  readonly previous: number | undefined;
  /** The version that `changes` are told against: what decided before. */
  readonly comparedWith: number | undefined;
  readonly changes: Differences;
  /** KV has it. Otherwise the cron will see to it. */
  readonly published: boolean;
}

export type SaveOutcome =
  | SavedPolicy
  /** Another version counts than the author knew, or none. `same`: it says what was to be saved. */
  | { readonly kind: 'stale'; readonly current: VersionInfo | undefined; readonly same: boolean }
  /** A shadow runs beside what decides, and nothing does; or there is no shadow to take away. */
  | { readonly kind: 'no-policy' | 'no-shadow' }
  /** Nothing was saved, unless `number` is there: then it may be, under this number. */
  | {
      readonly kind: 'refused';
      readonly by: KvRefusal['reason'] | NeonRefusal['reason'] | 'contended';
      readonly number?: number;
    };

/** Saves a version, unless another one counts than the author knew. Never rejects for what KV or Neon do. */
export async function saveVersion(world: SaveWorld, order: Order): Promise<SaveOutcome> {
  const { kv, versions, later } = world;
  let due: Due | undefined;
  const withoutSaving = (outcome: SaveOutcome): SaveOutcome => {
    if (due !== undefined) later(clearPublishDue(kv, due));
    return outcome;
  };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const present = await versions.readPresent();
    if (!present.ok) return withoutSaving({ kind: 'refused', by: present.reason });
    const said = answerTo(order, present.value);
    if (said !== undefined)
      return withoutSaving(said.kind === 'saved' ? await publishedToo(world, said, present.value) : said);

    if (due === undefined) {
      const marked = await markPublishDue(kv, Date.now());
      if (!marked.ok) return { kind: 'refused', by: marked.reason };
      due = marked.value;
    }
    const { version, change, ...numbers } = plan(present.value, order);
    const added = await versions.addVersion(version, change);
    if (added.ok) {
      log('policy-saved', { number: version.number, use: order.use, by: order.author });
      const known = [version, ...withDocuments(present.value)];
      const published = added.value !== undefined && (await publish(kv, versions, added.value, known));
      if (published) later(clearPublishDue(kv, due));
      return { kind: 'saved', version, changed: true, ...numbers, published };
    }
    if (added.reason === 'number-taken') continue;
    if (added.uncertain) return { kind: 'refused', by: added.reason, number: version.number };
    return withoutSaving({ kind: 'refused', by: added.reason });
  }
  return withoutSaving({ kind: 'refused', by: 'contended' });
}

const countingFor = ({ active, shadow }: Present, { use }: Order) => (use === 'active' ? active : shadow);

/** What there is to say without adding a version; undefined when one is to be added. */
function answerTo(order: Order, present: Present): Exclude<SaveOutcome, { kind: 'refused' }> | undefined {
  const current = countingFor(present, order);
  if (order.use === 'shadow' && present.active === undefined) return { kind: 'no-policy' };
  if (order.use === 'no-shadow' && current === undefined) return { kind: 'no-shadow' };
  const isSame = current !== undefined && saysTheSame(current, order);
  const isFirst = order.expects(undefined);
  // "Make the same call again" must be safe: RFC 9110, section 13.1.1 lets a change that is there already succeed. It does
  // not for If-None-Match (section 13.1.2).
  if (isSame && !isFirst) {
    const numbers = { previous: current.number, comparedWith: present.active?.number };
    return { kind: 'saved', version: current, changed: false, ...numbers, changes: {}, published: false };
  }
  return order.expects(current?.number) ? undefined : { kind: 'stale', current, same: isSame };
}

function saysTheSame({ text, sample }: Version, order: Order): boolean {
  if (order.use === 'no-shadow' || text === null) return false;
  return (order.use === 'active' || order.sample === sample) && same(JSON.parse(text), order.document);
}

/** Nothing is to be saved, but KV may not have it yet, or may have lost it. */
async function publishedToo({ kv, versions }: SaveWorld, saved: SavedPolicy, present: Present): Promise<SavedPolicy> {
  const inForce = pointerTo(present);
  const known = withDocuments(present);
  const published = inForce !== undefined && (await publishAgain(kv, versions, inForce, Date.now(), known));
  return { ...saved, published };
}

const withDocuments = ({ active, shadow }: Present): Version[] =>
  [active, shadow].filter((version) => version !== undefined);

interface Planned {
  readonly version: Version;
  readonly change: ChangeRow;
  readonly previous: number | undefined;
  readonly comparedWith: number | undefined;
  readonly changes: Differences;
}

/** The version above all others, and the line about it in the log of changes. */
function plan(present: Present, order: Order): Planned {
  const id = uuidv7();
  const createdAt = new Date(occurredAtOf(id));
  const document = order.use === 'no-shadow' ? undefined : order.document;
  const version: Version = {
    number: present.last + 1,
    use: order.use,
    sample: order.use === 'shadow' ? order.sample : null,
    author: truncate(order.author, MAX_CHARS.dimension),
    note: order.note,
    createdAt,
    rules: document?.rules.length ?? 0,
    lists: Object.keys(document?.lists ?? {}).length,
    messages: Object.keys(document?.messages ?? {}).length,
    text: document === undefined ? null : JSON.stringify(document),
  };
  const before = countingFor(present, order);
  const changes = document === undefined ? {} : forLog(differences(documentIn(present.active), document));
  const comparedWith = present.active?.number;
  const change: ChangeRow = {
    id,
    occurredAt: createdAt,
    changedBy: version.author,
    subject: CHANGE_SUBJECTS[order.use],
    before: before === undefined ? null : { version: before.number, ...sampleOf(before) },
    after: {
      version: version.number,
      ...sampleOf(version),
      ...(order.note === '' ? {} : { note: order.note }),
      ...(order.use === 'active' && order.documentOf !== undefined ? { documentOf: order.documentOf } : {}),
      ...(document === undefined ? { removed: true } : { comparedWith: comparedWith ?? null, changes }),
    },
  };
  return { version, change, previous: before?.number, comparedWith, changes };
}

const sampleOf = ({ sample }: VersionInfo) => (sample === null ? {} : { sample });

/** Undefined for a document of a form that this version of the code does not know: then everything is told as new. */
function documentIn(version: Version | undefined): PolicyDocument | undefined {
  return version === undefined || version.text === null
    ? undefined
    : policySchema.safeParse(JSON.parse(version.text)).data;
}
