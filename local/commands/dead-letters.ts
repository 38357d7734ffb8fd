/** `npm run dead-letters`: messages that could not be written to the database, listed, shown, written again and given up. */
import * as z from 'zod/mini';
import { accepted, type Call } from './administrator.ts';
import { inWords } from './dead-letter-reasons.ts';
import { pairs, printable, table } from './table.ts';

const page = z.object({
  deadLetters: z.array(z.object({ id: z.string(), kind: z.string(), reason: z.string(), diedAt: z.string() })),
  next: z.optional(z.string()),
});
const opened = z.object({
  id: z.string(),
  kind: z.string(),
  reason: z.string(),
  diedAt: z.string(),
  message: z.unknown(),
});
const removed = z.object({ id: z.string() });
const replayed = z.object({ written: z.number(), refused: z.number() });

const letterAt = (id: string) => `/admin/dead-letters/${encodeURIComponent(id)}`;

export async function list(call: Call): Promise<number> {
  const letters: z.infer<typeof page>['deadLetters'] = [];
  let next: string | undefined;
  do {
    const cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`;
    const read = accepted(await call('GET', `/admin/dead-letters?limit=500${cursor}`), page);
    letters.push(...read.deadLetters);
    next = read.next;
  } while (next !== undefined);
  if (letters.length === 0) {
    console.log('There are no dead letters: everything was written.');
    return 0;
  }
  const rows = letters.map(({ diedAt, kind, reason, id }) => [diedAt, kind, inWords(reason), id]);
  console.log(table(['LAID ASIDE', 'KIND', 'REASON', 'ID'], rows));
  return 0;
}

export async function show(call: Call, asked: string): Promise<number> {
  const { id, kind, reason, diedAt, message } = accepted(await call('GET', letterAt(asked)), opened);
  const about = pairs([
    ['id', id],
    ['kind', kind],
    ['reason', inWords(reason)],
    ['laid aside', diedAt],
  ]);
  // Line by line: a message may hold what would move the cursor.
  const lines = JSON.stringify(message, null, 2).split('\n').map(printable);
  console.log(`${about}\n\n${lines.join('\n')}`);
  return 0;
}

export async function remove(call: Call, asked: string): Promise<number> {
  const { id } = accepted(await call('DELETE', letterAt(asked)), removed);
  console.log(`Removed ${printable(id)}: its message will never be written.`);
  return 0;
}

/** Exit code 1 when letters are left that the database refuses. */
export async function replay(call: Call, kind: string | undefined): Promise<number> {
  const chosen = kind === undefined ? '' : `?kind=${encodeURIComponent(kind)}`;
  const { written, refused } = accepted(await call('POST', `/admin/dead-letters/replay${chosen}`), replayed);
  console.log(`${written} written and gone, ${refused} still refused.`);
  if (refused === 0) return 0;
  console.log(
    'See why with: npm run dead-letters -- list, and the message with: show ID. What can never be written goes with: remove ID.',
  );
  return 1;
}
