import { randomUUID } from 'node:crypto';
import { NeonDbError, neon } from '@neondatabase/serverless';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect } from '../../src/database/connect.ts';
import { serve } from '../../src/local/neon/server.ts';
import type { LocalNeon } from '../../src/local/neon.ts';
import { startEmptyNeon } from '../support/migrated-neon.ts';

let server: LocalNeon;
let sql: ReturnType<typeof connect>['sql'];

beforeAll(async () => {
  server = await startEmptyNeon();
  // `connect` configures the driver for loopback hosts. The tests use the driver directly.
  connect(server.url, 60_000);
  sql = neon(server.url);
});
afterAll(() => server.close());

const unique = () => `t_${randomUUID().replaceAll('-', '')}`;

/** Creates a table with a unique name. */
async function table(columns: string): Promise<string> {
  const name = unique();
  await sql.query(`create table ${name} (${columns})`);
  return name;
}

/** Sends a request without the driver. */
async function post(body: unknown, headers: Record<string, string> = {}, to: { method?: string; path?: string } = {}) {
  const { method = 'POST', path = '/sql' } = to;
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { 'neon-connection-string': server.url, ...headers },
    ...(method === 'POST' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
}

async function refusalOf(pending: Promise<unknown>): Promise<NeonDbError> {
  const error: unknown = await pending.catch((it) => it);
  expect(error).toBeInstanceOf(NeonDbError);
  return error as NeonDbError;
}

describe('emulator: a single query', () => {
  it('returns rows as objects, or as arrays when the driver requests them', async () => {
    expect(await sql`select 1 as one, 'x' as two`).toEqual([{ one: 1, two: 'x' }]);
    expect(await sql.query('select 1 as one, 2 as one', [], { arrayMode: true })).toEqual([[1, 2]]);
  });

  it('returns fields, command and row count with full results', async () => {
    const name = await table('id int primary key, note text');
    const run = (text: string, values: unknown[] = []) => sql.query(text, values, { fullResults: true });
    const inserted = await run(`insert into ${name} values ($1, $2), ($3, $4) returning id`, [1, 'a', 2, null]);
    expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 2, rowAsArray: false, rows: [{ id: 1 }, { id: 2 }] });
    expect(inserted.fields).toMatchObject([
      { name: 'id', dataTypeID: 23, columnID: 1, dataTypeSize: 4, format: 'text' },
    ]);
    expect(inserted.fields[0]?.tableID).toBeGreaterThan(0);
    const results = [
      [`select * from ${name}`, 'SELECT', 2],
      [`update ${name} set note = 'b'`, 'UPDATE', 2],
      [`delete from ${name} where id = 1`, 'DELETE', 1],
      [`do $$ begin raise notice 'ignored'; end $$`, 'DO', null],
      ['', '', null],
    ] as const;
    for (const [text, command, rowCount] of results) expect(await run(text)).toMatchObject({ command, rowCount });
    expect(await run(`drop table ${name}`)).toMatchObject({ command: 'DROP', rowCount: null, fields: [], rows: [] });
  });

  it('runs as the user and in the database of the URL, with the settings of Neon', async () => {
    const [row] = await sql`select current_user as user, current_database() as database, current_setting('timezone') as
      zone, current_setting('datestyle') as dates, current_setting('search_path') as path,
      current_setting('bytea_output') as bytea, current_setting('intervalstyle') as intervals`;
    const formats = { zone: 'UTC', dates: 'ISO, MDY', bytea: 'hex', intervals: 'postgres' };
    expect(row).toEqual({ user: 'gatehouse', database: 'gatehouse', path: '"$user", public', ...formats });
  });

  it('has the privileges of a Neon owner, who is not a superuser', async () => {
    await sql.query(`create schema ${unique()}`);
    expect((await refusalOf(sql`select pg_ls_dir('/')`)).code).toBe('42501');
  });
});

