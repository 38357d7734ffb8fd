/** `npm run dead-letters`: lists, shows, replays and removes messages that could not be written to the database. */
import * as z from 'zod/mini';
import { accepted, followPages, type Gatehouse, responseTo } from '../administrator.ts';
import { type Io, print } from '../io.ts';
import { pairs, printable, table } from '../table.ts';
import { reasonInWords } from './reasons.ts';

const deadLetter = z.object({ id: z.string(), kind: z.string(), reason: z.string(), diedAt: z.string() });
const page = z.object({ deadLetters: z.array(deadLetter), next: z.optional(z.string()) });
const withMessage = z.extend(deadLetter, { message: z.unknown() });
const removed = z.object({ id: z.string() });
const replayed = z.object({ written: z.number(), refused: z.number() });

/** Gatehouse refuses any other text, and names these. */
type KindOfLetter = 'refused' | 'outage' | undefined;

/** An empty part would make another address. Gatehouse refuses a space as an empty id. */
const paramOf = (id: string) => ({ param: { id: encodeURIComponent(id || ' ') } });

export async function list(io: Io, gatehouse: Gatehouse): Promise<number> {
  const pages = await followPages(async (cursor) =>
    accepted(await responseTo(gatehouse.admin['dead-letters'].$get({ query: { limit: 500, cursor } })), page),
  );
  const rows = pages.flatMap(({ deadLetters }) =>
    deadLetters.map(({ diedAt, kind, reason, id }) => [diedAt, kind, reasonInWords(reason), id]),
  );
  if (rows.length === 0) print(io, 'There are no dead letters.');
  else print(io, table(['SINCE', 'KIND', 'REASON', 'ID'], rows));
  return 0;
}

export async function show(io: Io, gatehouse: Gatehouse, wantedId: string): Promise<number> {
  const { id, kind, reason, diedAt, message } = accepted(
    await responseTo(gatehouse.admin['dead-letters'][':id'].$get(paramOf(wantedId))),
    withMessage,
  );
  const about = { id, kind, reason: reasonInWords(reason), since: diedAt };
  // `printable` would replace the line breaks too.
  const lines = JSON.stringify(message, null, 2).split('\n').map(printable);
  print(io, `${pairs(Object.entries(about))}\n\n${lines.join('\n')}`);
  return 0;
}

/** Exit code 1 when the queue cannot take some of them. */
export async function replayLetters(io: Io, gatehouse: Gatehouse, kind: string | undefined): Promise<number> {
  const asked = gatehouse.admin['dead-letters'].replay.$post({ query: { kind: kind as KindOfLetter } });
  const { written, refused } = accepted(await responseTo(asked), replayed);
  print(
    io,
    `${written} sent to the queue again, ${refused} left. Check again in two minutes: npm run dead-letters -- list`,
  );
  if (refused === 0) return 0;
  print(io, 'This version cannot read those left. Show one with: show ID. Delete one with: remove ID.');
  return 1;
}

export async function removeLetter(io: Io, gatehouse: Gatehouse, wantedId: string): Promise<number> {
  const { id } = accepted(await responseTo(gatehouse.admin['dead-letters'][':id'].$delete(paramOf(wantedId))), removed);
  print(io, `Removed ${printable(id)}: its message will never be written.`);
  return 0;
}
