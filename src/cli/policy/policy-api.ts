/** The policy of a running Gatehouse: how it is asked for, saved and tried. */
import * as z from 'zod/mini';
import { type PolicyDocument, policySchema } from '../../desk/policies/policy-document.ts';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import { type Answer, type ApiCall, accepted, followPages, isRefusedAs } from '../administrator.ts';
import { CommandRefusal } from '../refusal.ts';

/** The version that decides. */
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

/** Undefined when nothing was saved yet, which is another thing than an address where no policies are. */
export async function inForce(call: ApiCall): Promise<RemotePolicy | undefined> {
  const answer = await call('GET', '/admin/policy');
  if (isRefusedAs(answer, 'no-policy')) return undefined;
  if (answer.status === 404 && absent.safeParse(answer.body).success)
    throw new CommandRefusal(
      'The Gatehouse that runs there knows nothing of policies yet: run npm run migrate against its database, deploy this version of it, and try again.',
    );
  accepted(answer, anyObject);
  // Zod's copy would have its members in another order.
  const document = documentIn(answer.body);
  const [, number] = /^(?:W\/)?"(\d+)"$/.exec(answer.etag) ?? [];
  if (number !== undefined) return { number: Number(number), document };
  throw new CommandRefusal(
    'The answer has no ETag with the number of the version: something in front of Gatehouse took it off.',
  );
}

export async function versionNumbered(call: ApiCall, number: number): Promise<PolicyDocument> {
  const { document } = accepted(await call('GET', `/admin/policy/versions/${number}`), version);
  if (document !== null) return documentIn(document);
  throw new CommandRefusal(
    `Version ${number} only says that a shadow was taken away: it has no policy. Choose another one.`,
  );
}

/** Newest first, as Gatehouse lists them. */
export const versions = async (call: ApiCall): Promise<RemoteVersion[]> =>
  (await followPages(call, '/admin/policy/versions?limit=500', page)).flatMap(({ versions }) => versions);

/** A saving that Gatehouse refused because of what is in the document. */
export class DocumentRefused extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('The document was refused.');
    this.problems = problems;
  }
}

/** Saves a new version, if version `base` is still the one in force (undefined: if there is none yet). */
export async function save(
  call: ApiCall,
  document: PolicyDocument,
  base: number | undefined,
  note: string | undefined,
): Promise<RemoteSaved> {
  const query = note === undefined ? '' : `?note=${encodeURIComponent(note)}`;
  const answer = await call('PUT', `/admin/policy${query}`, document, condition(base));
  const { data } = refused.safeParse(answer.body);
  const ofNote = data?.errors.filter(({ path }) => path === 'note') ?? [];
  if (ofNote.length > 0)
    throw new CommandRefusal(`--note: ${ofNote.map(({ message }) => message).join('; ')}. Nothing was changed.`);
  if (isRefusedAs(answer, 'invalid-policy') && data !== undefined) throw new DocumentRefused(data.errors);
  return savedIn(answer);
}

/** Puts an earlier version in force again, as a new one, if version `base` is still in force. */
export async function requestRollback(
  call: ApiCall,
  to: number,
  base: number,
  note: string | undefined,
): Promise<RemoteSaved> {
  return savedIn(await call('POST', '/admin/policy/rollback', { to, note }, condition(base)));
}

const condition = (base: number | undefined): Record<string, string> =>
  base === undefined ? { 'If-None-Match': '*' } : { 'If-Match': `"${base}"` };

function savedIn(answer: Answer): RemoteSaved {
  if (!isRefusedAs(answer, 'version-changed', 'version-missing', 'version-identical')) return accepted(answer, saved);
  throw new CommandRefusal(
    'Somebody saved another version after this one was read: nothing was changed. Run the command again: it shows what is in force now.',
  );
}

const result = z.union([
  z.object({ value: z.union([z.string(), z.number(), z.boolean()]) }),
  z.object({ error: z.string() }),
]);
const traced = z.object({
  rule: z.string(),
  reached: z.boolean(),
  applied: z.optional(z.boolean()),
  when: z.optional(result),
  set: z.optional(z.record(z.string(), result)),
});
/** What became of one rule of the call's step. */
export type Traced = z.infer<typeof traced>;

const tried = z.object({
  policyVersion: z.union([z.number(), z.string()]),
  reply: z.object({ status: z.number(), body: z.record(z.string(), z.unknown()) }),
  supportCode: z.string(),
  trace: z.array(traced),
  notes: z.array(z.string()),
});
/** A call as it would be answered, and why. */
export type RemoteTried = z.infer<typeof tried>;

/** Members that are undefined are not sent. */
export interface RemoteTrial {
  readonly call: unknown;
  readonly step: string | undefined;
  readonly policy: PolicyDocument | undefined;
  readonly entitlements: unknown;
  readonly now: string | undefined;
}

export const tryOut = async (call: ApiCall, trial: RemoteTrial): Promise<RemoteTried> =>
  accepted(await call('POST', '/admin/policy/try', trial), tried);

/** A document as Gatehouse gave it; refuses one that this version of the commands does not know. */
function documentIn(answered: unknown): PolicyDocument {
  const parsed = policySchema.safeParse(answered);
  // Zod's copy would have its members in another order.
  if (parsed.success) return answered as PolicyDocument;
  throw new CommandRefusal(
    'The policy of that Gatehouse is not of a form that this command knows: use the command of the version that runs there.',
  );
}
