/** What can stand after `npm run simulate --`, and what is wrong with it. */
import { parseArgs } from 'node:util';
import { calledWrongly } from '../commands/ending.ts';
import { DEFAULT_URL } from './target.ts';

const DEFAULT_PEOPLE = 200;
const DEFAULT_CALLS_PER_SECOND = 50;
const DEFAULT_SEED = 1;

export const HELP = `Usage: npm run simulate -- [--people N] [--rate N] [--seed N] [--url URL] [--yes]
       npm run simulate -- --days N [--people N] [--seed N] [--database-url postgres://…]

Without --days, plays people signing up and in at a running Gatehouse, in the way Azure AD B2C calls it: with several
applications and identity providers, in many languages. Some close the page, some calls are made twice, and one person in
eight does something odd: half a JSON, a wrong credential, a step that nobody knows. At the end it says what the replies
were and how long they took. Ctrl-C ends it early, with what there is so far.

  --people N   how many people (default ${DEFAULT_PEOPLE})
  --rate N     calls a second, whether the ones before are answered or not (default ${DEFAULT_CALLS_PER_SECOND})
  --seed N     the same number plays the same people (default ${DEFAULT_SEED})
  --url URL    where Gatehouse is (default ${DEFAULT_URL})
  --yes        yes, at an address that is not on this machine

With --days, fills the past instead: attempts of the last N days, by the hours and weekdays at which people sign in, are
written straight into the local database. Running it again adds nothing twice: the same seed and number of people give
the same attempts with the same ids, whatever N is, and on a later day only what is new is added.

  --days N            how many days (at most RETENTION_DAYS, 90: older ones would not be kept)
  --people N          how many people come and go at any time (default ${DEFAULT_PEOPLE}): about 20 attempts each in 30 days
  --database-url URL  default: DATABASE_URL, else the database of the npm run dev that keeps its data in .gatehouse

Credential: GATEHOUSE_CONNECTOR=user:password in the environment, a line of the secret CONNECTOR_BASIC. For a local URL it
may be left out. Exit code 1: something went wrong, or a reply was not one that B2C takes at its step, or there was none.`;

export type Request =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'live';
      readonly people: number;
      readonly seed: number;
      readonly callsPerSecond: number;
      readonly url: string;
      readonly sure: boolean;
    }
  | {
      readonly kind: 'past';
      readonly people: number;
      readonly seed: number;
      readonly days: number;
      readonly databaseUrl: string | undefined;
    };

/** Throws a refusal that says what is wrong. */
export function readArguments(args: string[]): Request {
  const { help, people, rate, seed, url, yes, days, 'database-url': databaseUrl } = parse(args);
  if (help) return { kind: 'help' };
  const common = {
    people: numberOf('people', people, 1, 1_000_000) ?? DEFAULT_PEOPLE,
    seed: numberOf('seed', seed, 0, Number.MAX_SAFE_INTEGER) ?? DEFAULT_SEED,
  };
  if (days === undefined) {
    if (databaseUrl !== undefined) throw calledWrongly('--database-url goes with --days only.', 'simulate');
    const callsPerSecond = numberOf('rate', rate, 1, 10_000) ?? DEFAULT_CALLS_PER_SECOND;
    return { kind: 'live', ...common, callsPerSecond, url: url ?? DEFAULT_URL, sure: yes };
  }
  const foreign = Object.entries({ rate, url }).find(([, value]) => value !== undefined);
  if (foreign !== undefined) throw calledWrongly(`--${foreign[0]} does not go with --days.`, 'simulate');
  return { kind: 'past', ...common, days: numberOf('days', days, 1, 3_650) ?? 1, databaseUrl };
}

function parse(args: string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args,
      options: {
        help: { ...flag, short: 'h' },
        people: text,
        rate: text,
        seed: text,
        url: text,
        yes: flag,
        days: text,
        'database-url': text,
      },
    }).values;
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'simulate');
  }
}

function numberOf(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw calledWrongly(`--${name} takes a whole number from ${least} to ${most}, not "${text}".`, 'simulate');
}
