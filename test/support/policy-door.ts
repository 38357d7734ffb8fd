/** Calls `/admin/policy` in Node, with a separate database, and with a KV and a Neon that fail on demand. */
import { timingSafeEqual } from 'node:crypto';
import { asc, eq } from 'drizzle-orm';
import { afterEach, beforeEach, vi } from 'vitest';
import { changes, policyVersions } from '../../src/database/schema.ts';
import { managementApi } from '../../src/desk/management-api.ts';
import { runSchedule } from '../../src/desk/schedule.ts';
import { POINTER_KEY, PUBLISH_DUE_PREFIX, versionKey } from '../../src/policy/pointer.ts';
import { type MemoryKv, memoryKv } from './memory-kv.ts';
import { ownDatabase } from './own-database.ts';

// workerd has this function on `crypto.subtle`, Node in `node:crypto`.
Object.assign(crypto.subtle, { timingSafeEqual });

const realFetch = globalThis.fetch;

export interface Answered {
  status: number;
  headers: Headers;
  text: string;
  json: Record<string, unknown>;
}

export interface Call {
  /** Text and bytes are sent unchanged, other values as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Settings that replace the default ones. */
  settings?: Record<string, string>;
}

export type NeonFate = 'refused' | 'answer lost' | 'bad gateway';

/** A policy that sends roles, with `more` members. The check has no warnings for it. */
export const aPolicy = (more: object = {}) => ({
  rules: [{ id: 'roles', steps: ['PreTokenIssuance'], set: { extension_Roles: "person.roles.join(' ')" } }],
  ...more,
});
/** A policy with a unique description. */
export const newPolicy = (more: object = {}) => aPolicy({ description: crypto.randomUUID(), ...more });

export const ifMatch = (number: number) => ({ 'If-Match': `"${number}"` });
export const FIRST = { 'If-None-Match': '*' };

export function policyDoor() {
  const database = ownDatabase();
  let memory: MemoryKv;
  let env: Env;
  beforeEach(() => {
    memory = memoryKv();
    env = envWith({});
    // A busy machine may exceed the limits of requests to Neon. No test of this door is about them.
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
  });
  afterEach(() => vi.restoreAllMocks());

  const envWith = (settings: Record<string, string>) =>
    ({
      LOCAL: 'yes',
      POLICY: 'stored',
      DATABASE_URL: database.url(),
      SUPPORT_CODE_KEY: 'a key for tests, long enough to count',
      ...settings,
      GATEHOUSE: memory.kv,
    }) as unknown as Env;

  const call = (method: string, path: string, asked: Call = {}) => send(method, `/admin${path}`, 'admin:admin', asked);
  async function send(
    method: string,
    path: string,
    credential: string,
    { body, headers, settings }: Call,
  ): Promise<Answered> {
    const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
    const request = new Request(`https://gatehouse.example${path}`, {
      method,
      headers: {
        Authorization: `Basic ${btoa(credential)}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body), duplex: 'half' }),
    } as RequestInit);
    const after: Promise<unknown>[] = [];
    const context = {
      waitUntil: (work: Promise<unknown>) => after.push(work),
      passThroughOnException: () => undefined,
    };
    const response = await managementApi.fetch(
      request,
      settings === undefined ? env : envWith(settings),
      context as never,
    );
    const text = await response.text();
    await Promise.allSettled(after);
    return { status: response.status, headers: response.headers, text, json: text === '' ? {} : JSON.parse(text) };
  }

  const put = (document: unknown, headers: Record<string, string>, query = '') =>
    call('PUT', `/policy${query}`, { body: document, headers });

  return {
    database,
    call,
    /** Asks as support does. */
    report: (path: string, settings?: Record<string, string>) =>
      send('GET', `/reports${path}`, 'support:support', settings === undefined ? {} : { settings }),
    put,
    memory: () => memory,
    env: () => env,
    /** Saves a policy over the one in force. Returns its number. */
    async save(document: unknown = newPolicy()): Promise<number> {
      const etag = (await call('GET', '/policy')).headers.get('ETag');
      const { status, json, text } = await put(document, etag === null ? FIRST : { 'If-Match': etag });
      if (status !== 200) throw new Error(text);
      return Number(json.number);
    },
    pointer: () => JSON.parse(memory.values.get(POINTER_KEY) ?? 'null') as unknown,
    published: (number: number) => JSON.parse(memory.values.get(versionKey(number)) ?? 'null') as unknown,
    due: () => [...memory.values.keys()].filter((key) => key.startsWith(PUBLISH_DUE_PREFIX)),
    versions: () => database.db().select().from(policyVersions).orderBy(asc(policyVersions.number)),
    changes: (subject: string) =>
      database.db().select().from(changes).where(eq(changes.subject, subject)).orderBy(asc(changes.id)),
    /** Runs the cron, `minutes` from now. */
    tick: (minutes: number) => runSchedule(env, Date.now() + minutes * 60_000),
    /** Sets the fate of each request to Neon, counted from 1. Returns a function with the count of requests. */
    neon(fate: (request: number) => NeonFate | undefined) {
      let requests = 0;
      vi.spyOn(globalThis, 'fetch').mockImplementation(async (...given) => {
        requests += 1;
        const what = fate(requests);
        if (what === 'refused') throw new TypeError('fetch failed');
        if (what === 'bad gateway') return new Response('upstream connect error', { status: 503 });
        const response = await realFetch(...given);
        if (what === 'answer lost') throw new TypeError('terminated');
        return response;
      });
      return () => requests;
    },
  };
}
