/** `push`, `list` and `rollback`: show what changes, and never overwrite a version that the user has not seen. */
import { isDeepStrictEqual } from 'node:util';
import { listNamed, withListChanged } from '../../desk/policies/list-change.ts';
import type { PolicyDocument } from '../../desk/policies/policy-document.ts';
import type { Problem } from '../../desk/policies/policy-problem.ts';
import type { Gatehouse } from '../administrator.ts';
import { confirmed, type Io, print, warn } from '../io.ts';
import { CommandRefusal } from '../refusal.ts';
import { printable, quoted } from '../table.ts';
import { difference } from './difference.ts';
import * as server from './policy-api.ts';
import type { PolicyFile } from './policy-file.ts';
import { located, refusalOf, warningsOf } from './problems.ts';

export interface Saving {
  readonly note?: string;
  /** Saves without a question. */
  readonly yes?: true;
}

/** Puts the policy of a file in force. `base` is the version that must be in force (0: none, undefined: any). */
export async function push(
  io: Io,
  gatehouse: Gatehouse,
  policy: PolicyFile,
  { base, note, yes }: Saving & { readonly base?: number },
): Promise<number> {
  const { source, document, warnings } = policy;
  if (warnings.length > 0) warn(io, `${warningsOf(source.file, warnings)}\n`);
  const before = await server.inForce(gatehouse);
  if (before !== undefined && isDeepStrictEqual(before.document, document)) {
    // Saves nothing, but publishes again what Workers KV lost or never received.
    const { inForce } = await save(gatehouse, policy, before, note);
    print(io, `Nothing to save: version ${before.number} is the same. In force: ${inForce}.`);
    return 0;
  }
  if (base !== undefined && base !== (before?.number ?? 0))
    throw new CommandRefusal(otherBase(source.file, base, before));
  return change(io, {
    before,
    after: document,
    yes,
    shown: warnings,
    save: () => save(gatehouse, policy, before, note),
  });
}

async function save(
  gatehouse: Gatehouse,
  { source, document }: PolicyFile,
  before: server.RemotePolicy | undefined,
  note: string | undefined,
): Promise<server.RemoteSaved> {
  try {
    return await server.save(gatehouse, document, before?.number, note);
  } catch (error) {
    if (!(error instanceof server.DocumentRefused)) throw error;
    throw new CommandRefusal(`${refusalOf(source.file, located(error.problems, source))}\nNothing was changed.`);
  }
}

/** Puts version `to` in force again, as a new version. */
export async function rollBack(io: Io, gatehouse: Gatehouse, to: number, { note, yes }: Saving): Promise<number> {
  const before = await server.inForce(gatehouse);
  if (before === undefined) throw new CommandRefusal(NO_POLICY);
  const document = await server.versionNumbered(gatehouse, to);
  if (isDeepStrictEqual(before.document, document)) {
    print(io, `Nothing to do: version ${before.number}, which is in force, equals version ${to}.`);
    return 0;
  }
  const save = () => server.requestRollback(gatehouse, to, before.number, note);
  return change(io, { before, after: document, yes, shown: [], save });
}

/** Adds or removes entries of one list. An entry that is there already, or is not there, changes nothing. */
export async function changeList(
  io: Io,
  gatehouse: Gatehouse,
  kind: 'add' | 'remove',
  name: string,
  entries: string[],
  { note, yes }: Saving,
): Promise<number> {
  const before = await server.inForce(gatehouse);
  if (before === undefined) throw new CommandRefusal(NO_POLICY);
  const order = kind === 'add' ? { add: entries } : { remove: entries };
  const had = listNamed(before.document, name);
  const change = had && withListChanged(before.document, name, had, { add: [], remove: [], ...order });
  // Gatehouse says why nothing changes, or which list has a near name. There is nothing to ask before.
  const isEmpty = change === undefined || change.added.length + change.removed.length === 0;
  if (!isEmpty && !(await agreed(io, before, change.document, yes))) return 1;
  const { changed, number, inForce, unchanged, warnings } = await server.saveList(gatehouse, name, order, note);
  if (unchanged.length > 0) print(io, printable(unchanged.join(' ')));
  print(io, `${changed ? 'Saved as' : 'Nothing to save:'} version ${number}. In force: ${inForce}.`);
  for (const { path, message } of warnings) warn(io, printable(`${path}: ${message}`));
  return 0;
}

const NO_POLICY = 'No policy was saved yet. Save one with npm run policy -- push FILE.';

interface Change {
  readonly before: server.RemotePolicy | undefined;
  readonly after: PolicyDocument;
  readonly yes: true | undefined;
  /** The warnings that the user has seen. */
  readonly shown: readonly Problem[];
  readonly save: () => Promise<server.RemoteSaved>;
}

/** Shows what changes, asks, and saves. */
async function change(io: Io, { before, after, yes, shown, save }: Change): Promise<number> {
  if (!(await agreed(io, before, after, yes))) return 1;
  const { number, inForce, warnings } = await save();
  print(io, `Saved as version ${number}. In force: ${inForce}.`);
  const fresh = warnings.filter(({ message }) => !shown.some((known) => known.message === message));
  for (const { path, message } of fresh) warn(io, printable(`${path}: ${message}`));
  return 0;
}

/** Shows what changes, and asks. */
async function agreed(
  io: Io,
  before: server.RemotePolicy | undefined,
  after: PolicyDocument,
  yes: true | undefined,
): Promise<boolean> {
  print(io, `${difference(before?.document ?? { rules: [] }, after).join('\n') || 'No difference.'}\n`);
  const instead = before === undefined ? 'as the first policy' : `instead of version ${before.number}`;
  if (yes || (await confirmed(io, `Put this in force for everybody, ${instead}?`))) return true;
  print(io, 'Nothing was changed.');
  return false;
}

function otherBase(file: string, base: number, before: server.RemotePolicy | undefined): string {
  const found = before === undefined ? 'no policy is in force yet' : `version ${before.number} is in force`;
  return (
    `Refused: ${found}, not ${base === 0 ? 'none' : `version ${base}`}. Another version was saved in the meantime, so nothing was changed. ` +
    `Compare with npm run policy -- diff ${quoted(file)}, merge the differences, and push again.`
  );
}
