import { randomUUID } from 'node:crypto';
import { NeonDbError, neon } from '@neondatabase/serverless';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalNeon, startNeon } from '../../local/neon.ts';
import { connect } from '../../src/database/connect.ts';

const LIMIT_MS = 60_000;

let server: LocalNeon;
let sql: ReturnType<typeof connect>['sql'];

beforeAll(async () => {
  server = await startNeon();
  // Importing `connect` also tells the driver where a loopback host answers; the driver itself is what we test with.
  connect(server.url, LIMIT_MS);
  sql = neon(server.url);
});
afterAll(() => server.close());

/** A table of this test's own. */
async function table(columns: string): Promise<string> {
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await sql.query(`create table ${name} (${columns})`);
  return name;
}

/** As curl would. */
async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${server.port}/sql`, {
    method: 'POST',
    headers: { 'neon-connection-string': server.url, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
}

async function refusalOf(pending: Promise<unknown>): Promise<NeonDbError> {
  const error = await pending.then(
    () => undefined,
    (it: unknown) => it,
  );
  expect(error).toBeInstanceOf(NeonDbError);
  return error as NeonDbError;
}

describe('a single query', () => {
  it('gives rows as objects, or as arrays when the driver asks for them', async () => {
    expect(await sql`select 1 as one, 'x' as two`).toEqual([{ one: 1, two: 'x' }]);
    expect(await sql.query('select 1 as one, 2 as one', [], { arrayMode: true })).toEqual([[1, 2]]);
  });

  it('gives fields, command and row count with full results', async () => {
    const name = await table('id int primary key, note text');
    const inserted = await sql.query(`insert into ${name} values ($1, $2), ($3, $4) returning id`, [1, 'a', 2, null], {
      fullResults: true,
    });
    expect(inserted).toMatchObject({ command: 'INSERT', rowCount: 2, rowAsArray: false, rows: [{ id: 1 }, { id: 2 }] });
    expect(inserted.fields).toMatchObject([
      { name: 'id', dataTypeID: 23, columnID: 1, dataTypeSize: 4, format: 'text' },
    ]);
    expect(inserted.fields[0]?.tableID).toBeGreaterThan(0);
    const run = (text: string) => sql.query(text, [], { fullResults: true });
    expect(await run(`select * from ${name}`)).toMatchObject({ command: 'SELECT', rowCount: 2 });
    expect(await run(`drop table ${name}`)).toMatchObject({ command: 'DROP', rowCount: null, fields: [], rows: [] });
    expect(await run('')).toMatchObject({ command: '', rowCount: null });
  });

  it('speaks as the user to the database of the URL, with the settings of Neon', async () => {
    const [row] = await sql`select current_user as user, current_database() as database, current_setting('timezone') as
      zone, current_setting('datestyle') as dates, current_setting('search_path') as path,
      current_setting('bytea_output') as bytea, current_setting('intervalstyle') as intervals`;
    expect(row).toEqual({
      user: 'gatehouse',
      database: 'gatehouse',
      zone: 'UTC',
      dates: 'ISO, MDY',
      path: '"$user", public',
      bytea: 'hex',
      intervals: 'postgres',
    });
  });

  it('may do what a Neon owner may, and is no superuser', async () => {
    await sql.query(`create schema s_${randomUUID().replaceAll('-', '')}`);
    expect((await refusalOf(sql`select pg_ls_dir('/')`)).code).toBe('42501');
  });
});

describe('values', () => {
  it('come back as the very text that Postgres writes', async () => {
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
    const { json } = await post(
      { query: `select ${columns.join(', ')}`, params: values.map(([, given]) => given) },
      { 'neon-raw-text-output': 'true', 'neon-array-mode': 'true' },
    );
    expect(json.rows).toEqual([values.map(([, given, text]) => text ?? given)]);
  });

  it('survive the way through the driver, whatever the text', async () => {
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

  it('are JSON when raw text is not asked for', async () => {
    const query = `select true as b, 1::int2 as i, 1.5::float8 as f, 'NaN'::float8 as n, 9007199254740993::int8 as big,
      '{"x": [1]}'::jsonb as j, '{1,NULL,3}'::int[] as a, '{{1,2},{3,4}}'::int[] as m, '[2:3]={1,2}'::int[] as bounds,
      '{}'::text[] as e, '{"a b",c,"q\\"\\\\","NULL",NULL}'::text[] as t, '{"{\\"a\\": 1}"}'::jsonb[] as o, null::int as z`;
    const row = {
      b: true,
      i: 1,
      f: 1.5,
      n: 'NaN',
      big: '9007199254740993',
      j: { x: [1] },
      a: [1, null, 3],
      m: [
        [1, 2],
        [3, 4],
      ],
      bounds: [1, 2],
      e: [],
      t: ['a b', 'c', 'q"\\', 'NULL', null],
      o: [{ a: 1 }],
      z: null,
    };
    expect((await post({ query })).json).toMatchObject({ rowAsArray: false, rows: [row] });
    expect((await post({ query }, { 'neon-array-mode': 'true' })).json).toMatchObject({
      rowAsArray: true,
      rows: [Object.values(row)],
    });
    expect((await post({ query, arrayMode: true })).json.rows).toEqual([Object.values(row)]);
  });

  it('may be given as JSON of any kind', async () => {
    const { json } = await post({
      query: 'select $1::int + 1 as i, $2::bool as b, $3::jsonb as j, $4::text[] as t, $5::int[] as m, $6::text as n',
      params: [
        41,
        true,
        { a: 1 },
        ['x', 'y,"z"', null],
        [
          [1, 2],
          [3, 4],
        ],
        null,
      ],
    });
    expect(json.rows).toEqual([
      {
        i: 42,
        b: true,
        j: { a: 1 },
        t: ['x', 'y,"z"', null],
        m: [
          [1, 2],
          [3, 4],
        ],
        n: null,
      },
    ]);
  });
});

describe('a transaction', () => {
  it('gives each result, and keeps nothing when one of its queries fails', async () => {
    const name = await table('id int primary key');
    const results = await sql.transaction([
      sql.query(`insert into ${name} values (1)`),
      sql.query(`select * from ${name}`),
    ]);
    expect(results).toEqual([[], [{ id: 1 }]]);
    const error = await refusalOf(
      sql.transaction([sql.query(`insert into ${name} values (2)`), sql.query(`insert into ${name} values (1)`)]),
    );
    expect(error.code).toBe('23505');
    expect(await sql.query(`select * from ${name}`)).toEqual([{ id: 1 }]);
  });

  it('is rolled back when the commit itself is refused', async () => {
    const name = await table('id int primary key, parent int');
    await sql.query(`alter table ${name} add foreign key (parent) references ${name} deferrable initially deferred`);
    const error = await refusalOf(sql.transaction([sql.query(`insert into ${name} values (1, 2)`)]));
    expect(error.code).toBe('23503');
    expect(await sql.query(`select * from ${name}`)).toEqual([]);
  });

  it.each([
    ['ReadUncommitted', 'read uncommitted'],
    ['ReadCommitted', 'read committed'],
    ['RepeatableRead', 'repeatable read'],
    ['Serializable', 'serializable'],
  ] as const)('runs at the isolation level %s', async (isolationLevel, setting) => {
    const [rows] = await sql.transaction([sql`select current_setting('transaction_isolation') as level`], {
      isolationLevel,
    });
    expect(rows).toEqual([{ level: setting }]);
  });

  it('is read-only and deferrable when asked to be, and says so', async () => {
    const query = `select current_setting('transaction_read_only') as r, current_setting('transaction_deferrable') as d`;
    const options = { isolationLevel: 'Serializable', readOnly: true, deferrable: true } as const;
    expect(await sql.transaction([sql.query(query)], options)).toEqual([[{ r: 'on', d: 'on' }]]);
    expect(await sql.transaction([sql.query(query)])).toEqual([[{ r: 'off', d: 'off' }]]);
    const name = await table('id int');
    const write = sql.transaction([sql.query(`insert into ${name} values (1)`)], { readOnly: true });
    expect((await refusalOf(write)).code).toBe('25006');

    const { headers } = await post({ queries: [{ query }] }, { 'neon-batch-read-only': 'true' });
    expect(headers.get('neon-batch-read-only')).toBe('true');
    expect(headers.get('neon-batch-deferrable')).toBeNull();
  });

  it('is refused at a level that there is not', async () => {
    const { status, json } = await post({ queries: [] }, { 'neon-batch-isolation-level': 'Snapshot' });
    expect({ status, message: json.message }).toEqual({ status: 400, message: 'invalid isolation level' });
  });

  it('may choose per query whether rows are arrays', async () => {
    const queries = [
      { query: 'select 1 as a', arrayMode: true },
      { query: 'select 1 as a', arrayMode: false },
    ];
    expect((await post({ queries })).json.results.map((it: { rows: unknown }) => it.rows)).toEqual([[[1]], [{ a: 1 }]]);
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

describe('an error of Postgres', () => {
  it('comes with its constraint, table, schema and detail', async () => {
    const name = await table('id int primary key, price int check (price > 0), label text not null');
    await sql.query(`insert into ${name} values (1, 1, 'a')`);
    expect(await refusalOf(sql.query(`insert into ${name} values (1, 1, 'a')`))).toMatchObject({
      message: `duplicate key value violates unique constraint "${name}_pkey"`,
      severity: 'ERROR',
      code: '23505',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: name,
      constraint: `${name}_pkey`,
      file: 'nbtinsert.c',
      line: expect.stringMatching(/^\d+$/),
      routine: '_bt_check_unique',
    });
    expect(await refusalOf(sql.query(`insert into ${name} values (2, 1, null)`))).toMatchObject({
      code: '23502',
      column: 'label',
    });
  });

  it('comes with the position in the query, and with a hint', async () => {
    expect(await refusalOf(sql`select nosuch from pg_class`)).toMatchObject({ code: '42703', position: '8' });
    expect(await refusalOf(sql`select pg_typeof(1) + 1`)).toMatchObject({
      code: '42883',
      hint: expect.stringContaining('cast'),
    });
  });

  it('comes with the query inside a function, where it was called, and the data type of a domain', async () => {
    expect(await refusalOf(sql`do $$ begin execute 'select nosuch'; end $$`)).toMatchObject({
      code: '42703',
      internalQuery: 'select nosuch',
      internalPosition: '8',
      where: expect.stringContaining('PL/pgSQL'),
    });
    const domain = `d_${randomUUID().replaceAll('-', '')}`;
    await sql.query(`create domain ${domain} as int check (value > 0)`);
    expect(await refusalOf(sql.query(`select 0::${domain}`))).toMatchObject({ code: '23514', dataType: domain });
  });

  it('says that there are too few or too many parameters', async () => {
    expect(await refusalOf(sql.query('select $1::int + $2::int', [1]))).toMatchObject({
      code: '08P01',
      message: expect.stringContaining('supplies 1 parameters, but prepared statement "" requires 2'),
    });
    expect((await refusalOf(sql.query('select $1::int', [1, 2]))).code).toBe('08P01');
  });

  it('refuses several commands in one query, and COPY, which needs a connection of its own', async () => {
    const name = await table('id int');
    expect((await refusalOf(sql`select 1; select 2`)).code).toBe('42601');
    expect((await refusalOf(sql.query(`copy ${name} from stdin`))).code).toBe('57014');
    expect(await sql`select 1 as alive`).toEqual([{ alive: 1 }]);
  });

  it('refuses endless recursion instead of dying of it', async () => {
    const name = `f_${randomUUID().replaceAll('-', '')}`;
    await sql.query(
      `create function ${name}(n int) returns int language plpgsql as $$ begin return ${name}(n + 1); end $$`,
    );
    expect((await refusalOf(sql.query(`select ${name}(1)`))).code).toBe('54001');
    expect(await sql`select 1 as alive`).toEqual([{ alive: 1 }]);
  });
});

describe('limits', () => {
  it('takes 65,535 parameters and refuses one more', async () => {
    const insert = (count: number) => {
      const places = Array.from({ length: count }, (_, index) => `($${index + 1}::int)`);
      return sql.query(`select sum(n)::text as sum from (values ${places.join(',')}) as v (n)`, Array(count).fill(1));
    };
    expect(await insert(65_535)).toEqual([{ sum: '65535' }]);
    expect((await refusalOf(insert(65_536))).message).toBe(
      'a query has 65536 parameters, and Postgres takes at most 65535: send fewer rows at a time',
    );
  });

  it('refuses a request and a result over 64 MiB', async () => {
    const tooLarge = 64 * 1024 * 1024 + 1;
    expect((await refusalOf(sql`select ${'x'.repeat(tooLarge)}::text`)).message).toContain('request is too large');
    const name = await table('id int');
    const write = sql.transaction([sql.query(`insert into ${name} values (1)`), sql`select repeat('x', ${tooLarge})`]);
    expect((await refusalOf(write)).message).toContain('response is too large');
    expect(await sql.query(`select * from ${name}`)).toEqual([]);
  });
});

describe('who may ask', () => {
  const named = (change: (url: URL) => void) => {
    const url = new URL(server.url);
    change(url);
    return neon(url.href)`select 1`;
  };

  it('refuses a wrong user, and a wrong password, in the words of Neon', async () => {
    const error = await refusalOf(named((url) => (url.username = 'somebody')));
    expect(error).toMatchObject({ message: "password authentication failed for user 'somebody'", code: '' });
    expect((await refusalOf(named((url) => (url.password = 'wrong')))).message).toBe(
      "password authentication failed for user 'gatehouse'",
    );
  });

  it('refuses an unknown database as Postgres does', async () => {
    const { status, json } = await post(
      { query: 'select 1' },
      { 'neon-connection-string': server.url.replace(/\w+$/, 'elsewhere') },
    );
    expect(status).toBe(500);
    expect(json).toMatchObject({ message: 'database "elsewhere" does not exist', code: '3D000', severity: 'FATAL' });
    expect((await refusalOf(named((url) => (url.pathname = '/elsewhere')))).message).toContain('3D000');
  });

  it.each([
    ['http://gatehouse:local@h/gatehouse', 'incorrect scheme'],
    ['postgres://h/gatehouse', 'missing username'],
    ['postgres://gatehouse:local@h', 'missing database name'],
    ['postgres://gatehouse@h/gatehouse', 'missing authentication credentials: required password'],
    ['nonsense', 'invalid connection string: it is not a URL'],
    ['postgres://gatehouse:%zz@h/gatehouse', /^invalid connection string/],
  ])('refuses the connection string %s', async (url, message) => {
    const answer = await post({ query: 'select 1' }, { 'neon-connection-string': url });
    expect(answer.status).toBe(400);
    expect(answer.json.message).toEqual(message instanceof RegExp ? expect.stringMatching(message) : message);
  });

  it('refuses a request without a connection string', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/sql`, {
      method: 'POST',
      body: '{"query":"select 1"}',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: 'invalid header: neon-connection-string' });
  });

  it('takes names and passwords of any characters', async () => {
    const names = { user: 'a b@c"d', password: '%+$^&*@!/', database: "o'k-9/x" };
    const own = await startNeon(names);
    try {
      expect(await neon(own.url)`select current_user as user, current_database() as database`).toEqual([
        { user: names.user, database: names.database },
      ]);
    } finally {
      await own.close();
    }
  });
});

describe('a request that is none', () => {
  it.each([
    ['not JSON', '{"query":', 'could not parse the HTTP request body'],
    ['no query', '{"sql":"select 1"}', 'it must be {"query":".."'],
    ['a query that is no text', '{"query":1}', 'it must be {"query":".."'],
    ['nothing', '', 'could not parse the HTTP request body'],
    ['a null character', '{"query":"select \\u0000"}', 'U+0000'],
  ])('is refused with a sentence: %s', async (_, body, message) => {
    const { status, json } = await post(body);
    expect(status).toBe(400);
    expect(json.message).toContain(message);
  });

  it.each([
    ['GET', '/sql'],
    ['OPTIONS', '/sql'],
    ['PUT', '/sql'],
    ['POST', '/'],
    ['POST', '/sql/more'],
  ])('%s %s is not supported', async (method, path) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('POST /sql') });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a request leaves nothing behind', () => {
  it('no setting, no temporary table, no lock, no prepared statement', async () => {
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

describe('starting', () => {
  it('says which port is taken', async () => {
    await expect(startNeon({ port: server.port })).rejects.toThrow(`Port ${server.port} is taken`);
  });
});
