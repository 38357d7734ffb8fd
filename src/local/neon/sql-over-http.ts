/**
 * Neon's SQL over HTTP: the requests of `@neondatabase/serverless` and the responses that it expects. The proxy's
 * source is the reference for the rest (neondatabase/neon, proxy/src/serverless/sql_over_http.rs). Values are in
 * Postgres's text format in both directions: the driver sends nothing else and always sets `Neon-Raw-Text-Output`.
 */
import { setImmediate as nextEvents } from 'node:timers/promises';
import * as z from 'zod';
import { refusal } from './caller.ts';
import type { Postgres, WireResult } from './postgres.ts';

/** Neon's limit for a request and for a response (https://neon.com/docs/serverless/serverless-driver). */
export const MAX_SQL_BODY_BYTES = 64 * 1024 * 1024;
/** A Bind message counts its parameters in 16 bits. */
const MAX_PARAMETERS = 65_535;

const Query = z.object({
  query: z.string(),
  params: z.array(z.string().nullable()).default([]),
  arrayMode: z.boolean().nullish(),
});
const Payload = z.union([Query, z.object({ queries: z.array(Query) })]);

/** The transaction modes for each value of a batch header. */
const TRANSACTION_MODES: Record<string, Record<string, string>> = {
  'neon-batch-isolation-level': {
    ReadUncommitted: 'isolation level read uncommitted',
    ReadCommitted: 'isolation level read committed',
    RepeatableRead: 'isolation level repeatable read',
    Serializable: 'isolation level serializable',
  },
  'neon-batch-read-only': { true: 'read only', false: 'read write' },
  'neon-batch-deferrable': { true: 'deferrable', false: 'not deferrable' },
};
const BATCH_HEADERS = Object.keys(TRANSACTION_MODES);

/** A `POST /sql`. Header names are in lower case. `gone` returns whether the client has disconnected. */
export type SqlRequest = { header(name: string): string | undefined; body: Buffer; gone(): boolean };

/** Throws a `refusal` or Postgres's error. Any error rolls back the whole batch. */
export async function answerSql(postgres: Postgres, { header, body, gone }: SqlRequest) {
  const payload = await readPayload(body);
  const isBatch = 'queries' in payload;
  const given = BATCH_HEADERS.map((name) => [name, header(name)] as const).filter(([, value]) => value);
  const modes = given.map(([name, value = '']) => TRANSACTION_MODES[name]?.[value]);
  if (modes.includes(undefined)) throw refusal(400, 'invalid isolation level');
  const stopWhenGone = async () => {
    // A query blocks Node, so a disconnect may be unread: one turn of the event loop reads the data, the next its end.
    await nextEvents();
    await nextEvents();
    if (gone()) throw refusal(400, 'Query cancelled, connection was terminated');
  };
  return postgres.exclusively(async (ask) => {
    if (isBatch) await ask(`start transaction ${modes.join(', ')}`, []);
    const results: object[] = [];
    for (const { query, params, arrayMode } of isBatch ? payload.queries : [payload]) {
      await stopWhenGone();
      results.push(resultOf(await ask(query, params), arrayMode ?? header('neon-array-mode') === 'true'));
    }
    const answer = JSON.stringify(isBatch ? { results } : results[0]);
    const tooLarge = Buffer.byteLength(answer) > MAX_SQL_BODY_BYTES;
    if (tooLarge) throw refusal(507, `response is too large (max is ${MAX_SQL_BODY_BYTES} bytes)`);
    if (isBatch) await stopWhenGone().then(() => ask('commit', []));
    // The proxy repeats the batch headers in its response.
    return { headers: Object.fromEntries(given), body: answer };
  });
}

async function readPayload(body: Buffer): Promise<z.infer<typeof Payload>> {
  const { data } = Payload.safeParse(await new Response(body).json().catch(() => undefined));
  const shape = '{"query":"..","params":["..",null]} or {"queries":[{"query":"..","params":[]}]}';
  if (!data) throw refusal(400, `could not parse the HTTP request body: it must be ${shape}`);
  for (const { query, params } of 'queries' in data ? data.queries : [data]) {
    if (query.includes('\0')) throw refusal(400, 'a query has the character U+0000, which Postgres does not accept');
    const most = `Postgres accepts at most ${MAX_PARAMETERS}. Send fewer rows at a time`;
    if (params.length > MAX_PARAMETERS) throw refusal(400, `a query has ${params.length} parameters; ${most}`);
  }
  return data;
}

function resultOf({ fields, rows, tag }: WireResult, rowAsArray: boolean): object {
  const [command = '', ...counts] = tag.split(' ');
  return {
    fields: fields.map((field) => ({ ...field, format: 'text' })),
    rows: rowAsArray ? rows : rows.map((row) => Object.fromEntries(fields.map(({ name }, at) => [name, row[at]]))),
    rowAsArray,
    command,
    // The tag of a command without a row count ends with a word. JSON then turns NaN into null.
    rowCount: Number.parseInt(counts.at(-1) ?? '', 10),
  };
}
