/** `POST /admin/policy/lists/{name}`: saves a version with entries of one list added and removed. */
import * as z from 'zod/mini';
import { closest } from '../../../platform/closest-name.ts';
import { nameList } from '../../../platform/name-list.ts';
import { newApp } from '../../http/context.ts';
import { strict } from '../../http/input-rules.ts';
import { refuse, validated } from '../../http/problem-details.ts';
import { jsonBody, limitedBody } from '../../http/request-body.ts';
import { notIn } from '../../policies/differences.ts';
import {
  inOrderOf,
  type ListChange,
  type ListOrder,
  listNamed,
  unchangedSentences,
  withListChanged,
} from '../../policies/list-change.ts';
import { MAX_DOCUMENT_BYTES, type PolicyDocument } from '../../policies/policy-document.ts';
import type { Problem } from '../../policies/policy-problem.ts';
import { saveVersion } from '../../policies/save.ts';
import { bodyFaultOf, faultOf, outcomeAnswer } from './answers.ts';
import { type CheckedBody, checkDocument, noteOnly, type PolicyContext, versionsOf } from './policy-inputs.ts';
import { holds, type Precondition, readPrecondition } from './preconditions.ts';

/** Each round means that another save won. */
const MAX_ROUNDS = 5;

const NO_TEXTS = 'not a list of texts. Write the entries as texts in a list, such as ["example.com"]';
const entries = z.optional(z.array(z.string(NO_TEXTS), NO_TEXTS));

export const listParam = z.object({ name: z.string() });
export const listBody = strict({ add: entries, remove: entries }).check(
  z.refine(({ add = [], remove = [] }) => add.length + remove.length > 0, {
    path: ['add'],
    message: 'nothing to do: give entries in "add", in "remove", or in both',
  }),
  z.refine(({ add = [], remove = [] }) => notIn(new Set(remove), new Set(add)).length === new Set(add).size, {
    path: ['remove'],
    message: 'an entry is in "add" too: leave it out of one of them',
  }),
);

/** `use`: the policy that decides, or the shadow, which keeps its share of calls. */
export function listRoutes(use: ListedUse) {
  const routes = newApp();
  routes.post(
    '/:name',
    limitedBody(MAX_DOCUMENT_BYTES, 'change of a list'),
    jsonBody,
    validated('param', listParam),
    validated('query', noteOnly),
    validated('json', listBody),
    async (c) => {
      const precondition = preconditionOf(c.req.raw.headers);
      if (precondition === 'unclear')
        return refuse(c, 'precondition-missing', { address: ADDRESS[use], current: undefined });
      const { add = [], remove = [] } = c.req.valid('json');
      const order = { use, name: c.req.valid('param').name, add, remove, note: c.req.valid('query').note ?? '' };
      // The save continues when the caller disconnects.
      const changed = changeList(c, order, precondition);
      c.executionCtx.waitUntil(changed.catch(() => undefined));
      return changed;
    },
  );
  return routes;
}

type ListedUse = 'active' | 'shadow';
const ADDRESS = { active: '/admin/policy', shadow: '/admin/policy/shadow' } as const;

/**
 * Undefined without one: a change of entries overwrites nothing that another person saved. `If-Match: *` says that a
 * version must exist, which is so anyway.
 */
function preconditionOf(headers: Headers): Precondition | undefined | 'unclear' {
  const read = readPrecondition(headers);
  if (read.kind !== 'missing') return read;
  const match = headers.get('If-Match')?.trim();
  return (match === undefined || match === '*') && !headers.has('If-None-Match') ? undefined : 'unclear';
}

interface Order extends ListOrder {
  readonly use: ListedUse;
  readonly name: string;
  readonly note: string;
}

/** Changes the list of the current version, and begins again when another version was saved meanwhile. */
async function changeList(c: PolicyContext, order: Order, precondition: Precondition | undefined): Promise<Response> {
  const { use, name, note } = order;
  const versions = await versionsOf(c);
  const world = { kv: c.env.GATEHOUSE, versions, later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work) };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const present = await versions.readPresent();
    if (!present.ok) return refuse(c, present.reason, { afterwards: 'nothing-changed' });
    const current = present.value[use];
    if (current === undefined || current.text === null)
      return refuse(c, use === 'active' ? 'no-policy' : 'no-shadow', { current: null });
    const before = JSON.parse(current.text) as PolicyDocument;
    const had = listNamed(before, name);
    if (had === undefined) return noSuchList(c, name, before);
    const change = withListChanged(before, name, had, order);
    const checked = await checkedChange(c, current.text, change);
    if (!checked.ok) return refusedChange(c, checked.problems, order, change);
    const outcome = await saveVersion(world, {
      ...(use === 'active' ? { use } : { use, sample: current.sample ?? 1 }),
      ...checked.checked,
      note,
      author: c.get('callerName'),
      expects: (number) => number === current.number && (precondition === undefined || holds(precondition, number)),
    });
    const isOvertaken =
      outcome.kind === 'stale'
        ? precondition === undefined
        : outcome.kind === 'saved' && !outcome.changed && outcome.version.number !== current.number;
    if (isOvertaken) continue;
    const about = warningsAbout(name, checked.warnings, order, change);
    return outcomeAnswer(c, ADDRESS[use], outcome, about, {
      list: {
        name,
        entries: change.kept + change.added.length,
        added: change.added.length,
        removed: change.removed.length,
      },
      unchanged: unchangedSentences(name, had, change),
    });
  }
  return refuse(c, 'contended', { afterwards: 'nothing-changed' });
}

/** A change of nothing is not checked: the document is saved already. */
async function checkedChange(c: PolicyContext, text: string, change: ListChange): Promise<CheckedBody> {
  if (change.added.length + change.removed.length > 0) return checkDocument(c, JSON.stringify(change.document));
  return { ok: true, checked: { document: change.document, text }, warnings: [] };
}

function noSuchList(c: PolicyContext, name: string, { lists = {} }: PolicyDocument): Response {
  const names = Object.keys(lists);
  return refuse(c, 'no-such-list', { name: nameList([name]), near: closest(name, names), names: nameList(names) });
}

/** An added entry is named by its place in the request; other problems, by their place in the document. */
function refusedChange(c: PolicyContext, problems: readonly Problem[], order: Order, change: ListChange): Response {
  const placed = problems.map((problem) => inOrderOf(order.name, change, order, problem));
  const isAboutEntries = placed.every((problem, nth) => problem !== problems[nth]);
  const what = isAboutEntries ? 'This change' : 'By today’s rules, the policy with this change';
  const errors = placed.map((problem, nth) => (problem === problems[nth] ? faultOf(problem) : bodyFaultOf(problem)));
  return refuse(c, 'invalid-policy', { errors, what });
}

/** The warnings about the list. The others were there before. */
const warningsAbout = (name: string, warnings: readonly Problem[], order: Order, change: ListChange) =>
  warnings
    .map((problem) => inOrderOf(name, change, order, problem))
    .filter(({ path }) => path.startsWith('add[') || path === `lists.${name}` || path.startsWith(`lists.${name}[`));
