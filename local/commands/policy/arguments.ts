/** What can stand after `npm run policy --`, and what is wrong with it. */
import { parseArgs } from 'node:util';
import { SAMPLE_CREDENTIALS } from '../../../src/config.ts';
import { DEFAULT_URL, URL_HELP } from '../administrator.ts';
import { calledWrongly } from '../ending.ts';

export const HELP = `Usage: npm run policy -- <command> [options]

On files alone:
  check [FILE]        every problem of a policy, with its line; warnings are what is allowed and probably not meant
  test [FILE]         runs the cases in FILE against the policy beside it: policy.test.json against policy.json
  try FILE --policy P what a call of B2C's in FILE would be answered by the policy P, and why
  schema [--out F]    the JSON Schema of a policy, by which editors complete and check; with --cases, of a file of cases
  functions           what expressions can call beyond CEL's own functions, with examples

With a Gatehouse:
  push [FILE]         shows what FILE changes, asks, and puts it in force as a new version
  pull [FILE]         the policy in force, or --version N of it, on the terminal or into FILE
  diff [FILE]         what FILE changes in the policy in force, or in --version N of it; exit code 1 when anything
  versions            every version: when, by whom, with which note
  rollback N          shows what that changes, asks, and puts version N in force again, as a new version
  try FILE            what a call of B2C's in FILE would be answered at this moment, and why; nothing is recorded.
                      With --remote --policy P: by the draft P, with that Gatehouse's settings and entitlements
  replay              what the draft policy.json, or --policy P, would have decided otherwise about the calls that were
                      kept, by rule; what cannot be judged, since not all of a call is kept, and how it could be

FILE is policy.json when it is left out, and policy.test.json for test; pull without FILE writes to the terminal.

  --policy P          try, test, replay: the policy to use
  --remote            try: ask a Gatehouse also when there is a --policy
  --entitlements F    try: what is held about the person, as JSON: { "roles": [], "groups": [], "attributes": {}, "applications": {} }
  --step STEP         try: the step in the address that B2C calls, which counts when the body names none
                      replay: only calls of that step
  --at TIME           try: when the call comes, such as 2026-11-21T08:00:00Z; now when left out
  --from, --to TIME   replay: calls from that time to before that time; the last seven days when left out
  --client-id ID      replay: only calls for that application
  --limit N           replay: at most so many calls, the newest
  --json              replay: as JSON, for programs
  --note TEXT         push, rollback: why, for those who read the versions later
  --base N            push: refuse unless version N is in force (0: none yet); for CI
  --yes               push, rollback: do not ask; needed where there is no terminal
  --version N         pull, diff: that version instead of the one in force
  --force             pull: overwrite FILE although it says something else
  --out F             schema: write it to F
  --cases             schema: of a file of cases instead of a policy
  --var NAME=value    check, push, try, test, replay: ROLES_CLAIM or EXTENSIONS_APP_ID, when not as in wrangler.toml

Exit codes: 0 it is done; 1 it is not, a problem was found or a case failed; 2 called wrongly.
diff and replay: 0 no difference, 1 some, 2 trouble.

${URL_HELP}
replay asks for reports: GATEHOUSE_REPORTS, a line of the secret REPORTS_BASIC; locally ${SAMPLE_CREDENTIALS.reports}.`;

export type Options = ReturnType<typeof readOptions>['values'];
type Option = Exclude<keyof Options, 'help'>;

interface Shape {
  readonly takes: readonly Option[];
  /** What stands after the name: needed, or with what it is when left out. */
  readonly wants?: { readonly what: string; readonly preset?: string };
}

const POLICY_JSON = 'policy.json';

const COMMANDS = {
  schema: { takes: ['out', 'cases'] },
  functions: { takes: [] },
  check: { takes: ['var'], wants: { what: 'FILE', preset: POLICY_JSON } },
  push: { takes: ['url', 'note', 'base', 'yes', 'var'], wants: { what: 'FILE', preset: POLICY_JSON } },
  pull: { takes: ['url', 'version', 'force'], wants: { what: 'FILE', preset: '' } },
  diff: { takes: ['url', 'version'], wants: { what: 'FILE', preset: POLICY_JSON } },
  versions: { takes: ['url'] },
  rollback: { takes: ['url', 'note', 'yes'], wants: { what: 'the number of a version' } },
  try: {
    takes: ['url', 'policy', 'entitlements', 'step', 'at', 'remote', 'var'],
    wants: { what: 'FILE, a body as B2C sends it,' },
  },
  replay: { takes: ['url', 'policy', 'from', 'to', 'client-id', 'step', 'limit', 'json', 'var'] },
  test: { takes: ['policy', 'var'], wants: { what: 'FILE', preset: '' } },
} as const satisfies Record<string, Shape>;
export type Command = keyof typeof COMMANDS;

const isCommand = (name: string): name is Command => Object.hasOwn(COMMANDS, name);

export function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        out: { type: 'string' },
        cases: { type: 'boolean' },
        var: { type: 'string', multiple: true },
        note: { type: 'string' },
        base: { type: 'string' },
        yes: { type: 'boolean', short: 'y' },
        version: { type: 'string' },
        force: { type: 'boolean' },
        policy: { type: 'string' },
        entitlements: { type: 'string' },
        step: { type: 'string' },
        at: { type: 'string' },
        remote: { type: 'boolean' },
        from: { type: 'string' },
        to: { type: 'string' },
        'client-id': { type: 'string' },
        limit: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw calledWrongly(error instanceof Error ? error.message : String(error), 'policy');
  }
}

/** The command and what stands after it; `''` where nothing stands and nothing is needed. */
export function readCommand([name, ...rest]: string[], options: Options): { command: Command; subject: string } {
  if (name === undefined || !isCommand(name)) {
    const said = name === undefined ? 'Say what to do' : `"${name}" is not a command`;
    throw calledWrongly(`${said}: ${Object.keys(COMMANDS).join(', ')}.`, 'policy');
  }
  const { takes, wants }: Shape = COMMANDS[name];
  const [typed, tooMuch] = wants === undefined ? [undefined, rest[0]] : rest;
  const subject = typed ?? (wants === undefined ? '' : wants.preset);
  if (subject === undefined) throw calledWrongly(`${name} needs ${wants?.what} after it.`, 'policy');
  if (tooMuch !== undefined) throw calledWrongly(`"${tooMuch}" is too much after ${name}.`, 'policy');
  const foreign = Object.keys(options).find((option) => option !== 'help' && !takes.some((taken) => taken === option));
  if (foreign !== undefined) throw calledWrongly(`${name} does not take --${foreign}.`, 'policy');
  return { command: name, subject };
}

export const urlIn = (options: Options): string => options.url ?? DEFAULT_URL;

/** A version's number as somebody typed it; `least` is 1, or 0 where that means none. */
export function readNumber(typed: string, what: string, least: 0 | 1 = 1): number {
  const number = /^\d{1,9}$/.test(typed) ? Number(typed) : -1;
  if (number >= least) return number;
  throw calledWrongly(
    `${what} ${typed} is not the number of a version: npm run policy -- versions lists them.`,
    'policy',
  );
}
