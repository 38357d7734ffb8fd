/** Lists the records of people in Workers KV, page by page. */
import { PERSON_PREFIX, personKeyAt, placesOf } from '../../entitlements/record-keys.ts';
import { newestCopy } from '../../entitlements/stored-record.ts';
import { type KvResult, readMany, withKvTimeout } from '../../platform/kv.ts';
import { type Records, type StoredPerson, storedPersonOf } from './person-records.ts';

export interface PeoplePage {
  readonly people: readonly StoredPerson[];
  /** The KV cursor; absent on the last page. */
  readonly next?: string;
}

/**
 * Lists people, each once, in the order of their keys in KV, where an address is a digest. One list and one bulk read,
 * and one more for copies that are not in their place.
 */
export async function listPeople(
  { kv, emailKeys }: Records,
  limit: number,
  cursor: string | undefined,
): Promise<KvResult<PeoplePage>> {
  const listed = await withKvTimeout(() => kv.list({ prefix: PERSON_PREFIX, limit, cursor: cursor ?? null }));
  if (!listed.ok) return listed;
  const next = listed.value.list_complete ? {} : { next: listed.value.cursor };
  const names = listed.value.keys.map(({ name }) => name);
  const read = await readMany(kv, names);
  if (!read.ok) return read;
  const copies: { place: string; key: string; places: readonly string[] }[] = [];
  for (const place of names) {
    const text = read.value.get(place);
    if (typeof text !== 'string') continue;
    const key = personKeyAt(place, text);
    copies.push({ place, key, places: await placesOf(emailKeys, key) });
  }
  const misplaced = copies.filter(({ place, places }) => places[0] !== place).flatMap(({ places }) => places);
  const others = await readMany(kv, misplaced);
  if (!others.ok) return others;
  const values = new Map([...others.value, ...read.value]);
  const people = copies.flatMap(({ place, key, places }) => {
    if (!places.includes(place)) return [orphan(place, key)];
    // A record is listed at the first of its places that has a value.
    if (places.find((one) => typeof values.get(one) === 'string') !== place) return [];
    const newest = newestCopy(places, values);
    return (newest && storedPersonOf(key, newest)) ?? [];
  });
  return { ok: true, value: { people, ...next } };
}

/** A digest that no line of EMAIL_KEY makes is listed as a key: under this key it can be read and removed. */
const orphan = (place: string, key: string): StoredPerson => ({
  key: place.slice(PERSON_PREFIX.length),
  record: undefined,
  unreadable: `The record of ${key} is under a line of EMAIL_KEY that is not set.`,
});
