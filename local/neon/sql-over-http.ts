/**
 * Neon's SQL over HTTP: a request as `@neondatabase/serverless` makes it, and the answer it expects. Where the driver
 * leaves something open, the proxy's source decides (neondatabase/neon, proxy/src/serverless/sql_over_http.rs).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate as otherEvents } from 'node:timers/promises';
import * as z from 'zod';
import { type Answer, errorAnswer, refusal } from './answer.ts';
import { type Credentials, refuseCaller } from './caller.ts';
import type { Postgres, Result, Session } from './postgres.ts';
import { type ArrayElements, jsonOf, parameterText } from './values.ts';

/** Neon's limit for a request, and for a result (https://neon.com/docs/serverless/serverless-driver). */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** A Bind message counts its parameters in 16 bits. */
const MAX_PARAMETERS = 65_535;

const Query = z.object({
  query: z.string(),
  params: z.array(z.unknown()).default([]),
  arrayMode: z.boolean().nullish(),
});
const Payload = z.union([Query, z.object({ queries: z.array(Query) })]);
type Query = z.infer<typeof Query>;

const ISOLATION_LEVELS = new Map([
  ['ReadUncommitted', 'read uncommitted'],
  ['ReadCommitted', 'read committed'],
  ['RepeatableRead', 'repeatable read'],
  ['Serializable', 'serializable'],
]);
const BATCH_HEADERS = ['neon-batch-isolation-level', 'neon-batch-read-only', 'neon-batch-deferrable'] as const;

type Form = { rawText: boolean; rowsAsArrays: boolean; elements: ArrayElements };

/** Answers one `POST /sql`. `clientGone` is asked before each statement, so that nobody's work is begun for nobody. */
export type AnswerSql = (headers: IncomingHttpHeaders, body: string, clientGone: () => boolean) => Promise<Answer>;

/** The returned function rejects only with `PostgresCrashed`; everything else that goes wrong is an answer. */
export function sqlOverHttp(postgres: Postgres, credentials: Credentials): AnswerSql {
  let elements: ArrayElements | undefined;

  return async (headers, body, clientGone) => {
    const refused = refuseCaller(single(headers['neon-connection-string']), credentials);
    if (refused) return refused;
    const begin = startTransaction(headers);
    if (begin === undefined) return refusal(400, 'invalid isolation level');
    const payload = readPayload(body);
    if ('status' in payload) return payload;

    return postgres.exclusively(async (session) => {
      const rawText = headers['neon-raw-text-output'] === 'true';
      if (!rawText) elements ??= await arrayElements(session);
      const form = { rawText, rowsAsArrays: headers['neon-array-mode'] === 'true', elements: elements ?? new Map() };
      const ask = async (query: Query): Promise<Answer> => {
        await noticeHangUp();
        // Nobody reads this one.
        if (clientGone()) return refusal(400, 'Query cancelled, connection was terminated');
        const outcome = await session.run(query.query, query.params.map(parameterText));
        return outcome.ok ? resultAnswer(outcome.result, query, form) : errorAnswer(400, outcome.error);
      };
      if (!('queries' in payload)) return ask(payload);

      // Whatever returns early leaves the transaction open, and the end of our turn rolls it back.
      const results: string[] = [];
      for (const query of [BEGIN(begin), ...payload.queries, COMMIT]) {
        const answer = await ask(query);
        if (answer.status !== 200) return answer;
        results.push(answer.body);
      }
      return { status: 200, headers: echo(headers), body: `{"results":[${results.slice(1, -1).join(',')}]}` };
    });
  };
}

/** A query blocks Node, so a hang-up may wait unread: one turn of the event loop reads the data before it, one reads it. */
async function noticeHangUp(): Promise<void> {
  await otherEvents();
  await otherEvents();
}

const BEGIN = (query: string): Query => ({ query, params: [] });
const COMMIT: Query = { query: 'commit', params: [] };

