/**
 * Saves a version: Neon orders concurrent saves, then KV is updated. After a crash in between, either nothing was
 * saved, or a publish-due key in KV makes the cron publish the version.
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
  policyPointer,
  type Version,
  type VersionInfo,
  type Versions,
} from './saved-version.ts';

/** Maximum optimistic-lock retries. Each retry means that another save won. */
const MAX_ROUNDS = 5;

export interface SaveWorld {
  readonly kv: Pick<KVNamespace, 'get' | 'put' | 'delete' | 'list'>;
  readonly versions: Versions;
  /** Runs work after the reply. */
  readonly later: (work: Promise<unknown>) => void;
}

/** A document, and its JSON as `check.ts` has passed it: this very text is stored, and isolates read it. */
export interface Checked {
  /** Keeps its author's order of members. */
  readonly document: PolicyDocument;
  readonly text: string;
}

export type SaveRequest = { readonly note: string } & (
  | ({ readonly use: 'active'; readonly documentOf?: number } & Checked)
  | ({ readonly use: 'shadow'; readonly sample: number } & Checked)
  | { readonly use: 'no-shadow' }
);

export type Order = SaveRequest & {
  readonly author: string;
  /** Whether this is the version that the author saw. Undefined: no version is current for this use. */
  readonly expects: (number: number | undefined) => boolean;
};

export interface SavedPolicy {
  readonly kind: 'saved';
  readonly version: VersionInfo;
  /** False: the current version is identical, and no version was added. */
  readonly changed: boolean;
  readonly previous: number | undefined;
  /** The base of `changes`: the policy in force before. */
  readonly comparedWith: number | undefined;
  readonly changes: Differences;
  /** False: KV does not have it yet, and the cron publishes it. */
  readonly published: boolean;
}

export type SaveOutcome =
  | SavedPolicy
  /** Conflict: the author saw another version than `current`. `same`: `current` equals the order. */
  | { readonly kind: 'stale'; readonly current: VersionInfo | undefined; readonly same: boolean }
  /** No policy is in force for a shadow to run beside; or there is no shadow to remove. */
  | { readonly kind: 'no-policy' | 'no-shadow' }
  /** Nothing was saved. With `number`, the outcome is uncertain: the version may exist under this number. */
  | {
      readonly kind: 'refused';
      readonly by: KvRefusal['reason'] | NeonRefusal['reason'] | 'contended';
      readonly number?: number;
    };

/** Saves a version, unless the author saw an outdated one. Failures of KV and Neon are outcomes, not rejections. */
export async function saveVersion(world: SaveWorld, order: Order): Promise<SaveOutcome> {
  const { kv, versions, later } = world;
  let due: Due | undefined;
  const withoutSave = (outcome: SaveOutcome): SaveOutcome => {
    if (due !== undefined) later(clearPublishDue(kv, due));
    return outcome;
  };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const present = await versions.readPresent();
    if (!present.ok) return withoutSave({ kind: 'refused', by: present.reason });
    const early = outcomeWithoutVersion(order, present.value);
    if (early !== undefined)
      return withoutSave(early.kind === 'saved' ? await republished(world, early, present.value) : early);

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
    return withoutSave({ kind: 'refused', by: added.reason });
  }
  return withoutSave({ kind: 'refused', by: 'contended' });
}

const currentFor = ({ active, shadow }: Present, { use }: Order) => (use === 'active' ? active : shadow);

/** The outcome when no version is to be added; otherwise undefined. */
function outcomeWithoutVersion(order: Order, present: Present): Exclude<SaveOutcome, { kind: 'refused' }> | undefined {
  const current = currentFor(present, order);
  if (order.use === 'shadow' && present.active === undefined) return { kind: 'no-policy' };
  if (order.use === 'no-shadow' && current === undefined) return { kind: 'no-shadow' };
  const isSame = current !== undefined && equalsOrder(current, order);
  const isFirst = order.expects(undefined);
  // A retry must be safe. RFC 9110 lets If-Match succeed when the change is already there (section 13.1.1), but not
  // If-None-Match (section 13.1.2).
  if (isSame && !isFirst) {
    const numbers = { previous: current.number, comparedWith: present.active?.number };
    return { kind: 'saved', version: current, changed: false, ...numbers, changes: {}, published: false };
  }
  return order.expects(current?.number) ? undefined : { kind: 'stale', current, same: isSame };
}

function equalsOrder({ text, sample }: Version, order: Order): boolean {
  if (order.use === 'no-shadow' || text === null) return false;
  return (order.use === 'active' || order.sample === sample) && same(JSON.parse(text), order.document);
}

/** Publishes again what is saved already: KV may not have it yet, or may have lost it. */
async function republished({ kv, versions }: SaveWorld, saved: SavedPolicy, present: Present): Promise<SavedPolicy> {
  const inForce = policyPointer(present);
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

/** The next version, and its row in the audit log. */
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
    text: order.use === 'no-shadow' ? null : order.text,
  };
  const before = currentFor(present, order);
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

/** Undefined for a document that does not match today's schema. Then all of the new document counts as added. */
function documentIn(version: Version | undefined): PolicyDocument | undefined {
  return version === undefined || version.text === null
    ? undefined
    : policySchema.safeParse(JSON.parse(version.text)).data;
}
