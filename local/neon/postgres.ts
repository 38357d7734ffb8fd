/** The Postgres behind the stand-in: PGlite, spoken to in the wire protocol, one request at a time. */
import { messages, PGlite, protocol } from '@electric-sql/pglite';

export type Names = { user: string; database: string };

export type Field = {
  name: string;
  dataTypeID: number;
  tableID: number;
  columnID: number;
  dataTypeSize: number;
  dataTypeModifier: number;
  format: 'text';
};

/** Values are Postgres' text; `tag` is its command tag, such as `INSERT 0 3`, and `''` for an empty query. */
export type Result = { fields: Field[]; rows: (string | null)[][]; tag: string };

export type Outcome = { ok: true; result: Result } | { ok: false; error: messages.DatabaseError };

/** The one connection, while it is ours. What is not committed at the end is rolled back, what was set is forgotten. */
export type Session = { run(query: string, parameters: readonly (string | null)[]): Promise<Outcome> };

export type Postgres = {
  /** Waits for its turn, then runs `work` with nobody in between. Rejects with {@link PostgresCrashed}. */
  exclusively<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** After everybody who already waits. */
  close(): Promise<void>;
};

/** PGlite is one process' memory: what kills it takes all later queries with it. Its message is for the user. */
export class PostgresCrashed extends Error {
  constructor(cause: string) {
    super(
      `the local Postgres crashed (${cause}): restart the stand-in; a data folder keeps everything committed so far`,
    );
  }
}

/**
 * What PGlite starts with, and what differs: Neon's search path, and a stack limit far below Postgres' 2 MB, since Node's
 * own stack (about 1 MB) would overflow first, and that is fatal. Measured: endless recursion is refused at 300 kB and
 * kills at 400 kB.
 */
const START_PARAMETERS = [
  ...PGlite.defaultStartParams.map((it) => (it === 'search_path=public' ? 'search_path="$user", public' : it)),
  '-c',
  'max_stack_depth=250kB',
];

const encode = protocol.serialize;
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/**
 * Opens the Postgres in `folder` (in memory when undefined), with `user` as a role that may do what a Neon owner may.
 * `fresh` says that user and database are yet to be made; then it is PGlite's own new database that gets their names.
 * Rejects with Postgres' own words when the folder holds no such database or role, or another version's files.
 */
export async function openPostgres(folder: string | undefined, names: Names, fresh: boolean): Promise<Postgres> {
  const fatal: string[] = [];
  const pglite = await PGlite.create({
    ...(folder === undefined ? {} : { dataDir: folder }),
    database: fresh ? 'postgres' : names.database,
    startParams: START_PARAMETERS,
    onStderr: (line) => {
      const [, reason] = /(?:FATAL|PANIC|DETAIL): +(.*)/.exec(line) ?? [];
      if (reason !== undefined) fatal.push(reason);
      return false;
    },
  }).catch((error: unknown) => {
    throw new Error(fatal.join(' ') || String(error));
  });
  const connection = wire(pglite);
  const become = `set session authorization ${quoted(names.user)}`;
  try {
    for (const command of fresh ? founding(names) : []) await mustSucceed(connection.command(command));
    await mustSucceed(connection.command(become));
  } catch (error) {
    await connection.close();
    throw error;
  }

  let turn: Promise<unknown> = Promise.resolve();
  const next = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };
  // A request must leave nothing behind: Neon spreads requests over many connections, so nothing may rest on that.
  const forget = async () => {
    if (connection.inTransaction()) await mustSucceed(connection.command('rollback'));
    await mustSucceed(connection.command('discard all'));
    await mustSucceed(connection.command(become));
  };
  return {
    exclusively: (work) => next(() => work(connection).finally(forget)),
    close: () => next(connection.close),
  };
}

