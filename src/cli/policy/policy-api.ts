/** Reads, saves and tries policies through the management API of a running Gatehouse. */
import * as z from 'zod/mini';
import { type PolicyDocument, policySchema } from '../../desk/policies/policy-document.ts';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { type Answer, accepted, followPages, type Gatehouse, isRefusedAs, responseTo } from '../administrator.ts';
import { CommandRefusal } from '../refusal.ts';

/** The version in force. */
export interface RemotePolicy {
  readonly number: number;
  readonly document: PolicyDocument;
}

const problem = z.object({ rule: z._default(z.string(), ''), path: z._default(z.string(), ''), message: z.string() });
const refused = z.object({ errors: z.array(problem) });

const saved = z.object({
  number: z.number(),
  warnings: z._default(z.array(problem), []),
  inForce: z.string(),
});
export type RemoteSaved = z.infer<typeof saved>;

const listed = z.object({
  number: z.number(),
  use: z.string(),
  sample: z.optional(z.number()),
  author: z.string(),
  note: z.string(),
  createdAt: z.string(),
});
export type RemoteVersion = z.infer<typeof listed>;
const page = z.object({ versions: z.array(listed), next: z.optional(z.string()) });
const version = z.extend(listed, { document: z.unknown() });

const absent = z.object({ requestId: z.string() });
const anyObject = z.record(z.string(), z.unknown());

/** Returns undefined when no policy was saved yet. Throws when the Gatehouse is too old to have policies. */
export async function inForce(gatehouse: Gatehouse): Promise<RemotePolicy | undefined> {
  const answer = await responseTo(gatehouse.admin.policy.$get({ query: {} }));
  if (isRefusedAs(answer, 'no-policy')) return undefined;
  if (answer.status === 404 && absent.safeParse(answer.body).success)
    throw new CommandRefusal(
      'This Gatehouse is an older version without policies. Run npm run migrate against its database, deploy this version, and try again.',
    );
  accepted(answer, anyObject);
  const document = documentIn(answer.body);
  const [, number] = /^(?:W\/)?"(\d+)"$/.exec(answer.etag) ?? [];
  if (number !== undefined) return { number: Number(number), document };
  throw new CommandRefusal(
    'The response has no ETag with the version number. Check whether a proxy in front of Gatehouse removes it.',
  );
}

export async function versionNumbered(gatehouse: Gatehouse, number: number): Promise<PolicyDocument> {
  const asked = gatehouse.admin.policy.versions[':number'].$get({ param: { number: String(number) }, query: {} });
  const { document } = accepted(await responseTo(asked), version);
  if (document !== null) return documentIn(document);
  throw new CommandRefusal(`Version ${number} has no policy: it records the end of a shadow. Choose another version.`);
}

/** Newest first. */
export const versions = async (gatehouse: Gatehouse): Promise<RemoteVersion[]> =>
  (
    await followPages(async (cursor) =>
      accepted(await responseTo(gatehouse.admin.policy.versions.$get({ query: { limit: 500, cursor } })), page),
    )
  ).flatMap(({ versions }) => versions);

/** Gatehouse refused to save because the document has problems. */
export class DocumentRefused extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('The document was refused.');
    this.problems = problems;
  }
}

/** Saves a new version if `base` is still in force (undefined: if no version exists yet). */
export async function save(
  gatehouse: Gatehouse,
  document: PolicyDocument,
  base: number | undefined,
  note: string | undefined,
): Promise<RemoteSaved> {
  const asked = gatehouse.admin.policy.$put({ query: { note }, json: document, header: condition(base) });
  const answer = await responseTo(asked);
  const errors = errorsIn(answer);
  if (isRefusedAs(answer, 'invalid-policy') && errors.length > 0) throw new DocumentRefused(errors);
  return savedIn(answer);
}

/** The problems of a refusal. Throws a refusal when one is about the note. */
function errorsIn({ body }: Answer): readonly Problem[] {
  const errors = refused.safeParse(body).data?.errors ?? [];
  const ofNote = errors.filter(({ path }) => path === 'note');
  if (ofNote.length === 0) return errors;
  throw new CommandRefusal(`--note: ${ofNote.map(({ message }) => message).join('; ')}. Nothing was changed.`);
}

const listSaved = z.extend(saved, { changed: z.boolean(), unchanged: z.array(z.string()) });
export type RemoteListSaved = z.infer<typeof listSaved>;

/** Adds or removes entries of one list of the version in force, whatever its number is. */
export async function saveList(
  gatehouse: Gatehouse,
  name: string,
  order: { readonly add: string[] } | { readonly remove: string[] },
  note: string | undefined,
): Promise<RemoteListSaved> {
  const param = { name: encodeURIComponent(name) };
  const answer = await responseTo(gatehouse.admin.policy.lists[':name'].$post({ param, query: { note }, json: order }));
  const errors = errorsIn(answer).filter(({ path }) => /^(?:add|remove)\b/.test(path));
  if (errors.length > 0)
    throw new CommandRefusal(`${errors.map(({ message }) => message).join('\n')}\nNothing was changed.`);
  return accepted(answer, listSaved);
}

/** Saves an earlier version as a new one if `base` is still in force. */
export async function requestRollback(
  gatehouse: Gatehouse,
  to: number,
  base: number,
  note: string | undefined,
): Promise<RemoteSaved> {
  const asked = gatehouse.admin.policy.rollback.$post({ query: {}, json: { to, note }, header: condition(base) });
  return savedIn(await responseTo(asked));
}

const condition = (base: number | undefined): Record<string, string> =>
  base === undefined ? { 'If-None-Match': '*' } : { 'If-Match': `"${base}"` };

function savedIn(answer: Answer<z.input<typeof saved>>): RemoteSaved {
  if (!isRefusedAs(answer, 'version-changed', 'version-missing', 'version-identical')) return accepted(answer, saved);
  throw new CommandRefusal(
    'Another version was saved in the meantime, so nothing was changed. Run the command again to compare with that version.',
  );
}

const result = z.union([
  z.object({ value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]) }),
  z.object({ error: z.string() }),
]);
const traced = z.object({
  rule: z.string(),
  reached: z.boolean(),
  applied: z.optional(z.boolean()),
  when: z.optional(result),
  set: z.optional(z.record(z.string(), result)),
});
/** The result of one rule of the call's step. */
export type Traced = z.infer<typeof traced>;

const tried = z.object({
  policyVersion: z.union([z.number(), z.string()]),
  reply: z.object({ status: z.number(), body: z.record(z.string(), z.unknown()) }),
  supportCode: z.string(),
  trace: z.array(traced),
  notes: z.array(z.string()),
});
/** The reply to a call, and why. */
export type RemoteTried = z.infer<typeof tried>;

/** Members that are undefined are not sent. */
export interface RemoteTrial {
  readonly call: Record<string, unknown>;
  readonly step: string | undefined;
  readonly policy: PolicyDocument | undefined;
  readonly entitlements: unknown;
  readonly now: string | undefined;
}

export const tryOut = async (gatehouse: Gatehouse, trial: RemoteTrial): Promise<RemoteTried> =>
  accepted(await responseTo(gatehouse.admin.policy.try.$post({ json: trial })), tried);

/** Throws a refusal when this version of the command does not support the document. */
function documentIn(received: unknown): PolicyDocument {
  const parsed = policySchema.safeParse(received);
  // Zod's copy would have its members in another order.
  if (parsed.success) return received as PolicyDocument;
  throw new CommandRefusal(
    'This command cannot read the policy of that Gatehouse. Use the command of the deployed version.',
  );
}
