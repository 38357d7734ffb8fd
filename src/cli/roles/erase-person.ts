/** `npm run roles -- erase`: shows what would be erased, asks, and erases until nothing is left. */
import * as z from 'zod/mini';
import { type Answer, accepted, type Gatehouse, responseTo } from '../administrator.ts';
import { confirmed, type Io, print } from '../io.ts';
import { CommandRefusal } from '../refusal.ts';
import { pairs, table } from '../table.ts';

export interface ErasureChoice {
  readonly shared?: true;
  readonly yes?: true;
}

const days = z.optional(z.object({ from: z.string(), to: z.string() }));
const preview = z.object({
  keys: z.array(z.string()),
  notFollowed: z.array(z.string()),
  accounts: z.number(),
  tables: z.object({
    attempts: z.object({ found: z.number(), days }),
    changes: z.object({ found: z.number() }),
  }),
  records: z.object({ found: z.number() }),
  deadLetters: z.object({ found: z.number(), unreadable: z.number() }),
});
const proof = z.object({
  id: z.string(),
  erasedAt: z.string(),
  finished: z.boolean(),
  tables: z.object({
    attempts: z.object({ blinded: z.number(), days }),
    changes: z.object({ blinded: z.number() }),
  }),
  records: z.object({ removed: z.number() }),
  deadLetters: z.object({ removed: z.number(), unreadable: z.number() }),
  daysToSumAgain: z.number(),
  remains: z.array(z.object({ where: z.string(), what: z.string(), until: z.optional(z.string()) })),
});
type Proof = z.infer<typeof proof>;

/** A request blinds 10,000 attempts or more. */
const MAX_REQUESTS = 200;

/** Exit code 1 when nothing was erased, or not everything. */
export async function erasePersonData(
  io: Io,
  gatehouse: Gatehouse,
  key: string,
  { shared, yes }: ErasureChoice,
): Promise<number> {
  const found = accepted(await responseTo(gatehouse.admin.people.data.preview.$post({ json: { key } })), preview);
  print(io, shownPreview(found));
  const question = 'Erase this? It cannot be undone.';
  if (!yes && !(await confirmed(io, question))) {
    print(io, 'Nothing was erased.');
    return 1;
  }
  for (let requests = 1; requests <= MAX_REQUESTS; requests += 1) {
    const json = { key, ...(shared ? { shared: 'yes' as const } : {}) };
    const done = proofIn(await responseTo(gatehouse.admin.people.data.erase.$post({ json })));
    print(io, shownProof(done));
    if (done.finished) {
      print(
        io,
        `\n${table(
          ['REMAINS', 'WHAT', 'UNTIL'],
          done.remains.map(({ where, what, until }) => [where, what, until ?? '-']),
        )}`,
      );
      return 0;
    }
  }
  throw new CommandRefusal('Not everything is erased yet. Run the same command again.');
}

/** 202: not everything is erased yet. */
const proofIn = (answer: Answer<z.input<typeof proof>>): Proof =>
  accepted(answer.status === 202 ? { ...answer, status: 200 } : answer, proof);

const between = (range: z.infer<typeof days>) => (range === undefined ? '' : ` (${range.from} to ${range.to})`);

function shownPreview({ keys, notFollowed, accounts, tables, records, deadLetters }: z.infer<typeof preview>): string {
  return pairs([
    ['keys', keys.join(', ')],
    ['may be shared, not followed', notFollowed.join(', ') || '-'],
    ['accounts', String(accounts)],
    ['attempts', `${tables.attempts.found}${between(tables.attempts.days)}`],
    ['changes of roles', String(tables.changes.found)],
    ['records of roles', String(records.found)],
    ['dead letters', String(deadLetters.found)],
    ['dead letters that cannot be read', String(deadLetters.unreadable)],
  ]);
}

function shownProof({ id, erasedAt, finished, tables, records, deadLetters, daysToSumAgain }: Proof): string {
  const { attempts, changes } = tables;
  return pairs([
    [finished ? 'erased' : 'not finished', `everything until ${erasedAt}; proof ${id} in the audit log`],
    ['attempts blinded', `${attempts.blinded}${between(attempts.days)}`],
    ['changes blinded', String(changes.blinded)],
    ['records removed', String(records.removed)],
    ['dead letters removed', `${deadLetters.removed}; ${deadLetters.unreadable} cannot be read`],
    ['days to sum again', String(daysToSumAgain)],
  ]);
}
