/** A person who is erased: their calls, and a door to `/admin/people/{key}/data` with what names them behind it. */
import { sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Attempt } from '../../src/attempts/attempt.ts';
import { consume } from '../../src/desk/consume/consume.ts';
import { HOUR_MS } from '../../src/platform/duration.ts';
import { anAttempt, keepAttempts } from './attempt.ts';
import { policyDoor } from './policy-door.ts';

export interface Person {
  readonly objectId: string;
  readonly id: string;
  readonly email: string;
}
export const person = (more: Partial<Person> = {}): Person => {
  const id = crypto.randomUUID();
  return { objectId: crypto.randomUUID(), id: `g-${id}`, email: `${id}@example.com`, ...more };
};
export const oidOf = ({ objectId }: Person) => `oid:${objectId}`;
export const idpOf = ({ id }: Person) => `idp:google.com:${id}`;
export const emailOf = ({ email }: Person) => `email:${email}`;

export type Kind = 'token' | 'sign-up' | 'address';
/** A call: at the token step with everything, at a sign-up with the identity and the address, or the address alone. */
export function callOf(who: Person, kind: Kind, changed: Partial<Attempt> & { at?: Date } = {}): Attempt {
  const isToken = kind === 'token';
  const hasIdentity = kind !== 'address';
  return anAttempt({
    at: new Date(Date.now() - 3 * HOUR_MS),
    step: isToken ? 'PreTokenIssuance' : 'PostFederationSignup',
    outcome: isToken ? 'continue' : 'block',
    rule: isToken ? '' : 'no-code',
    objectId: isToken ? who.objectId : '',
    oidKey: isToken ? oidOf(who) : '',
    email: who.email,
    emailKey: emailOf(who),
    issuer: hasIdentity ? 'google.com' : '',
    issuerAssignedId: hasIdentity ? who.id : '',
    idpKey: hasIdentity ? idpOf(who) : '',
    otherKeys: isToken ? [`idp:facebook.com:${who.id}`, `name:${who.email}`] : [],
    keptClaims: hasIdentity ? { displayName: `Name of ${who.id}` } : {},
    message: `Dear ${who.email}`,
    roles: ['editor'],
    supportCode: 'ABCDE-12345',
    correlationId: hasIdentity ? `c-${who.id}` : '',
    notes: [`the condition of rule r1 failed unforeseen: ${who.email}`, `about ${who.email}`],
    ...changed,
  });
}

/** All that names a person. */
export const namesOf = (who: Person) => [who.objectId, who.id, who.email];

export const pathOf = (key: string) => `/people/${encodeURIComponent(key)}/data`;

export function erasureDoor() {
  const door = policyDoor();
  const { call, database } = door;

  /** Every value of every table and of KV, as one text. */
  async function everything(): Promise<string> {
    const tables = await database.rows<{ name: string }>(sql`
      select c.relname as name from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`);
    const texts: string[] = [];
    for (const { name } of tables) {
      const rows = await database.rows<{ text: string }>(
        sql`select t::text as text from ${sql.identifier(name)} as t order by 1`,
      );
      texts.push(name, ...rows.map(({ text }) => text));
    }
    return [...texts, ...[...door.memory().values].flat()].join('\n');
  }

  const found = async (names: readonly string[]) => {
    const text = await everything();
    return names.filter((name) => text.includes(name));
  };

  /** `t::text` of these rows. */
  const rowsOf = async (...some: Attempt[]) =>
    some.length === 0
      ? []
      : database.rows(sql`select t::text from attempts t where id in ${some.map(({ id }) => id)} order by id`);

  const erase = (key: string, query = '') => call('DELETE', pathOf(key) + query);
  const preview = (key: string) => call('GET', pathOf(key));

  const setRecord = (key: string) =>
    call('PUT', '/people', { body: { key, roles: ['editor'], attributes: { note: `of ${key}` } } });
  const keepLetter = (message: unknown) =>
    door
      .memory()
      .kv.put(`dead-letter:refused:${uuidv7()}`, typeof message === 'string' ? message : JSON.stringify(message));
  const letters = () => [...door.memory().values.keys()].filter((key) => key.startsWith('dead-letter:')).length;

  /** Delivers messages to the consumer. Returns how many it acknowledged. */
  async function deliver(...bodies: unknown[]): Promise<number> {
    let acked = 0;
    const messages = bodies.map((body, index) => ({
      ...{ id: `m${index}`, timestamp: new Date(), body, attempts: 1 },
      ack: () => (acked += 1),
      retry: () => undefined,
    }));
    const batch = { queue: 'gatehouse-attempts', messages, ackAll() {}, retryAll() {}, metadata: {} };
    await consume(batch as unknown as MessageBatch, door.env());
    return acked;
  }

  /** A person with calls that only a followed key finds, records under every key, and a dead letter. */
  async function someone(): Promise<Person> {
    const anna = person();
    const kinds = ['token', 'token', 'sign-up', 'sign-up', 'address', 'address'] as const;
    await keepAttempts(
      database.db(),
      kinds.map((kind) => callOf(anna, kind)),
    );
    for (const key of [oidOf(anna), idpOf(anna), emailOf(anna)]) await setRecord(key);
    await keepLetter(callOf(anna, 'sign-up'));
    return anna;
  }

  return {
    door,
    call,
    database,
    everything,
    found,
    rowsOf,
    erase,
    preview,
    setRecord,
    keepLetter,
    letters,
    deliver,
    someone,
  };
}
