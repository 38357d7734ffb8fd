/** The commands of `npm run policy`. */
import { InvalidArgumentError } from 'commander';
import * as z from 'zod/mini';
import { administrator, atGatehouse, credentialHelp, type Gatehouse, reporter } from '../administrator.ts';
import { writeText } from '../files.ts';
import { type Io, print, warn } from '../io.ts';
import type { Define, Program } from '../program.ts';
import { calledWrongly } from '../refusal.ts';
import { functionsManual } from './function-list.ts';
import { casesJsonSchema, policyJsonSchema } from './json-schema.ts';
import { type PolicyFile, readPolicy } from './policy-file.ts';
import { counted, warningsOf } from './problems.ts';
import { diff, listVersions, pull } from './reading.ts';
import { type ReplayOptions, replay } from './replay/replay.ts';
import { changeList, push, rollBack, type Saving } from './saving.ts';
import { claimNamesGiven, readSetting, type Settings } from './settings.ts';
import { testPolicy } from './test-command.ts';
import { type TryOptions, tryFile } from './try-command.ts';

const POLICY_JSON = 'policy.json';

/** The options of all commands, as commander parses them. */
interface Options extends TryOptions, Saving, Omit<ReplayOptions, 'policy' | 'step' | 'json'> {
  readonly url?: string;
  readonly base?: number;
  readonly version?: number;
  readonly force?: true;
  readonly remote?: true;
  readonly clientId?: string;
  readonly out?: string;
  readonly cases?: true;
}

export const define: Define = (program, io) => {
  program.addHelpText('after', credentialHelp());
  onFiles(program.commandsGroup('With files only:'), io);
  withGatehouse(program.commandsGroup('With a Gatehouse:'), io);
};

function onFiles(program: Program, io: Io): void {
  under(program.command('check'))
    .description('Lists every problem of a policy with its line. Warnings are allowed but probably mistakes.')
    .argument('[file]', 'the policy', POLICY_JSON)
    .does(async (file: string, { var: settings }: Options) => check(io, await read(file, settings)));
  under(program.command('test'))
    .description('Runs test cases: calls to the policy beside them, with their expected replies.')
    .argument('[file]', 'the cases (default: policy.test.json, or those beside --policy)')
    .option('--policy <file>', 'the policy (default: the one beside the cases: policy.json for policy.test.json)')
    .does((file: string | undefined, options: Options) => testPolicy(io, file, options.policy, options.var));
  program
    .command('schema')
    .description('Writes the JSON Schema of a policy, for completion and checks in editors.')
    .option('--out <file>', 'write to this file instead of the terminal')
    .option('--cases', 'the schema of test cases instead of a policy')
    .does((options: Options) => schema(io, options));
  program
    .command('functions')
    .description('Lists the functions that expressions have in addition to CEL, with examples.')
    .does(async () => {
      print(io, functionsManual());
      return 0;
    });
}