describe('emulator: values', () => {
  it('are returned in Postgres’s text format', async () => {
    const values: [type: string, given: string | null, text?: string][] = [
      ['uuid', '018f4c1e-7a3b-7c3d-9e4f-000000000001'],
      ['text[]', '{a,"b c",NULL,"q\\"\\\\"}'],
      ['jsonb', '{"a": [1, null, "é"]}'],
      ['bool', 't'],
      ['timestamptz', '2026-03-01T01:02:03.456+02:00', '2026-02-28 23:02:03.456+00'],
      ['int8', '9223372036854775807'],
      ['xid8', '18446744073709551615'],
      ['numeric', '12345678901234567890.1234567890'],
      ['float8', '0.30000000000000004'],
      ['bytea', '\\x00ff10'],
      ['text', ''],
      ['text', null],
      ['text', 'Łódź 東京 🙂 \t\n " \\ \''],
    ];
    const columns = values.map(([type], index) => `$${index + 1}::${type} as c${index}`);
    const query = { query: `select ${columns.join(', ')}`, params: values.map(([, given]) => given) };
    const { json } = await post(query, { 'neon-array-mode': 'true' });
    expect(json).toMatchObject({ rowAsArray: true, rows: [values.map(([, given, text]) => text ?? given)] });
  });

  it('are unchanged after a round trip through the driver', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 50 }).filter((it) => !it.includes('\0'));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.option(text)), fc.jsonValue(), async (one, many, json) => {
        const [row] =
          await sql`select ${one}::text as one, ${many}::text[] as many, ${JSON.stringify({ json })}::json as json`;
        expect(row).toEqual({ one, many, json: { json: JSON.parse(JSON.stringify(json)) } });
      }),
      { numRuns: 50 },
    );
  });

  it('may be parameters of every JavaScript type', async () => {
    const at = new Date('2026-03-01T01:02:03.456Z');
    const bytes = Buffer.from([0, 255]);
    const [row] =
      await sql`select ${41}::int + 1 as i, ${2n ** 62n}::int8 as big, ${true}::bool as b, ${null}::text as n,
      ${at}::timestamptz::text as at, ${bytes}::bytea as bytes, ${{ a: [1] }}::jsonb as j, ${[[1, 2]]}::int[] as m`;
    const texts = { big: `${2n ** 62n}`, at: '2026-03-01 01:02:03.456+00' };
    expect(row).toEqual({ i: 42, b: true, n: null, bytes, j: { a: [1] }, m: [[1, 2]], ...texts });
  });
});

describe('emulator: a transaction', () => {
  it('returns each result, and is rolled back when a query fails', async () => {
    const name = await table('id int primary key');
    const insert = (id: number) => sql.query(`insert into ${name} values (${id})`);
    const select = () => sql.query(`select * from ${name}`);
    expect(await sql.transaction([insert(1), select()])).toEqual([[], [{ id: 1 }]]);
    expect((await refusalOf(sql.transaction([insert(2), insert(1)]))).code).toBe('23505');
    expect(await select()).toEqual([{ id: 1 }]);
  });

  it('is rolled back when the commit fails', async () => {
    const name = await table('id int primary key, parent int');
    await sql.query(`alter table ${name} add foreign key (parent) references ${name} deferrable initially deferred`);
    const error = await refusalOf(sql.transaction([sql.query(`insert into ${name} values (1, 2)`)]));
    expect(error.code).toBe('23503');
    expect(await sql.query(`select * from ${name}`)).toEqual([]);
  });

  it('runs at the requested isolation level; an unknown level is refused', async () => {
    const levels = ['ReadUncommitted', 'ReadCommitted', 'RepeatableRead', 'Serializable'] as const;
    for (const isolationLevel of levels) {
      const level = isolationLevel.replace(/\B[A-Z]/, ' $&').toLowerCase();
      const query = sql`select current_setting('transaction_isolation') as level`;
      expect(await sql.transaction([query], { isolationLevel })).toEqual([[{ level }]]);
    }
    const { status, json } = await post({ queries: [] }, { 'neon-batch-isolation-level': 'Snapshot' });
    expect({ status, message: json.message }).toEqual({ status: 400, message: 'invalid isolation level' });
  });

  it('is read-only or deferrable on request, and repeats these headers in the response', async () => {
    const query = `select current_setting('transaction_read_only') as r, current_setting('transaction_deferrable') as d`;
    const options = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const;
    expect(await sql.transaction([sql.query(query)], options)).toEqual([[{ r: 'on', d: 'on' }]]);
    const off = { readOnly: false, deferrable: false };
    for (const modes of [{}, off])
      expect(await sql.transaction([sql.query(query)], modes)).toEqual([[{ r: 'off', d: 'off' }]]);
    const name = await table('id int');
    const write = sql.transaction([sql.query(`insert into ${name} values (1)`)], { readOnly: true });
    expect((await refusalOf(write)).code).toBe('25006');

    const { headers } = await post({ queries: [{ query }] }, { 'neon-batch-read-only': 'true' });
    expect(headers.get('neon-batch-read-only')).toBe('true');
    expect(headers.get('neon-batch-deferrable')).toBeNull();
  });

  it('may select arrays or objects for each query, and may be empty', async () => {
    const queries = [true, false].map((arrayMode) => ({ query: 'select 1 as a', arrayMode }));
    const { results } = (await post({ queries })).json;
    expect(results).toMatchObject([{ rows: [['1']] }, { rows: [{ a: '1' }], rowAsArray: false }]);
    expect((await post({ queries: [] })).json).toEqual({ results: [] });
  });

  it('is never interleaved with another request', async () => {
    const name = await table('place serial, who int');
    const insert = (who: number) => sql.query(`insert into ${name} (who) values ($1)`, [who]);
    await Promise.all(
      Array.from({ length: 20 }, (_, who) =>
        who % 4 === 0 ? insert(who) : sql.transaction(Array.from({ length: 5 }, () => insert(who))),
      ),
    );
    const rows = await sql.query(`select who from ${name} order by place`);
    const runs = rows.filter((row, index) => row.who !== rows[index - 1]?.who);
    expect(rows).toHaveLength(15 * 5 + 5);
    expect(runs).toHaveLength(20);
  });
});