/** A Neon owner is no superuser, but may make roles and databases and read and write every table. */
function founding({ user, database }: Names): string[] {
  const commands: string[] = [];
  if (user !== 'postgres') {
    commands.push(
      `create role ${quoted(user)} login createrole createdb bypassrls`,
      `grant pg_read_all_data, pg_write_all_data, pg_monitor to ${quoted(user)} with admin option`,
      `alter database postgres owner to ${quoted(user)}`,
    );
  }
  // `alter database` refuses to rename the database one is connected to, and a second one would double the start-up.
  if (database !== 'postgres') {
    commands.push(`update pg_database set datname = ${literal(database)} where datname = 'postgres'`);
  }
  return commands;
}

async function mustSucceed(pending: Promise<Outcome>): Promise<void> {
  const outcome = await pending;
  if (!outcome.ok) throw new Error(outcome.error.message);
}

function wire(pglite: PGlite) {
  let transactionStatus = 'I';
  let crash: PostgresCrashed | undefined;

  async function exchange(request: Uint8Array, milestones: readonly string[]): Promise<Outcome> {
    if (crash) throw crash;
    const answer = await pglite.execProtocolStream(request, { throwOnError: false }).then(
      (received) => readAnswer(received, milestones),
      (error: unknown) => ({ crash: error instanceof Error ? error.message : JSON.stringify(error) }),
    );
    if ('crash' in answer) {
      crash = new PostgresCrashed(answer.crash);
      throw crash;
    }
    transactionStatus = answer.transactionStatus;
    return answer.outcome;
  }

  return {
    inTransaction: () => transactionStatus !== 'I',
    /** What a crash left in memory must not be written to the data folder. */
    close: async () => {
      if (!crash) await pglite.close();
    },
    /** The simple protocol: for our own commands. */
    command: (text: string) => exchange(encode.query(text), []),
    /** The same messages that Neon's proxy sends (libs/proxy/tokio-postgres2/src/query.rs). */
    run: (query: string, parameters: readonly (string | null)[]) => {
      const request = [
        encode.parse({ text: query }),
        encode.describe({ type: 'S' }),
        encode.bind({ values: [...parameters] }),
        encode.execute({}),
        // Ends a COPY FROM STDIN, which would wait for data for ever; Postgres ignores it after anything else.
        encode.copyFail('COPY FROM STDIN does not work over HTTP'),
        encode.sync(),
      ];
      return exchange(Buffer.concat(request), ['parseComplete', 'bindComplete']);
    },
  };
}

type Answer = { transactionStatus: string; outcome: Outcome } | { crash: string };

/** `milestones`: which messages a successful answer has before its end. */
function readAnswer(received: messages.BackendMessage[], milestones: readonly string[]): Answer {
  const result: Result = { fields: [], rows: [], tag: '' };
  const seen = new Set<string>();
  let error: messages.DatabaseError | undefined;
  let transactionStatus: string | undefined;
  for (const message of received) {
    seen.add(message.name);
    if (message instanceof messages.DataRowMessage) result.rows.push(message.fields);
    else if (message instanceof messages.RowDescriptionMessage) result.fields = message.fields.map(field);
    else if (message instanceof messages.CommandCompleteMessage) result.tag = message.text;
    else if (message instanceof messages.ReadyForQueryMessage) transactionStatus = message.status;
    else if (message instanceof messages.DatabaseError) error ??= message;
  }
  if (error?.severity === 'FATAL' || error?.severity === 'PANIC') return { crash: error.message };
  // PGlite swallows an overflow of Node's stack, and goes on with the next message in whatever state that left behind:
  // a step is missing then, or the next one misses the statement or portal that it should have made.
  const complete =
    milestones.every((name) => seen.has(name)) && (seen.has('commandComplete') || seen.has('emptyQuery'));
  const lost =
    (error?.code === '26000' && !seen.has('parseComplete')) || (error?.code === '34000' && !seen.has('bindComplete'));
  if (transactionStatus === undefined || lost || (!error && !complete)) {
    return { crash: 'a query was nested too deeply for the stack of Node' };
  }
  return { transactionStatus, outcome: error ? { ok: false, error } : { ok: true, result } };
}

function field(from: messages.Field): Field {
  const { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier } = from;
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format: 'text' };
}
