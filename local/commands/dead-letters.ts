/** `npm run dead-letters`: messages that could not be written to the database, listed and written again. */
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { accepted, administratorAt, type Call, DEFAULT_URL, URL_HELP } from './administrator.ts';
import { calledWrongly, end } from './ending.ts';
import { table } from './table.ts';

const HELP = `Usage: npm run dead-letters -- <command> [options]

  list      every dead letter: when and why it was laid aside
  replay    writes them to the database; those that it takes are gone afterwards

  --kind K    with replay: only those of one kind.
              outage: the database did not answer for about a day; Gatehouse replays these by itself when it does.
              refused: the message itself was at fault, and stays until somebody has looked and replays it

Attempts and role changes are written once, however often they are replayed. Letters live as long as an attempt would.

${URL_HELP}`;

const page = z.object({
  deadLetters: z.array(z.object({ id: z.string(), kind: z.string(), reason: z.string(), diedAt: z.string() })),
  next: z.optional(z.string()),
});
const replayed = z.object({ written: z.number(), refused: z.number() });

await end(async (args) => {
  const { values, positionals } = read(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [command, tooMuch] = positionals;
  if (command !== 'list' && command !== 'replay') {
    const said = command === undefined ? 'Say what to do' : `"${command}" is not a command`;
    throw calledWrongly(`${said}: list, replay.`, 'dead-letters');
  }
  if (tooMuch !== undefined) throw calledWrongly(`"${tooMuch}" is too much after ${command}.`, 'dead-letters');
  if (command === 'list' && values.kind !== undefined) {
    throw calledWrongly('list does not take --kind.', 'dead-letters');
  }
  const call = administratorAt(values.url, process.env.GATEHOUSE_ADMIN);
  return command === 'list' ? list(call) : replay(call, values.kind);
});

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
  const rows = letters.map(({ diedAt, kind, reason, id }) => [diedAt, kind, reason, id]);
  console.log(table(['LAID ASIDE', 'KIND', 'REASON', 'ID'], rows));
  return 0;
}

/** Exit code 1 when letters are left that the database refuses. */
async function replay(call: Call, kind: string | undefined): Promise<number> {
  const chosen = kind === undefined ? '' : `?kind=${encodeURIComponent(kind)}`;
  const { written, refused } = accepted(await call('POST', `/admin/dead-letters/replay${chosen}`), replayed);
  console.log(`${written} written and gone, ${refused} still refused.`);
  if (refused === 0) return 0;
  console.log('See why with: npm run dead-letters -- list');
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