describe('emulator: an error of Postgres', () => {
  it('has all members of Postgres’s error', async () => {
    const name = await table('id int primary key, price int check (price > 0), label text not null');
    await sql.query(`insert into ${name} values (1, 1, 'a')`);
    const domain = unique();
    await sql.query(`create domain ${domain} as int check (value > 0)`);
    const duplicate = { code: '23505', severity: 'ERROR', detail: 'Key (id)=(1) already exists.' };
    const where = { schema: 'public', table: name, constraint: `${name}_pkey` };
    const message = `duplicate key value violates unique constraint "${name}_pkey"`;
    const source = { file: 'nbtinsert.c', line: expect.stringMatching(/^\d+$/), routine: '_bt_check_unique' };
    const inner = { internalQuery: 'select nosuch', internalPosition: '8', where: expect.stringContaining('PL/pgSQL') };
    const counts = 'supplies 1 parameters, but prepared statement "" requires 2';
    const errors: [query: string, values: unknown[], error: object][] = [
      [`insert into ${name} values (1, 1, 'a')`, [], { ...duplicate, ...where, ...source, message }],
      [`insert into ${name} values (2, 1, null)`, [], { code: '23502', column: 'label' }],
      ['select nosuch from pg_class', [], { code: '42703', position: '8' }],
      ['select pg_typeof(1) + 1', [], { code: '42883', hint: expect.stringContaining('cast') }],
      [`do $$ begin execute 'select nosuch'; end $$`, [], { code: '42703', ...inner }],
      [`select 0::${domain}`, [], { code: '23514', dataType: domain }],
      ['select $1::int + $2::int', [1], { code: '08P01', message: expect.stringContaining(counts) }],
      ['select $1::int', [1, 2], { code: '08P01' }],
    ];
    for (const [query, values, error] of errors)
      expect(await refusalOf(sql.query(query, values)), query).toMatchObject(error);
  });

  it('is returned for several commands in one query, COPY and endless recursion, and the server continues', async () => {
    const name = await table('id int');
    await sql.query(
      `create function ${name}(n int) returns int language plpgsql as 'begin return ${name}(n + 1); end'`,
    );
    const refused = {
      'select 1; select 2': '42601',
      [`copy ${name} from stdin`]: '57014',
      [`select ${name}(1)`]: '54001',
    };
    for (const [query, code] of Object.entries(refused)) {
      expect((await refusalOf(sql.query(query))).code).toBe(code);
      expect(await sql`select 1 as alive`).toEqual([{ alive: 1 }]);
    }
  });
});

describe('emulator: limits', () => {
  it('allow 65,535 parameters and refuse one more', async () => {
    const insert = (count: number) => {
      const places = Array.from({ length: count }, (_, index) => `($${index + 1}::int)`);
      return sql.query(`select sum(n)::text as sum from (values ${places.join(',')}) as v (n)`, Array(count).fill(1));
    };
    expect(await insert(65_535)).toEqual([{ sum: '65535' }]);
    expect((await refusalOf(insert(65_536))).message).toBe(
      'a query has 65536 parameters; Postgres accepts at most 65535. Send fewer rows at a time',
    );
  });

  it('refuse a request and a result over 64 MiB', async () => {
    const tooLarge = 64 * 1024 * 1024 + 1;
    expect((await refusalOf(sql`select ${'x'.repeat(tooLarge)}::text`)).message).toContain('request is too large');
    const name = await table('id int');
    const write = sql.transaction([sql.query(`insert into ${name} values (1)`), sql`select repeat('x', ${tooLarge})`]);
    expect((await refusalOf(write)).message).toContain('response is too large');
    expect(await sql.query(`select * from ${name}`)).toEqual([]);
  });
});