function withGatehouse(program: Program, io: Io): void {
  under(saving(program.command('push')))
    .description('Shows what a file changes, asks for confirmation, and puts it in force as a new version.')
    .argument('[file]', 'the policy', POLICY_JSON)
    .option('--base <N>', 'refuse unless version N is in force (0: none yet); for CI', number(0))
    .does(async (file: string, options: Options) =>
      push(io, administrator(io, options.url), await read(file, options.var), options),
    );
  const list = program
    .command('list')
    .description(
      'Adds or removes entries of one list of the policy in force: list add NAME ENTRY…, list remove NAME ENTRY…',
    );
  for (const kind of ['add', 'remove'] as const)
    saving(list.command(kind))
      .description(
        kind === 'add'
          ? 'Shows what changes, asks for confirmation, and adds entries to a list. One that is there already changes nothing.'
          : 'Shows what changes, asks for confirmation, and removes entries of a list. One that is not there changes nothing.',
      )
      .argument('<name>', 'the list, as expressions name it after lists.')
      .argument('<entries...>', 'the entries; write -- before one that begins with a dash')
      .does((name: string, entries: string[], options: Options) =>
        changeList(io, administrator(io, options.url), kind, name, entries, options),
      );
  atGatehouse(program.command('pull'))
    .description('Writes the policy in force to the terminal or to a file.')
    .argument('[file]', 'the file to write')
    .option('--version <N>', 'this version instead of the one in force', number(1))
    .option('--force', 'overwrite a file that differs')
    .does((file: string | undefined, options: Options) => pull(io, administrator(io, options.url), file, options));
  atGatehouse(program.command('diff'))
    .description('Compares a file with the policy in force. Exit code 0: no difference, 1: differences, 2: error.')
    .argument('[file]', 'the policy', POLICY_JSON)
    .option('--version <N>', 'compare with this version instead', number(1))
    .does((file: string, { url, version }: Options) => diff(io, administrator(io, url), file, version));
  atGatehouse(program.command('versions'))
    .description('Lists every version with its time, author and note.')
    .does(({ url }: Options) => listVersions(io, administrator(io, url)));
  saving(program.command('rollback'))
    .description('Shows what changes, asks for confirmation, and puts version N in force again as a new version.')
    .argument('<number>', 'the version', number(1))
    .does((to: number, options: Options) => rollBack(io, administrator(io, options.url), to, options));
  under(atGatehouse(program.command('try')))
    .description(
      'Shows the reply to a call, and why. Nothing is recorded. With --policy the call is evaluated on this machine; ' +
        'with --policy and --remote, by a Gatehouse with its settings and entitlements.',
    )
    .summary('Shows the reply to a call, and why. With --policy it uses a file, on this machine.')
    .argument('<file>', 'the body that B2C sends')
    .option('--policy <file>', 'use this policy instead of the one in force')
    .option('--remote', 'with --policy: use a Gatehouse')
    .option(
      '--entitlements <file>',
      'the record of the person: { "roles": [], "groups": [], "attributes": {}, "applications": {} }',
    )
    .option('--step <step>', 'the step in the URL that B2C calls, used when the body has no step; or an exchange')
    .option('--at <time>', 'the time of the call, for example 2026-11-21T08:00:00Z (default: now)', time)
    .does((file: string, options: Options) => tryFile(io, gatehouseFor(io, options), file, options));
  under(atGatehouse(program.command('replay'), 'reports'))
    .description(
      'Evaluates a draft on recorded calls and shows, by rule, which decisions differ. Some calls are undecided, since ' +
        'not all of a call is recorded; the report says what to record. Exit code 0: no difference, 1: differences, 2: error.',
    )
    .summary(
      'Shows which recorded calls a draft decides differently: --from, --to, --tz, --step, --client-id, --limit, --json. ' +
        'Its credential is GATEHOUSE_REPORTS.',
    )
    .option('--policy <file>', 'the draft', POLICY_JSON)
    .option(
      '--from <time>',
      'calls from this time on: 2026-11-21, today, yesterday, -24h, -7d or 2026-11-21T08:00:00Z (default: -7d)',
    )
    .option('--to <time>', 'calls before this time')
    .option('--tz <zone>', 'the zone in which days begin, such as Europe/Berlin (default: UTC)')
    .option('--step <step>', 'only calls of this step or exchange')
    .option('--client-id <id>', 'only calls for this application')
    .option('--limit <N>', 'the N newest calls only')
    .option('--json', 'print JSON')
    .does((options: Options) =>
      replay(io, reporter(io, options.url), { ...options, 'client-id': options.clientId }, options.var ?? {}),
    );
}

/** Adds the settings on which claim names depend. */
const under = (command: Program): Program =>
  command.option(
    '--var <NAME=value>',
    'overrides ROLES_CLAIM or EXTENSIONS_APP_ID of wrangler.toml; may be repeated',
    readSetting,
  );

const saving = (command: Program): Program =>
  atGatehouse(command)
    .option('--note <text>', 'the reason, shown in the list of versions')
    .option('-y, --yes', 'do not ask; required without a terminal');

/** Parses a version number. `least` is 0 where 0 means none. */
const number = (least: 0 | 1) => (typed: string) => {
  if (/^\d{1,9}$/.test(typed) && Number(typed) >= least) return Number(typed);
  throw new InvalidArgumentError('It is not a version number. npm run policy -- versions lists them.');
};

function time(typed: string): string {
  if (z.iso.datetime({ offset: true }).safeParse(typed).success) return typed;
  throw new InvalidArgumentError('It is not a time. Write for example 2026-11-21T08:00:00Z.');
}

const read = async (file: string, settings?: Settings): Promise<PolicyFile> =>
  readPolicy(file, (await claimNamesGiven(settings)).rolesClaim);

async function check(io: Io, { source: { file }, policy, warnings }: PolicyFile): Promise<number> {
  if (warnings.length > 0) warn(io, `${warningsOf(file, warnings)}\n`);
  const { rules, lists = {}, messages = {}, exchanges = {} } = policy.document;
  const parts = [
    counted(rules.length, 'rule'),
    counted(Object.keys(lists).length, 'list'),
    counted(Object.keys(messages).length, 'message'),
    ...(Object.keys(exchanges).length === 0 ? [] : [counted(Object.keys(exchanges).length, 'exchange')]),
  ];
  print(io, `${file} is valid: ${parts.join(', ')}.`);
  return 0;
}

/** Undefined: a draft is tried on this machine unless `--remote` is given. */
function gatehouseFor(io: Io, { policy, remote, url }: Options): Gatehouse | undefined {
  if (policy === undefined || remote) return administrator(io, url);
  if (url === undefined) return undefined;
  throw calledWrongly('With --policy the call is tried on this machine. Add --remote, or remove --url.', 'policy');
}

async function schema(io: Io, { cases, out }: Options): Promise<number> {
  const text = JSON.stringify(cases ? casesJsonSchema() : policyJsonSchema(), null, 2);
  if (out === undefined) print(io, text);
  else {
    await writeText(out, `${text}\n`);
    print(io, `Written to ${out}. Add it to the first line of your file: "$schema": "./${out.split('/').at(-1)}".`);
  }
  return 0;
}
