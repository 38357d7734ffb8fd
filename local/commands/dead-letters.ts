/** `npm run dead-letters`: messages that could not be written to the database, listed, shown, sent again and given up. */
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { accepted, administratorAt, type Call, DEFAULT_URL, URL_HELP } from './administrator.ts';
import { inWords } from './dead-letter-reasons.ts';
import { calledWrongly, end } from './ending.ts';
import { pairs, printable, table } from './table.ts';

const HELP = `Usage: npm run dead-letters -- <command> [options]

  list        every dead letter: since when, and why
  show ID     one letter with the message in it
  replay      sends up to 300 letters to the queue again; those that it takes are gone afterwards. A message that the
              database refuses again is back in the list within two minutes
  remove ID   gives one up: its message will never be written

Attempts and role changes are written once, however often they are replayed. Letters live as long as an attempt would.

${URL_HELP}`;

const letter = z.object({ id: z.string(), kind: z.string(), reason: z.string(), diedAt: z.string() });
const page = z.object({ deadLetters: z.array(letter), next: z.optional(z.string()) });
const opened = z.extend(letter, { message: z.unknown() });
const removed = z.object({ id: z.string() });
const replayed = z.object({ written: z.number(), refused: z.number() });

const COMMANDS = { list, show, replay, remove };
const wrong = (message: string) => calledWrongly(message, 'dead-letters');
const letterAt = (id: string) => `/admin/dead-letters/${encodeURIComponent(id)}`;

await end(async (args) => {
  const { values, positionals } = read(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [name, ...rest] = positionals;
  if (name !== 'list' && name !== 'show' && name !== 'replay' && name !== 'remove') {
    const said = name === undefined ? 'Say what to do' : `"${name}" is not a command`;
    throw wrong(`${said}: ${Object.keys(COMMANDS).join(', ')}.`);
  }
  const [id = '', tooMuch] = name === 'show' || name === 'remove' ? rest : ['-', ...rest];
  if (id === '') throw wrong(`${name} needs an ID after it: list shows them.`);
  if (tooMuch !== undefined) throw wrong(`"${tooMuch}" is too much after ${name}.`);
  return COMMANDS[name](administratorAt(values.url, process.env.GATEHOUSE_ADMIN), id);
});

async function list(call: Call): Promise<number> {
  const rows: string[][] = [];
  let cursor = '';
  do {
    const { deadLetters, next } = accepted(await call('GET', `/admin/dead-letters?limit=500${cursor}`), page);
    rows.push(...deadLetters.map(({ diedAt, kind, reason, id }) => [diedAt, kind, inWords(reason), id]));
    cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`;
  } while (cursor !== '');
  if (rows.length === 0) console.log('There are no dead letters.');
  else console.log(table(['SINCE', 'KIND', 'REASON', 'ID'], rows));
  return 0;
}

async function show(call: Call, asked: string): Promise<number> {
  const { id, kind, reason, diedAt, message } = accepted(await call('GET', letterAt(asked)), opened);
  const about = { id, kind, reason: inWords(reason), since: diedAt };
  // Line by line: a message may hold what would move the cursor.
  const lines = JSON.stringify(message, null, 2).split('\n').map(printable);
  console.log(`${pairs(Object.entries(about))}\n\n${lines.join('\n')}`);
  return 0;
}

/** Exit code 1 when letters are left that the queue cannot take. */
async function replay(call: Call): Promise<number> {
  const { written, refused } = accepted(await call('POST', '/admin/dead-letters/replay'), replayed);
  console.log(
    `${written} sent to the queue again, ${refused} left. Look again in two minutes: npm run dead-letters -- list`,
  );
  if (refused === 0) return 0;
  console.log('Those left are no messages of this version. Read one with: show ID. Give one up with: remove ID.');
  return 1;
}

async function remove(call: Call, asked: string): Promise<number> {
  const { id } = accepted(await call('DELETE', letterAt(asked)), removed);
  console.log(`Removed ${printable(id)}: its message will never be written.`);
  return 0;
}

function read(args: string[]) {
  const options = { url: { type: 'string', default: DEFAULT_URL }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}
