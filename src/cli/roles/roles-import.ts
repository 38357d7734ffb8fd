/** `roles import`: checks the whole file before the first write. After an interruption it can be run again. */
import { setTimeout as pause } from 'node:timers/promises';
import { SingleBar } from 'cli-progress';
import { recordInput } from '../../desk/admin/record-input.ts';
import { errorSentence, type Gatehouse } from '../administrator.ts';
import { type Io, print, warn } from '../io.ts';
import { CommandRefusal } from '../refusal.ts';
import { find, inputOf, put, readSaved } from './roles-api.ts';
import { type Line, readRolesCsv, withLine } from './roles-csv.ts';

/** KV limits writes per key only. More concurrent calls are hardly faster. */
const CALLS_AT_ONCE = 6;
/** How often a write is tried when Gatehouse returns 503. */
const TRIES = 3;
const MAX_PAUSE_SECONDS = 30;
/** The exit code of a shell after Ctrl-C: 128 + SIGINT. */
const INTERRUPTED_EXIT_CODE = 130;

const SAFE_AGAIN =
  'Run the same command again: it is safe. Lines that are done do not change and are not logged twice.';

/** All lines of one person, and the record to write. */
interface Planned {
  readonly key: string;
  readonly lines: readonly Line[];
  readonly input: ReturnType<typeof inputOf>;
}

/** Imports the text of a file and returns the exit code. Throws a refusal when the file is wrong or a call fails. */
export async function importRoles(io: Io, gatehouse: Gatehouse, text: string): Promise<number> {
  const file = await readRolesCsv(text);
  if (!file.ok) throw notWritten(file.errors);
  const people = Map.groupBy(file.lines, ({ key }) => key);

  // After the first Ctrl-C, running calls finish.
  let stopped = false;
  const stop = () => stopped;
  const forget = io.onInterrupt(() => {
    stopped = true;
  });
  try {
    const planned = await plan(io, gatehouse, [...people], stop);
    if (!stopped) return await write(io, gatehouse, planned, stop);
    warn(io, 'Interrupted during the check: nothing was written.');
    return INTERRUPTED_EXIT_CODE;
  } finally {
    forget();
  }
}

/** Merges the lines of each person into their record and checks the result. Writes nothing. */
async function plan(io: Io, gatehouse: Gatehouse, people: [string, Line[]][], stop: () => boolean): Promise<Planned[]> {
  const planned: Planned[] = [];
  const errors: string[] = [];
  const failure = await severalAtOnce(barOf(io, 'Checking'), people, stop, async ([key, lines]) => {
    const held = inputOf(await find(gatehouse, key));
    const input = lines.reduce(withLine, held);
    for (const issue of recordInput.safeParse(input).error?.issues ?? []) {
      errors.push(`${linesOf([{ lines }])}: ${[...issue.path, issue.message].join(': ')}`);
    }
    planned.push({ key, lines, input });
  });
  if (failure !== undefined) throw new CommandRefusal(`${failure.message}\nNothing was written.`);
  if (errors.length > 0) throw notWritten(errors);
  return planned.sort((a, b) => firstLineOf(a) - firstLineOf(b));
}

async function write(io: Io, gatehouse: Gatehouse, planned: readonly Planned[], stop: () => boolean): Promise<number> {
  const done: Planned[] = [];
  const warnings = new Set<string>();
  let changed = 0;
  let inForce = '';
  const failure = await severalAtOnce(barOf(io, 'Writing '), planned, stop, async (person) => {
    const saved = readSaved(await putPatiently(gatehouse, person, stop));
    done.push(person);
    if (saved.changed) changed += 1;
    if (saved.warning !== undefined) warnings.add(saved.warning);
    inForce = saved.inForce;
  });
  for (const warning of warnings) warn(io, `Note: ${warning}`);
  if (done.length < planned.length) {
    const left = planned.filter((person) => !done.includes(person));
    warn(
      io,
      `${failure === undefined ? 'Interrupted.' : failure.message}\n` +
        `Done: ${done.length === 0 ? 'no line' : linesOf(done)}. ` +
        `Not done, or unknown: ${linesOf(left)}.\n${SAFE_AGAIN}`,
    );
    return failure === undefined ? INTERRUPTED_EXIT_CODE : 1;
  }
  print(
    io,
    `${done.length} people in ${linesOf(done)}: ${changed} created or changed, ${done.length - changed} unchanged.`,
  );
  if (changed > 0) print(io, `In force: ${inForce}.`);
  return 0;
}

/** Retries a write after a 503, when Retry-After has passed. */
async function putPatiently(gatehouse: Gatehouse, { key, lines, input }: Planned, stop: () => boolean) {
  for (let tries = 1; ; tries += 1) {
    const answer = await put(gatehouse, key, input);
    if (answer.status === 200) return answer;
    if (answer.status !== 503 || tries === TRIES || stop()) {
      throw new CommandRefusal(`${linesOf([{ lines }])}: ${errorSentence(answer)}`);
    }
    await pause(Math.min(answer.retryAfterSeconds, MAX_PAUSE_SECONDS) * 1_000);
  }
}

/** Works through the items until one fails or `stop` returns true; running items finish. Returns the first failure. */
async function severalAtOnce<Item>(
  bar: SingleBar,
  items: readonly Item[],
  stop: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<CommandRefusal | undefined> {
  const waiting = items.values();
  let failure: CommandRefusal | undefined;
  const worker = async () => {
    for (const item of waiting) {
      try {
        await work(item);
        bar.increment();
      } catch (error) {
        if (!(error instanceof CommandRefusal)) throw error;
        failure ??= error;
      }
      if (failure !== undefined || stop()) return;
    }
  };
  bar.start(items.length, 0);
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, worker)).finally(() => bar.stop());
  return failure;
}

const notWritten = (errors: readonly string[]) =>
  new CommandRefusal(`${errors.join('\n')}\nNothing was written. Correct the file and run the command again.`);

/** Shows nothing without a terminal. */
const barOf = ({ stderr }: Io, what: string) =>
  new SingleBar({
    format: `${what} {bar} {value}/{total} people, {eta_formatted} left`,
    hideCursor: true,
    stream: stderr,
  });

const firstLineOf = ({ lines }: Planned) => lines[0]?.line ?? 0;

/** `line 2`, `lines 2-14, 16`. */
function linesOf(people: readonly Pick<Planned, 'lines'>[]): string {
  const numbers = people.flatMap(({ lines }) => lines.map(({ line }) => line)).sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const texts = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return `${numbers.length === 1 ? 'line' : 'lines'} ${texts.join(', ')}`;
}
