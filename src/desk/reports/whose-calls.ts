/**
 * Decides which calls belong to one person, as far as their keys tell. The directory's account comes first, then an
 * identity, then what anyone can type: such a key joins a person only if it leads to exactly one. Pure.
 */
import { MINUTE_MS } from '../../platform/duration.ts';
import { isNameKey } from '../../sign-in/search-keys.ts';
import type { AttemptRow } from './queries/columns.ts';

/** Calls of one person and application with a longer pause between them are two tries. */
export const TRY_GAP_MS = 30 * MINUTE_MS;

export type KeyedCall = Pick<
  AttemptRow,
  'id' | 'occurredAt' | 'clientId' | 'oidKey' | 'idpKey' | 'emailKey' | 'otherKeys' | 'correlationId'
>;

/** The person and the application of a call. */
export interface Whose {
  /** A person key; `call:` and an id when the call names no person. */
  readonly person: string;
  readonly clientId: string;
}

/** By id of the call. The order of the calls does not matter. */
export function whoseCalls(calls: readonly KeyedCall[]): ReadonlyMap<string, Whose> {
  const whose = new Map<string, Whose>();
  const known = new Map<string, Known[]>();
  const journeys = journeysIn(calls);
  const byLevel = Map.groupBy(calls, levelOf);
  for (const level of LEVELS) {
    // Calls of one level do not depend on each other.
    const found = (byLevel.get(level) ?? []).map((call) => ({ call, person: personOf(call, level, known, journeys) }));
    for (const one of found) {
      const { clientId, correlationId } = one.call;
      whose.set(one.call.id, {
        person: one.person,
        clientId: clientId || (journeys.get(correlationId)?.clientId ?? ''),
      });
      const has = LEVELS.filter((kind) => keysOf(one.call, kind).length > 0);
      for (const link of [...linksOf(one.call).flat(), ...has.map((kind) => `${kind} of ${one.person}`)]) {
        const linked = known.get(link);
        if (linked === undefined) known.set(link, [one]);
        else linked.push(one);
      }
    }
  }
  return whose;
}

/** The kinds of keys, the one that identifies best first. */
const LEVELS = ['account', 'identity', 'email', 'name', 'none'] as const;
type Level = (typeof LEVELS)[number];
/** Kinds of which a person seldom has two. A name may be mistyped. */
const TELLING: ReadonlySet<Level> = new Set(['identity', 'email']);

interface Known {
  readonly call: KeyedCall;
  readonly person: string;
}

function keysOf({ oidKey, idpKey, emailKey, otherKeys }: KeyedCall, level: Level): string[] {
  const of = {
    account: () => [oidKey],
    identity: () => [idpKey, ...otherKeys.filter((key) => !isNameKey(key))],
    email: () => [emailKey],
    name: () => otherKeys.filter(isNameKey),
    none: () => [],
  };
  return of[level]()
    .filter((key) => key !== '')
    .toSorted();
}

const levelOf = (call: KeyedCall): Level => LEVELS.find((level) => keysOf(call, level).length > 0) ?? 'none';

/** What a call can share with another one of the same person: the journey, then keys by {@link LEVELS}. */
function linksOf(call: KeyedCall): string[][] {
  const kinds = LEVELS.map((level) => keysOf(call, level).map((key) => `${level} ${key}`));
  return [call.correlationId === '' ? [] : [`journey ${call.correlationId}`], ...kinds];
}

function personOf(
  call: KeyedCall,
  level: Level,
  known: ReadonlyMap<string, readonly Known[]>,
  journeys: ReadonlyMap<string, Journey>,
): string {
  const isOnePersons = journeys.get(call.correlationId)?.isOnePersons === true;
  const [own = `call:${isOnePersons ? call.correlationId : call.id}`] = keysOf(call, level);
  if (level === 'account') return own;
  const [inJourney = [], ...byKind] = linksOf(call).map((links) => links.flatMap((link) => known.get(link) ?? []));
  // Some policies send one correlation id for all: a person with another key of this kind is another person.
  const isOther = ({ person }: Known) => TELLING.has(level) && known.has(`${level} of ${person}`);
  const journey = isOnePersons ? inJourney.filter((one) => !isOther(one)) : [];
  const weaker = LEVELS.indexOf(level) + 1;
  // A shared address does not join an identity to the account of another identity.
  const others = level === 'identity' ? [] : byKind.slice(weaker);
  for (const linked of [...byKind.slice(0, weaker), journey, ...others]) {
    const persons = personsIn(linked);
    if (persons.length === 0) continue;
    const near = persons.length === 1 ? persons : personsIn(linked.filter((other) => isNear(call, other.call)));
    return near.length === 1 ? (near[0] ?? own) : own;
  }
  return own;
}

const personsIn = (known: readonly Known[]) => [...new Set(known.map(({ person }) => person))];

const isNear = (one: KeyedCall, other: KeyedCall) =>
  one.clientId === other.clientId && Math.abs(one.occurredAt.getTime() - other.occurredAt.getTime()) <= TRY_GAP_MS;

interface Journey {
  /** Whether its calls can be one person's: some policies send one correlation id for all. */
  readonly isOnePersons: boolean;
  /** The application of its calls, if it is one: an exchange may not send it. */
  readonly clientId: string;
}

/** By correlation id. */
function journeysIn(calls: readonly KeyedCall[]): ReadonlyMap<string, Journey> {
  const byId = Map.groupBy(calls, ({ correlationId }) => correlationId);
  byId.delete('');
  const distinct = (values: readonly string[]) => [...new Set(values)].filter((value) => value !== '');
  return new Map(
    [...byId].map(([id, own]) => {
      const keys = [
        own.map(({ oidKey }) => oidKey),
        own.map(({ idpKey }) => idpKey),
        own.map(({ emailKey }) => emailKey),
      ];
      const isOnePersons = keys.every((some) => distinct(some).length <= 1);
      const [clientId = '', ...others] = distinct(own.map((call) => call.clientId));
      return [id, { isOnePersons, clientId: others.length === 0 && isOnePersons ? clientId : '' }];
    }),
  );
}