/** Undefined when the header names a level that there is not. Only the very text `true` counts as true. */
function startTransaction(headers: IncomingHttpHeaders): string | undefined {
  const named = headers['neon-batch-isolation-level'];
  const level = named === undefined ? undefined : ISOLATION_LEVELS.get(String(named));
  if (named !== undefined && level === undefined) return undefined;
  const modes = [
    ...(level === undefined ? [] : [`isolation level ${level}`]),
    ...(headers['neon-batch-read-only'] === 'true' ? ['read only'] : []),
    ...(headers['neon-batch-deferrable'] === 'true' ? ['deferrable'] : []),
  ];
  return `start transaction ${modes.join(', ')}`;
}

/** The proxy repeats which kind of transaction it made. */
function echo(headers: IncomingHttpHeaders): Record<string, string> {
  const made = BATCH_HEADERS.filter((name) => headers[name] === 'true' || ISOLATION_LEVELS.has(String(headers[name])));
  return Object.fromEntries(made.map((name) => [name, String(headers[name])]));
}

function readPayload(body: string): z.infer<typeof Payload> | Answer {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    return refusal(400, `could not parse the HTTP request body: ${error instanceof Error ? error.message : error}`);
  }
  const { data } = Payload.safeParse(json);
  if (!data) {
    return refusal(
      400,
      'could not parse the HTTP request body: it must be {"query":"..","params":[..]} or {"queries":[{"query":"..","params":[..]}]}',
    );
  }
  for (const { query, params } of 'queries' in data ? data.queries : [data]) {
    if (params.length > MAX_PARAMETERS) {
      return refusal(
        400,
        `a query has ${params.length} parameters, and Postgres takes at most ${MAX_PARAMETERS}: send fewer rows at a time`,
      );
    }
    if (query.includes('\0')) return refusal(400, 'a query holds the character U+0000, which Postgres cannot take');
  }
  return data;
}

function resultAnswer({ fields, rows, tag }: Result, { arrayMode }: Query, form: Form): Answer {
  const rowAsArray = arrayMode ?? form.rowsAsArrays;
  const cell = (value: string | null, column: number): string => {
    if (value === null) return 'null';
    return form.rawText ? JSON.stringify(value) : jsonOf(value, fields[column]?.dataTypeID ?? 0, form.elements);
  };
  const row = (values: (string | null)[]): string => {
    if (rowAsArray) return form.rawText ? JSON.stringify(values) : `[${values.map(cell).join(',')}]`;
    const members = values.map((value, column) => `${JSON.stringify(fields[column]?.name)}:${cell(value, column)}`);
    return `{${members.join(',')}}`;
  };
  const json = `[${rows.map(row).join(',')}]`;
  if (Buffer.byteLength(json) > MAX_BODY_BYTES) {
    return refusal(507, `response is too large (max is ${MAX_BODY_BYTES} bytes)`);
  }
  const { command, rowCount } = readTag(tag);
  const ends = [`"rowAsArray":${rowAsArray},"fields":${JSON.stringify(fields)}`, JSON.stringify({ command, rowCount })];
  return { status: 200, body: `{${ends[0]},"rows":${json},${ends[1]?.slice(1)}` };
}

/** `INSERT 0 3` is three rows, `SELECT 2` two, `CREATE TABLE` none. */
function readTag(tag: string): { command: string; rowCount: number | null } {
  const [command = '', ...rest] = tag.split(' ');
  const count = /^\d+$/.test(rest.at(-1) ?? '') ? Number(rest.at(-1)) : null;
  return { command, rowCount: count };
}

/** Which types are arrays of which, of those that Postgres brings along. */
async function arrayElements(session: Session): Promise<ArrayElements> {
  const outcome = await session.run("select oid, typelem from pg_type where typcategory = 'A' and typelem <> 0", []);
  return new Map(outcome.ok ? outcome.result.rows.map(([array, element]) => [Number(array), Number(element)]) : []);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