describe('the emulator refuses a request', () => {
  it('with the messages of Neon when the user, password or database is wrong', async () => {
    const refusalWith = (from: RegExp, to: string) => refusalOf(neon(server.url.replace(from, to))`select 1`);
    const failed = (user: string) => ({ message: `password authentication failed for user '${user}'`, code: '' });
    expect(await refusalWith(/gatehouse:/, 'stranger:')).toMatchObject(failed('stranger'));
    expect(await refusalWith(/:local@/, ':wrong@')).toMatchObject(failed('gatehouse'));
    expect((await refusalWith(/gatehouse$/, 'elsewhere')).message).toMatch(/^Server error \(HTTP status 500\).*3D000/);
  });

  const noDatabase = { message: 'database "other" does not exist', code: '3D000', severity: 'FATAL' };
  it.each<[url: string, error: object, status?: number]>([
    ['http://gatehouse:local@h/gatehouse', { message: 'incorrect scheme' }],
    ['postgres://h/gatehouse', { message: 'missing username' }],
    ['postgres://gatehouse:local@h', { message: 'missing database name' }],
    ['postgres://gatehouse@h/gatehouse', { message: 'missing authentication credentials: required password' }],
    ['nonsense', { message: 'invalid connection string: it is not a URL' }],
    ['postgres://gatehouse:%zz@h/gatehouse', { message: expect.stringMatching(/^invalid connection string/) }],
    ['postgres://gatehouse:local@h/other', noDatabase, 500],
  ])('with the connection string %s', async (url, error, status = 400) => {
    const answer = await post({ query: 'select 1' }, { 'neon-connection-string': url });
    expect(answer).toMatchObject({ status, json: error });
  });

  it.each([
    ['not JSON', '{"query":', 'could not parse the HTTP request body'],
    ['no query', '{"sql":"select 1"}', 'it must be {"query":".."'],
    ['a query that is not a text', '{"query":1}', 'it must be {"query":".."'],
    ['a parameter that is not a text', '{"query":"select $1::int[]","params":[[1]]}', '"params":["..",null]'],
    ['an empty body', '', 'could not parse the HTTP request body'],
    ['a null character', '{"query":"select \\u0000"}', 'U+0000'],
    ['another method', '', 'POST /sql', { method: 'GET' }],
    ['the preflight of a browser', '', 'POST /sql', { method: 'OPTIONS' }],
    ['a method with a body', '', 'POST /sql', { method: 'PUT' }],
    ['another path', '', 'POST /sql', { path: '/' }],
    ['a longer path', '', 'POST /sql', { path: '/sql/more' }],
  ])(
    'with a message and without CORS headers when it has %s',
    async (_, body, message, to?: { method?: string; path?: string }) => {
      const { status, json, headers } = await post(body, {}, to);
      expect(status).toBe(400);
      expect(json).toMatchObject({ message: expect.stringContaining(message) });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  it('without a connection string', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/sql`, {
      method: 'POST',
      body: '{"query":"select 1"}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: 'invalid header: neon-connection-string' });
  });
});

describe('after a request, the emulator has', () => {
  it('no setting, temporary table, lock or prepared statement', async () => {
    await sql`set search_path = nowhere`;
    await sql`select set_config('timezone', 'Asia/Tokyo', false)`;
    await sql`create temporary table leftover (id int)`;
    await sql`select pg_advisory_lock(1)`;
    await sql`prepare p as select 1`;
    const [row] = await sql`select current_setting('search_path') as path, current_setting('timezone') as zone,
      to_regclass('leftover') as leftover, (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
      (select count(*)::int from pg_prepared_statements where name <> '') as prepared`;
    expect(row).toEqual({ path: '"$user", public', zone: 'UTC', leftover: null, locks: 0, prepared: 0 });
  });

  it('no open transaction', async () => {
    const name = await table('id int');
    await sql`begin`;
    expect((await refusalOf(sql`garbage`)).code).toBe('42601');
    await sql.query(`insert into ${name} values (1)`);
    await sql`rollback`;
    expect(await sql.query(`select * from ${name}`)).toEqual([{ id: 1 }]);
  });
});

describe('emulator: the start', () => {
  it('fails with the number of a port that is taken, and closes its Postgres', async () => {
    const postgres = { exclusively: () => Promise.reject(), close: vi.fn() };
    const starting = serve(postgres, { user: 'a', password: 'b', database: 'c' }, server.port);
    await expect(starting).rejects.toThrow(`Port ${server.port} is taken`);
    expect(postgres.close).toHaveBeenCalledOnce();
  });
});
