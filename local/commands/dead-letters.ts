/** `npm run dead-letters`: messages that could not be written to the database, listed, shown, written again and given up. */
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { accepted, administratorAt, type Call, DEFAULT_URL, URL_HELP } from './administrator.ts';
import { inWords } from './dead-letter-reasons.ts';
import { calledWrongly, end } from './ending.ts';
import { pairs, printable, table } from './table.ts';

const HELP = `Usage: npm run dead-letters -- <command> [options]

  list        every dead letter: when and why it was laid aside
  show ID     one letter with the message in it
  replay      writes them to the database; those that it takes are gone afterwards
  remove ID   gives one up: its message will never be written

  --kind K    with replay: only those of one kind.
              outage: the database did not answer for about a day; Gatehouse replays these by itself when it does.
              refused: the message itself was at fault, and stays until somebody has looked and replays it

Attempts and role changes are written once, however often they are replayed. Letters live as long as an attempt would.

${URL_HELP}`;

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

const COMMANDS = ['list', 'show', 'replay', 'remove'] as const;
const letterAt = (id: string) => `/admin/dead-letters/${encodeURIComponent(id)}`;

await end(async (args) => {
  const { values, positionals } = read(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { command, id } = readCommand(positionals);
  if (command !== 'replay' && values.kind !== undefined) {
    throw calledWrongly(`${command} does not take --kind.`, 'dead-letters');
  }
  const call = administratorAt(values.url, process.env.GATEHOUSE_ADMIN);
  switch (command) {
    case 'list':
      return list(call);
    case 'show':
      return show(call, id);
    case 'replay':
      return replay(call, values.kind);
    case 'remove':
      return remove(call, id);
  }
});

/** `id` is `''` for a command that takes none. */
function readCommand([name, ...rest]: string[]): { command: (typeof COMMANDS)[number]; id: string } {
  const command = COMMANDS.find((known) => known === name);
  if (command === undefined) {
    const said = name === undefined ? 'Say what to do' : `"${name}" is not a command`;
    throw calledWrongly(`${said}: ${COMMANDS.join(', ')}.`, 'dead-letters');
  }
  const [id, tooMuch] = command === 'show' || command === 'remove' ? rest : ['', ...rest];
  if (!id && command !== 'list' && command !== 'replay') {
    throw calledWrongly(`${command} needs an ID after it: list shows them.`, 'dead-letters');
  }
  if (tooMuch !== undefined) throw calledWrongly(`"${tooMuch}" is too much after ${command}.`, 'dead-letters');
  return { command, id: id ?? '' };
}

async function list(call: Call): Promise<number> {
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

async function show(call: Call, asked: string): Promise<number> {
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

async function remove(call: Call, asked: string): Promise<number> {
  const { id } = accepted(await call('DELETE', letterAt(asked)), removed);
  console.log(`Removed ${printable(id)}: its message will never be written.`);
  return 0;
}

/** Exit code 1 when letters are left that the database refuses. */
async function replay(call: Call, kind: string | undefined): Promise<number> {
  const chosen = kind === undefined ? '' : `?kind=${encodeURIComponent(kind)}`;
  const { written, refused } = accepted(await call('POST', `/admin/dead-letters/replay${chosen}`), replayed);
  console.log(`${written} written and gone, ${refused} still refused.`);
  if (refused === 0) return 0;
  console.log(
    'See why with: npm run dead-letters -- list, and the message with: show ID. What can never be written goes with: remove ID.',
  );
  return 1;
}

function read(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        url: { type: 'string', default: DEFAULT_URL },
        help: { type: 'boolean', short: 'h', default: false },
        kind: { type: 'string' },
      },
    });
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'dead-letters');
  }
}
